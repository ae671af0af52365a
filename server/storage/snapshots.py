"""Snapshots (快照): a room's state at some row, so that a boot need not fold a long stream again.

Invariant: only a cache. A snapshot is believed only if it is whole, was made by this very program
(``form``) and the journal still holds the row it was taken at; deleting one changes nothing but
the time of a boot.

File: "KBSNAP2\\0" ‖ 32 bytes form ‖ u64 seq ‖ 32 bytes hash of that row ‖ state ‖ SHA-256 of all
before it.
"""

from __future__ import annotations

import struct
from pathlib import Path
from typing import Final, Protocol

from crypto.hashes import sha256
from server.storage.disk import write_whole
from server.storage.records import Head, Row, is_stream_name

MAGIC: Final = b"KBSNAP2\0"
STATE_SIZE_MAX: Final = 256 << 20
_HEADER: Final = struct.Struct(">8s32sQ32s")
_DIGEST_SIZE: Final = 32


class Rows(Protocol):
    """As much of a journal as a snapshot is held against."""

    def read(self, stream: str, after_seq: int = 0, limit: int = 1000) -> list[Row]: ...


class Snapshots:
    """One file per stream. Blocking and not small: call it from a thread.

    ``form``: 32 bytes that name the program whose states these are.
    """

    def __init__(self, directory: Path, journal: Rows, form: bytes) -> None:
        assert len(form) == 32
        self._directory = directory
        self._journal = journal
        self._form = form

    def save(self, stream: str, head: Head, state: bytes) -> bool:
        """Replaces the snapshot of ``stream``; ``state`` is that after the row ``head``.

        False, and nothing is written: the journal does not hold that row, or the state is larger
        than a snapshot may be. Raises OSError.
        """
        path = self._path(stream)
        row = self._row(stream, head.seq)
        if row is None or row.hash != head.hash or len(state) > STATE_SIZE_MAX:
            return False
        self._directory.mkdir(parents=True, exist_ok=True)
        header = _HEADER.pack(MAGIC, self._form, head.seq, head.hash)
        write_whole(path, header, state, sha256(header, state), durable=False)
        return True

    def load(self, stream: str) -> tuple[Row, bytes] | None:
        """The row of the snapshot and the state after it, or None: fold the whole stream then."""
        try:
            path = self._path(stream)
            if path.stat().st_size > _HEADER.size + STATE_SIZE_MAX + _DIGEST_SIZE:
                return None
            raw = path.read_bytes()
        except OSError:
            return None
        if len(raw) < _HEADER.size + _DIGEST_SIZE:
            return None
        magic, form, seq, row_hash = _HEADER.unpack_from(raw)
        if magic != MAGIC or form != self._form:
            return None
        if raw[-_DIGEST_SIZE:] != sha256(raw[:-_DIGEST_SIZE]):
            return None  # torn, or altered
        row = self._row(stream, seq)
        if row is None or row.hash != row_hash:
            return None  # of a journal that was since restored from an older copy
        return row, raw[_HEADER.size : -_DIGEST_SIZE]

    def forget(self, stream: str) -> None:
        """Deletes the snapshot of ``stream``, if there is one. Raises OSError."""
        self._path(stream).unlink(missing_ok=True)

    def _row(self, stream: str, seq: int) -> Row | None:
        if not 0 < seq < 1 << 63:
            return None
        rows = self._journal.read(stream, seq - 1, 1)
        return rows[0] if rows and rows[0].seq == seq else None

    def _path(self, stream: str) -> Path:
        assert is_stream_name(stream)
        return self._directory / (stream.replace(":", ".") + ".snapshot")
