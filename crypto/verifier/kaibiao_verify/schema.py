"""Closed shapes for JSON values (结构), a few building blocks each object's schema is made of.

Invariant: a record holds exactly the members named; an unknown or missing one is refused. Every
text, list and number has a limit.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection
from typing import Any, cast

from .jcs import INTEGER_MAX
from .wording import is_text

Shape = Callable[[Any, str], None]


class WrongShape(Exception):
    """A value does not have its shape: where in the object, what belongs there, what is there."""

    def __init__(self, where: str, expected: str, found: Any) -> None:
        super().__init__(f"{where}: {expected}")
        self.where = where or "the whole"
        self.expected = expected
        self.found = repr(found)[:120]


def member(value: Any, name: str) -> Any:
    """A member of what may or may not be an object; None if there is none."""
    return cast("dict[str, Any]", value).get(name) if isinstance(value, dict) else None


def integer(low: int = 0, high: int = INTEGER_MAX) -> Shape:
    """An integer (never a boolean) from low to high."""

    def check(value: Any, where: str) -> None:
        if type(value) is not int or not low <= value <= high:
            raise WrongShape(where, f"an integer from {low} to {high}", value)

    return check


def boolean(value: Any, where: str) -> None:
    """true or false."""
    if type(value) is not bool:
        raise WrongShape(where, "true or false", value)


def choice(*allowed: str | int | bool | None) -> Shape:
    """One of the given values, of the same JSON type."""

    def check(value: Any, where: str) -> None:
        if not any(type(value) is type(one) and value == one for one in allowed):
            raise WrongShape(where, " or ".join(map(repr, allowed)), value)

    return check


def text(low: int, high: int) -> Shape:
    """A text under the rules of C18."""

    def check(value: Any, where: str) -> None:
        if not isinstance(value, str) or not is_text(value, low, high):
            raise WrongShape(where, f"text of {low} to {high} lawful characters", value)

    return check


def pattern(expression: str) -> Shape:
    """A string that the expression matches whole."""
    compiled = re.compile(expression, re.ASCII)

    def check(value: Any, where: str) -> None:
        if not isinstance(value, str) or compiled.fullmatch(value) is None:
            raise WrongShape(where, f"text like {expression}", value)

    return check


def hexadecimal(size: int) -> Shape:
    """`size` bytes as lower-case hex."""
    return pattern(f"[0-9a-f]{{{2 * size}}}")


def array(item: Shape, low: int, high: int) -> Shape:
    """A list of low to high items of one shape."""

    def check(value: Any, where: str) -> None:
        items = cast("list[Any]", value)
        if not isinstance(value, list) or not low <= len(items) <= high:
            raise WrongShape(where, f"a list of {low} to {high} items", value)
        for place, one in enumerate(items):
            item(one, f"{where}[{place}]")

    return check


def null_or(shape: Shape) -> Shape:
    """null, or the shape."""

    def check(value: Any, where: str) -> None:
        if value is not None:
            shape(value, where)

    return check


def record(optional: Collection[str] = (), /, **members: Shape) -> Shape:
    """An object with exactly these members, those in `optional` perhaps absent."""

    def check(value: Any, where: str) -> None:
        if not isinstance(value, dict):
            raise WrongShape(where, "an object", value)
        found = cast("dict[str, Any]", value)
        names = set(found)
        unknown, missing = names - set(members), set(members) - names - set(optional)
        if unknown or missing:
            expected = "members " + ", ".join(sorted(members))
            raise WrongShape(where, expected, ", ".join(sorted(names)))
        for name, shape in members.items():
            if name in names:
                shape(found[name], f"{where}.{name}" if where else name)

    return check
