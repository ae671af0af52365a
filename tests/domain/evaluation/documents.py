"""Documents for the tests of evaluation methods (评标办法测试用文档)."""

import json
from pathlib import Path
from typing import Any

from server.domain.evaluation.methods import (
    Derivation,
    Method,
    Misplaced,
    bids_of,
    draws_of,
    evaluate,
    parse_method,
)
from tests.tree import ROOT

DELIVERED = ROOT / "server/domain/evaluation/methods/delivered"
HALF_UP_2 = {"mode": "half_up", "digits": 2}
SAME = {"0": "same", "1": "same", "2": "same"}
FEW = {"0": "fail", "1": "same", "2": "same"}
TEXT = {"zh": "名称", "en": "name"}


def raw(value: Any) -> bytes:
    return json.dumps(value, ensure_ascii=False).encode()


def delivered(name: str) -> Method:
    return parse_method((DELIVERED / f"{name}.json").read_bytes())


def delivered_names() -> list[str]:
    return sorted(Path(path).stem for path in DELIVERED.glob("*.json"))


def money(**limits: str) -> dict[str, Any]:
    return {"type": "money", "name": TEXT, **limits}


def number(low: str, high: str, digits: int = 2) -> dict[str, Any]:
    return {"type": "number", "name": TEXT, "min": low, "max": high, "digits": digits}


def step(step_id: str, do: str, **members: Any) -> dict[str, Any]:
    """A step; ``from_`` and ``in_`` stand for members that Python keeps for itself."""
    named = {name.rstrip("_"): value for name, value in members.items()}
    return {
        "id": step_id,
        "do": do,
        "name": {"zh": step_id, "en": step_id},
        "clause": TEXT,
        **named,
    }


def rank(of: str = "bids", *by: dict[str, str], **members: Any) -> dict[str, Any]:
    keys = list(by) or [{"lowest": "price"}]
    return step("ranking", "rank", of=of, by=keys, ties="shared", candidates=3) | members


def method_value(*steps: dict[str, Any], **members: Any) -> dict[str, Any]:
    """A method of bids with a price; a ranking by price is added if there is none."""
    all_steps = list(steps)
    if not all_steps or all_steps[-1]["do"] != "rank":
        all_steps.append(rank())
    return {
        "kaibiao_method": 1,
        "id": "test.method",
        "version": 1,
        "name": TEXT,
        "status": "unconfirmed",
        "source": [TEXT],
        "fields": {"price": money()},
        "steps": all_steps,
    } | members


def method(*steps: dict[str, Any], **members: Any) -> Method:
    return parse_method(raw(method_value(*steps, **members)))


def priced(*prices: str, **columns: list[Any]) -> list[dict[str, Any]]:
    """Bids numbered from 1, with prices and further fields."""
    rows = [{"id": str(i), "price": price} for i, price in enumerate(prices, 1)]
    for name, values in columns.items():
        for row, value in zip(rows, values, strict=True):
            row[name] = value
    return rows


def evaluated(
    found: Method,
    bids: list[dict[str, Any]],
    given: dict[str, str] | None = None,
    draws: dict[str, Any] | None = None,
) -> Derivation:
    value: dict[str, Any] = {"bids": bids} | ({"given": given} if given is not None else {})
    read = bids_of(found, value)
    return evaluate(found, read, draws_of(found, read, draws or {}))


def refused(found: Misplaced) -> tuple[str, str]:
    """Code and place."""
    return found.code, found.place
