"""Connections that only read (只读连接), shared by the loop and by threads.

Invariant: a connection is used by one caller at a time, and every query is read to its end before
it is given back: a forgotten read transaction would keep the WAL from being copied back.
"""

from __future__ import annotations

import threading
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

import apsw

from server.storage.schema import open_reader

IDLE_MAX: Final = 8


class Readers:
    """Opens a connection when none is idle; keeps at most IDLE_MAX of them."""

    def __init__(self, path: Path, *, vfs: str | None) -> None:
        self._path = path
        self._vfs = vfs
        self._idle: list[apsw.Connection] = []
        self._lock = threading.Lock()
        self._closed = False

    def query(self, sql: str, bindings: Sequence[Any] = ()) -> list[tuple[Any, ...]]:
        """All rows of one SELECT, read in one transaction."""
        connection = self._take()
        try:
            rows = connection.execute(sql, bindings).fetchall()
        except BaseException:
            connection.close(True)
            raise
        self._give_back(connection)
        return rows

    def close(self) -> None:
        """Closes what is idle now, and the rest when it is given back."""
        with self._lock:
            self._closed = True
            idle, self._idle = self._idle, []
        for connection in idle:
            connection.close()

    def _take(self) -> apsw.Connection:
        with self._lock:
            assert not self._closed, "read after close"
            if self._idle:
                return self._idle.pop()
        return open_reader(self._path, vfs=self._vfs)

    def _give_back(self, connection: apsw.Connection) -> None:
        with self._lock:
            if not self._closed and len(self._idle) < IDLE_MAX:
                self._idle.append(connection)
                return
        connection.close()
