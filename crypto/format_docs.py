"""Prints the tables and examples of docs/formats from schemas and vectors (格式文档).

Invariant: between ``<!-- table NAME -->`` (or ``entries``, ``example NAME``) and ``<!-- end -->``
a page holds exactly what this module prints; prose outside of the marks is written by people.
This is a tool for the tree it stands in: nothing of the running product imports it.
"""

import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any, cast

from crypto.canonical import INTEGER_MAX
from crypto.format_types import Named, named_objects, parts_of, typescript
from crypto.formats import DOCUMENTS
from crypto.objects.entry import ENTRY_TYPES
from crypto.schema import (
    Ascii,
    Flag,
    Hex,
    Int,
    Items,
    Maybe,
    Note,
    Obj,
    OneOf,
    Open,
    Schema,
    Tagged,
    Text,
)

TREE = Path(__file__).parent.parent
TYPES = TREE / "web_client/src/formats.ts"
PAGES = TREE / "docs/formats"
VECTORS = TREE / "tests/vectors/formats.json"

_MARK = re.compile(r"(<!-- (table|entries|example) ?(\S*) -->\n).*?(<!-- end -->)", re.DOTALL)
_FOLD = 96  # hex and texts longer than this are shortened in examples


def outputs(*, docs: bool, types: bool) -> dict[Path, str]:
    """What each generated file must hold."""
    wanted = {TYPES: typescript()} if types else {}
    if docs:
        examples = _examples()
        for page in sorted(PAGES.glob("*.md")):
            wanted[page] = _filled(page.read_text("utf-8"), examples)
    return wanted


def write_generated(*, docs: bool, types: bool, check_only: bool) -> list[Path]:
    """Write what is not fresh, or only name it."""
    stale = [
        path
        for path, text in outputs(docs=docs, types=types).items()
        if not path.exists() or path.read_text("utf-8") != text
    ]
    if not check_only:
        for path in stale:
            path.write_text(outputs(docs=docs, types=types)[path], "utf-8")
    return stale


def _examples() -> dict[str, Any]:
    """Name to value of the vectors' documents."""
    vectors = json.loads(VECTORS.read_text("utf-8"))
    documents: list[dict[str, str]] = vectors["documents"]
    return {each["name"]: json.loads(bytes.fromhex(each["json"])) for each in documents}


def _filled(page: str, examples: dict[str, Any]) -> str:
    printers: dict[str, Callable[[str], str]] = {
        "table": _tables,
        "entries": lambda _: _entries(),
        "example": lambda name: f"```json\n{_folded(examples[name])}\n```\n",
    }
    return _MARK.sub(lambda found: found[1] + printers[found[2]](found[3]) + found[4], page)


def _tables(name: str) -> str:
    """The table of one document and of every object in it that has no table yet."""
    objects = named_objects([DOCUMENTS[name].schema])
    # Outermost first, as one reads.
    return "\n".join(_table(schema) for schema in reversed(objects.values()))


def _table(schema: Named) -> str:
    title = f"**{schema.name}**" + (f": {schema.title}" if schema.title else "")
    match schema:
        case Open():
            return f"{title}.\n"
        case Tagged(tag=tag, variants=variants):
            names = ", ".join(f"`{value}` {each.name}" for value, each in variants.items())
            return f"{title}. By `{tag}`: {names}.\n"
        case Obj():
            rows = [f"{title}\n", "| member | type and limit | |", "|---|---|---|"]
            rows += _rows(schema)
            return "\n".join(rows) + "\n"


def _rows(schema: Obj) -> list[str]:
    return [
        f"| `{member}` | {_words(inner)}{', optional' * (member in schema.optional)} | {remark} |"
        for member, (inner, remark) in schema.members.items()
    ]


def _entries() -> str:
    rows = ["| type | name | further members | shown |", "|---|---|---|---|"]
    for kind in ENTRY_TYPES.values():
        members = ", ".join(
            f"`{member}` {_words(inner)}" + (f" ({remark})" if remark else "")
            for member, (inner, remark) in kind.schema.members.items()
            if member not in ("server_ms", "tender_id")
        )
        name = f"{kind.type.name}<br>{kind.schema.title}"
        rows.append(f"| {kind.type.value} | {name} | {members or 'none'} | {kind.public} |")
    inner = [part for kind in ENTRY_TYPES.values() for part in parts_of(kind.schema)]
    below = [_table(schema) for schema in named_objects(inner).values()]
    return "\n".join(["\n".join(rows) + "\n", *below])


def _words(schema: Schema) -> str:
    match schema:
        case Int(low, high):
            if high == INTEGER_MAX:
                return f"integer from {low}"
            return f"{_number(low)}..{_number(high)}"
        case Flag():
            return "bool"
        case Text(low, high):
            return f"text {low}..{high}"
        case Ascii(pattern):
            return f"`{pattern}`".replace("|", "\\|")
        case Hex(low, high):
            return f"hex, {low} bytes" if low == high else f"hex, {low}..{high} bytes"
        case Note(high):
            return f"signed note, at most {high}"
        case OneOf(values):
            return " or ".join(f"`{json.dumps(value)}`" for value in values)
        case Items(item, low, high):
            count = str(low) if low == high else f"{low}..{_number(high)}"
            return f"{count} of {_words(item)}"
        case Maybe(inner):
            return f"{_words(inner)}, or null"
        case Obj() | Tagged() | Open():
            return schema.name


def _number(value: int) -> str:
    power = value.bit_length()
    return f"2^{power}-1" if power > 20 and value == 2**power - 1 else str(value)


def _folded(value: Any) -> str:
    """An example people can read: canonical order, members on lines, long strings shortened."""

    def fold(inner: Any) -> Any:
        if isinstance(inner, dict):
            return {name: fold(each) for name, each in cast("dict[str, Any]", inner).items()}
        if isinstance(inner, list):
            return [fold(each) for each in cast("list[Any]", inner)]
        if isinstance(inner, str) and len(inner) > _FOLD:
            return f"{inner[:24]}…{inner[-8:]}"
        return inner

    return json.dumps(fold(value), ensure_ascii=False, indent=1)
