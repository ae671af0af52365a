"""What can be done inside one group's transaction (事务): the only SQL that writes rows.

Invariant: every row continues its stream (seq, prev_hash) and its channel (audience_seq), carries
the epoch of this boot, and every answer is the first to its command; whatever does not is a
JournalConflict, and the transaction is undone as far as that item reaches. Only the writer thread
calls this.

One ``executemany`` a table and item, never one statement a row: each statement gives the
interpreter away and waits for it again, 58 us a row beside a loop that is busy, instead of 4.

Measured (`python -m loadtests.costs`, 2026-11-22): 15 us of CPU for an UNLOCK's three rows, its
answer and its log entry.
"""

from __future__ import annotations

from collections.abc import Sequence
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

INSERT_EVENT: Final = "INSERT INTO event VALUES (NULL, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"
INSERT_ENTRY: Final = (
    "INSERT INTO entry (server_ms, tender_id, stream, type, sha256, entry)"
    " VALUES (?, ?, ?, ?, ?, ?)"
)


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
        self._pending: int | None = None
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
        kind, digest = entry[SALT_SIZE], sha256(entry)
        self.connection.execute(INSERT_ENTRY, (server_ms, None, stream, kind, digest, entry))

    def ticked(self, tick_ms: int) -> None:
        """The site log has written the leaves up to ``tick_ms`` and taken their entries."""
        self._last_tick_ms, self._tick_known = tick_ms, True
        self._pending = None

    def pending_entries(self) -> int:
        """How many entries no leaf holds yet."""
        if self._pending is None:
            sql = "SELECT count(*) FROM entry WHERE leaf_index IS NULL"
            self._pending = int(self.connection.execute(sql).get)
        return self._pending

    def last_tick_ms(self) -> int | None:
        """tick_ms of the newest leaf, None before the first."""
        if not self._tick_known:
            sql = "SELECT tick_ms FROM leaf ORDER BY leaf_index DESC LIMIT 1"
            self._last_tick_ms, self._tick_known = self.connection.execute(sql).get, True
        return self._last_tick_ms

    def _append_rows(self, rows: Sequence[Row]) -> None:
        made = [(self._continued(row), *astuple(row)[1:]) for row in rows]
        self.connection.executemany(INSERT_EVENT, made)

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
        self.connection.executemany(
            "INSERT INTO answer VALUES (?, ?, ?, ?)",
            [(self._stream_id(one.stream), *astuple(one)[1:]) for one in answers],
        )

    def _append_entries(self, entries: Sequence[LogEntry]) -> None:
        pending = self.pending_entries() + len(entries)
        if pending > PENDING_ENTRIES_MAX:
            raise Refused("room.busy")
        last_tick_ms = self.last_tick_ms()
        made: list[tuple[Any, ...]] = []
        for entry in entries:
            # It would go under the tick after the last one, and that has to be in reach of C14.
            if last_tick_ms is not None and entry.server_ms < (
                last_tick_ms + TICK_MS - ENTRY_AGE_MAX_MS
            ):
                raise JournalConflict(f"entry of {entry.server_ms} after tick {last_tick_ms}")
            kind, digest = entry.entry[SALT_SIZE], sha256(entry.entry)
            made.append((entry.server_ms, entry.tender_id, None, kind, digest, entry.entry))
        self.connection.executemany(INSERT_ENTRY, made)
        self._pending = pending

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
