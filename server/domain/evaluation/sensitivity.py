"""What decided a finished evaluation (敏感性分析): each bid left out, each coefficient drawn anew.

Exact: every case is evaluated, none is estimated. A report, not a judgement: that somebody's bid
moved the winner says nothing about why it was made.
Invariant: pure; the actual bids and draws are not changed, only left out or exchanged one by one.
"""

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass

from crypto.canonical import Json
from server.domain.evaluation.methods import (
    Bids,
    Derivation,
    Draws,
    Method,
    evaluate,
    needed_draws,
)
from server.domain.evaluation.trials import (
    COMBINATIONS_MAX,
    benchmark_of,
    bids_from,
    check_count,
    combination_count,
    combinations,
    document_of,
    draws_with,
    score_of,
)

Told = Callable[[int, int], None]  # done, of how many


@dataclass(frozen=True, slots=True)
class Outcome:
    """Who would have been first, and over which benchmark. ``first``: several where they share the
    place, empty where nobody is ranked.
    """

    first: tuple[str, ...]
    benchmark: str | None
    score: str | None  # of the first

    def as_json(self) -> dict[str, Json]:
        first = list[Json](self.first)
        return {"first": first, "benchmark": self.benchmark, "score": self.score}


@dataclass(frozen=True, slots=True)
class Sensitivity:
    """``without``: bid -> outcome if it had not been there. ``drawn``: label -> value -> outcome,
    all other draws as they were. ``combinations``: who is first -> in how many of all combinations.
    """

    actual: Outcome
    without: dict[str, Outcome]
    drawn: dict[str, dict[str, Outcome]]
    combinations: dict[tuple[str, ...], int]

    @property
    def deciding(self) -> tuple[str, ...]:
        """Bids that are not first themselves, without which somebody else would have been."""
        first = self.actual.first
        return tuple(b for b, o in self.without.items() if b not in first and o.first != first)

    @property
    def next(self) -> dict[str, tuple[str, ...]]:
        """Who would have been first without each of the first."""
        return {bid: self.without[bid].first for bid in self.actual.first}

    def as_json(self) -> dict[str, Json]:
        return {
            "actual": self.actual.as_json(),
            "deciding": list[Json](self.deciding),
            "next": {bid: list[Json](first) for bid, first in self.next.items()},
            "without": {bid: outcome.as_json() for bid, outcome in self.without.items()},
            "drawn": {
                label: {value: outcome.as_json() for value, outcome in values.items()}
                for label, values in self.drawn.items()
            },
            "combinations": [
                {"first": list[Json](first), "count": n} for first, n in self.combinations.items()
            ],
        }


def trial_count(method: Method, bids: Bids) -> int:
    """How many evaluations ``sensitivity`` makes. Code: ``trials.too_many``."""
    single = sum(len(draw.values) for draw in needed_draws(method))
    return check_count(1 + len(bids.ids) + single + combination_count(method))


def sensitivity(
    method: Method, bids: Bids, draws: Draws, told: Told = lambda done, total: None
) -> Sensitivity:
    """Leave-one-out over the bids, enumeration over the draws. Code: ``trials.too_many``."""
    total = trial_count(method, bids)
    done = 0

    def outcome(changed_bids: Bids, changed_draws: Draws) -> Outcome:
        nonlocal done
        done += 1
        told(done, total)
        return _outcome(evaluate(method, changed_bids, changed_draws))

    actual = outcome(bids, draws)
    given, rows = document_of(bids)
    without: dict[str, Outcome] = {}
    for bid_id in bids.ids:
        left = bids_from(method, given, [row for row in rows if row["id"] != bid_id])
        without[bid_id] = outcome(left, draws_with(method, left, draws, {}))
    drawn = {
        draw.label: {
            value: outcome(bids, draws_with(method, bids, draws, {draw.label: value}))
            for value in draw.values
        }
        for draw in needed_draws(method)
        if not draw.is_order
    }
    firsts = Counter(
        outcome(bids, draws_with(method, bids, draws, each)).first for each in combinations(method)
    )
    assert firsts.total() <= COMBINATIONS_MAX
    return Sensitivity(actual, without, drawn, dict(firsts.most_common()))


def _outcome(derivation: Derivation) -> Outcome:
    first = tuple(bid for place, bid in derivation.results.ranking if place == 1)
    score = score_of(derivation, first[0]) if first else None
    return Outcome(first, benchmark_of(derivation), score)
