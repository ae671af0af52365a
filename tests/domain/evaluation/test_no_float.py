"""No binary fraction comes near a price or a score: not in the code, not through an input."""

import ast
from decimal import Decimal
from fractions import Fraction
from typing import Any

import pytest

from server.domain.evaluation.methods import (
    Misplaced,
    bids_of,
    draws_of,
    evaluate,
    example_of,
    parse_method,
)
from server.domain.evaluation.methods.steps.step import ColumnOutput, NumberOutput
from tests.domain.evaluation.documents import delivered, delivered_names, method_value, raw, step
from tests.tree import ending, parsed

PACKAGE = "server/domain/evaluation"
CODE = [path for path in ending(".py") if path.is_relative_to(PACKAGE)]
FLOATING = {"float", "math", "statistics", "cmath", "numpy"}
EXACT = {"prod", "gcd", "lcm", "comb", "isqrt"}  # what `math` does with whole numbers only


@pytest.mark.parametrize("path", CODE, ids=str)
def test_the_code_holds_no_float(path: Any):
    for node in ast.walk(parsed(path)):
        if isinstance(node, ast.Constant):
            assert not isinstance(node.value, float | complex), node.lineno
        if isinstance(node, ast.Name):
            assert node.id not in FLOATING, node.lineno
        if isinstance(node, ast.Import):
            assert not FLOATING & {name.name for name in node.names}, node.lineno
        if isinstance(node, ast.ImportFrom):
            names = {name.name for name in node.names}
            whole = node.module == "math" and names <= EXACT
            assert whole or node.module not in FLOATING, node.lineno


def test_there_is_code_to_look_at():
    assert len(CODE) > 20


def test_a_method_with_a_float_is_refused_at_its_place():
    value = method_value(step("B", "formula", value="1", round={"mode": "up", "digits": 0.5}))
    with pytest.raises(Misplaced) as refused:
        parse_method(raw(value))
    assert refused.value.code == "method.number"
    assert refused.value.place == "steps[0].round.digits"


@pytest.mark.parametrize("value", [0.95, 1e3, float("nan"), 12])
def test_a_price_that_is_no_text_is_refused(value: Any):
    method = delivered("procurement-inquiry")
    bids = {"given": {"budget": "500.00"}, "bids": [{"id": "1", "price": value, "meets": True}]}
    with pytest.raises(Misplaced) as refused:
        bids_of(method, bids)
    assert refused.value.place == "bids[0].price"


@pytest.mark.parametrize("name", delivered_names())
def test_every_number_of_a_derivation_is_exact(name: str):
    method = delivered(name)
    inputs = example_of(method)
    assert inputs is not None
    numbers: list[Any] = []
    for line in evaluate(method, *inputs).lines:
        if isinstance(line.output, NumberOutput):
            numbers += [line.output.value, line.output.exact]
        if isinstance(line.output, ColumnOutput):
            numbers += line.output.values
    assert all(type(number) in (Decimal, Fraction) for number in numbers)
    assert draws_of(method, inputs[0], inputs[1].document).document == inputs[1].document
