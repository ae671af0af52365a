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
    """Who would have won, and over which benchmark. ``winner`` None: nobody."""

    winner: str | None
    benchmark: str | None
    score: str | None  # of that winner

    def as_json(self) -> dict[str, Json]:
        return {"winner": self.winner, "benchmark": self.benchmark, "score": self.score}


@dataclass(frozen=True, slots=True)
class Sensitivity:
    """``without``: bid -> outcome if it had not been there. ``drawn``: label -> value -> outcome,
    all other draws as they were. ``combinations``: winner -> in how many of all combinations.
    """

    actual: Outcome
    without: dict[str, Outcome]
    drawn: dict[str, dict[str, Outcome]]
    combinations: dict[str | None, int]

    @property
    def deciding(self) -> tuple[str, ...]:
        """Bids other than the winner's own without which somebody else would have won."""
        winner = self.actual.winner
        return tuple(b for b, o in self.without.items() if b != winner and o.winner != winner)

    @property
    def next(self) -> str | None:
        """Who would have won without the winner."""
        winner = self.actual.winner
        return self.without[winner].winner if winner is not None else None

    def as_json(self) -> dict[str, Json]:
        return {
            "actual": self.actual.as_json(),
            "deciding": list[Json](self.deciding),
            "next": self.next,
            "without": {bid: outcome.as_json() for bid, outcome in self.without.items()},
            "drawn": {
                label: {value: outcome.as_json() for value, outcome in values.items()}
                for label, values in self.drawn.items()
            },
            "combinations": [
                {"winner": winner, "count": count} for winner, count in self.combinations.items()
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
    winners = Counter(
        outcome(bids, draws_with(method, bids, draws, each)).winner for each in combinations(method)
    )
    assert winners.total() <= COMBINATIONS_MAX
    return Sensitivity(actual, without, drawn, dict(winners.most_common()))


def _outcome(derivation: Derivation) -> Outcome:
    winner = derivation.results.winner
    score = score_of(derivation, winner) if winner is not None else None
    return Outcome(winner, benchmark_of(derivation), score)
