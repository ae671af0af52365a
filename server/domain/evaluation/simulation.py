"""What a bidder can expect of a price (报价模拟): its score and place over a range of prices.

Rivals bid what was assumed, or each is sampled evenly within a spread around that; every drawn
coefficient is enumerated. Samples come from KDRAW1 streams of the seed, so the same seed gives the
same outlook anywhere.
Invariant: pure and exact: shares are counts of trials, means are rounded once, from fractions.
"""

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from fractions import Fraction

from crypto.canonical import Json
from crypto.draws import Stream, draw
from crypto.errors import Rejected
from crypto.hashes import sha256
from crypto.text import money_text, parse_money
from server.domain.evaluation.methods import (
    Bids,
    Draws,
    Method,
    NumberField,
    draws_of,
    evaluate,
    needed_draws,
)
from server.domain.evaluation.trials import (
    Row,
    bids_from,
    check_count,
    combination_count,
    combinations,
    document_of,
    score_of,
)

SPREAD_DIGITS = 6  # of a share: 0.030000
MEAN_DIGITS = 4
PRICES_MAX = 1_000
SAMPLES_MAX = 10_000


@dataclass(frozen=True, slots=True)
class Question:
    """``own`` bids each of ``prices`` (fen). ``samples`` 0: rivals as assumed; otherwise so many
    times, each rival's ``vary`` within ±``spread`` millionths of what is assumed of it.
    """

    own: str
    vary: str
    prices: tuple[int, ...]
    samples: int
    spread: int
    seed: str

    @property
    def is_sampled(self) -> bool:
        return self.samples > 0


@dataclass(slots=True)
class Outlook:
    """What became of one own price. ``places``: place -> trials; ``scores``: score -> trials."""

    price: int
    trials: int = 0
    places: Counter[int] = field(default_factory=Counter[int])
    unplaced: int = 0
    scores: Counter[Decimal] = field(default_factory=Counter[Decimal])

    def note(self, place: int | None, score: str | None) -> None:
        self.trials += 1
        if place is None:
            self.unplaced += 1
        else:
            self.places[place] += 1
        if score is not None:
            self.scores[Decimal(score)] += 1

    @property
    def wins(self) -> int:
        return self.places[1]

    @property
    def mean_score(self) -> Decimal | None:
        """Half up, to four decimals; None where the method shows no score."""
        count = self.scores.total()
        if not count:
            return None
        total = sum((Fraction(score) * n for score, n in self.scores.items()), Fraction(0))
        scaled = 2 * total / count * 10**MEAN_DIGITS + 1
        return Decimal(scaled.numerator // (2 * scaled.denominator)).scaleb(-MEAN_DIGITS)

    def score_at(self, share: Fraction) -> Decimal | None:
        """The lowest score that at least ``share`` of the trials do not exceed."""
        seen = 0
        for score in sorted(self.scores):
            seen += self.scores[score]
            if seen >= share * self.scores.total():
                return score
        return None

    def as_json(self) -> dict[str, Json]:
        scores = sorted(self.scores)
        middle, mean = self.score_at(Fraction(1, 2)), self.mean_score
        return {
            "price": money_text(self.price),
            "trials": self.trials,
            "wins": self.wins,
            "places": {str(place): self.places[place] for place in sorted(self.places)},
            "unplaced": self.unplaced,
            "score": {
                "min": _text(scores[0]),
                "median": _text(middle),
                "mean": _text(mean),
                "max": _text(scores[-1]),
            }
            if middle is not None and mean is not None
            else None,
        }


def _text(value: Decimal) -> str:
    return f"{value:f}"


def price_range(low: int, high: int, step: int) -> tuple[int, ...]:
    """From low to high, all in fen. Code: ``simulate.range``."""
    if not 0 < low <= high or step <= 0:
        raise Rejected("simulate.range", "from low to high by a step above 0")
    count = (high - low) // step + 1
    if count > PRICES_MAX:
        raise Rejected("simulate.range", f"{count} prices, at most {PRICES_MAX}")
    return tuple(range(low, high + 1, step))


def trial_count(method: Method, question: Question) -> int:
    """How many evaluations ``simulate`` makes. Code: ``trials.too_many``."""
    each = combination_count(method) * max(1, question.samples)
    return check_count(len(question.prices) * each)


def simulate(
    method: Method,
    bids: Bids,
    question: Question,
    told: Callable[[int, int], None] = lambda done, total: None,
) -> list[Outlook]:
    """One outlook for each price. Codes: ``simulate.own``, ``simulate.vary``,
    ``simulate.samples``, ``trials.too_many``, and ``bids.range`` where a price leaves the limits.
    """
    _check(method, bids, question)
    total, done = trial_count(method, question), 0
    outlooks = [Outlook(price) for price in question.prices]
    for sample, (given, rows) in enumerate(_worlds(bids, question)):
        for outlook in outlooks:
            (own,) = (row for row in rows if row["id"] == question.own)
            own[question.vary] = money_text(outlook.price)
            trial = bids_from(method, given, rows)
            for draws in _all_draws(method, trial, question.seed, sample):
                derivation = evaluate(method, trial, draws)
                place = derivation.results.place(question.own)
                outlook.note(place, score_of(derivation, question.own))
                done += 1
            told(done, total)
    return outlooks


def _check(method: Method, bids: Bids, question: Question) -> None:
    if question.own not in bids.ids:
        raise Rejected("simulate.own", f"no bidder {question.own} among the bids")
    varied = method.fields.get(question.vary)
    if not isinstance(varied, NumberField) or not varied.money:
        raise Rejected("simulate.vary", f"{question.vary} is no amount of money of a bid")
    if not 0 <= question.samples <= SAMPLES_MAX or not 0 <= question.spread < 10**SPREAD_DIGITS:
        raise Rejected("simulate.samples", f"{question.samples}, spread {question.spread}")


def _worlds(bids: Bids, question: Question) -> Iterator[tuple[Json, list[Row]]]:
    """The bids as assumed, or as often as there are samples with the rivals' prices sampled."""
    if not question.is_sampled:
        yield document_of(bids)
        return
    key = sha256(question.seed.encode())
    for sample in range(question.samples):
        given, rows = document_of(bids)
        stream = Stream(key, f"sample.{sample}")
        for row in rows:
            if row["id"] != question.own:
                row[question.vary] = money_text(
                    _around(parse_money(row[question.vary]), question.spread, stream)
                )
        yield given, rows


def _around(fen: int, spread: int, stream: Stream) -> int:
    reach = fen * spread // 10**SPREAD_DIGITS
    return max(1, fen - reach + stream.below(2 * reach + 1))


def _all_draws(method: Method, bids: Bids, seed: str, sample: int) -> Iterator[Draws]:
    """Every combination of coefficients; an order, where one is drawn, comes from the seed."""
    orders = {
        each.label: list(_order(bids.ids, f"{seed} {sample}", each.label))
        for each in needed_draws(method)
        if each.is_order
    }
    for values in combinations(method):
        yield draws_of(method, bids, values | orders)


def _order(ids: Sequence[str], seed: str, label: str) -> Sequence[str]:
    places = [str(at) for at in range(len(ids))]  # ids may be of any script, candidates not
    return [ids[int(at)] for at in draw(sha256(seed.encode()), label, places, len(ids)).chosen]
