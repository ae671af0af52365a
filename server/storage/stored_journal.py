"""A journal on the disk, read by somebody who is not its server (日志检查), which may be running.

Invariant: nothing is written and no lock is taken; a reader of a live journal sees what was durable
when it asked.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from server.storage.chain import SELECT_ROWS
from server.storage.readers import Readers
from server.storage.records import Row
from server.storage.schema import DATABASE_NAME


class StoredJournal:
    """The rows of a data directory. Use ``stored_journal`` to open one."""

    def __init__(self, readers: Readers) -> None:
        self._readers = readers

    def streams(self) -> list[str]:
        """The names of all streams, sorted."""
        return [name for (name,) in self._readers.query("SELECT name FROM stream ORDER BY name")]

    def read(self, stream: str, after_seq: int = 0, limit: int = 1000) -> list[Row]:
        """Rows of a stream with seq > ``after_seq``, in order."""
        where = "name = ? AND seq > ? ORDER BY seq LIMIT ?"
        found = self._readers.query(f"{SELECT_ROWS} WHERE {where}", (stream, after_seq, limit))
        return [Row(*columns) for columns in found]


@contextmanager
def stored_journal(directory: Path) -> Iterator[StoredJournal | None]:
    """The journal in ``directory``, or None where there is none yet. Raises apsw.Error."""
    path = directory / DATABASE_NAME
    if not path.is_file():
        yield None
        return
    readers = Readers(path, vfs=None)
    try:
        yield StoredJournal(readers)
    finally:
        readers.close()
