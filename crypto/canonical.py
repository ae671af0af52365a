"""Canonical JSON (规范化 JSON): the only JSON this project hashes, signs, or reads from outside.

Invariant: ``encode(decode(raw)) == raw``. A value is an object, an array, a string, true, false,
null or an integer within ±(2^53-1); anything else, and any bytes that are not their own RFC 8785
form, are refused. There are five codes, so that every implementation gives the same one:

``json.size``           longer than the caller allows
``json.utf8``           not UTF-8, or begins with a byte order mark
``json.depth``          nested deeper than the caller allows (brackets counted outside of strings)
``json.syntax``         not JSON
``json.not_canonical``  JSON, but not its own RFC 8785 form or not of the values above: a member
                        twice, a lone surrogate, 1.0, 1e3, -0, 2^53, blanks, order of members

They are decided in this order. Rules: sealing.md C18; formats.md, preface; docs/formats/json.md.
"""

import json
import re
from dataclasses import dataclass
from typing import Never, TypeAlias, cast

import msgspec

from crypto.errors import Rejected

Json: TypeAlias = "bool | int | str | list[Json] | dict[str, Json] | None"

INTEGER_MAX = 2**53 - 1
DEPTH_MAX = 32  # what encode allows; every object of ours is below 8

# Its escapes and digits are RFC 8785's for the values that pass _ordered (tests hold it to that).
_write = msgspec.json.Encoder().encode
_BYTE_ORDER_MARK = b"\xef\xbb\xbf"
_DIGITS_MAX = 16  # of INTEGER_MAX; longer numbers are refused before they are converted

# A string that never ends runs to the end of the text, so that no quote is scanned twice.
_BRACKETS = re.compile(r'"(?:[^"\\]|\\.)*+"?|[\[\]{}]', re.DOTALL)


@dataclass(frozen=True, slots=True)
class _Foreign:
    """Stands in the parsed tree for what JSON can say and we cannot; refused once all is parsed."""

    why: str


def encode(value: Json) -> bytes:
    """The RFC 8785 bytes of ``value``; Rejected("json.not_canonical") if it is not of our kind."""
    ordered = _ordered(value, DEPTH_MAX)
    try:
        return _write(ordered)
    except UnicodeEncodeError as error:
        raise Rejected("json.not_canonical", "lone surrogate") from error


def decode(raw: bytes, *, size_max: int, depth_max: int) -> Json:
    """The value whose canonical bytes are exactly ``raw`` (at most ``size_max`` bytes).

    ``depth_max`` counts brackets: ``{"a":[]}`` has depth 2. Hostile input costs time linear in
    its length and a constant stack.
    """
    if len(raw) > size_max:
        raise Rejected("json.size", str(len(raw)))
    if raw.startswith(_BYTE_ORDER_MARK):
        raise Rejected("json.utf8", "byte order mark")
    try:
        text = raw.decode("utf-8")
    except UnicodeDecodeError as error:
        raise Rejected("json.utf8", str(error.start)) from error
    if _is_deeper(text, depth_max):
        raise Rejected("json.depth")
    try:
        value = _DECODER.decode(text)
    except ValueError as error:
        raise Rejected("json.syntax", str(error)) from error
    if encode(value) != raw:
        raise Rejected("json.not_canonical", "not its own RFC 8785 form")
    return value


def utf16_order(text: str) -> bytes:
    """Sort key for member names: RFC 8785 orders by UTF-16 code units, not by code points."""
    return text.encode("utf-16-be", "surrogatepass")


def _ordered(value: object, depth: int) -> Json:
    """A copy with sorted members, checked all the way down to be of our kind."""
    if isinstance(value, str):
        return value
    if value is None or isinstance(value, bool):
        return value
    if isinstance(value, int):
        if not -INTEGER_MAX <= value <= INTEGER_MAX:
            raise Rejected("json.not_canonical", "integer beyond 2^53-1")
        return value
    if depth == 0:
        raise Rejected("json.depth")
    if isinstance(value, dict):
        members = cast("dict[object, object]", value)
        names: list[str] = []
        for name in members:
            if not isinstance(name, str):
                raise Rejected("json.not_canonical", "member name is not a string")
            names.append(name)
        names.sort(key=None if all(map(str.isascii, names)) else utf16_order)
        # Texts, most of what there is, need no closer look.
        return {
            name: each if type(each := members[name]) is str else _ordered(each, depth - 1)
            for name in names
        }
    if isinstance(value, list | tuple):
        return [_ordered(item, depth - 1) for item in cast("list[object]", value)]
    why = value.why if isinstance(value, _Foreign) else type(value).__name__
    raise Rejected("json.not_canonical", why)


def _is_deeper(text: str, depth_max: int) -> bool:
    if text.count("[") + text.count("{") <= depth_max:
        return False
    depth = 0
    for found in _BRACKETS.finditer(text):
        first = text[found.start()]
        if first in "[{":
            depth += 1
            if depth > depth_max:
                return True
        elif first in "]}":
            depth -= 1
    return False


def _members(pairs: list[tuple[str, object]]) -> object:
    members = dict(pairs)
    return members if len(members) == len(pairs) else _Foreign("member twice")


def _integer(digits: str) -> object:
    if len(digits.lstrip("-")) > _DIGITS_MAX:
        return _Foreign("integer beyond 2^53-1")
    return int(digits)


def _float(_digits: str) -> object:
    return _Foreign("number with point or exponent")


def _constant(name: str) -> Never:
    raise ValueError(name)  # NaN and Infinity are Python's own, not JSON


_DECODER = json.JSONDecoder(
    object_pairs_hook=_members,
    parse_int=_integer,
    parse_float=_float,
    parse_constant=_constant,
)
