"""What is known of a number before it is computed (取值范围): limits, size, kind of fraction.

Interval arithmetic over exact fractions, from the limits that fields, draws and constants carry.
It shows before any bid is read that no division is by zero, that no number grows without end, and
that sums are of decimal fractions only.

Invariant: a value at run time lies within the bounds found here, and its numerator and denominator
have at most the bits found here; what would exceed VALUE_MAX or BITS_MAX is refused.
"""

from collections.abc import Callable
from dataclasses import dataclass
from fractions import Fraction

from server.domain.evaluation.methods.numbers import Number, Rounding

VALUE_MAX = Fraction(10**40)
BITS_MAX = 1024


class TooLarge(Exception):
    """A number could grow beyond VALUE_MAX or BITS_MAX."""


class ByZero(Exception):
    """A divisor could be zero."""


@dataclass(frozen=True, slots=True)
class Bounds:
    """``low <= value <= high``; ``top``, ``below``: bits of numerator and denominator at most.

    ``decimal``: always a finite decimal fraction.
    """

    low: Fraction
    high: Fraction
    top: int
    below: int
    decimal: bool = True

    def __post_init__(self) -> None:
        assert self.low <= self.high
        if max(abs(self.low), abs(self.high)) > VALUE_MAX or self.top + self.below > BITS_MAX:
            raise TooLarge


def bounds_between(low: Number, high: Number, digits: int) -> Bounds:
    """Of decimal fractions with at most ``digits`` decimals."""
    below = (10 ** max(digits, 0)).bit_length()
    largest = max(abs(Fraction(low)), abs(Fraction(high)))
    return Bounds(Fraction(low), Fraction(high), (int(largest) + 1).bit_length() + below, below)


def of_constant(value: Number) -> Bounds:
    exact = Fraction(value)
    top, below = exact.numerator.bit_length() + 1, exact.denominator.bit_length()
    return Bounds(exact, exact, top, below)


def _sizes_of_sum(a: Bounds, b: Bounds) -> tuple[int, int]:
    if a.decimal and b.decimal:  # the larger power of ten serves both
        below = max(a.below, b.below) + 4
        return max(a.top + below - a.below, b.top + below - b.below) + 8, below
    return max(a.top + b.below, b.top + a.below) + 1, a.below + b.below


def add(a: Bounds, b: Bounds) -> Bounds:
    sizes = _sizes_of_sum(a, b)
    return Bounds(a.low + b.low, a.high + b.high, *sizes, a.decimal and b.decimal)


def negative(a: Bounds) -> Bounds:
    return Bounds(-a.high, -a.low, a.top, a.below, a.decimal)


def subtract(a: Bounds, b: Bounds) -> Bounds:
    return add(a, negative(b))


def multiply(a: Bounds, b: Bounds) -> Bounds:
    ends = [x * y for x in (a.low, a.high) for y in (b.low, b.high)]
    both = a.decimal and b.decimal
    return Bounds(min(ends), max(ends), a.top + b.top, a.below + b.below, both)


def divide(a: Bounds, b: Bounds) -> Bounds:
    if b.low <= 0 <= b.high:
        raise ByZero
    ends = [x / y for x in (a.low, a.high) for y in (b.low, b.high)]
    single = b.low == b.high and _is_decimal(1 / b.low)
    return Bounds(min(ends), max(ends), a.top + b.below, a.below + b.top, a.decimal and single)


def _is_decimal(value: Fraction) -> bool:
    below = value.denominator
    for prime in (2, 5):
        while below % prime == 0:
            below //= prime
    return below == 1


def modulo(a: Bounds, b: Bounds) -> Bounds:
    if b.low <= 0:
        raise ByZero
    top, below = _sizes_of_sum(a, b)
    return Bounds(Fraction(0), b.high, top, below, a.decimal and b.decimal)


def absolute(a: Bounds) -> Bounds:
    low = Fraction(0) if a.low <= 0 <= a.high else min(abs(a.low), abs(a.high))
    return Bounds(low, max(abs(a.low), abs(a.high)), a.top, a.below, a.decimal)


def lowest(a: Bounds, b: Bounds) -> Bounds:
    return _either(a, b, min(a.low, b.low), min(a.high, b.high))


def highest(a: Bounds, b: Bounds) -> Bounds:
    return _either(a, b, max(a.low, b.low), max(a.high, b.high))


def union(a: Bounds, b: Bounds) -> Bounds:
    """Of a value that is one or the other."""
    return _either(a, b, min(a.low, b.low), max(a.high, b.high))


def _either(a: Bounds, b: Bounds, low: Fraction, high: Fraction) -> Bounds:
    top, below = max(a.top, b.top), max(a.below, b.below)
    return Bounds(low, high, top, below, a.decimal and b.decimal)


def repeated(a: Bounds, count_max: int) -> Bounds:
    """Of the sum of up to ``count_max`` such values, also of none."""
    low, high = min(a.low * count_max, Fraction(0)), max(a.high * count_max, Fraction(0))
    return Bounds(low, high, a.top + count_max.bit_length() + 8, a.below + 4, a.decimal)


def averaged(a: Bounds, count_max: int) -> Bounds:
    sums = repeated(a, count_max)
    return Bounds(a.low, a.high, sums.top, sums.below + count_max.bit_length(), False)


def rounded(a: Bounds, rounding: Rounding) -> Bounds:
    if rounding.mode is None:
        return a
    low, high = rounding.apply(a.low), rounding.apply(a.high)
    return bounds_between(low, high, rounding.digits)


ARITHMETIC: dict[str, Callable[[Bounds, Bounds], Bounds]] = {
    "+": add,
    "-": subtract,
    "*": multiply,
    "/": divide,
}
FUNCTIONS: dict[str, Callable[[Bounds, Bounds], Bounds]] = {
    "min": lowest,
    "max": highest,
    "mod": modulo,
}
