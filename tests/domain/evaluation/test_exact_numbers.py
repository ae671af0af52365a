"""Arithmetic is exact and bounded: against fractions, and against what the check foretold."""

import operator
from collections.abc import Callable
from decimal import Decimal, localcontext
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from server.domain.evaluation.methods import Misplaced
from server.domain.evaluation.methods.bounds import bounds_between
from server.domain.evaluation.methods.computing import State, number, numbers
from server.domain.evaluation.methods.expressions import parse_expression
from server.domain.evaluation.methods.numbers import (
    EXACT,
    MODES,
    Number,
    Rounding,
    calculate,
    calculate_all,
    fixed,
    plain,
    quotient,
)
from server.domain.evaluation.methods.reading import Node
from server.domain.evaluation.methods.scope import Amount, Scope

decimals = st.decimals(-(10**12), 10**12, allow_nan=False, places=4)
fractions = st.fractions(max_denominator=10**6)
any_number: st.SearchStrategy[Number] = decimals | fractions

SIGNS: dict[str, Callable[[Fraction, Fraction], Fraction]] = {
    "+": operator.add,
    "-": operator.sub,
    "*": operator.mul,
    "/": operator.truediv,
    "mod": operator.mod,
}


@pytest.mark.parametrize("sign", SIGNS)
@given(a=any_number, b=any_number.filter(bool))
def test_every_operation_is_that_of_fractions(sign: str, a: Number, b: Number):
    expected = SIGNS[sign](Fraction(a), Fraction(b))
    with localcontext(EXACT):
        assert Fraction(calculate(sign, a, b)) == expected
        for found in (
            calculate_all(sign, [a, a], b),
            calculate_all(sign, a, [b, b]),
            calculate_all(sign, [a, a], [b, b]),
        ):
            assert isinstance(found, list)
            assert [Fraction(one) for one in found] == [expected, expected]


@pytest.mark.parametrize("mode", MODES)
@given(value=any_number, digits=st.integers(-3, 6))
def test_a_decimal_and_the_same_fraction_round_alike(mode: str, value: Number, digits: int):
    rounding = Rounding(mode, digits)
    rounded = rounding.apply(value)
    assert rounded == rounding.apply(Fraction(value)) == rounding.apply_all([value])[0]
    assert abs(Fraction(rounded) - Fraction(value)) < Fraction(10) ** -digits
    assert Fraction(rounded) * Fraction(10) ** digits == int(Fraction(rounded) * 10**digits) or (
        digits < 0
    )


@pytest.mark.parametrize("mode", [*MODES, None])
@given(value=decimals, count=st.integers(1, 99), digits=st.integers(0, 6))
def test_a_quick_quotient_is_the_exact_one_rounded(
    mode: str | None, value: Decimal, count: int, digits: int
):
    rounding = Rounding(mode, digits)
    with localcontext(EXACT):
        assert quotient(value, count, rounding) == rounding.apply(Fraction(value) / count)


@given(any_number)
def test_the_text_of_a_number_is_the_number(value: Number):
    assert Fraction(plain(value)) == Fraction(value)
    assert plain(Fraction(value)) == plain(value)
    assert fixed(value, None) == plain(value)


def test_texts_are_plain():
    shown = [plain(Decimal(text)) for text in ("1E+3", "1.500", "-0.0", "0.0000001")]
    assert shown == ["1000", "1.5", "0", "0.0000001"]
    assert fixed(Decimal("-0.00"), 2) == "0.00"
    assert fixed(Decimal("1200"), -2) == "1200"
    assert fixed(Fraction(1, 3), 2) == "1/3"


# ---- expressions stay within the bounds that the check finds

FIELDS = {"a": (Decimal("0.01"), Decimal(10) ** 9, 2), "b": (Decimal(-5), Decimal(5), 1)}
leaves = st.sampled_from(["a", "b", "c", "1", "0.5", "3", "15%", "7"])
expressions = st.recursive(
    leaves,
    lambda inner: st.one_of(
        st.tuples(inner, st.sampled_from("+-*/"), inner).map(lambda t: f"({t[0]} {t[1]} {t[2]})"),
        st.tuples(st.sampled_from(["min", "max", "mod"]), inner, inner).map(
            lambda t: f"{t[0]}({t[1]}, {t[2]})"
        ),
        inner.map(lambda text: f"abs({text})"),
        inner.map(lambda text: f"-{text}"),
    ),
    max_leaves=9,
)


@given(text=expressions, data=st.data())
def test_what_the_check_lets_through_is_computed_within_its_bounds(text: str, data: st.DataObject):
    node, scope = Node(text, "steps[0].value", "method"), Scope()
    state = State(3, ("1", "2", "3"))
    for name, (low, high, digits) in FIELDS.items():
        scope.give(name, Amount(bounds_between(low, high, digits), "bids", digits), node)
        units = st.integers(int(low * 10**digits), int(high * 10**digits))
        column = [data.draw(units) for _ in range(3)]
        state.columns[name] = [Decimal(one).scaleb(-digits) for one in column]
    scope.give("c", Amount(bounds_between(Decimal(1), Decimal(2), 1)), node)
    state.numbers["c"] = data.draw(st.sampled_from([Decimal(1), Decimal("1.5"), Decimal(2)]))
    state.sets["bids"] = (0, 1, 2)
    expression = parse_expression(node)
    try:
        bounds = scope.number(expression, node, frozenset({"bids"}))
    except Misplaced:  # a divisor that could be zero
        return
    with localcontext(EXACT):
        found = numbers(state, expression, (0, 1, 2))
        alone = [numbers(state, expression, (i,))[0] for i in range(3)]
    assert found == alone
    for value in map(Fraction, found):
        assert bounds.low <= value <= bounds.high
        assert value.numerator.bit_length() <= bounds.top
        assert value.denominator.bit_length() <= bounds.below
        assert not bounds.decimal or "/" not in plain(value)


def test_one_number_for_all_needs_no_bids():
    expression = parse_expression(Node("2 * 3 - 10 / 4", "x", "method"))
    with localcontext(EXACT):
        assert number(State(0, ()), expression) == Decimal("3.5")
