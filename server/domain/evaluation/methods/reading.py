"""Reading a document member by member (逐项读取): strict, with the place of each value.

Invariant: a value is either taken by its reader or refused; unknown members never pass. Spelling
is free where people write (blanks, order of members); numbers with a point are text, so that no
binary fraction ever exists. Hostile bytes cost time linear in their length and a constant stack.
"""

import json
import re
from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Context, Decimal
from typing import cast

from crypto.errors import Rejected
from crypto.text import check_text, parse_money
from server.domain.evaluation.methods.refusing import Misplaced

DEPTH_MAX = 12
INTEGER_DIGITS_MAX = 15
TEXT_MAX = 400
LISTED_MAX = 12
NAME = re.compile(r"[A-Za-z][A-Za-z0-9_]{0,31}")

_SHIFT = Context(prec=40)  # more than the digits of any number that is read
_DECIMAL = re.compile(r"-?(0|[1-9][0-9]{0,17})(\.[0-9]{1,12})?")
_AMOUNT = re.compile(r"(0|[1-9][0-9]{0,12})\.([0-9]{1,2})0{0,6}")  # could be yuan and fen
_BRACKETS = re.compile(r'"(?:[^"\\]|\\.)*+"?|[\[\]{}]', re.DOTALL)


@dataclass(frozen=True, slots=True)
class _Foreign:
    """What JSON can say and we do not; refused at its place."""

    reason: str
    why: str
    digits: str = ""  # of a number with a point, as it stood


def _members(pairs: list[tuple[str, object]]) -> object:
    members = dict(pairs)
    if len(members) == len(pairs):
        return members
    return _Foreign("twice", "a member stands twice")


def _integer(digits: str) -> object:
    if len(digits.lstrip("-")) > INTEGER_DIGITS_MAX or digits == "-0":
        return _Foreign("number", "an integer too long")
    return int(digits)


def _point(digits: str) -> object:
    said = f"{digits[:24]} must be written as text"
    accepted = len(digits) <= 24 and _DECIMAL.fullmatch(digits)
    example = f'"{digits}"' if accepted else 'a plain decimal number like "0.95"'
    return _Foreign("number", f"{said}: {example}", digits)


def _constant(name: str) -> object:
    return _Foreign("number", name)


_DECODER = json.JSONDecoder(
    object_pairs_hook=_members,
    parse_int=_integer,
    parse_float=_point,
    parse_constant=_constant,
)


def read_json(raw: bytes, noun: str, size_max: int) -> "Node":
    """The root of a document. Codes: noun.size, utf8, depth, syntax."""
    if len(raw) > size_max:
        raise Misplaced(noun, "size", "", f"more than {size_max} bytes")
    try:
        text = raw.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise Misplaced(noun, "utf8", f"byte {error.start}") from error
    depth = 0
    for found in _BRACKETS.finditer(text):
        first = text[found.start()]
        depth += (first in "[{") - (first in "]}")
        if depth > DEPTH_MAX:
            raise Misplaced(noun, "depth", f"character {found.start()}")
    try:
        value = cast(object, _DECODER.decode(text))
    except json.JSONDecodeError as error:
        where = f"line {error.lineno} column {error.colno}"
        raise Misplaced(noun, "syntax", where, error.msg) from error
    return Node(value, "", noun)


def shown(name: str) -> str:
    """A name from outside as a part of a place: short and without hidden characters."""
    kept = "".join(c if c.isprintable() else "�" for c in name[:40])
    return kept if kept.isidentifier() or kept.isalnum() else json.dumps(kept, ensure_ascii=False)


def listed(names: Iterable[str]) -> str:
    """What is allowed, for a message: the first few of it."""
    known = tuple(names)
    said = [name if name.isprintable() else shown(name) for name in known[:LISTED_MAX]]
    return ", ".join(said) + (", …" if len(known) > LISTED_MAX else "")


@dataclass(frozen=True, slots=True)
class Node:
    """A value of a document, where it stands, and whose document it is."""

    value: object
    place: str
    noun: str

    def refuse(self, reason: str, why: str = "") -> Misplaced:
        return Misplaced(self.noun, reason, self.place, why)

    def wrong(self, expected: str) -> Misplaced:
        if isinstance(self.value, _Foreign):
            return self.refuse(self.value.reason, self.value.why)
        return self.refuse("type", f"expected {expected}")

    def child(self, name: str, value: object) -> "Node":
        part = shown(name)
        if part.startswith('"'):
            part = f"[{part}]"
        elif self.place:
            part = f".{part}"
        return Node(value, self.place + part, self.noun)

    def check_plain(self) -> None:
        """Everything below is of the values that a document may hold."""
        if isinstance(self.value, dict):
            for name, value in cast("dict[str, object]", self.value).items():
                self.child(name, value).check_plain()
        elif isinstance(self.value, list):
            for i, value in enumerate(cast("list[object]", self.value)):
                Node(value, f"{self.place}[{i}]", self.noun).check_plain()
        elif isinstance(self.value, str):
            self.text(0)
        elif isinstance(self.value, _Foreign):
            raise self.refuse(self.value.reason, self.value.why)

    def is_object(self) -> bool:
        return isinstance(self.value, dict)

    def is_text(self) -> bool:
        return isinstance(self.value, str)

    def entries(self, high: int) -> "dict[str, Node]":
        """The members of an object with free names, at most ``high``."""
        if not isinstance(self.value, dict):
            raise self.wrong("an object")
        members = cast("dict[str, object]", self.value)
        if len(members) > high:
            raise self.refuse("size", f"more than {high} members")
        return {name: self.child(name, value) for name, value in members.items()}

    def members(self, required: Iterable[str], optional: Iterable[str] = ()) -> "dict[str, Node]":
        """The members of an object with known names. Codes: missing, unknown_member."""
        if not isinstance(self.value, dict):
            raise self.wrong("an object")
        members = cast("dict[str, object]", self.value)
        needed = tuple(required)
        known = dict.fromkeys((*needed, *optional))
        for name in members:
            if name not in known:
                why = f"a member nobody knows; allowed: {listed(known) or 'none'}"
                raise self.child(name, None).refuse("unknown_member", why)
        for name in needed:
            if name not in members:
                raise self.child(name, None).refuse("missing")
        return {name: self.child(name, value) for name, value in members.items()}

    def values(self, low: int, high: int) -> list[object]:
        """The unread values of a list of ``low`` to ``high``."""
        if not isinstance(self.value, list):
            raise self.wrong("a list")
        values = cast("list[object]", self.value)
        if not low <= len(values) <= high:
            raise self.refuse("size", f"{len(values)} items, allowed {low} to {high}")
        return values

    def items(self, low: int, high: int) -> "list[Node]":
        values = self.values(low, high)
        place, noun = self.place, self.noun
        return [Node(value, f"{place}[{i}]", noun) for i, value in enumerate(values)]

    def text(self, low: int = 1, high: int = TEXT_MAX) -> str:
        if not isinstance(self.value, str):
            raise self.wrong("a text")
        try:
            return check_text(self.value, low, high)
        except Rejected as error:
            raise self.refuse("text", f"{error.code} {error.detail}".strip()) from error

    def name(self) -> str:
        """An identifier: a letter, then letters, digits or _, at most 32."""
        if not isinstance(self.value, str):
            raise self.wrong("a name")
        if NAME.fullmatch(self.value) is None:
            raise self.refuse("text", "a name has letters, digits and _ only, at most 32")
        return self.value

    def one_of(self, allowed: Iterable[str]) -> str:
        choices = tuple(allowed)
        if not isinstance(self.value, str):
            raise self.wrong("one of " + ", ".join(choices))
        if self.value not in choices:
            raise self.refuse("choice", f"{shown(self.value)} is none of " + ", ".join(choices))
        return self.value

    def flag(self) -> bool:
        if not isinstance(self.value, bool):
            raise self.wrong("true or false")
        return self.value

    def integer(self, low: int, high: int) -> int:
        if not isinstance(self.value, int) or isinstance(self.value, bool):
            raise self.wrong("an integer")
        if not low <= self.value <= high:
            raise self.refuse("range", f"{self.value}, allowed {low} to {high}")
        return self.value

    def decimal(self) -> Decimal:
        """A decimal fraction as text: "0.95", "-3", "15%"."""
        if not isinstance(self.value, str):
            raise self.wrong("a number as text")
        percent = self.value.endswith("%")
        found = _DECIMAL.fullmatch(self.value[:-1] if percent else self.value)
        if found is None or (self.value.startswith("-0") and Decimal(found[0]) == 0):
            raise self.refuse("number", f"{shown(self.value)} is not a plain decimal number")
        return Decimal(found[0]).scaleb(-2 if percent else 0, _SHIFT)

    def fen(self) -> int:
        """An amount in yuan with two decimals as text, in fen."""
        if not isinstance(self.value, str):
            raise self._no_amount()
        try:
            return parse_money(self.value)
        except Rejected as error:
            why = f'{shown(self.value)} is not an amount in yuan like "1234.00"'
            raise self.refuse("number", why) from error

    def _no_amount(self) -> Misplaced:
        """A number where an amount is expected: says how that amount is written."""
        digits = self.value.digits if isinstance(self.value, _Foreign) else ""
        found = _AMOUNT.fullmatch(digits)
        if found is None:
            return self.wrong('an amount as text, "1234.00"')
        return self.refuse(
            "number", f'{digits[:24]} must be written as text: "{found[1]}.{found[2]:0<2}"'
        )
