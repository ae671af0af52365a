"""Steps that make one number of many (汇总): mean, sum, middle, lowest, highest, count.

Invariant: sums are exact. Quotients that nobody rounded are never summed: their common denominator
would grow with every bid, and no tender document means that.
"""

from collections.abc import Callable
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction

from server.domain.evaluation.methods.bounds import Bounds, TooLarge, averaged, repeated, rounded
from server.domain.evaluation.methods.computing import State
from server.domain.evaluation.methods.numbers import (
    NO_ROUNDING,
    Number,
    Rounding,
    Vector,
    calculate,
    parse_rounding,
    total,
)
from server.domain.evaluation.methods.reading import Node
from server.domain.evaluation.methods.scope import Amount, Meaning, Scope
from server.domain.evaluation.methods.steps.few import Few, few_of_numbers
from server.domain.evaluation.methods.steps.step import (
    BIDS_MAX,
    Head,
    Kind,
    NumberOutput,
    Output,
    Step,
)
from server.domain.evaluation.methods.wording import Text, Words


def mean(values: Vector) -> Number:
    return calculate("/", total(values), Decimal(len(values)))


def median(values: Vector) -> Number:
    line = sorted(values)
    middle = len(line) // 2
    return line[middle] if len(line) % 2 else mean(line[middle - 1 : middle + 1])


_TAKE: dict[str, Callable[[Vector], Number]] = {
    "mean": mean,
    "median": median,
    "lowest": min,
    "highest": max,
}
_SAID = {
    "mean": Text("的算术平均值", "the arithmetic mean of"),
    "median": Text("的中位数", "the median of"),
    "lowest": Text("的最低值", "the lowest"),
    "highest": Text("的最高值", "the highest"),
}


@dataclass(frozen=True, slots=True)
class Summary(Step):
    """Mean, median, lowest or highest of a column over a set."""

    source: str
    column: str
    digits: int | None
    round: Rounding | None
    few: Few

    @property
    def rounding(self) -> Rounding | None:
        return self.round

    def run(self, state: State) -> Output:
        bids = state.sets[self.source]
        found = self.few.instead(len(bids), state)
        if found is None:
            found = _TAKE[self.head.kind](state.picked(self.column, bids))
        return NumberOutput((self.round or NO_ROUNDING).apply(found), found, self.digits)

    def say(self, words: Words) -> str:
        source, column, take = (
            words.label(self.source),
            words.label(self.column),
            _SAID[self.head.kind],
        )
        rounding = words.pick("，", "; ") + words.rounding(self.round) if self.round else ""
        return words.pick(
            f"{source}中{column}{take.zh}{rounding}。{self.few.say(words)}。",
            f"{take.en} {column} of {source}{rounding}. {self.few.say(words)}.",
        )


def a_sum(found: Amount, node: Node, make: Callable[[Bounds, int], Bounds]) -> Bounds:
    """Bounds of a sum or mean over bids. Codes: method.unrounded, too_large."""
    if not found.bounds.decimal:
        raise node.refuse("unrounded", "round it before it is summed")
    try:
        return make(found.bounds, BIDS_MAX)
    except TooLarge as error:
        raise node.refuse("too_large") from error


def _read_summary(head: Head, members: dict[str, Node], scope: Scope) -> tuple[Step, Meaning]:
    within = scope.a_set(members["of"])
    found = scope.a_column(members["value"], within)
    bounds, rounding, digits = found.bounds, None, found.digits
    if head.kind in ("mean", "median"):
        bounds = a_sum(found, members["value"], averaged)
        rounding = parse_rounding(members["round"])
        digits = rounding.shown_digits
    few, bounds = few_of_numbers(members["few"], scope, bounds)
    if rounding is not None:
        bounds = rounded(bounds, rounding)
    elif not few.is_plain():
        digits = None
    source, column = members["of"].name(), members["value"].name()
    step = Summary(head, (source, column, *few.names()), source, column, digits, rounding, few)
    return step, Amount(bounds, None, digits)


@dataclass(frozen=True, slots=True)
class Sum(Step):
    """Of a column over a set; of none it is zero."""

    source: str
    column: str
    digits: int | None

    def run(self, state: State) -> Output:
        found = total(state.picked(self.column, state.sets[self.source]))
        return NumberOutput(found, found, self.digits)

    def say(self, words: Words) -> str:
        source, column = words.label(self.source), words.label(self.column)
        return words.pick(
            f"{source}中{column}之和，不作取舍；没有投标时为0。",
            f"The sum of {column} of {source}, not rounded; of no bid: 0.",
        )


def _read_sum(head: Head, members: dict[str, Node], scope: Scope) -> tuple[Step, Meaning]:
    within = scope.a_set(members["of"])
    found = scope.a_column(members["value"], within)
    bounds = a_sum(found, members["value"], repeated)
    source, column = members["of"].name(), members["value"].name()
    step = Sum(head, (source, column), source, column, found.digits)
    return step, Amount(bounds, None, found.digits)


@dataclass(frozen=True, slots=True)
class Count(Step):
    """How many bids a set has (家数)."""

    source: str

    def run(self, state: State) -> Output:
        found = Decimal(len(state.sets[self.source]))
        return NumberOutput(found, found, 0)

    def say(self, words: Words) -> str:
        source = words.label(self.source)
        return words.pick(f"{source}的家数。", f"How many {source} there are.")


def _read_count(head: Head, members: dict[str, Node], scope: Scope) -> tuple[Step, Meaning]:
    scope.a_set(members["of"])
    source = members["of"].name()
    size = BIDS_MAX.bit_length()
    return Count(head, (source,), source), Amount(
        Bounds(Fraction(0), Fraction(BIDS_MAX), size, 1), None, 0
    )


FAMILY = (
    *(
        Kind(name, ("of", "value", "round", "few"), (), _read_summary)
        for name in ("mean", "median")
    ),
    *(Kind(name, ("of", "value", "few"), (), _read_summary) for name in ("lowest", "highest")),
    Kind("sum", ("of", "value"), (), _read_sum),
    Kind("count", ("of",), (), _read_count),
)
