"""Steps that take bids out of a set one by one, or put sets together (抽取与合并).

``pick`` takes a number of bids: in a drawn order, by a column, or by counting off with remainders
(取余抽取: where a document derives "chance" from the prices themselves).

Invariant: at most as many as there are; the same bids and draws pick the same.
"""

from dataclasses import dataclass
from typing import TypeAlias

from server.domain.evaluation.methods.computing import Indexes, State, holds, number
from server.domain.evaluation.methods.expressions import Expression, names_of, parse_expression
from server.domain.evaluation.methods.numbers import (
    Rounding,
    calculate,
    parse_rounding,
)
from server.domain.evaluation.methods.reading import Node
from server.domain.evaluation.methods.scope import BidSet, Meaning, Order, Scope
from server.domain.evaluation.methods.steps.few import Few, few_of_sets
from server.domain.evaluation.methods.steps.selecting import split
from server.domain.evaluation.methods.steps.step import (
    BIDS_MAX,
    Head,
    Kind,
    Output,
    SetOutput,
    Step,
)
from server.domain.evaluation.methods.wording import Words

CASES_MAX = 16


@dataclass(frozen=True, slots=True)
class Drawn:
    """The first of a drawn order of all bids that are in the set."""

    order: str

    def take(self, state: State, bids: Indexes, count: int) -> list[int]:
        position = state.orders[self.order]
        return sorted(bids, key=lambda i: position[i])[:count]

    def say(self, words: Words) -> str:
        order = words.label(self.order)
        return words.pick(f"按{order}的抽签顺序", f"in the drawn order of {order}")


@dataclass(frozen=True, slots=True)
class Best:
    """The highest or lowest of a column. ``ties``: all, number, distinct."""

    column: str
    highest: bool
    ties: str

    def take(self, state: State, bids: Indexes, count: int) -> list[int]:
        values = state.columns[self.column]
        # a stable sort: equal values stay in the order of their numbers
        line = sorted(bids, key=lambda i: values[i], reverse=self.highest)
        if self.ties == "number" or count == 0:
            return line[:count]
        levels = sorted({values[i] for i in line}, reverse=self.highest)
        if self.ties == "distinct":
            allowed = set(levels[:count])
        else:
            last = values[line[min(count, len(line)) - 1]]
            allowed = set(levels[: levels.index(last) + 1])
        return [i for i in line if values[i] in allowed]

    def say(self, words: Words) -> str:
        column = words.label(self.column)
        ties = {
            "all": ("与末位相等的一并取入", "with all that equal the last"),
            "number": ("相等时编号在前者优先", "equal ones by number"),
            "distinct": ("相等的只计一名并全部取入", "equal ones counted once, all taken"),
        }[self.ties]
        return words.pick(
            f"按{column}由{'高到低' if self.highest else '低到高'}（{ties[0]}）",
            f"by {column}, {'highest' if self.highest else 'lowest'} first ({ties[1]})",
        )


@dataclass(frozen=True, slots=True)
class CountedOff:
    """From those left, in the order of their numbers, take number ``z mod how many are left``.

    z starts as given; what was taken is subtracted from it each time. Only its whole part counts.
    """

    start: Expression
    less: str

    def take(self, state: State, bids: Indexes, count: int) -> list[int]:
        z, left = number(state, self.start), list(bids)
        values = state.columns[self.less]
        taken: list[int] = []
        while left and len(taken) < count:
            at = int(Rounding("truncate").apply(z)) % len(left)
            taken.append(left.pop(at))
            z = calculate("-", z, values[taken[-1]])
        return taken

    def say(self, words: Words) -> str:
        start, less = words.expression(self.start), words.label(self.less)
        return words.pick(
            f"按编号排列（从0起数），取第“z除以余下家数的余数”位，"
            f"z初值为{start}，每取一家减去其{less}，",
            f"from those left by number, counted from 0, number z modulo how many are left, where "
            f"z starts as {start} and loses the {less} of each one taken",
        )


Way: TypeAlias = Drawn | Best | CountedOff


@dataclass(frozen=True, slots=True)
class Pick(Step):
    """A number of bids out of a set."""

    source: str
    count: Expression
    round: Rounding
    way: Way
    at_most: int
    few: Few

    @property
    def rounding(self) -> Rounding:
        return self.round

    def run(self, state: State) -> Output:
        bids = state.sets[self.source]
        if self.few.keeps_all(len(bids)):
            return SetOutput(bids, ())
        wanted = int(self.round.apply(number(state, self.count)))
        taken = self.way.take(state, bids, max(min(wanted, len(bids)), 0))
        return split(bids, set(taken[: self.at_most]))

    def say(self, words: Words) -> str:
        source, count = words.label(self.source), words.expression(self.count)
        rounding, way = words.rounding(self.round), self.way.say(words)
        cap = (
            ""
            if self.at_most == BIDS_MAX
            else words.pick(f"，最多{self.at_most}家", f", at most {self.at_most}")
        )
        return words.pick(
            f"从{source}中{way}取“{count}”家（{rounding}）{cap}。{self.few.say(words)}。",
            f"Of {source}, {way}: {count} bids ({rounding}){cap}. {self.few.say(words)}.",
        )


def _read_pick(head: Head, members: dict[str, Node], scope: Scope) -> tuple[Step, Meaning]:
    within = scope.a_set(members["from"])
    count = parse_expression(members["count"])
    scope.number(count, members["count"], None)
    rounding = parse_rounding(members["round"])
    if rounding.mode is None or rounding.digits != 0:
        raise members["round"].refuse("range", "a number of bids is whole: digits 0")
    way, uses = _read_way(members["by"], scope, within)
    at_most = members["at_most"].integer(1, BIDS_MAX) if "at_most" in members else BIDS_MAX
    source = members["from"].name()
    few = few_of_sets(members["few"])
    step = Pick(head, (source, *names_of(count), *uses), source, count, rounding, way, at_most, few)
    return step, BidSet(within | {head.id})


def _read_way(node: Node, scope: Scope, within: frozenset[str]) -> tuple[Way, tuple[str, ...]]:
    members = node.members((), ("drawn", "highest", "lowest", "ties", "start", "less"))
    match sorted(members):
        case ["drawn"]:
            order = members["drawn"].name()
            if not isinstance(scope.meaning(order, members["drawn"]), Order):
                raise members["drawn"].refuse("wrong_name", f"{order} is no drawn order")
            return Drawn(order), (order,)
        case ["highest", "ties"] | ["lowest", "ties"]:
            highest = "highest" in members
            column = members["highest" if highest else "lowest"]
            scope.a_column(column, within)
            ties = members["ties"].one_of(("all", "number", "distinct"))
            return Best(column.name(), highest, ties), (column.name(),)
        case ["less", "start"]:
            start = parse_expression(members["start"])
            scope.number(start, members["start"], None)
            found = scope.a_column(members["less"], within)
            if not found.bounds.decimal:
                raise members["less"].refuse("unrounded")
            less = members["less"].name()
            return CountedOff(start, less), (*names_of(start), less)
        case _:
            raise node.refuse("missing", "drawn; or highest or lowest, and ties; or start and less")


@dataclass(frozen=True, slots=True)
class Join(Step):
    """All bids that are in any of the sets."""

    sources: tuple[str, ...]

    def run(self, state: State) -> Output:
        found = {i for source in self.sources for i in state.sets[source]}
        return SetOutput(tuple(sorted(found)), ())

    def say(self, words: Words) -> str:
        names = words.pick("与", " and ").join(words.label(name) for name in self.sources)
        return words.pick(f"{names}合并。", f"{names} together.")


def _read_join(head: Head, members: dict[str, Node], scope: Scope) -> tuple[Step, Meaning]:
    items = members["of"].items(2, CASES_MAX)
    within = frozenset[str].intersection(*(scope.a_set(item) for item in items))
    sources = tuple(item.name() for item in items)
    return Join(head, sources, sources), BidSet(within | {head.id})


@dataclass(frozen=True, slots=True)
class Choose(Step):
    """The set of the first case whose condition holds (分情形取用)."""

    cases: tuple[tuple[Expression, str], ...]
    otherwise: str

    def run(self, state: State) -> Output:
        for when, name in self.cases:
            if holds(state, when):
                return SetOutput(state.sets[name], ())
        return SetOutput(state.sets[self.otherwise], ())

    def say(self, words: Words) -> str:
        said = [
            words.pick(
                f"{words.expression(when)}时取{words.label(name)}",
                f"if {words.expression(when)}: {words.label(name)}",
            )
            for when, name in self.cases
        ]
        last = words.label(self.otherwise)
        cases = words.pick("；", "; ").join(
            [*said, words.pick(f"其余取{last}", f"otherwise {last}")]
        )
        return words.pick(f"{cases}。", f"{cases}.")


def _read_choose(head: Head, members: dict[str, Node], scope: Scope) -> tuple[Step, Meaning]:
    within = scope.a_set(members["otherwise"])
    otherwise = members["otherwise"].name()
    cases: list[tuple[Expression, str]] = []
    uses: list[str] = []
    for item in members["cases"].items(1, CASES_MAX):
        parts = item.members(("when", "set"))
        when = parse_expression(parts["when"])
        scope.condition(when, parts["when"], None)
        within &= scope.a_set(parts["set"])
        cases.append((when, parts["set"].name()))
        uses += (*names_of(when), parts["set"].name())
    step = Choose(head, (*uses, otherwise), tuple(cases), otherwise)
    return step, BidSet(within | {head.id})


FAMILY = (
    Kind("pick", ("from", "count", "round", "by", "few"), ("at_most",), _read_pick),
    Kind("join", ("of",), (), _read_join),
    Kind("choose", ("cases", "otherwise"), (), _read_choose),
)
