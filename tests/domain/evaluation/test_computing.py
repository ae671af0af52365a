"""Steps that compute: roundings, few bids, cases, slopes, experts, totals, ties."""

from typing import Any

import pytest

from server.domain.evaluation.methods import Derivation, explain, render
from tests.domain.evaluation.documents import (
    FEW,
    HALF_UP_2,
    TEXT,
    evaluated,
    method,
    number,
    priced,
    rank,
    step,
)

PRICE = {"price": number("0.01", "1000000", 4)}


def summary(do: str, few: Any = FEW, **members: Any) -> dict[str, Any]:
    return step("m", do, of="bids", value="price", few=few, **members)


def one(*steps: dict[str, Any], prices: tuple[str, ...] = (), **members: Any) -> Derivation:
    return evaluated(method(*steps, **({"fields": PRICE} | members)), priced(*prices))


@pytest.mark.parametrize(
    ("do", "prices", "found"),
    [
        ("mean", ("1", "2", "4"), "7/3"),
        ("mean", ("1", "2", "3"), "2"),
        ("median", ("9", "1", "4"), "4"),
        ("median", ("9", "1", "4", "5"), "4.5"),
        ("median", ("9",), "9"),
    ],
)
def test_means_and_medians_are_exact(do: str, prices: tuple[str, ...], found: str):
    assert one(summary(do, round="none"), prices=prices).value("m") == found


@pytest.mark.parametrize(("do", "found"), [("lowest", "1.0000"), ("highest", "9.0000")])
def test_extremes_keep_the_decimals_of_what_they_were_taken_from(do: str, found: str):
    assert one(summary(do), prices=("9", "1", "4")).value("m") == found


def test_nothing_adds_up_to_zero():
    steps = (step("s", "sum", of="bids", value="price"), step("n", "count", of="bids"))
    derivation = one(*steps)
    assert (derivation.value("s"), derivation.value("n")) == ("0.0000", "0")
    assert derivation.results.ranked
    assert derivation.results.winner is None
    assert render(derivation, "zh").endswith("排序：无\n")


INSTEAD = {"0": "7 + 1", "1": "fail", "2": "8.125"}


@pytest.mark.parametrize(
    ("prices", "found"), [((), "8.00"), (("1", "2"), "8.13"), (("1", "2", "6"), "3.00")]
)
def test_a_number_stands_instead_of_a_mean_of_few(prices: tuple[str, ...], found: str):
    assert one(summary("mean", INSTEAD, round=HALF_UP_2), prices=prices).value("m") == found


def test_a_number_that_stands_instead_of_an_extreme_is_printed_whole():
    assert one(summary("lowest", INSTEAD), prices=("1", "2")).value("m") == "8.125"


def test_few_bids_can_end_an_evaluation():
    derivation = one(summary("mean", INSTEAD, round=HALF_UP_2), prices=("1",))
    assert (derivation.results.failed_at, derivation.results.failure) == ("m", "n=1")
    assert derivation.lines[-1].output is None


def test_what_happens_with_few_is_said():
    found = method(summary("mean", INSTEAD, round=HALF_UP_2), fields=PRICE)
    said = {language: explain(found, language)[-2] for language in ("zh", "en")}
    assert "没有投标时取7 + 1；仅有一家时评标终止；仅有两家时取8.125" in said["zh"]
    assert "With no bid: taken as 7 + 1; with one: the evaluation ends" in said["en"]


# ---- rounding

ROUNDINGS = [
    ("half_up", 2, "2.345", "2.35"),
    ("half_up", 2, "-2.345", "-2.35"),
    ("half_even", 2, "2.345", "2.34"),
    ("half_even", 2, "2.355", "2.36"),
    ("truncate", 2, "2.349", "2.34"),
    ("truncate", 2, "-2.349", "-2.34"),
    ("up", 2, "2.341", "2.35"),
    ("up", 2, "-2.341", "-2.35"),
    ("up", 2, "2.34", "2.34"),
    ("half_up", 0, "2.5", "3"),
    ("half_up", -2, "1250", "1300"),
    ("half_even", -2, "1250", "1200"),
    ("truncate", -4, "99999", "90000"),
    ("half_up", 2, "1 / 3", "0.33"),
    ("half_up", 2, "2 / 3", "0.67"),
    ("half_up", 0, "-5 / 6", "-1"),
    ("half_even", 0, "7 / 6", "1"),
    ("half_even", 0, "11 / 6", "2"),
    ("truncate", 1, "2 / 3", "0.6"),
    ("up", 1, "2 / 3", "0.7"),
    ("up", 0, "9 / 3 / 3 * 3", "3"),
    ("up", 0, "10 / 3 * 3", "10"),
    ("half_even", 0, "5 / 3 * 3 / 2", "2"),
    ("half_even", 0, "7 / 3 * 3 / 2", "4"),
]


@pytest.mark.parametrize(("mode", "digits", "value", "found"), ROUNDINGS)
def test_each_rounding_does_what_its_name_says_also_for_fractions(
    mode: str, digits: int, value: str, found: str
):
    rounding = {"mode": mode, "digits": digits}
    derivation = one(
        step("x", "formula", value=value, round=rounding),
        step("y", "formula", over="bids", value=value, round=rounding),
        prices=("1",),
    )
    assert derivation.value("x") == found
    assert derivation.column("y") == {"1": found}


@pytest.mark.parametrize(
    ("rounding", "zh", "en"),
    [
        ("none", "不作取舍", "not rounded"),
        ({"mode": "half_up", "digits": 1}, "保留1位小数，四舍五入", "1 decimal, half up"),
        ({"mode": "half_even", "digits": 2}, "保留2位小数，四舍六入五成双", "2 decimals, half to"),
        ({"mode": "up", "digits": 0}, "取整数，进一", "whole numbers, up"),
        ({"mode": "truncate", "digits": -4}, "取整到10000，舍去", "multiples of 10000, truncated"),
    ],
)
def test_a_rounding_is_said(rounding: Any, zh: str, en: str):
    found = method(step("x", "formula", value="1", round=rounding))
    assert zh in explain(found, "zh")[-2]
    assert en in explain(found, "en")[-2]


def test_a_value_before_rounding_is_printed_beside_it():
    derivation = one(step("x", "formula", value="2 / 3", round=HALF_UP_2))
    assert "结果：0.67（取位前 2/3）" in render(derivation, "zh")
    assert "Result: 0.67 (before rounding 2/3)" in render(derivation, "en")


def test_zero_is_never_negative():
    derivation = one(
        step("x", "formula", over="bids", value="-price / 1000", round=HALF_UP_2),
        prices=("0.01",),
    )
    assert derivation.column("x") == {"1": "0.00"}


# ---- cases and lookups


def cases(otherwise: str, over: bool = True) -> dict[str, Any]:
    arms: list[dict[str, str]] = [{"when": "K > 5", "value": "0"}]
    if over:
        arms += [
            {"in": "high", "when": "price > 8", "value": "price * 2"},
            {"in": "high", "value": "x"},
        ]
    members: dict[str, Any] = {"over": "bids"} if over else {}
    return step("c", "cases", cases=arms, otherwise=otherwise, round="none", **members)


def in_cases(one_step: dict[str, Any], k: str = "1") -> Derivation:
    found = method(
        step("high", "keep", from_="bids", where="price > 5"),
        step("x", "formula", over="high", value="price * 10", round="none"),
        one_step,
        given={"K": number("0", "9")},
        fields=PRICE,
    )
    return evaluated(found, priced("1", "6", "9"), {"K": k})


def test_the_first_case_that_holds_gives_the_value():
    assert in_cases(cases("7")).column("c") == {"1": "7", "2": "60", "3": "18"}
    assert in_cases(cases("7"), "6").column("c") == {"1": "0", "2": "0", "3": "0"}
    assert in_cases(cases("7", over=False)).value("c") == "7"
    assert in_cases(cases("7", over=False), "6").value("c") == "0"


def test_where_no_case_holds_the_evaluation_can_end():
    assert in_cases(cases("fail")).results.failure == "otherwise: 1"
    assert in_cases(cases("fail", over=False)).results.failure == "otherwise"
    assert "没有一种情形适用（1）" in render(in_cases(cases("fail")), "zh")
    assert "no case applies." in render(in_cases(cases("fail", over=False)), "en")
    assert in_cases(cases("fail"), "6").results.ranked


def test_cases_are_said():
    derivation = in_cases(cases("fail"))
    said = "\n".join(explain(derivation.method, "zh"))
    assert "属于high且名称 > 8时，为名称 × 2；属于high时，为x；其余情形评标终止" in said
    assert "otherwise the evaluation ends" in "\n".join(explain(derivation.method, "en"))


def test_a_class_has_its_points():
    grade = {"type": "choice", "name": TEXT, "words": ["AA", "A", "B"]}
    found = method(
        step("p", "lookup", over="bids", by="grade", gives={"AA": "5", "A": "3.5", "B": "-1"}),
        rank("bids", {"highest": "p"}),
        fields=PRICE | {"grade": grade},
    )
    derivation = evaluated(found, priced("1", "2", "3", grade=["A", "B", "AA"]))
    assert derivation.column("p") == {"1": "3.5", "2": "-1", "3": "5"}
    assert derivation.results.winner == "3"
    assert "“AA”为5、“A”为3.5、“B”为-1" in explain(found, "zh")[-2]


# ---- slopes


def slope(units: Any, **members: Any) -> dict[str, Any]:
    every: dict[str, Any] = {
        "full": "60",
        "above": {"per": "1%", "points": "3"},
        "below": {"per": "2%", "points": "1", "most": "4"},
        "units": units,
        "deduction": "none",
        "round": HALF_UP_2,
    }
    return step("s", "slope", over="bids", value="(price - 100) / 100") | every | members


@pytest.mark.parametrize(
    ("units", "scores"),
    [
        ("none", ["60.00", "54.75", "59.13", "56.00"]),
        ({"mode": "up", "digits": 0}, ["60.00", "54.00", "59.00", "56.00"]),
        ({"mode": "truncate", "digits": 0}, ["60.00", "57.00", "60.00", "56.00"]),
        ({"mode": "half_up", "digits": 1}, ["60.00", "54.60", "59.10", "56.00"]),
    ],
)
def test_units_of_deviation_count_in_part_or_whole(units: Any, scores: list[str]):
    derivation = one(slope(units), prices=("100", "101.75", "98.25", "10"))
    assert list(derivation.column("s").values()) == scores
    assert all(explain(derivation.method, language)[-2] for language in ("zh", "en"))


@pytest.mark.parametrize(
    ("price", "score"), [("101.0000", "57.00"), ("101.0001", "54.00"), ("100.0001", "57.00")]
)
def test_the_smallest_step_beyond_a_percent_costs_another_percent(price: str, score: str):
    derivation = one(slope({"mode": "up", "digits": 0}), prices=(price,))
    assert derivation.column("s") == {"1": score}


def test_floor_and_cap_come_last():
    bonus = slope(
        "none",
        below={"per": "1%", "points": "-1"},
        floor="55",
        cap="62",
        deduction={"mode": "half_up", "digits": 0},
    )
    derivation = one(bonus, prices=("50", "99", "101", "150"))
    assert list(derivation.column("s").values()) == ["62.00", "61.00", "57.00", "55.00"]
    said = explain(derivation.method, "zh")[-2]
    assert "每低1%加1分" in said
    assert "最低55分；最高62分" in said
    assert "扣分取整数，四舍五入" in said


def test_a_score_that_is_not_rounded_is_exact():
    derivation = one(
        slope("none", above={"per": "3%", "points": "1"}, round="none"), prices=("101",)
    )
    assert derivation.column("s") == {"1": "179/3"}


# ---- experts


def experts(by: str, average: Any = HALF_UP_2, **members: Any) -> Derivation:
    marks = {
        "type": "scores",
        "name": TEXT,
        "experts": {"min": 1, "max": 9},
        "digits": 1,
        "criteria": [
            {"id": "plan", "name": {"zh": "方案", "en": "plan"}, "full": "20"},
            {"id": "team", "name": {"zh": "团队", "en": "team"}, "full": "10"},
        ],
    }
    drop = {
        "table": [{"from": 1, "highest": 0, "lowest": 0}, {"from": 4, "highest": 1, "lowest": 1}]
    }
    every: dict[str, Any] = {"scores": "marks", "by": by, "drop": drop, "average": average}
    found = method(
        step("e", "experts", over="bids", round=HALF_UP_2, **every, **members),
        rank("bids", {"highest": "e"}),
        fields={"marks": marks},
    )
    rows = {"plan": ["10.0", "20.0", "14.0", "15.5"], "team": ["9.0", "1.0", "5.0", "6.0"]}
    return evaluated(found, [{"id": "1", "marks": rows}])


def test_marks_are_trimmed_and_averaged_by_criterion_or_by_expert():
    """By criterion (14+15.5)/2 + (5+6)/2; by expert of 19, 21, 19, 21.5 the middle two."""
    assert experts("criterion").column("e") == {"1": "20.25"}
    assert experts("expert").column("e") == {"1": "20.00"}
    assert experts("criterion", criteria=["plan"]).column("e") == {"1": "14.75"}
    assert experts("expert", "none").column("e") == {"1": "20.00"}
    assert experts("criterion", "none", criteria=["team"]).column("e") == {"1": "5.50"}


def test_experts_are_said():
    assert "（方案、团队）先按专家合计" in explain(experts("expert").method, "zh")[-2]
    assert "of each criterion" not in explain(experts("expert").method, "en")[-2]
    assert "each criterion" in explain(experts("criterion").method, "en")[-2]


# ---- requirements, ties


def test_a_requirement_that_does_not_hold_ends_the_evaluation():
    enough = step("enough", "require", condition="n >= 3")
    derivation = one(step("n", "count", of="bids"), enough, prices=("1", "2"))
    assert derivation.results.failed_at == "enough"
    assert "所列条件不满足。" in render(derivation, "zh")
    assert one(step("n", "count", of="bids"), enough, prices=("1", "2", "3")).results.ranked


def test_a_tie_is_shared_drawn_or_ends_the_evaluation():
    prices = ("2", "1", "1", "3")
    assert one(prices=prices).results.ranking == ((1, "2"), (1, "3"), (3, "1"), (4, "4"))
    assert "排序：1. 2 = 3 ＞ 3. 1 ＞ 4. 4" in render(one(prices=prices), "zh")
    ended = one(rank(ties="fail"), prices=prices).results
    assert (ended.ranked, ended.failure) == (False, "tie: 2, 3")
    drawn = method(
        rank("bids", {"lowest": "price"}, {"drawn": "lots"}, ties="fail"),
        fields=PRICE,
        draws={"lots": {"type": "order", "name": TEXT, "label": "lots"}},
    )
    lots = {"lots": ["4", "3", "2", "1"]}
    results = evaluated(drawn, priced(*prices), draws=lots).results
    assert results.ranking == ((1, "3"), (2, "2"), (3, "1"), (4, "4"))
    assert "仍相等的评标终止" in explain(drawn, "zh")[-1]


def test_whoever_shares_the_last_place_that_is_recommended_is_recommended():
    results = one(rank(candidates=1), prices=("1", "1", "2")).results
    assert results.candidates == ("1", "2")


def test_names_of_bidders_cannot_mark_up_what_is_printed():
    found = method(fields=PRICE)
    bids = [{"id": "1", "name": "A|B*[x](y)<b>", "price": "1"}]
    printed = render(evaluated(found, bids), "zh")
    assert r"1 A\|B\*\[x\](y)\<b\>" in printed


def test_weights_are_said():
    parts = [{"value": "price", "weight": "60%"}, {"value": "price", "weight": "0.4"}]
    whole = step("s", "total", over="bids", parts=parts, sum_to="1", round=HALF_UP_2)
    derivation = one(whole, prices=("2.005",))
    assert derivation.column("s") == {"1": "2.01"}
    assert "s = 名称 × 60% + 名称 × 40%，合计100%" in explain(derivation.method, "zh")[-2]


@pytest.mark.parametrize(
    ("condition", "zh", "en"),
    [
        ("price > 1 and price < 3", "名称 > 1且名称 < 3", "name > 1 and name < 3"),
        ("not (price = 1 or price = 2)", "非（名称 = 1或名称 = 2）", "not (name = 1 or name = 2)"),
        ("not in(bids)", "非属于全部投标", "not is among all bids"),
        (
            "price > 3 and (price = 1 or price = 2)",
            "名称 > 3且（名称 = 1或名称 = 2）",
            "name > 3 and (name = 1 or name = 2)",
        ),
        ("(price - 1) / (price * 2) < 1", "（名称 − 1） ÷ （名称 × 2） < 1", "(name - 1)"),
        ("price - (1 - price) > 0", "名称 − （1 − 名称） > 0", "name − (1 − name) > 0"),
    ],
)
def test_conditions_are_said_with_no_more_brackets_than_they_need(condition: str, zh: str, en: str):
    found = method(step("k", "keep", from_="bids", where=condition), fields=PRICE)
    assert zh in explain(found, "zh")[-2]
    assert en.replace(" - ", " − ") in explain(found, "en")[-2]
