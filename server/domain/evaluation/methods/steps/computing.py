"""Steps that compute by a formula (计算): for all at once, or for each bid of a set.

``formula`` is one expression, ``cases`` picks the first whose condition holds, ``lookup`` turns a
word into a number.

Invariant: the value is computed exactly, then rounded once, as the step says.
"""

from dataclasses import dataclass

from server.domain.evaluation.methods.bounds import Bounds, of_constant, rounded, union
from server.domain.evaluation.methods.computing import (
    Failed,
    Indexes,
    State,
    holds,
    number,
    numbers,
    truths,
)
from server.domain.evaluation.methods.expressions import Expression, names_of, parse_expression
from server.domain.evaluation.methods.numbers import ZERO, Number, Rounding, Vector, parse_rounding
from server.domain.evaluation.methods.reading import Node
from server.domain.evaluation.methods.scope import Amount, Choice, Meaning, Scope
from server.domain.evaluation.methods.steps.few import FAIL
from server.domain.evaluation.methods.steps.step import (
    ColumnOutput,
    Head,
    Kind,
    NumberOutput,
    Output,
    Step,
)
from server.domain.evaluation.methods.wording import Words

CASES_MAX = 64


def optional_set(
    members: dict[str, Node], scope: Scope
) -> tuple[str | None, frozenset[str] | None]:
    """The set of ``over`` and its supersets, or None for one number for all."""
    over = members.get("over")
    return (over.name(), scope.a_set(over)) if over else (None, None)


def for_each(over: str | None, words: Words) -> str:
    if over is None:
        return ""
    label = words.label(over)
    return words.pick(f"对{label}逐家计算：", f"For each of {label}: ")


@dataclass(frozen=True, slots=True)
class Formula(Step):
    """One expression."""

    over: str | None
    value: Expression
    round: Rounding

    @property
    def rounding(self) -> Rounding:
        return self.round

    def run(self, state: State) -> Output:
        if self.over is None:
            found = number(state, self.value)
            return NumberOutput(self.round.apply(found), found, self.round.shown_digits)
        over = state.sets[self.over]
        values = self.round.apply_all(numbers(state, self.value, over))
        return ColumnOutput(over, values, self.round.shown_digits)

    def say(self, words: Words) -> str:
        start, name = for_each(self.over, words), self.head.name.of(words.language)
        value, rounding = words.expression(self.value), words.rounding(self.round)
        return words.pick(
            f"{start}{name} = {value}，{rounding}。", f"{start}{name} = {value}; {rounding}."
        )


def _read_formula(head: Head, members: dict[str, Node], scope: Scope) -> tuple[Step, Meaning]:
    over, within = optional_set(members, scope)
    value = parse_expression(members["value"])
    rounding = parse_rounding(members["round"])
    bounds = rounded(scope.number(value, members["value"], within), rounding)
    uses = (*((over,) if over else ()), *names_of(value))
    return Formula(head, uses, over, value, rounding), Amount(bounds, over, rounding.shown_digits)


@dataclass(frozen=True, slots=True)
class Case:
    """``among`` and ``when`` must both hold, where they are given."""

    among: str | None
    when: Expression | None
    value: Expression


@dataclass(frozen=True, slots=True)
class Cases(Step):
    """The value of the first case that holds (分情形)."""

    over: str | None
    cases: tuple[Case, ...]
    otherwise: Expression | None  # None: the evaluation ends
    round: Rounding

    @property
    def rounding(self) -> Rounding:
        return self.round

    def run(self, state: State) -> Output:
        digits = self.round.shown_digits
        if self.over is None:
            found = self._for_all(state)
            return NumberOutput(self.round.apply(found), found, digits)
        over = state.sets[self.over]
        values = self._for_each(state, over)
        return ColumnOutput(over, self.round.apply_all(values), digits)

    def _for_all(self, state: State) -> Number:
        for case in self.cases:
            assert case.when is not None
            if holds(state, case.when):
                return number(state, case.value)
        if self.otherwise is None:
            raise Failed("otherwise")
        return number(state, self.otherwise)

    def _for_each(self, state: State, over: Indexes) -> Vector:
        found: Vector = [ZERO] * state.count
        left = over
        for case in self.cases:
            among = left
            if case.among is not None:
                inside = set(state.sets[case.among])
                among = tuple(i for i in left if i in inside)
            if case.when is not None:
                held = truths(state, case.when, among)
                among = tuple(i for i, yes in zip(among, held, strict=True) if yes)
            for i, value in zip(among, numbers(state, case.value, among), strict=True):
                found[i] = value
            taken = set(among)
            left = tuple(i for i in left if i not in taken)
        if left and self.otherwise is None:
            raise Failed(f"otherwise: {state.ids[left[0]]}")
        if left and self.otherwise is not None:
            for i, value in zip(left, numbers(state, self.otherwise, left), strict=True):
                found[i] = value
        return [found[i] for i in over]

    def say(self, words: Words) -> str:
        start, name = for_each(self.over, words), self.head.name.of(words.language)
        said: list[str] = []
        for case in self.cases:
            conditions: list[str] = []
            if case.among is not None:
                conditions.append(words.pick("属于", "among ") + words.label(case.among))
            if case.when is not None:
                conditions.append(words.expression(case.when))
            when = words.pick("且", " and ").join(conditions)
            value = words.expression(case.value)
            said.append(words.pick(f"{when}时，为{value}", f"if {when}: {value}"))
        if self.otherwise is None:
            said.append(words.pick("其余情形评标终止", "otherwise the evaluation ends"))
        else:
            value = words.expression(self.otherwise)
            said.append(words.pick(f"其余为{value}", f"otherwise: {value}"))
        rounding = words.rounding(self.round)
        cases = words.pick("；", "; ").join(said)
        return words.pick(
            f"{start}{name}：{cases}。{rounding}。", f"{start}{name}: {cases}. Result: {rounding}."
        )


def _read_cases(head: Head, members: dict[str, Node], scope: Scope) -> tuple[Step, Meaning]:
    over, within = optional_set(members, scope)
    rounding = parse_rounding(members["round"])
    cases: list[Case] = []
    found: list[Bounds] = []
    uses: list[str] = [over] if over else []
    for item in members["cases"].items(1, CASES_MAX):
        case, bounds = _read_case(item, scope, within)
        cases.append(case)
        found.append(bounds)
        for part in (case.when, case.value):
            uses += names_of(part) if part is not None else ()
        uses += (case.among,) if case.among else ()
    node, otherwise = members["otherwise"], None
    if node.value != FAIL:
        otherwise = parse_expression(node)
        found.append(scope.number(otherwise, node, within))
        uses += names_of(otherwise)
    bounds = found[0]
    for other in found[1:]:
        bounds = union(bounds, other)
    step = Cases(head, tuple(uses), over, tuple(cases), otherwise, rounding)
    return step, Amount(rounded(bounds, rounding), over, rounding.shown_digits)


def _read_case(item: Node, scope: Scope, within: frozenset[str] | None) -> tuple[Case, Bounds]:
    parts = item.members(("value",), ("in", "when"))
    if len(parts) == 1:
        raise item.refuse("missing", "in or when")
    among, inside = None, within
    if "in" in parts:
        if within is None:
            raise parts["in"].refuse("outside", "say over which set")
        inside = within | scope.a_set(parts["in"])
        among = parts["in"].name()
    when = None
    if "when" in parts:
        when = parse_expression(parts["when"])
        scope.condition(when, parts["when"], inside)
    value = parse_expression(parts["value"])
    return Case(among, when, value), scope.number(value, parts["value"], inside)


@dataclass(frozen=True, slots=True)
class Lookup(Step):
    """A number for each word of a choice (对照取值)."""

    over: str
    choice: str
    gives: dict[str, Number]

    def run(self, state: State) -> Output:
        over, words = state.sets[self.over], state.words[self.choice]
        return ColumnOutput(over, [self.gives[words[i]] for i in over], None)

    def say(self, words: Words) -> str:
        choice = words.label(self.choice)
        table = words.pick("、", ", ").join(
            words.pick(f"“{word}”为{words.number(value)}", f"“{word}” {words.number(value)}")
            for word, value in self.gives.items()
        )
        start = for_each(self.over, words)
        return words.pick(f"{start}按{choice}取值，{table}。", f"{start}by {choice}, {table}.")


def _read_lookup(head: Head, members: dict[str, Node], scope: Scope) -> tuple[Step, Meaning]:
    scope.a_set(members["over"])
    over, choice = members["over"].name(), members["by"].name()
    found = scope.meaning(choice, members["by"])
    if not isinstance(found, Choice):
        raise members["by"].refuse("wrong_name", f"{choice} is no choice of words")
    given = members["gives"].members(found.words)
    gives: dict[str, Number] = {word: given[word].decimal() for word in found.words}
    bounds = of_constant(gives[found.words[0]])
    for value in gives.values():
        bounds = union(bounds, of_constant(value))
    return Lookup(head, (over, choice), over, choice, gives), Amount(bounds, over)


FAMILY = (
    Kind("formula", ("value", "round"), ("over",), _read_formula),
    Kind("cases", ("cases", "otherwise", "round"), ("over",), _read_cases),
    Kind("lookup", ("over", "by", "gives"), (), _read_lookup),
)
