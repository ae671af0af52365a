"""The values of an evaluation, and expressions computed from them (求值).

Bids are numbered 0..n-1 in the order of their numbers. A column holds one value for each of them;
for bids outside its set it holds zero, which the check has shown is never read.

Invariant: computing a checked expression cannot fail and does not round.
"""

import operator
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from functools import reduce
from itertools import repeat
from typing import Any, TypeAlias

from server.domain.evaluation.methods.expressions import (
    Arithmetic,
    Comparison,
    Constant,
    Expression,
    Function,
    Logic,
    Name,
    Negative,
    Not,
    Within,
    Word,
)
from server.domain.evaluation.methods.numbers import ZERO, Number, Vector, calculate_all

Indexes: TypeAlias = tuple[int, ...]
Values: TypeAlias = Number | Vector
Truths: TypeAlias = bool | list[bool]

_COMPARE: dict[str, Callable[[Any, Any], bool]] = {
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
    "=": operator.eq,
    "!=": operator.ne,
}
_EXTREME: dict[str, Callable[[Any, Any], Number]] = {"min": min, "max": max}


class Failed(Exception):
    """The evaluation ends here without a ranking, as the method says (评标终止)."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


@dataclass(slots=True)
class State:
    """Every value so far, by name."""

    count: int
    ids: tuple[str, ...]
    numbers: dict[str, Number] = field(default_factory=dict[str, Number])
    columns: dict[str, Vector] = field(default_factory=dict[str, Vector])
    words: dict[str, list[str]] = field(default_factory=dict[str, list[str]])
    flags: dict[str, list[bool]] = field(default_factory=dict[str, list[bool]])
    sets: dict[str, Indexes] = field(default_factory=dict[str, Indexes])
    # for each bid its position in a drawn order
    orders: dict[str, Indexes] = field(default_factory=dict[str, Indexes])
    # field -> criterion -> for each bid the marks of the experts in their order
    scores: dict[str, dict[str, list[tuple[Decimal, ...]]]] = field(
        default_factory=dict[str, dict[str, list[tuple[Decimal, ...]]]]
    )

    def picked(self, column: str, over: Indexes) -> Vector:
        """The values of a column for the bids of ``over``, in their order."""
        values = self.columns[column]
        return values if len(over) == self.count else [values[i] for i in over]

    def spread(self, over: Indexes, values: Sequence[Number]) -> Vector:
        """A column that holds ``values`` at ``over``."""
        if len(over) == self.count:
            return list(values)
        column: Vector = [ZERO] * self.count
        for i, value in zip(over, values, strict=True):
            column[i] = value
        return column


def number(state: State, expression: Expression) -> Number:
    """One number for all."""
    result = _values(state, expression, None)
    assert not isinstance(result, list)
    return result


def numbers(state: State, expression: Expression, over: Indexes) -> Vector:
    """One number for each bid of ``over``."""
    result = _values(state, expression, over)
    return result if isinstance(result, list) else [result] * len(over)


def holds(state: State, expression: Expression) -> bool:
    result = _truths(state, expression, None)
    assert not isinstance(result, list)
    return result


def truths(state: State, expression: Expression, over: Indexes) -> list[bool]:
    result = _truths(state, expression, over)
    return result if isinstance(result, list) else [result] * len(over)


def _values(state: State, part: Expression, over: Indexes | None) -> Values:
    match part:
        case Constant(value=value):
            return value
        case Name(name=name):
            found = state.numbers.get(name)
            if found is not None:
                return found
            assert over is not None
            return state.picked(name, over)
        case Negative(of=of):
            return calculate_all("-", ZERO, _values(state, of, over))
        case Arithmetic(op=op, left=left, right=right):
            return calculate_all(op, _values(state, left, over), _values(state, right, over))
        case Function(name="abs", arguments=(inner,)):
            value = _values(state, inner, over)
            return [abs(v) for v in value] if isinstance(value, list) else abs(value)
        case Function(name=name, arguments=arguments):
            return reduce(
                lambda a, b: _pairwise(name, a, b), (_values(state, a, over) for a in arguments)
            )
        case _:
            raise AssertionError(part)  # the check lets no condition through


def _pairwise(name: str, a: Values, b: Values) -> Values:
    if name == "mod":
        return calculate_all("mod", a, b)
    choose = _EXTREME[name]
    if isinstance(a, list) or isinstance(b, list):
        return list(map(choose, _repeated(a), _repeated(b)))
    return choose(a, b)


def _repeated(value: Any) -> Any:
    return value if isinstance(value, list) else repeat(value)  # pyright: ignore[reportUnknownVariableType]


def _truths(state: State, part: Expression, over: Indexes | None) -> Truths:
    match part:
        case Comparison(terms=(Name(name=name), Word(text=text)), ops=(op,)):
            assert over is not None
            words = state.words[name]
            return [(words[i] == text) == (op == "=") for i in over]
        case Comparison(terms=terms, ops=ops):
            values = [_values(state, term, over) for term in terms]
            links = [_compared(op, a, b) for op, a, b in zip(ops, values, values[1:], strict=False)]
            return reduce(lambda a, b: _joined("and", a, b), links)
        case Logic(op=op, parts=parts):
            return reduce(
                lambda a, b: _joined(op, a, b), (_truths(state, one, over) for one in parts)
            )
        case Not(of=of):
            inner = _truths(state, of, over)
            return [not one for one in inner] if isinstance(inner, list) else not inner
        case Within(name=name):
            assert over is not None
            members = set(state.sets[name])
            return [i in members for i in over]
        case Name(name=name):
            assert over is not None
            flags = state.flags[name]
            return [flags[i] for i in over]
        case _:
            raise AssertionError(part)  # the check lets no number through


def _compared(op: str, a: Values, b: Values) -> Truths:
    compare = _COMPARE[op]
    if isinstance(a, list) or isinstance(b, list):
        return list(map(compare, _repeated(a), _repeated(b)))
    return compare(a, b)


def _both(a: bool, b: bool) -> bool:
    return a and b


def _either(a: bool, b: bool) -> bool:
    return a or b


def _joined(op: str, a: Truths, b: Truths) -> Truths:
    join = _both if op == "and" else _either
    if isinstance(a, list) or isinstance(b, list):
        return list(map(join, _repeated(a), _repeated(b)))
    return join(a, b)
