"""Whether stored rows are what was once chained (链校验).

Invariant: a row is accepted only if its body_hash is that of its salt and body, its hash that of
prev_hash, body_hash and stub, and it continues the row before it in its stream (formats.md §6).
At boot the newest rows of the site are looked at, because a crash harms the end; ``verify_stream``
goes through a whole stream.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Any, Final

from crypto.rows import body_hash, row_hash, stub_bytes
from server.storage.errors import StorageUnusable
from server.storage.records import EMPTY_STREAM, Head, Row

TAIL_ROWS: Final = 2000
SELECT_ROWS: Final = (
    "SELECT name, seq, epoch, ts_ms, actor, cmd_id, type, ver, audience, audience_seq,"
    " salt, body, body_hash, prev_hash, hash FROM event JOIN stream USING (stream_id)"
)

Query = Callable[[str, Sequence[Any]], Iterable[tuple[Any, ...]]]


def check_row(row: Row, before: Head | None) -> None:
    """Raises StorageUnusable storage.damaged. ``before`` None: the row before is not known."""
    stub = stub_bytes(
        audience=row.audience,
        epoch=row.epoch,
        seq=row.seq,
        stream=row.stream,
        ts_ms=row.ts_ms,
        event_type=row.type,
        ver=row.ver,
    )
    if row.body_hash != body_hash(row.salt, row.body):
        raise StorageUnusable("storage.damaged", f"{row.stream} {row.seq}: body")
    if row.hash != row_hash(row.prev_hash, row.body_hash, stub):
        raise StorageUnusable("storage.damaged", f"{row.stream} {row.seq}: hash")
    if before is not None and (row.seq != before.seq + 1 or row.prev_hash != before.hash):
        raise StorageUnusable("storage.damaged", f"{row.stream} {row.seq}: chain broken")


def verify_tail(query: Query, rows: int = TAIL_ROWS) -> None:
    """The newest ``rows`` rows of the whole site, each against the one before it in its stream."""
    heads: dict[str, Head] = {}
    newest = "position > (SELECT max(position) FROM event) - ? ORDER BY position"
    for columns in query(f"{SELECT_ROWS} WHERE {newest}", (rows,)):
        row = Row(*columns)
        before = heads.get(row.stream)
        if before is None:
            before = _head_before(query, row)
        check_row(row, before)
        heads[row.stream] = Head(row.seq, row.hash)


def verify_stream(read: Callable[[str, int], Sequence[Row]], stream: str) -> Head:
    """Every row of a stream from the first on; ``read(stream, after_seq)`` gives the next ones."""
    head = EMPTY_STREAM
    while rows := read(stream, head.seq):
        for row in rows:
            check_row(row, head)
            head = Head(row.seq, row.hash)
    return head


def _head_before(query: Query, row: Row) -> Head:
    if row.seq == 1:
        return EMPTY_STREAM
    found = list(query(f"{SELECT_ROWS} WHERE name = ? AND seq = ?", (row.stream, row.seq - 1)))
    if not found:
        raise StorageUnusable("storage.damaged", f"{row.stream} {row.seq - 1}: missing")
    before = Row(*found[0])
    return Head(before.seq, before.hash)
