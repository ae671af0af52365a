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
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, TypeAlias, cast

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


def check(schema: Schema, value: Json) -> None:
    """Raise Rejected unless ``value`` is what ``schema`` says; as deep as the schema, no deeper."""
    _CHECKS[type(schema)](schema, value)


def checked(schema: Obj, value: Json) -> dict[str, Json]:
    """``value`` as the object that ``schema`` describes."""
    check(schema, value)
    return cast("dict[str, Json]", value)


# ---- one function per kind of schema. Every log entry of ours comes through here, so the place is
# put together only on the way up from a refusal.


def _within(schema: Schema, value: Json, place: str) -> None:
    try:
        _CHECKS[type(schema)](schema, value)
    except Rejected as refusal:
        inner = refusal.detail
        glue = "." if inner and inner[0] not in "[ " else ""
        raise Rejected(refusal.code, f"{place}{glue}{inner}") from None


def _int(schema: Int, value: Json) -> None:
    if isinstance(value, bool) or not isinstance(value, int):
        raise Rejected("object.type")
    if not schema.low <= value <= schema.high:
        raise Rejected("object.range")


def _flag(_schema: Flag, value: Json) -> None:
    if not isinstance(value, bool):
        raise Rejected("object.type")


def _text(schema: Text, value: Json) -> None:
    try:
        check_text(_string(value), schema.low, schema.high)
    except Rejected as refusal:
        detail = f" {refusal.detail}" if refusal.detail else ""
        raise Rejected(refusal.code, detail) from refusal


def _ascii(schema: Ascii, value: Json) -> None:
    if re.fullmatch(schema.pattern, _string(value), re.ASCII) is None:
        raise Rejected("object.value")


def _hex(schema: Hex, value: Json) -> None:
    text = _string(value)
    size, odd = divmod(len(text), 2)
    if odd or not schema.low <= size <= schema.high or _is_hex(text) is None:
        raise Rejected("object.value")


def _note(schema: Note, value: Json) -> None:
    if len(_string(value)) > schema.high:
        raise Rejected("object.value")


def _one_of(schema: OneOf, value: Json) -> None:
    # True == 1 in Python, so the type is compared too.
    if not any(type(value) is type(lawful) and value == lawful for lawful in schema.values):
        raise Rejected("object.value")


def _items(schema: Items, value: Json) -> None:
    if not isinstance(value, list):
        raise Rejected("object.type")
    if not schema.low <= len(value) <= schema.high:
        raise Rejected("object.length")
    for at, each in enumerate(value):
        _within(schema.item, each, f"[{at}]")


def _maybe(schema: Maybe, value: Json) -> None:
    if value is not None:
        check(schema.schema, value)


def _obj(schema: Obj, value: Json) -> None:
    members = _members(value)
    if members.keys() != schema.members.keys():
        _check_names(schema, members)
    for name, (inner, _) in schema.members.items():
        if name in members:
            _within(inner, members[name], name)


def _check_names(schema: Obj, members: dict[str, Json]) -> None:
    unknown = members.keys() - schema.members.keys()
    if unknown:
        raise Rejected("object.member_unknown", min(unknown)[:40])
    for name in schema.members:
        if name not in members and name not in schema.optional:
            raise Rejected("object.member_missing", name)


def _tagged(schema: Tagged, value: Json) -> None:
    members = _members(value)
    if schema.tag not in members:
        raise Rejected("object.member_missing", schema.tag)
    chosen = members[schema.tag]
    if not isinstance(chosen, str) or chosen not in schema.variants:
        raise Rejected("object.value", schema.tag)
    _obj(schema.variants[chosen], members)


def _open(_schema: Open, value: Json) -> None:
    _members(value)


def _members(value: Json) -> dict[str, Json]:
    if not isinstance(value, dict):
        raise Rejected("object.type")
    return value


def _string(value: Json) -> str:
    if not isinstance(value, str):
        raise Rejected("object.type")
    return value


_is_hex = re.compile("[0-9a-f]*").fullmatch

_CHECKS: Mapping[type[Schema], Callable[[Any, Json], None]] = {
    Int: _int,
    Flag: _flag,
    Text: _text,
    Ascii: _ascii,
    Hex: _hex,
    Note: _note,
    OneOf: _one_of,
    Items: _items,
    Maybe: _maybe,
    Obj: _obj,
    Tagged: _tagged,
    Open: _open,
}
