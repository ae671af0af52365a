"""What can be done inside one group's transaction (事务): the only SQL that writes rows.

Invariant: every row continues its stream (seq, prev_hash) and its channel (audience_seq), carries
the epoch of this boot, and every answer is the first to its command; whatever does not is a
JournalConflict, and the transaction is undone as far as that item reaches. Only the writer thread
calls this.

One statement for as many rows as there are, never one a row: each step of SQLite gives the
interpreter away and waits for it again, beside a loop that is busy up to `collector.SWITCH_S`.

Measured (`python -m loadtests.costs`, 2026-11-22): 15 us of CPU for an UNLOCK's three rows, its
answer and its log entry.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from itertools import chain
from typing import Any, Final

import apsw
from msgspec.structs import astuple

from crypto.hashes import sha256
from server.domain.refusals import Refused
from server.storage.errors import JournalConflict
from server.storage.records import EMPTY_STREAM, SALT_SIZE, Answer, Append, Head, LogEntry, Row

REMEMBERED_MAX: Final = 4096
# Far above any load; the rest of a batch (crypto.batch.ENTRIES_MAX) is left for HEAD entries.
PENDING_ENTRIES_MAX: Final = 16_384
# sealing.md C14: server_ms lies within [tick_ms - 2000, tick_ms].
ENTRY_AGE_MAX_MS: Final = 2000
TICK_MS: Final = 1000

# What is inserted into, and one row's values.
INTO_EVENT: Final = "event", "(NULL, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"
INTO_ANSWER: Final = "answer", "(?, ?, ?, ?)"
INTO_ENTRY: Final = (
    "entry (entry_id, server_ms, tender_id, stream, type, sha256, entry)",
    "(?, ?, ?, ?, ?, ?, ?)",
)
# Rows of one statement; few sizes, so that each is prepared once.
AT_ONCE: Final = (64, 16, 8, 7, 6, 5, 4, 3, 2, 1)

Pending = tuple[int, int, bytes]  # entry_id, server_ms, entry


class Transaction:
    """The write connection with what it remembers of streams; lives as long as the writer.

    ``forget`` after a rollback: what is remembered may then be ahead of what is stored.
    """

    def __init__(self, connection: apsw.Connection, epoch: int) -> None:
        self.connection = connection
        self.epoch = epoch
        self.forget()

    def forget(self) -> None:
        """Drops everything remembered; it is read again from the tables when next needed."""
        self._stream_ids: dict[str, int] = {}
        self._heads: dict[str, Head] = {}
        self._channels: dict[tuple[str, str], int] = {}
        self._pending: list[Pending] | None = None
        self._last_entry_id: int | None = None
        self._last_tick_ms: int | None = None
        self._tick_known = False

    def append(self, item: Append) -> None:
        """Writes rows, answers and entries of one item, in that order.

        Raises JournalConflict, Refused room.busy (too many entries wait for their tick).
        """
        self._make_room()
        try:
            if item.rows:
                self._append_rows(item.rows)
            if item.answers:
                self._append_answers(item.answers)
            if item.entries:
                self._append_entries(item.entries)
        except apsw.ConstraintError as error:
            raise JournalConflict(f"already there: {error}") from error

    def add_own_entry(self, server_ms: int, stream: str | None, entry: bytes) -> None:
        """An entry that the site log makes itself, within a tick; ``stream``: of a HEAD."""
        self._insert_entries([(server_ms, None, stream, entry)])

    def ticked(self, tick_ms: int, placed: Collection[int]) -> None:
        """The site log has written the leaves up to ``tick_ms``; ``placed``: the ids of the entries
        under them.
        """
        self._last_tick_ms, self._tick_known = tick_ms, True
        self._pending = [one for one in self.pending_entries() if one[0] not in placed]

    def pending_entries(self) -> list[Pending]:
        """Those that no leaf holds yet, in the order in which they were appended."""
        if self._pending is None:
            sql = (
                "SELECT entry_id, server_ms, entry FROM entry"
                " WHERE leaf_index IS NULL ORDER BY entry_id"
            )
            rows: list[Any] = self.connection.execute(sql).fetchall()
            self._pending = rows
        return self._pending

    def last_tick_ms(self) -> int | None:
        """tick_ms of the newest leaf, None before the first."""
        if not self._tick_known:
            sql = "SELECT tick_ms FROM leaf ORDER BY leaf_index DESC LIMIT 1"
            self._last_tick_ms, self._tick_known = self.connection.execute(sql).get, True
        return self._last_tick_ms

    def _append_rows(self, rows: Sequence[Row]) -> None:
        self._insert(INTO_EVENT, [(self._continued(row), *astuple(row)[1:]) for row in rows])

    def _continued(self, row: Row) -> int:
        """The id of the row's stream, of which it is now the head."""
        stream_id = self._stream_id(row.stream)
        head = self._head(row.stream, stream_id)
        if row.epoch != self.epoch:
            raise JournalConflict(f"{row.stream}: epoch {row.epoch}, this boot is {self.epoch}")
        if row.seq != head.seq + 1 or row.prev_hash != head.hash:
            raise JournalConflict(f"{row.stream}: seq {row.seq} does not continue {head.seq}")
        if row.audience_seq:
            before = self._channel(row.stream, stream_id, row.audience)
            if row.audience_seq != before + 1:
                raise JournalConflict(
                    f"{row.stream} {row.audience}: seq {row.audience_seq} after {before}"
                )
            self._channels[row.stream, row.audience] = row.audience_seq
        self._heads[row.stream] = Head(row.seq, row.hash)
        return stream_id

    def _append_answers(self, answers: Sequence[Answer]) -> None:
        made = [(self._stream_id(one.stream), *astuple(one)[1:]) for one in answers]
        self._insert(INTO_ANSWER, made)

    def _append_entries(self, entries: Sequence[LogEntry]) -> None:
        if len(self.pending_entries()) + len(entries) > PENDING_ENTRIES_MAX:
            raise Refused("room.busy")
        last_tick_ms = self.last_tick_ms()
        for entry in entries:
            # It would go under the tick after the last one, and that has to be in reach of C14.
            if last_tick_ms is not None and entry.server_ms < (
                last_tick_ms + TICK_MS - ENTRY_AGE_MAX_MS
            ):
                raise JournalConflict(f"entry of {entry.server_ms} after tick {last_tick_ms}")
        self._insert_entries([(one.server_ms, one.tender_id, None, one.entry) for one in entries])

    def _insert_entries(
        self, entries: Sequence[tuple[int, bytes | None, str | None, bytes]]
    ) -> None:
        """(server_ms, tender_id, stream, entry) of each."""
        pending = self.pending_entries()
        if self._last_entry_id is None:
            self._last_entry_id = self.connection.execute("SELECT max(entry_id) FROM entry").get
        first = (self._last_entry_id or 0) + 1
        made: list[tuple[Any, ...]] = []
        for entry_id, (server_ms, tender_id, stream, entry) in enumerate(entries, first):
            kind, digest = entry[SALT_SIZE], sha256(entry)
            made.append((entry_id, server_ms, tender_id, stream, kind, digest, entry))
            pending.append((entry_id, server_ms, entry))
        self._insert(INTO_ENTRY, made)
        self._last_entry_id = first - 1 + len(made)

    def _insert(self, into: tuple[str, str], rows: Sequence[tuple[Any, ...]]) -> None:
        table, values = into
        begin = 0
        for size in AT_ONCE:
            while len(rows) - begin >= size:
                sql = f"INSERT INTO {table} VALUES {', '.join([values] * size)}"  # noqa: S608
                part = rows[begin : begin + size]
                self.connection.execute(sql, tuple(chain.from_iterable(part)))
                begin += size

    def _stream_id(self, stream: str) -> int:
        known = self._stream_ids.get(stream)
        if known is None:
            select = "SELECT stream_id FROM stream WHERE name = ?"
            known = self.connection.execute(select, (stream,)).get
            if known is None:
                self.connection.execute("INSERT INTO stream (name) VALUES (?)", (stream,))
                known = self.connection.last_insert_rowid()
            self._stream_ids[stream] = known
        return known

    def _head(self, stream: str, stream_id: int) -> Head:
        known = self._heads.get(stream)
        if known is None:
            select = "SELECT seq, hash FROM event WHERE stream_id = ? ORDER BY seq DESC LIMIT 1"
            newest = self.connection.execute(select, (stream_id,)).get
            known = EMPTY_STREAM if newest is None else Head(*newest)
        return known

    def _channel(self, stream: str, stream_id: int, audience: str) -> int:
        known = self._channels.get((stream, audience))
        if known is None:
            select = (
                "SELECT max(audience_seq) FROM event"
                " WHERE stream_id = ? AND audience = ? AND audience_seq > 0"
            )
            known = self.connection.execute(select, (stream_id, audience)).get or 0
        return known

    def _make_room(self) -> None:
        """A cache that is full begins anew. Only between items: then everything in it stands in
        the tables, where it can be read again.
        """
        for cache in (self._stream_ids, self._heads, self._channels):
            if len(cache) >= REMEMBERED_MAX:
                cache.clear()
