"""Many evaluations of one method (试算): bids changed a little, every coefficient enumerated.

Invariant: pure; the same question gives the same trials in the same order. A trial meets exactly
the readers and the engine that a real evaluation meets. Code: ``trials.too_many``.
"""

from collections.abc import Iterator, Mapping
from itertools import product
from math import prod
from typing import Any, cast

from crypto.canonical import Json
from crypto.errors import Rejected
from server.domain.evaluation.methods import (
    Bids,
    Derivation,
    Draws,
    Method,
    bids_of,
    draws_of,
    needed_draws,
)

TRIALS_MAX = 200_000
COMBINATIONS_MAX = 10_000

Row = dict[str, Any]


def check_count(count: int) -> int:
    """``count`` evaluations, if that is not too many."""
    if count > TRIALS_MAX:
        raise Rejected("trials.too_many", f"{count} evaluations, at most {TRIALS_MAX}")
    return count


def combination_count(method: Method) -> int:
    """How many ways the coefficients can be drawn, orders not counted. Refused beyond 10,000."""
    count = prod(len(draw.values) for draw in needed_draws(method) if not draw.is_order)
    if count > COMBINATIONS_MAX:
        raise Rejected("trials.too_many", f"{count} combinations, at most {COMBINATIONS_MAX}")
    return count


def combinations(method: Method) -> Iterator[dict[str, str]]:
    """Every way in which the coefficients can be drawn, label -> value; orders are left out."""
    draws = [draw for draw in needed_draws(method) if not draw.is_order]
    combination_count(method)
    for values in product(*(draw.values for draw in draws)):
        yield {draw.label: value for draw, value in zip(draws, values, strict=True)}


def document_of(bids: Bids) -> tuple[Json, list[Row]]:
    """What was given with the tender, and one row for each bid: copies, as they were read."""
    document = cast("dict[str, Any]", bids.document)
    return document["given"], [dict(row) for row in document["bids"]]


def bids_from(method: Method, given: Json, rows: list[Row]) -> Bids:
    """Rows as bids again."""
    return bids_of(method, {"given": given, "bids": rows})


def draws_with(method: Method, bids: Bids, draws: Draws, changed: Mapping[str, str]) -> Draws:
    """The draws as they were, but for ``changed`` and for bids that are no longer there."""
    document = cast("dict[str, str | list[str]]", draws.document)
    there = set(bids.ids)
    kept: dict[str, object] = {
        label: value if isinstance(value, str) else [bid for bid in value if bid in there]
        for label, value in document.items()
    }
    return draws_of(method, bids, kept | dict(changed))


def score_of(derivation: Derivation, bid_id: str) -> str | None:
    """The score that the method shows for a bid, if it shows one and the bid has one."""
    shown = derivation.results.shown.get("score")
    return shown.get(bid_id) if isinstance(shown, dict) else None


def benchmark_of(derivation: Derivation) -> str | None:
    """The benchmark that the method shows, if it shows one."""
    shown = derivation.results.shown.get("benchmark")
    return shown if isinstance(shown, str) else None
