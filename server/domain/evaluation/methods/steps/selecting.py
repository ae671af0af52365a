"""Steps that choose bids from a set (筛选): a condition, a lonely extreme, trimming, picking.

Invariant: the outcome depends on the bids only, never on their order in the input: where values are
equal, the number of the bid decides.
"""

from dataclasses import dataclass
from decimal import Decimal

from server.domain.evaluation.methods.computing import Indexes, State, truths
from server.domain.evaluation.methods.expressions import Expression, names_of, parse_expression
from server.domain.evaluation.methods.numbers import Number, calculate
from server.domain.evaluation.methods.reading import Node
from server.domain.evaluation.methods.scope import BidSet, Meaning, Scope
from server.domain.evaluation.methods.steps.dropping import Drop, parse_drop
from server.domain.evaluation.methods.steps.few import SAME, Few, few_of_sets
from server.domain.evaluation.methods.steps.step import Head, Kind, Output, SetOutput, Step
from server.domain.evaluation.methods.wording import Words


def by_value(state: State, column: str, bids: Indexes) -> list[int]:
    """Ascending; equal values by number of the bid."""
    values = state.columns[column]
    return sorted(bids, key=lambda i: (values[i], i))


def split(bids: Indexes, kept: set[int]) -> SetOutput:
    return SetOutput(tuple(i for i in bids if i in kept), tuple(i for i in bids if i not in kept))


@dataclass(frozen=True, slots=True)
class Keep(Step):
    """Those for which a condition holds (有效性条件)."""

    source: str
    where: Expression

    def run(self, state: State) -> Output:
        bids = state.sets[self.source]
        held = truths(state, self.where, bids)
        return split(bids, {i for i, yes in zip(bids, held, strict=True) if yes})

    def say(self, words: Words) -> str:
        source, where = words.label(self.source), words.expression(self.where)
        return words.pick(
            f"从{source}中取满足“{where}”者。",
            f"Of {source}, those with {where}.",
        )


def _read_keep(head: Head, members: dict[str, Node], scope: Scope) -> tuple[Step, Meaning]:
    within = scope.a_set(members["from"])
    where = parse_expression(members["where"])
    scope.condition(where, members["where"], within)
    source = members["from"].name()
    step = Keep(head, (source, *names_of(where)), source, where)
    return step, BidSet(within | {head.id})


@dataclass(frozen=True, slots=True)
class Outlier(Step):
    """Leaves out an extreme that stands too far from its neighbour (与次高、次低价偏离过大)."""

    source: str
    column: str
    highest: bool
    lowest: bool
    more_than: Decimal
    inclusive: bool
    few: Few

    def run(self, state: State) -> Output:
        bids = state.sets[self.source]
        if self.few.keeps_all(len(bids)) or len(bids) < 2:
            return SetOutput(bids, ())
        line = by_value(state, self.column, bids)
        value = state.columns[self.column]
        out: set[int] = set()
        if self.highest and self._is_far(value[line[-1]], value[line[-2]]):
            out.add(line[-1])
        if self.lowest and self._is_far(value[line[0]], value[line[1]]):
            out.add(line[0])
        return split(bids, set(bids) - out)

    def _is_far(self, extreme: Number, neighbour: Number) -> bool:
        gap = abs(calculate("-", extreme, neighbour))
        limit = calculate("*", self.more_than, neighbour)
        return gap >= limit if self.inclusive else gap > limit

    def say(self, words: Words) -> str:
        source, column, share = (
            words.label(self.source),
            words.label(self.column),
            words.percent(self.more_than),
        )
        zh = "及以上" if self.inclusive else "以上（不含本数）"
        en = f"{share} or more" if self.inclusive else f"more than {share}"
        sides = [
            (
                self.highest,
                f"最高者高于次高者{share}{zh}",
                f"the highest if it is {en} above the next",
            ),
            (
                self.lowest,
                f"最低者低于次低者{share}{zh}",
                f"the lowest if it is {en} below the next",
            ),
        ]
        zh = "，或".join(side for on, side, _ in sides if on)
        en = ", and ".join(side for on, _, side in sides if on)
        return words.pick(
            f"{source}按{column}排列，{zh}的，剔除该家；只判断一次。{self.few.say(words)}。",
            f"Of {source} by {column}, without {en}; judged once. {self.few.say(words)}.",
        )


def _read_outlier(head: Head, members: dict[str, Node], scope: Scope) -> tuple[Step, Meaning]:
    within = scope.a_set(members["from"])
    if scope.a_column(members["value"], within).bounds.low < 0:
        raise members["value"].refuse("range", "a share of what can be below zero means nothing")
    side = members["side"].one_of(("highest", "lowest", "both"))
    share = members["more_than"].decimal()
    if not 0 < share <= 10:
        raise members["more_than"].refuse("range", "above 0")
    source, column = members["from"].name(), members["value"].name()
    step = Outlier(
        head,
        (source, column),
        source,
        column,
        side != "lowest",
        side != "highest",
        share,
        members["inclusive"].flag(),
        few_of_sets(members["few"]),
    )
    return step, BidSet(within | {head.id})


@dataclass(frozen=True, slots=True)
class Trim(Step):
    """Without some of the highest and lowest (去掉最高、最低)."""

    source: str
    column: str
    drop: Drop
    keep_equal: bool
    few: Few

    def run(self, state: State) -> Output:
        bids = state.sets[self.source]
        if self.few.keeps_all(len(bids)) or not bids:
            return SetOutput(bids, ())
        line = by_value(state, self.column, bids)
        highest, lowest = self.drop.counts(len(line))
        kept = line[lowest : len(line) - highest]
        if self.keep_equal:
            values = state.columns[self.column]
            low, high = values[kept[0]], values[kept[-1]]
            kept = [i for i in line if low <= values[i] <= high]
        return split(bids, set(kept))

    def say(self, words: Words) -> str:
        source, column = words.label(self.source), words.label(self.column)
        if self.keep_equal:
            zh, en = "与保留者相等的一并保留", "those equal to one that stays also stay"
        else:
            zh = "数值相等时编号在后的视为较高"
            en = "among equal ones the later number counts as higher"
        drop = self.drop.say(words, of_bids=True)
        return words.pick(
            f"{source}按{column}排列，{drop}；{zh}。{self.few.say(words)}。",
            f"{source} by {column}: {drop}; {en}. {self.few.say(words)}.",
        )


def _read_trim(head: Head, members: dict[str, Node], scope: Scope) -> tuple[Step, Meaning]:
    within = scope.a_set(members["from"])
    scope.a_column(members["value"], within)
    few = few_of_sets(members["few"])
    exempt = frozenset(n for n in (1, 2) if few.said(n) != SAME)
    source, column = members["from"].name(), members["value"].name()
    step = Trim(
        head,
        (source, column),
        source,
        column,
        parse_drop(members["drop"], exempt),
        members["equal"].one_of(("one", "keep")) == "keep",
        few,
    )
    return step, BidSet(within | {head.id})


FAMILY = (
    Kind("keep", ("from", "where"), (), _read_keep),
    Kind(
        "outlier",
        ("from", "value", "side", "more_than", "inclusive", "few"),
        (),
        _read_outlier,
    ),
    Kind("trim", ("from", "value", "drop", "equal", "few"), (), _read_trim),
)
