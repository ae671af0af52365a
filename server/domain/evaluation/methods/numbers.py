"""Exact numbers and the one place where they are rounded (精确数与舍入).

Invariant: arithmetic here never rounds. A value is a ``Decimal`` while it is a finite decimal
fraction of at most PRECISION digits, else a ``Fraction``; an inexact Decimal operation is trapped
and done again with fractions. Only `Rounding.apply` loses digits, as a step of a method says.
No float: money is yuan with two decimals, that is whole fen.
"""

import operator
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from decimal import (
    ROUND_DOWN,
    ROUND_HALF_EVEN,
    ROUND_HALF_UP,
    ROUND_UP,
    Context,
    Decimal,
    DivisionByZero,
    Inexact,
    InvalidOperation,
    Overflow,
)
from fractions import Fraction
from itertools import repeat
from typing import TypeAlias

from server.domain.evaluation.methods.reading import Node

PRECISION = 60
Number: TypeAlias = Decimal | Fraction
Vector: TypeAlias = list[Number]

# Arithmetic of a method runs in this context; a trapped Inexact leads to fractions.
EXACT = Context(
    prec=PRECISION,
    rounding=ROUND_HALF_EVEN,
    Emin=-9999,
    Emax=9999,
    capitals=1,
    clamp=0,
    flags=[],
    traps=[Inexact, InvalidOperation, DivisionByZero, Overflow],
)
# Rounding is meant to be inexact; the wide precision is for the digits before the point.
_ROUNDING = Context(prec=400, rounding=ROUND_HALF_UP, traps=[InvalidOperation])
ZERO = Decimal(0)

MODES = {
    "half_up": ROUND_HALF_UP,  # 四舍五入: a tie goes away from zero
    "half_even": ROUND_HALF_EVEN,  # 四舍六入五成双
    "truncate": ROUND_DOWN,  # 舍去: towards zero
    "up": ROUND_UP,  # 进一: away from zero
}
DIGITS_MIN, DIGITS_MAX = -8, 12

Operation: TypeAlias = Callable[[Number, Number], Number]


def _modulo(a: Fraction, b: Fraction) -> Fraction:
    return a - b * (a // b)


_BY_FRACTIONS: dict[str, Callable[[Fraction, Fraction], Fraction]] = {
    "+": operator.add,
    "-": operator.sub,
    "*": operator.mul,
    "/": operator.truediv,  # pyright: ignore[reportUnknownMemberType]
    "mod": _modulo,
}
_BY_DECIMALS: dict[str, Callable[[Decimal, Decimal], Decimal]] = {
    "+": operator.add,
    "-": operator.sub,
    "*": operator.mul,
    "/": operator.truediv,  # pyright: ignore[reportUnknownMemberType]
}


def calculate(op: str, a: Number, b: Number) -> Number:
    """``a op b`` exactly; op is one of + - * / mod. The caller has excluded a zero divisor."""
    quick = _BY_DECIMALS.get(op)
    if quick is not None and isinstance(a, Decimal) and isinstance(b, Decimal):
        try:
            return quick(a, b)
        except Inexact:
            pass
    return _BY_FRACTIONS[op](Fraction(a), Fraction(b))


def calculate_all(op: str, a: Number | Vector, b: Number | Vector) -> Number | Vector:
    """`calculate` for each place; a number goes with every place of a list."""
    if not isinstance(a, list) and not isinstance(b, list):
        return calculate(op, a, b)
    left = a if isinstance(a, list) else repeat(a)
    right = b if isinstance(b, list) else repeat(b)
    quick = _BY_DECIMALS.get(op)
    if quick is not None:
        try:
            return list(map(quick, left, right))  # pyright: ignore[reportArgumentType]
        except (Inexact, TypeError):  # one of them is, or becomes, a fraction
            left = a if isinstance(a, list) else repeat(a)
            right = b if isinstance(b, list) else repeat(b)
    slow = _BY_FRACTIONS[op]
    return [slow(Fraction(x), Fraction(y)) for x, y in zip(left, right, strict=False)]


def total(values: Sequence[Number]) -> Number:
    """The sum, zero for none."""
    result: Number = ZERO
    for value in values:
        result = calculate("+", result, value)
    return result


def plain(value: Number) -> str:
    """The one text of a number: "61.5", "-3", or "28/3" if it is not a finite decimal."""
    if isinstance(value, Fraction):
        below, twos, fives = value.denominator, 0, 0
        while below % 2 == 0:
            below, twos = below // 2, twos + 1
        while below % 5 == 0:
            below, fives = below // 5, fives + 1
        if below != 1:
            return f"{value.numerator}/{value.denominator}"
        digits = max(twos, fives)
        value = Decimal(value.numerator * 10**digits // value.denominator)
        value = value.scaleb(-digits, _ROUNDING)
    text = f"{value:f}"
    if "." in text:
        text = text.rstrip("0").rstrip(".")
    return "0" if text == "-0" else text


def fixed(value: Number, digits: int | None) -> str:
    """With exactly ``digits`` decimals (of a value that has no more), or `plain`."""
    if digits is None or isinstance(value, Fraction):
        return plain(value)
    if not value:
        value = ZERO
    return f"{value:.{max(digits, 0)}f}"


@dataclass(frozen=True, slots=True)
class Rounding:
    """How a step rounds (取位). ``mode`` None: not at all. Negative digits: tens, hundreds, ..."""

    mode: str | None = None
    digits: int = 0

    def apply(self, value: Number) -> Number:
        if self.mode is None:
            return value
        if isinstance(value, Decimal):
            unit = Decimal(1).scaleb(-self.digits, _ROUNDING)
            return value.quantize(unit, MODES[self.mode], _ROUNDING)
        return Decimal(self._units(value)).scaleb(-self.digits, _ROUNDING)

    def _units(self, value: Fraction) -> int:
        """``value`` in units of the last digit, rounded."""
        scale = Fraction(10) ** self.digits
        units = abs(value) * scale
        whole, rest = divmod(units.numerator, units.denominator)
        twice = 2 * rest - units.denominator
        if (
            (self.mode == "up" and rest > 0)
            or (self.mode == "half_up" and twice >= 0)
            or (self.mode == "half_even" and (twice > 0 or (twice == 0 and whole % 2 == 1)))
        ):
            whole += 1
        return -whole if value < 0 else whole

    def apply_all(self, values: Vector) -> Vector:
        if self.mode is None:
            return values
        unit, mode = Decimal(1).scaleb(-self.digits, _ROUNDING), MODES[self.mode]
        return [
            v.quantize(unit, mode, _ROUNDING) if isinstance(v, Decimal) else self.apply(v)
            for v in values
        ]

    @property
    def shown_digits(self) -> int | None:
        return None if self.mode is None else self.digits

    def printed(self) -> "str | dict[str, str | int]":
        if self.mode is None:
            return "none"
        return {"mode": self.mode, "digits": self.digits}


NO_ROUNDING = Rounding()
_QUOTIENT = Context(prec=120, rounding=ROUND_DOWN, traps=[InvalidOperation, DivisionByZero])


def quotient(value: Decimal, count: int, rounding: Rounding) -> Number:
    """``value / count`` rounded once; quick, for means of many small lists.

    ``value`` has at most 60 digits, 12 of them decimals, and ``count`` is below 10^9: where the
    quotient is not finite it stays 10^-22 away from whatever rounding looks at, so that its first
    120 digits decide.
    """
    if rounding.mode is None:
        return calculate("/", value, Decimal(count))
    unit = Decimal(1).scaleb(-rounding.digits, _ROUNDING)
    return _QUOTIENT.divide(value, count).quantize(unit, MODES[rounding.mode], _ROUNDING)


def parse_rounding(node: Node) -> Rounding:
    """ "none", or {"mode": one of MODES, "digits": -8..12}."""
    if node.is_text():
        node.one_of(("none",))
        return NO_ROUNDING
    members = node.members(("mode", "digits"))
    mode = members["mode"].one_of(MODES)
    return Rounding(mode, members["digits"].integer(DIGITS_MIN, DIGITS_MAX))
