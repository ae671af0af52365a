"""Snapshots (快照): a room's state at some row, so that a boot need not fold a long stream again.

Invariant: only a cache. A snapshot is believed only if it is whole and the journal still holds the
row it was taken at; deleting one changes nothing but the time of a boot.

File: "KBSNAP1\\0" ‖ u64 seq ‖ 32 bytes hash of that row ‖ 32 bytes SHA-256 of the state ‖ state.
"""

from __future__ import annotations

import struct
from pathlib import Path
from typing import Final

from crypto.hashes import sha256
from server.storage.disk import write_whole
from server.storage.journal import Journal
from server.storage.records import is_stream_name

MAGIC: Final = b"KBSNAP1\0"
STATE_SIZE_MAX: Final = 64 << 20
_HEADER: Final = struct.Struct(">8sQ32s32s")


class Snapshots:
    """One file per stream. Blocking and not small: call it from a thread."""

    def __init__(self, directory: Path, journal: Journal) -> None:
        self._directory = directory
        self._journal = journal
        directory.mkdir(parents=True, exist_ok=True)

    def save(self, stream: str, seq: int, state: bytes) -> None:
        """Replaces the snapshot of ``stream``; ``state`` is that after the durable row ``seq``."""
        assert len(state) <= STATE_SIZE_MAX
        row_hash = self._row_hash(stream, seq)
        assert row_hash is not None, "a snapshot of a row that is not durable"
        header = _HEADER.pack(MAGIC, seq, row_hash, sha256(state))
        write_whole(self._path(stream), header, state, durable=False)

    def load(self, stream: str) -> tuple[int, bytes] | None:
        """(seq, state) of the snapshot, or None: fold the stream from its first row then."""
        try:
            raw = self._path(stream).read_bytes()
        except OSError:
            return None
        if len(raw) < _HEADER.size:
            return None
        magic, seq, row_hash, digest = _HEADER.unpack_from(raw)
        state = raw[_HEADER.size :]
        if magic != MAGIC or digest != sha256(state) or row_hash != self._row_hash(stream, seq):
            return None  # torn, or of a journal that was since restored from an older copy
        return seq, state

    def _row_hash(self, stream: str, seq: int) -> bytes | None:
        if not 0 < seq < 1 << 63:
            return None
        rows = self._journal.read(stream, seq - 1, 1)
        return rows[0].hash if rows and rows[0].seq == seq else None

    def _path(self, stream: str) -> Path:
        assert is_stream_name(stream)
        return self._directory / (stream.replace(":", ".") + ".snapshot")
