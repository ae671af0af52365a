"""The opening's journal (流水): an unbroken chain of rows, tied to the log by HEAD entries.

Invariant: every row's hash follows from its own stub, its body's hash and the row before; where the
body is shown it gives that hash; the newest row is the one that the log's last HEAD names.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from .bundle import Bundle
from .entry_types import HEAD
from .jcs import NotCanonical, read, write
from .log import MEMBER as ENTRIES
from .log import Log
from .primitives.hashes import sha256
from .report import Report
from .schema import (
    WrongShape,
    hexadecimal,
    integer,
    null_or,
    pattern,
    record,
)

MEMBER = "journal.jsonl"
LINE_MAX = 4 << 20
ROW = record(
    body=null_or(pattern("([0-9a-f]{2})*")),
    body_hash=hexadecimal(32),
    hash=hexadecimal(32),
    prev_hash=hexadecimal(32),
    salt=null_or(hexadecimal(16)),
    stub=record(
        audience=pattern("hall|staff|sealed|party:[0-9A-Za-z-]{1,64}"),
        epoch=integer(),
        seq=integer(1),
        stream=pattern("opening:[a-z0-9-]{1,64}"),
        ts_ms=integer(),
        type=pattern("[a-z][a-z0-9_.]{0,63}"),
        ver=integer(1),
    ),
)


@dataclass(frozen=True)
class Row:
    """What HEAD entries are compared with."""

    seq: int
    stream: str
    hash: str
    ts_ms: int


def check_journal(bundle: Bundle, log: Log, report: Report) -> None:
    """The chain from the first row on, then its HEADs."""
    raw = bundle.get(MEMBER)
    if raw is None:
        return
    lines = raw.split(b"\n")
    report.check("journal.lines", lines[-1] == b"", MEMBER, "a line feed at the end", lines[-1])
    rows: list[Row] = []
    previous = bytes(32).hex()
    shown = 0
    for number, line in enumerate(lines[:-1], 1):
        try:
            value: Any = read(line, size_max=LINE_MAX)
            ROW(value, "")
        except NotCanonical as error:
            report.differs("journal.canonical", MEMBER, "canonical JSON", f"row {number}: {error}")
            return
        except WrongShape as error:
            expected = f"row {number}, {error.where}: {error.expected}"
            report.differs("journal.shape", MEMBER, expected, error.found)
            return
        _check_row(number, value, previous, rows, report)
        shown += value["body"] is not None
        previous = value["hash"]
        stub = value["stub"]
        rows.append(Row(stub["seq"], stub["stream"], value["hash"], stub["ts_ms"]))
    report.check("journal.empty", bool(rows), MEMBER, "rows of the opening", "none")
    if shown < len(rows):
        report.on_word_of("journal.withheld", withheld=len(rows) - shown, rows=len(rows))
    _check_heads(rows, log, report)


def _check_row(
    number: int, value: dict[str, Any], previous: str, rows: list[Row], report: Report
) -> None:
    stub, place = value["stub"], f"row {number}"
    report.check("journal.seq", stub["seq"] == number, MEMBER, number, f"{place}: {stub['seq']}")
    stream = rows[0].stream if rows else stub["stream"]
    report.check("journal.stream", stub["stream"] == stream, MEMBER, stream, stub["stream"])
    linked = value["prev_hash"] == previous
    report.check("journal.prev", linked, MEMBER, previous, f"{place}: {value['prev_hash']}")
    body, salt = value["body"], value["salt"]
    if body is not None and salt is not None:
        digest = sha256(bytes.fromhex(salt), bytes.fromhex(body)).hex()
        same = digest == value["body_hash"]
        report.check("journal.body", same, MEMBER, f"{place}: {value['body_hash']}", digest)
    else:
        both = body is None and salt is None
        report.check("journal.salt", both, MEMBER, "body and salt, or neither", place)
    digest = sha256(
        b"KBROW1\0",
        bytes.fromhex(value["prev_hash"]),
        bytes.fromhex(value["body_hash"]),
        write(stub),
    ).hex()
    report.check(
        "journal.hash", digest == value["hash"], MEMBER, value["hash"], f"{place}: {digest}"
    )


def _check_heads(rows: list[Row], log: Log, report: Report) -> None:
    """Every HEAD (流水头) names a row of this journal, rising, and the last one its last row."""
    newest = 0
    for entry in log.of(HEAD):
        seq: int = entry["seq"]
        row = rows[seq - 1] if seq <= len(rows) else None
        known = row is not None and (row.stream, row.hash) == (entry["stream"], entry["hash"])
        found = f"{entry.place}: row {seq}"
        if report.check("journal.head", known, MEMBER, f"a row as in {found}", "another"):
            assert row is not None
            earlier = row.ts_ms <= entry.tick_ms
            report.check("journal.time", earlier, MEMBER, f"until {entry.tick_ms}", row.ts_ms)
        report.check("journal.rising", seq > newest, ENTRIES, f"over {newest}", found)
        newest = max(newest, seq)
    whole = newest == len(rows)
    report.check("journal.tail", whole, MEMBER, f"rows up to the last HEAD: {newest}", len(rows))
