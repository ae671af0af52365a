"""Reading and writing canonical JSON (JCS, RFC 8785; 规范 JSON) as this project narrows it.

Invariant: `read` accepts bytes only if they are exactly what `write` makes of the value, so one
value has one spelling: no repeated member, no other order, no white space, no number but integers
within ±(2^53-1), no lone surrogate, no byte order mark.
"""

from __future__ import annotations

import json
from typing import Any, NoReturn, cast

INTEGER_MAX = 2**53 - 1


class NotCanonical(Exception):
    """The bytes are not canonical JSON; the text says in a few words why."""


def _refuse_number(_: str) -> NoReturn:
    raise NotCanonical("a number with a point, an exponent, or no number at all")


def _integer(digits: str) -> int:
    # 17 characters hold -(2^53-1); longer text is refused before it is converted.
    if len(digits) > 17 or abs(int(digits)) > INTEGER_MAX:
        raise NotCanonical("an integer beyond 2^53-1")
    return int(digits)


def _members(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise NotCanonical("a repeated member")
    return found


def _depth(value: Any) -> int:
    deepest, level = 0, [value]
    while level:
        inner: list[Any] = []
        nested = False
        for item in level:
            if isinstance(item, dict):
                inner.extend(cast("dict[str, Any]", item).values())
                nested = True
            elif isinstance(item, list):
                inner.extend(cast("list[Any]", item))
                nested = True
        deepest += nested
        level = inner
    return deepest


def read(raw: bytes, *, size_max: int, depth_max: int = 16) -> Any:
    """The value of canonical JSON bytes.

    Raises NotCanonical for anything else, for more than `size_max` bytes, and for objects and
    arrays nested more than `depth_max` deep.
    """
    if len(raw) > size_max:
        raise NotCanonical(f"more than {size_max} bytes")
    try:
        value = json.loads(
            raw.decode("utf-8"),
            object_pairs_hook=_members,
            parse_float=_refuse_number,
            parse_constant=_refuse_number,
            parse_int=_integer,
        )
        again = write(value)
    except (ValueError, RecursionError) as error:
        raise NotCanonical("not JSON in UTF-8") from error
    if again != raw:
        raise NotCanonical("JSON, but not in its canonical spelling")
    if _depth(value) > depth_max:
        raise NotCanonical(f"nested more than {depth_max} deep")
    return value


def _utf16(name: str) -> bytes:
    # RFC 8785 sorts members by UTF-16 code units; U+20000 therefore comes before U+FF21.
    return name.encode("utf-16-be", "surrogatepass")


def _write(value: Any) -> str:
    if value is None or isinstance(value, (bool, str)):
        return json.dumps(value, ensure_ascii=False)
    if isinstance(value, int):
        return str(value)
    if isinstance(value, list):
        return "[" + ",".join(map(_write, cast("list[Any]", value))) + "]"
    assert isinstance(value, dict)
    members = cast("dict[str, Any]", value)
    names = sorted(members, key=_utf16)
    return "{" + ",".join(f"{_write(name)}:{_write(members[name])}" for name in names) + "}"


def write(value: Any) -> bytes:
    """The canonical bytes of null, booleans, integers, strings, lists and objects.

    Raises UnicodeEncodeError (a ValueError) for a lone surrogate.
    """
    return _write(value).encode("utf-8")
