"""Prints the tables and examples of docs/formats from schemas and vectors (格式文档).

Invariant: between ``<!-- table NAME -->`` (or ``entries``, ``example NAME``) and ``<!-- end -->``
a page holds exactly what this module prints; prose outside of the marks is written by people.
This is a tool for the tree it stands in: nothing of the running product imports it.
"""

import json
import re
from collections import deque
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, cast

from crypto.canonical import INTEGER_MAX
from crypto.format_types import Named, parts_of, typescript
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
_FOLD = 60  # strings longer than this are shortened in examples
_WIDTH = 100


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
    known: set[str] = set()  # objects that have their table on this page already
    printers: dict[str, Callable[[str], str]] = {
        "table": lambda name: _tables([DOCUMENTS[name].schema], known),
        "entries": lambda _: _entries(known),
        "example": lambda name: f"```json\n{_pretty(_folded(examples[name]))}\n```\n",
    }
    return _MARK.sub(lambda found: found[1] + printers[found[2]](found[3]) + found[4], page)


def _tables(roots: Sequence[Schema], known: set[str]) -> str:
    """A table for every object in ``roots`` that has none yet, outermost first."""
    tables: list[str] = []
    queue = deque(roots)
    while queue:
        schema = queue.popleft()
        if isinstance(schema, Named) and schema.name not in known:
            known.add(schema.name)
            tables.append(_table(schema))
        parts = list(parts_of(schema))
        if isinstance(schema, Tagged):  # its variants are rows of its own table
            parts = [part for variant in parts for part in parts_of(variant)]
        queue.extend(part for part in parts if not _is_known(part, known))
    return "\n".join(tables)


def _is_known(schema: Schema, known: set[str]) -> bool:
    return isinstance(schema, Named) and schema.name in known


def _table(schema: Named) -> str:
    title = f"**{schema.name}**" + (f": {schema.title}" if schema.title else "")
    match schema:
        case Open():
            return f"{title}.\n"
        case Tagged():
            rows = _variant_rows(schema)
        case Obj():
            rows = [
                _row(member, inner, remark, "optional" if member in schema.optional else "")
                for member, (inner, remark) in schema.members.items()
            ]
    return "\n".join([f"{title}\n", "| member | type and limit | |", "|---|---|---|", *rows, ""])


def _variant_rows(schema: Tagged) -> list[str]:
    """The members of all variants; those of some say of which."""
    variants = schema.variants
    rows: dict[str, str] = {}
    for value, variant in variants.items():
        for member, of in variant.members.items():
            alike = [each for each in variants.values() if each.members.get(member) == of]
            if member == schema.tag:
                lawful = " or ".join(f'`"{name}"`' for name in variants)
                rows[member] = f"| `{member}` | {lawful} | |"
            elif len(alike) == len(variants):
                rows[member] = _row(member, *of, "")
            else:
                rows[f"{member} {value}"] = _row(member, *of, f"only {value}")
    return list(rows.values())


def _row(member: str, inner: Schema, remark: str, note: str) -> str:
    remarks = "; ".join(filter(None, (note, remark)))
    return f"| `{member}` | {_words(inner)} | {remarks} |"


def _entries(known: set[str]) -> str:
    rows = ["| type | name | further members | shown |", "|---|---|---|---|"]
    for kind in ENTRY_TYPES.values():
        members = ", ".join(
            f"`{member}` {_words(inner)}" + (f" ({remark})" if remark else "")
            for member, (inner, remark) in kind.schema.members.items()
            if member not in ("server_ms", "tender_id")
        )
        name = f"{kind.type.name}<br>{kind.schema.title}"
        rows.append(f"| {kind.type.value} | {name} | {members or 'none'} | {kind.public} |")
    parts = [part for kind in ENTRY_TYPES.values() for part in parts_of(kind.schema)]
    return "\n".join([*rows, "", _tables(parts, known)])


def _words(schema: Schema) -> str:
    match schema:
        case Int(low, high):
            if high == INTEGER_MAX:
                return f"integer from {low}"
            return _number(low) if low == high else f"{_number(low)}..{_number(high)}"
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


def _folded(value: Any) -> Any:
    """A copy whose long strings are shortened."""
    if isinstance(value, dict):
        return {name: _folded(each) for name, each in cast("dict[str, Any]", value).items()}
    if isinstance(value, list):
        return [_folded(each) for each in cast("list[Any]", value)]
    if isinstance(value, str) and len(value) > _FOLD:
        return f"{value[:24]}…{value[-8:]}"
    return value


def _pretty(value: Any, indent: int = 0) -> str:
    """JSON in canonical order, broken only where a line would be too long."""
    flat = json.dumps(value, ensure_ascii=False)
    if len(flat) + indent <= _WIDTH or not isinstance(value, dict | list):
        return flat
    within = " " * (indent + 1)
    if isinstance(value, dict):
        members = cast("dict[str, Any]", value)
        inner = [f'"{name}": {_pretty(each, indent + 1)}' for name, each in members.items()]
        opened, closed = "{", "}"
    else:
        inner = [_pretty(each, indent + 1) for each in cast("list[Any]", value)]
        opened, closed = "[", "]"
    return f"{opened}\n{within}" + f",\n{within}".join(inner) + f"\n{' ' * indent}{closed}"
