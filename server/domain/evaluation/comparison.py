"""What two methods would do to the same bids (办法比较).

The two need not ask for the same: a bid has the members of both, and each method is given its own.
Invariant: pure; a member that neither method knows is refused, as either would alone.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, cast

from crypto.canonical import Json
from server.domain.evaluation.methods import (
    Derivation,
    Method,
    Misplaced,
    bids_of,
    draws_of,
    evaluate,
    needed_draws,
)
from server.domain.evaluation.trials import benchmark_of, score_of


@dataclass(frozen=True, slots=True)
class Fate:
    """One bid under one method. ``place`` None: left out at step ``left_out``, or nobody ranked."""

    place: int | None
    score: str | None
    left_out: str

    def as_json(self) -> dict[str, Json]:
        return {"place": self.place, "score": self.score, "left_out": self.left_out}


@dataclass(frozen=True, slots=True)
class Comparison:
    """Both evaluations, and each bid's fate under the first and the second."""

    first: Derivation
    second: Derivation
    fates: dict[str, tuple[Fate, Fate]]

    @property
    def moved(self) -> tuple[str, ...]:
        """The bids whose place is another."""
        return tuple(bid for bid, (a, b) in self.fates.items() if a.place != b.place)

    def as_json(self) -> dict[str, Json]:
        return {
            "methods": [_of(self.first), _of(self.second)],
            "moved": list[Json](self.moved),
            "bids": {bid: [a.as_json(), b.as_json()] for bid, (a, b) in self.fates.items()},
        }


def _of(derivation: Derivation) -> dict[str, Json]:
    results, method = derivation.results, derivation.method
    return {
        "id": method.id,
        "version": method.version,
        "benchmark": benchmark_of(derivation),
        "first": [bid for place, bid in results.ranking if place == 1],
        "ended_at": results.failed_at,
    }


def compare(
    first: Method, second: Method, bids: Mapping[str, Any], draws: Mapping[str, Any]
) -> Comparison:
    """``bids`` and ``draws`` as values, with the members of both. Raises Misplaced."""
    _check_known(first, second, bids, draws)
    one, two = (_evaluated(method, bids, draws) for method in (first, second))
    fates = {bid: (_fate(one, bid), _fate(two, bid)) for bid in one.bids.ids}
    return Comparison(one, two, fates)


def _fate(derivation: Derivation, bid: str) -> Fate:
    results = derivation.results
    return Fate(results.place(bid), score_of(derivation, bid), results.left_out.get(bid, ""))


def _evaluated(method: Method, bids: Mapping[str, Any], draws: Mapping[str, Any]) -> Derivation:
    given, rows = bids.get("given", {}), bids.get("bids", [])
    own = {
        "given": _part(given, method.given),
        "bids": [_part(row, ("id", "name", *method.fields)) for row in rows],
    }
    read = bids_of(method, own)
    labels = [draw.label for draw in needed_draws(method)]
    return evaluate(method, read, draws_of(method, read, _part(draws, labels)))


def _part(members: Any, names: Iterable[str]) -> Any:
    if not isinstance(members, dict):
        return members  # the reader refuses it at its place
    there = cast("dict[str, Any]", members)
    return {name: there[name] for name in names if name in there}


def _check_known(
    first: Method, second: Method, bids: Mapping[str, Any], draws: Mapping[str, Any]
) -> None:
    """Every member is known to one of the two."""
    both = (first, second)
    labels = {draw.label for method in both for draw in needed_draws(method)}
    _known("draws", draws, labels, "")
    _known("bids", bids, {"given", "bids"}, "")
    _known("bids", bids.get("given", {}), {name for m in both for name in m.given}, "given.")
    fields = {"id", "name", *(name for method in both for name in method.fields)}
    rows = bids.get("bids", [])
    if not isinstance(rows, list):
        raise Misplaced("bids", "type", "bids", "expected a list")
    for at, row in enumerate(cast("list[Any]", rows)):
        _known("bids", row, fields, f"bids[{at}].")


def _known(noun: str, members: Any, names: set[str], place: str) -> None:
    if isinstance(members, dict):
        for name in cast("dict[str, Any]", members):
            if name not in names:
                raise Misplaced(noun, "unknown_member", place + name[:40])
