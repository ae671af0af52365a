"""A small language that says what a JSON object may hold (格式描述), and the check that applies it.

Invariant: a schema is data. ``check`` is its only meaning in Python; the tables of docs/formats and
the TypeScript types are printed from the same data (``format_docs``), so they cannot drift apart.
Checks are strict: exactly the members listed, exactly these types. They are made in this order, so
that every implementation refuses with the same code: unknown members, missing members, then the
members in the schema's order, each completely.

Codes: ``object.type``, ``object.member_unknown``, ``object.member_missing``, ``object.range`` (an
integer), ``object.length`` (of an array), ``object.value`` (a string or choice that does not
match), and ``text.*`` of crypto.text. The detail is the place: ``trustees[0].xpk``.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TypeAlias, cast

from crypto.canonical import Json
from crypto.errors import Rejected
from crypto.text import check_text


@dataclass(frozen=True)
class Int:
    """An integer, both ends included."""

    low: int
    high: int


@dataclass(frozen=True)
class Flag:
    """true or false."""


@dataclass(frozen=True)
class Text:
    """Names and free text by the rules of C18; limits in code points."""

    low: int
    high: int


@dataclass(frozen=True)
class Ascii:
    """A string that matches ``pattern`` as a whole; the pattern bounds its length."""

    pattern: str


@dataclass(frozen=True)
class Hex:
    """Lower-case hex of ``low``..``high`` bytes (equal: exactly so many)."""

    low: int
    high: int


@dataclass(frozen=True)
class Note:
    """A signed note: any characters, line feeds included, at most ``high`` code points."""

    high: int


@dataclass(frozen=True)
class OneOf:
    """One of these values, which are all strings or all integers."""

    values: tuple[str | int, ...]


@dataclass(frozen=True)
class Items:
    """An array of ``low``..``high`` items of one kind."""

    item: "Schema"
    low: int
    high: int


@dataclass(frozen=True)
class Maybe:
    """null, or the schema inside."""

    schema: "Schema"


@dataclass(frozen=True)
class Obj:
    """An object with exactly these members; each has a schema and a remark for the documentation.

    ``name`` is the TypeScript type, ``title`` a line for people.
    """

    name: str
    title: str
    members: Mapping[str, tuple["Schema", str]] = field(hash=False)
    optional: frozenset[str] = frozenset()


@dataclass(frozen=True)
class Tagged:
    """One of several objects, chosen by the value of its member ``tag``."""

    name: str
    title: str
    tag: str
    variants: Mapping[str, Obj] = field(hash=False)


@dataclass(frozen=True)
class Open:
    """An object whose members another check decides (a form's fields come from its manifest)."""

    name: str
    title: str


Schema: TypeAlias = (
    Int | Flag | Text | Ascii | Hex | Note | OneOf | Items | Maybe | Obj | Tagged | Open
)


def check(schema: Schema, value: Json, place: str = "") -> None:
    """Raise Rejected unless ``value`` is what ``schema`` says; as deep as the schema, no deeper."""
    match schema:
        case Int(low, high):
            if isinstance(value, bool) or not isinstance(value, int):
                raise Rejected("object.type", place)
            if not low <= value <= high:
                raise Rejected("object.range", place)
        case Flag():
            if not isinstance(value, bool):
                raise Rejected("object.type", place)
        case Maybe(inner):
            if value is not None:
                check(inner, value, place)
        case Items(item, low, high):
            if not isinstance(value, list):
                raise Rejected("object.type", place)
            if not low <= len(value) <= high:
                raise Rejected("object.length", place)
            for at, each in enumerate(value):
                check(item, each, f"{place}[{at}]")
        case Obj():
            _check_members(schema, _members(value, place), place)
        case Tagged(tag=tag, variants=variants):
            members = _members(value, place)
            if tag not in members:
                raise Rejected("object.member_missing", _inside(place, tag))
            chosen = members[tag]
            if not isinstance(chosen, str) or chosen not in variants:
                raise Rejected("object.value", _inside(place, tag))
            _check_members(variants[chosen], members, place)
        case Open():
            _members(value, place)
        case OneOf(values):
            # True == 1 in Python, so the type is compared too.
            if not any(type(value) is type(lawful) and value == lawful for lawful in values):
                raise Rejected("object.value", place)
        case Text() | Ascii() | Hex() | Note():
            if not isinstance(value, str):
                raise Rejected("object.type", place)
            _check_string(schema, value, place)


def checked(schema: Obj, value: Json) -> dict[str, Json]:
    """``value`` as the object that ``schema`` describes."""
    check(schema, value)
    return cast("dict[str, Json]", value)


def _members(value: Json, place: str) -> dict[str, Json]:
    if not isinstance(value, dict):
        raise Rejected("object.type", place)
    return value


def _check_members(schema: Obj, members: dict[str, Json], place: str) -> None:
    unknown = members.keys() - schema.members.keys()
    if unknown:
        raise Rejected("object.member_unknown", _inside(place, min(unknown)[:40]))
    for name in schema.members:
        if name not in members and name not in schema.optional:
            raise Rejected("object.member_missing", _inside(place, name))
    for name, (inner, _) in schema.members.items():
        if name in members:
            check(inner, members[name], _inside(place, name))


def _check_string(schema: Text | Ascii | Hex | Note, value: str, place: str) -> None:
    match schema:
        case Text(low, high):
            try:
                check_text(value, low, high)
            except Rejected as refusal:
                raise Rejected(refusal.code, f"{place} {refusal.detail}".strip()) from refusal
            return
        case Ascii(pattern):
            lawful = re.fullmatch(pattern, value, re.ASCII) is not None
        case Hex(low, high):
            lawful = (
                low <= len(value) // 2 <= high
                and len(value) % 2 == 0
                and re.fullmatch("[0-9a-f]*", value) is not None
            )
        case Note(high):
            lawful = len(value) <= high
    if not lawful:
        raise Rejected("object.value", place)


def _inside(place: str, name: str) -> str:
    return f"{place}.{name}" if place else name
