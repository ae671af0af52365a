"""Steps that put points together (汇总得分): the marks of experts, and the total.

Invariant: weights add up to the whole and full marks to the stated sum, or the method is refused.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from functools import reduce

from server.domain.evaluation.methods.bounds import (
    Bounds,
    TooLarge,
    add,
    averaged,
    multiply,
    of_constant,
    rounded,
)
from server.domain.evaluation.methods.computing import State
from server.domain.evaluation.methods.numbers import (
    ZERO,
    Number,
    Rounding,
    Vector,
    calculate_all,
    parse_rounding,
    plain,
    quotient,
    total,
)
from server.domain.evaluation.methods.reading import Node
from server.domain.evaluation.methods.scope import Amount, Meaning, Scope, Scores
from server.domain.evaluation.methods.steps.dropping import Drop, drops_nothing, parse_drop
from server.domain.evaluation.methods.steps.sloping import points
from server.domain.evaluation.methods.steps.step import ColumnOutput, Head, Kind, Output, Step
from server.domain.evaluation.methods.wording import Words

PARTS_MAX = 64


@dataclass(frozen=True, slots=True)
class Experts(Step):
    """The experts' marks of the chosen criteria become one score (专家打分汇总)."""

    over: str
    scores: str
    criteria: tuple[str, ...]
    by_expert: bool
    drop: Drop
    average: Rounding
    round: Rounding

    @property
    def rounding(self) -> Rounding:
        return self.round

    def run(self, state: State) -> Output:
        over, marks = state.sets[self.over], state.scores[self.scores]
        chosen = [marks[criterion] for criterion in self.criteria]
        values: Vector = []
        for i in over:
            rows = [column[i] for column in chosen]
            if self.by_expert:
                rows = [[sum(one, ZERO) for one in zip(*rows, strict=True)]]
            values.append(total([self._mean(row) for row in rows]))
        return ColumnOutput(over, self.round.apply_all(values), self.round.shown_digits)

    def _mean(self, marks: Sequence[Decimal]) -> Number:
        highest, lowest = self.drop.counts(len(marks))
        if highest or lowest:
            marks = sorted(marks)[lowest : len(marks) - highest]
        return quotient(sum(marks, ZERO), len(marks), self.average)

    def say(self, words: Words) -> str:
        over, scores = words.label(self.over), words.label(self.scores)
        names = words.pick("、", ", ").join(
            words.label(f"{self.scores}.{criterion}") for criterion in self.criteria
        )
        average, result = words.rounding(self.average), words.rounding(self.round)
        zh, en = "", "all of them"
        if not drops_nothing(self.drop):
            drop = self.drop.say(words, of_bids=False)
            zh, en = f"n为专家人数，{drop}；余者", f"the rest (n being how many; {drop})"
        if self.by_expert:
            return words.pick(
                f"对{over}逐家计算：{scores}（{names}）先按专家合计；{zh}取平均（{average}），"
                f"结果{result}。",
                f"For each of {over}: each expert's marks of {scores} ({names}) are added; the "
                f"mean of {en} ({average}); result: {result}.",
            )
        return words.pick(
            f"对{over}逐家计算：{scores}各项（{names}）的专家打分，{zh}取平均（{average}），"
            f"各项相加，结果{result}。",
            f"For each of {over} and each criterion of {scores} ({names}): of the experts' marks "
            f"the mean of {en} ({average}); added up; result: {result}.",
        )


def _read_experts(head: Head, members: dict[str, Node], scope: Scope) -> tuple[Step, Meaning]:
    scope.a_set(members["over"])
    over, scores = members["over"].name(), members["scores"].name()
    found = scope.meaning(scores, members["scores"])
    if not isinstance(found, Scores):
        raise members["scores"].refuse("wrong_name", f"{scores} holds no experts' marks")
    criteria = tuple(found.criteria)
    if "criteria" in members:
        chosen = members["criteria"].items(1, len(criteria))
        criteria = tuple(item.one_of(found.criteria) for item in chosen)
        if len(set(criteria)) < len(criteria):
            raise members["criteria"].refuse("twice")
    by_expert = members["by"].one_of(("criterion", "expert")) == "expert"
    average = parse_rounding(members["average"])
    if average.mode is None and not by_expert and len(criteria) > 1:
        raise members["average"].refuse("unrounded", "means that are added must be rounded")
    drop = parse_drop(members["drop"])
    bounds = _experts_bounds(found, criteria, by_expert, average)
    round_to = parse_rounding(members["round"])
    step = Experts(head, (over, scores), over, scores, criteria, by_expert, drop, average, round_to)
    return step, Amount(rounded(bounds, round_to), over, round_to.shown_digits)


def _experts_bounds(
    found: Scores, criteria: tuple[str, ...], by_expert: bool, average: Rounding
) -> Bounds:
    parts = [found.criteria[criterion] for criterion in criteria]
    if not by_expert:
        parts = [rounded(averaged(part, found.experts_max), average) for part in parts]
    bounds = reduce(add, parts)
    return rounded(averaged(bounds, found.experts_max), average) if by_expert else bounds


@dataclass(frozen=True, slots=True)
class Part:
    """``factor``: its weight, or 1 where full marks are stated."""

    column: str
    factor: Decimal
    stated: Decimal


@dataclass(frozen=True, slots=True)
class Total(Step):
    """Parts weighted, or added where each has full marks (加权或相加)."""

    over: str
    parts: tuple[Part, ...]
    weighted: bool
    sum_to: Decimal
    round: Rounding

    @property
    def rounding(self) -> Rounding:
        return self.round

    def run(self, state: State) -> Output:
        over = state.sets[self.over]
        result: Number | Vector = [ZERO for _ in over]
        for part in self.parts:
            values = state.picked(part.column, over)
            weighed = calculate_all("*", values, part.factor) if self.weighted else values
            result = calculate_all("+", result, weighed)
        assert isinstance(result, list)
        return ColumnOutput(over, self.round.apply_all(result), self.round.shown_digits)

    def say(self, words: Words) -> str:
        start, rounding = words.label(self.over), words.rounding(self.round)
        said: list[str] = []
        for part in self.parts:
            column = words.label(part.column)
            if self.weighted:
                said.append(f"{column} × {words.percent(part.stated)}")
            else:
                full = words.number(part.stated)
                said.append(words.pick(f"{column}（满分{full}）", f"{column} (of {full})"))
        name = self.head.name.of(words.language)
        whole = words.percent(self.sum_to) if self.weighted else words.number(self.sum_to)
        return words.pick(
            f"对{start}逐家计算：{name} = {' + '.join(said)}，合计{whole}，{rounding}。",
            f"For each of {start}: {name} = {' + '.join(said)}, {whole} in all; {rounding}.",
        )


def _read_total(head: Head, members: dict[str, Node], scope: Scope) -> tuple[Step, Meaning]:
    within = scope.a_set(members["over"])
    over = members["over"].name()
    items = members["parts"].items(1, PARTS_MAX)
    weighted = items[0].is_object() and "weight" in items[0].entries(PARTS_MAX)
    stated_as = "weight" if weighted else "full"
    parts: list[Part] = []
    bounds = of_constant(ZERO)
    for item in items:
        member = item.members(("value", stated_as))
        stated = points(member[stated_as])
        factor = stated if weighted else Decimal(1)
        found = scope.a_column(member["value"], within)
        parts.append(Part(member["value"].name(), factor, stated))
        try:
            bounds = add(bounds, multiply(found.bounds, of_constant(factor)))
        except TooLarge as error:
            raise item.refuse("too_large") from error
    sum_to = points(members["sum_to"])
    whole = total([part.stated for part in parts])
    if whole != sum_to:
        why = f"they add up to {plain(whole)}, not to {plain(sum_to)} (sum_to)"
        raise members["sum_to"].refuse("weights", why)
    rounding = parse_rounding(members["round"])
    uses = (over, *(part.column for part in parts))
    step = Total(head, uses, over, tuple(parts), weighted, sum_to, rounding)
    return step, Amount(rounded(bounds, rounding), over, rounding.shown_digits)


FAMILY = (
    Kind(
        "experts",
        ("over", "scores", "by", "drop", "average", "round"),
        ("criteria",),
        _read_experts,
    ),
    Kind("total", ("over", "parts", "sum_to", "round"), (), _read_total),
)
