"""Parts of methods that are wrong, or stand beside what is (评标办法的错误样例): for the tests."""

from typing import Any

from tests.domain.evaluation.documents import (
    FEW,
    HALF_UP_2,
    SAME,
    TEXT,
    money,
    number,
    priced,
    step,
)

B = step("B", "mean", of="bids", value="price", round=HALF_UP_2, few=FEW)


def formula(value: Any, step_id: str = "x", **members: Any) -> dict[str, Any]:
    return step(step_id, "formula", value=value, round="none") | members


def each(value: Any, over: str = "bids", step_id: str = "x") -> dict[str, Any]:
    return formula(value, step_id, over=over)


def keep(where: str, step_id: str = "valid", from_: str = "bids") -> dict[str, Any]:
    return step(step_id, "keep", from_=from_, where=where)


def trim(drop: Any, few: Any = SAME) -> dict[str, Any]:
    return step("t", "trim", from_="bids", value="price", drop=drop, equal="one", few=few)


def slope(**members: Any) -> dict[str, Any]:
    side = {"per": "1%", "points": "1"}
    every = {"value": "price / 100", "full": "60", "above": side, "below": side}
    rounds = {"units": "none", "deduction": "none", "round": HALF_UP_2}
    return step("s", "slope", over="bids") | every | rounds | members


def total(*parts: Any, sum_to: str = "100") -> dict[str, Any]:
    return step("s", "total", over="bids", parts=list(parts), sum_to=sum_to, round=HALF_UP_2)


def pick(**members: Any) -> dict[str, Any]:
    every: dict[str, Any] = {"count": "1", "round": {"mode": "up", "digits": 0}, "few": SAME}
    return step("p", "pick", from_="bids", by={"lowest": "price", "ties": "all"}) | every | members


def table(*rows: tuple[int, int, int]) -> dict[str, Any]:
    return {"table": [{"from": n, "highest": h, "lowest": low} for n, h, low in rows]}


WHOLE = {"mode": "up", "digits": 0}
MARKS = {
    "type": "scores",
    "name": TEXT,
    "experts": {"min": 1, "max": 9},
    "digits": 1,
    "criteria": [{"id": "a", "name": TEXT, "full": "10"}, {"id": "b", "name": TEXT, "full": "5"}],
}
EXPERTS: dict[str, Any] = {
    "over": "bids",
    "scores": "marks",
    "by": "criterion",
    "drop": table((1, 0, 0)),
    "average": HALF_UP_2,
    "round": HALF_UP_2,
}
K = {"type": "one", "name": TEXT, "label": "k", "of": ["0.95", "0.96"]}
LOTS = {"type": "order", "name": TEXT, "label": "lots"}
PRICE = {"price": money()}
CLASS = {"type": "choice", "name": TEXT, "words": ["A", "B"]}
FLAG = {"type": "flag", "name": TEXT}
BIG = number("0", "999999999999999999")
EXAMPLE = {"figures": "computed", "bids": priced("1.00", "2.00"), "expect": {"ranking": ["1", "2"]}}


def fields(**more: Any) -> dict[str, Any]:
    return {"fields": PRICE | more}


def given(**more: Any) -> dict[str, Any]:
    return {"given": more}


def draws(**more: Any) -> dict[str, Any]:
    return {"draws": more}


# What is refused: steps, other members, the reason, the place.
Refused = tuple[list[Any], dict[str, Any], str, str]
