"""The step that gives points around a benchmark (两侧扣分): less for each unit of deviation.

Invariant: units, deduction and score are each rounded as the step says, in this order, and the
score only falls or only rises on each side.
"""

from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction

from server.domain.evaluation.methods.bounds import (
    Bounds,
    TooLarge,
    add,
    bounds_between,
    multiply,
    of_constant,
    union,
)
from server.domain.evaluation.methods.computing import State, numbers
from server.domain.evaluation.methods.expressions import Expression, names_of, parse_expression
from server.domain.evaluation.methods.numbers import (
    ZERO,
    Number,
    Rounding,
    calculate,
    parse_rounding,
)
from server.domain.evaluation.methods.reading import Node
from server.domain.evaluation.methods.scope import Amount, Meaning, Scope
from server.domain.evaluation.methods.steps.step import ColumnOutput, Head, Kind, Output, Step
from server.domain.evaluation.methods.wording import Words

POINTS_MAX = Decimal(10_000)


def points(node: Node, low: Decimal = ZERO) -> Decimal:
    found = node.decimal()
    if not low <= found <= POINTS_MAX:
        raise node.refuse("range", f"{low} to {POINTS_MAX}")
    return found


@dataclass(frozen=True, slots=True)
class Side:
    """``points`` are lost for each ``per`` of deviation, at most ``most`` (None: no limit)."""

    per: Decimal
    points: Decimal
    most: Decimal | None


@dataclass(frozen=True, slots=True)
class Slope(Step):
    """Full marks at zero deviation, less on each side (两侧扣分)."""

    over: str
    value: Expression
    full: Decimal
    above: Side
    below: Side
    units: Rounding
    deduction: Rounding
    floor: Decimal | None
    cap: Decimal | None
    round: Rounding

    @property
    def rounding(self) -> Rounding:
        return self.round

    def run(self, state: State) -> Output:
        over = state.sets[self.over]
        scores = [self.score(d) for d in numbers(state, self.value, over)]
        return ColumnOutput(over, scores, self.round.shown_digits)

    def score(self, deviation: Number) -> Number:
        side = self.above if deviation > 0 else self.below
        units = self.units.apply(calculate("/", abs(deviation), side.per))
        lost = self.deduction.apply(calculate("*", units, side.points))
        if side.most is not None:
            lost = min(lost, side.most)
        score = self.round.apply(calculate("-", self.full, lost))
        if self.floor is not None:
            score = max(score, self.floor)
        return score if self.cap is None else min(score, self.cap)

    def say(self, words: Words) -> str:
        sides = [
            _say_side(self.above, "高", "above", words),
            _say_side(self.below, "低", "below", words),
        ]
        value, full = words.expression(self.value), words.number(self.full)
        units = self._say_units(words)
        ends: list[str] = []
        if self.deduction.mode is not None:
            ends.append(words.pick("扣分", "deduction: ") + words.rounding(self.deduction))
        if self.floor is not None:
            floor = words.number(self.floor)
            lost = self.floor == 0 and min(self.above.points, self.below.points) >= 0
            least = "扣完为止" if lost else f"最低{floor}分"
            ends.append(words.pick(least, f"at least {floor}"))
        if self.cap is not None:
            cap = words.number(self.cap)
            ends.append(words.pick(f"最高{cap}分", f"at most {cap}"))
        ends.append(words.pick("得分", "score: ") + words.rounding(self.round))
        over = words.label(self.over)
        return words.pick(
            f"对{over}逐家计算：{value}为零得{full}分；{'；'.join(sides)}；{units}；{'；'.join(ends)}。",
            f"For each of {over}: {full} points when {value} is zero; {'; '.join(sides)}; {units}; "
            f"{'; '.join(ends)}.",
        )

    def _say_units(self, words: Words) -> str:
        mode = self.units.mode
        if mode is None:
            return words.pick("不足部分按比例内插", "parts of a unit count in proportion")
        if mode not in ("up", "truncate") or self.units.digits:
            return words.pick("偏离单位数", "units of deviation: ") + words.rounding(self.units)
        if mode == "up":
            zh, en = "不足{0}的按{0}计", "a started {0} counts whole"
        else:
            zh, en = "不足{0}的不计", "a started {0} does not count"
        both = dict.fromkeys(words.percent(side.per) for side in (self.above, self.below))
        return words.pick("、", ", ").join(words.pick(zh, en).format(per) for per in both)


def _say_side(side: Side, zh: str, en: str, words: Words) -> str:
    per, lost = words.percent(side.per), words.points(abs(side.points))
    verb = words.pick("扣" if side.points >= 0 else "加", "less" if side.points >= 0 else "more")
    said = words.pick(f"每{zh}{per}{verb}{lost}", f"{lost} {verb} for each {per} {en}")
    if side.most is None:
        return said
    most = words.number(side.most)
    return said + words.pick(f"，最多扣{most}分", f", at most {most} less")


def _read_side(node: Node) -> Side:
    members = node.members(("per", "points"), ("most",))
    per = members["per"].decimal()
    if not 0 < per <= POINTS_MAX:
        raise members["per"].refuse("range", "above 0")
    most = points(members["most"]) if "most" in members else None
    return Side(per, points(members["points"], -POINTS_MAX), most)


def _read_slope(head: Head, members: dict[str, Node], scope: Scope) -> tuple[Step, Meaning]:
    within = scope.a_set(members["over"])
    value = parse_expression(members["value"])
    found = scope.number(value, members["value"], within)
    over = members["over"].name()
    step = Slope(
        head,
        (over, *names_of(value)),
        over,
        value,
        points(members["full"]),
        _read_side(members["above"]),
        _read_side(members["below"]),
        parse_rounding(members["units"]),
        parse_rounding(members["deduction"]),
        points(members["floor"], -POINTS_MAX) if "floor" in members else None,
        points(members["cap"], -POINTS_MAX) if "cap" in members else None,
        parse_rounding(members["round"]),
    )
    if step.floor is not None and step.cap is not None and step.floor > step.cap:
        raise members["floor"].refuse("range", "above the cap")
    for name, end in (("floor", step.floor), ("cap", step.cap)):
        if end is not None and step.round.apply(end) != end:
            raise members[name].refuse("range", "more decimals than the score")
    try:
        bounds = _slope_bounds(step, found)
    except TooLarge as error:
        raise members["value"].refuse("too_large") from error
    return step, Amount(bounds, over, step.round.shown_digits)


def _slope_bounds(step: Slope, found: Bounds) -> Bounds:
    """Each side only falls or only rises, so the extremes are at the ends and at zero."""
    zero = Fraction(0)
    ends = [step.score(x) for x in (min(found.low, zero), zero, max(found.high, zero))]
    if step.round.mode is not None:
        return bounds_between(min(ends), max(ends), step.round.digits)
    steep = [of_constant(Fraction(s.points) / Fraction(s.per)) for s in (step.above, step.below)]
    wide = add(multiply(found, union(*steep)), of_constant(step.full))
    return Bounds(Fraction(min(ends)), Fraction(max(ends)), wide.top + 64, wide.below + 64, False)


FAMILY = (
    Kind(
        "slope",
        ("over", "value", "full", "above", "below", "units", "deduction", "round"),
        ("floor", "cap"),
        _read_slope,
    ),
)
