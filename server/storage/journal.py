"""The journal (事件日志): every row of every stream, durable before anybody hears of it.

Invariant: a future of ``append`` resolves only after the COMMIT that holds the item has been
fsynced, and futures resolve in the order of the calls. Nothing stored is ever changed or removed.
One process has one data directory (flock); each opening of it is a new ``epoch``.

``schema`` has the tables, ``transaction`` the writing of rows, ``writer`` the thread and the group
commit, ``chain`` the check of what is read at boot, ``site_log`` the Merkle log in the same file.
"""

from __future__ import annotations

import asyncio
import fcntl
import os
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, Final, TypeVar

import apsw

from server.storage.chain import SELECT_ROWS, verify_stream, verify_tail
from server.storage.disk import sync_directory
from server.storage.errors import StorageUnusable
from server.storage.metrics import JournalMetrics
from server.storage.readers import Readers
from server.storage.records import (
    EMPTY_STREAM,
    Answer,
    Append,
    Head,
    LogEntry,
    Row,
    check_append,
)
from server.storage.schema import DATABASE_NAME, open_copier, open_writer
from server.storage.transaction import Transaction
from server.storage.writer import Writer

__all__ = ["Answer", "Append", "Head", "Journal", "LogEntry", "Row"]

LOCK_NAME: Final = "lock"
READ_LIMIT_MAX: Final = 10_000
# 31.5 million leaves a year would make the boot slow; the tree is checked by its own root instead.
NOT_QUICK_CHECKED: Final = frozenset({"leaf"})

T = TypeVar("T")


class Journal:
    """The one writer of a data directory, and readers of it for whoever asks."""

    epoch: int
    metrics: JournalMetrics

    def __init__(self, directory: Path, lock: int, writer: Writer, epoch: int, readers: Readers):
        self.directory = directory
        self.epoch = epoch
        self.metrics = writer.metrics
        self._lock = lock
        self._writer = writer
        self._readers = readers

    @classmethod
    def open(
        cls,
        directory: Path,
        *,
        loop: asyncio.AbstractEventLoop,
        on_failure: Callable[[BaseException], None],
        synchronous: str = "FULL",
        vfs: str | None = None,
    ) -> Journal:
        """Opens or creates the journal in ``directory``, checks it, and begins a new epoch.

        ``on_failure`` is called on the loop, once, when the disk failed: end the process then.
        ``synchronous`` below FULL loses acknowledged rows in a power cut; it is for tests.
        Raises StorageUnusable.
        """
        directory.mkdir(parents=True, exist_ok=True)
        lock = _lock_directory(directory)
        connection = None
        try:
            path = directory / DATABASE_NAME
            connection = open_writer(path, synchronous=synchronous, vfs=vfs)
            _check(connection)
            epoch = _next_epoch(connection)
            sync_directory(directory)
            sync_directory(directory.parent)
            readers = Readers(path, vfs=vfs)
            writer = Writer(
                connection,
                epoch,
                beside=lambda: open_copier(path, synchronous=synchronous, vfs=vfs),
                loop=loop,
                on_failure=on_failure,
            )
        except BaseException:
            if connection is not None:
                connection.close(True)
            os.close(lock)
            raise
        writer.start()
        return cls(directory, lock, writer, epoch, readers)

    def append(self, item: Append) -> asyncio.Future[None]:
        """Makes ``item`` durable; the future resolves after the fsync.

        Raises JournalFailed, Refused room.busy; the future may carry JournalConflict (a row that
        does not continue its stream, a second answer to a command, an entry too old for the log)
        or JournalFailed.
        """
        check_append(item)
        return self._writer.submit(
            lambda transaction: transaction.append(item),
            len(item.rows) + len(item.answers) + len(item.entries),
        )

    @property
    def is_writing(self) -> bool:
        """Whether somebody waits for the disk now; asked on the loop."""
        return self._writer.is_busy

    def transact(self, work: Callable[[Transaction], T], cost: int = 1) -> asyncio.Future[T]:
        """Runs ``work`` in the writer thread, in its place among the appends.

        It may run twice (when another item of its group turns out wrong, everything of the group
        is undone and done again), so it may change nothing but the database.
        """
        return self._writer.submit(work, cost)

    async def settled(self) -> None:
        """Returns when everything appended so far is durable, or has failed.

        Raises JournalFailed.
        """
        await self.transact(_nothing)

    def read(self, stream: str, after_seq: int = 0, limit: int = 1000) -> list[Row]:
        """Rows of a stream with seq > ``after_seq``, in order."""
        where = "name = ? AND seq > ? ORDER BY seq LIMIT ?"
        return self._rows(where, (stream, after_seq, _at_most(limit)))

    def read_channel(
        self, stream: str, audience: str, after: int = 0, limit: int = 1000
    ) -> list[Row]:
        """Rows of a channel with audience_seq > ``after``, in order."""
        # audience_seq > 0 says it twice, so that the partial index is used.
        where = (
            "name = ? AND audience = ? AND audience_seq > 0 AND audience_seq > ?"
            " ORDER BY audience_seq LIMIT ?"
        )
        return self._rows(where, (stream, audience, after, _at_most(limit)))

    def head(self, stream: str) -> Head:
        """The newest durable row of a stream."""
        found = self.query(
            "SELECT seq, hash FROM event JOIN stream USING (stream_id)"
            " WHERE name = ? ORDER BY seq DESC LIMIT 1",
            (stream,),
        )
        return Head(*found[0]) if found else EMPTY_STREAM

    def channel_head(self, stream: str, audience: str) -> int:
        """The newest audience_seq of a channel; 0 before the first."""
        found = self.query(
            "SELECT max(audience_seq) FROM event JOIN stream USING (stream_id)"
            " WHERE name = ? AND audience = ? AND audience_seq > 0",
            (stream, audience),
        )
        return found[0][0] or 0

    def answer(self, stream: str, actor: str, cmd_id: str) -> bytes | None:
        """What this command was answered before, if it was."""
        found = self.query(
            "SELECT answer FROM answer JOIN stream USING (stream_id)"
            " WHERE name = ? AND actor = ? AND cmd_id = ?",
            (stream, actor, cmd_id),
        )
        return found[0][0] if found else None

    def streams(self) -> list[str]:
        """The names of all streams, sorted."""
        return [name for (name,) in self.query("SELECT name FROM stream ORDER BY name")]

    def verify(self, stream: str) -> Head:
        """Recomputes the chain of a whole stream; slow, so call it from a thread.

        Raises StorageUnusable storage.damaged.
        """
        return verify_stream(self.read, stream)

    def query(self, sql: str, bindings: Sequence[Any] = ()) -> list[tuple[Any, ...]]:
        """One SELECT on a read connection, for the modules of this package."""
        return self._readers.query(sql, bindings)

    def close(self) -> None:
        """Commits what was appended, then lets go of the directory. Idempotent."""
        # The last connection to close copies the WAL back, and a reader could not.
        self._readers.close()
        self._writer.close()
        if self._lock >= 0:
            os.close(self._lock)
            self._lock = -1

    def _rows(self, where: str, bindings: Sequence[Any]) -> list[Row]:
        return [Row(*columns) for columns in self.query(f"{SELECT_ROWS} WHERE {where}", bindings)]


def _nothing(_: Transaction) -> None:
    """A place in the writer's queue."""


def _at_most(limit: int) -> int:
    assert 0 < limit <= READ_LIMIT_MAX
    return limit


def _lock_directory(directory: Path) -> int:
    """One server per directory; the lock goes with the process, however it ends."""
    lock = os.open(directory / LOCK_NAME, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        os.close(lock)
        raise StorageUnusable("storage.locked", str(directory)) from error
    return lock


def _check(connection: apsw.Connection) -> None:
    """The structure of every table but the leaves, and the newest rows. StorageUnusable."""
    try:
        tables = connection.execute("SELECT name FROM sqlite_schema WHERE type = 'table'")
        for (table,) in tables.fetchall():
            if table in NOT_QUICK_CHECKED:
                continue
            verdict = connection.execute(f"PRAGMA quick_check('{table}')").fetchall()
            if verdict != [("ok",)]:
                raise StorageUnusable("storage.damaged", f"{table}: {verdict[0][0]}")
        verify_tail(connection.execute)
    except (apsw.CorruptError, apsw.NotADBError) as error:
        raise StorageUnusable("storage.damaged", str(error)) from error


def _next_epoch(connection: apsw.Connection) -> int:
    connection.execute("BEGIN IMMEDIATE")
    connection.execute("UPDATE counter SET value = value + 1 WHERE name = 'epoch'")
    epoch = connection.execute("SELECT value FROM counter WHERE name = 'epoch'").get
    connection.execute("COMMIT")
    return int(epoch)
