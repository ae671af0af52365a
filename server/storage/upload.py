"""Receiving one sealed payload (加密投标文件上传), in pieces, over days and restarts.

Invariant: ``durable`` only grows after an fdatasync and is noted beside the data, so what a client
was told to be received is there after a power cut. Exactly ``size`` bytes are taken, in order; the
first byte beyond is refused before any of its piece is written. Each byte is hashed once, in the
order of the payload, in the thread that writes it.

One ``writing`` block at a time; inside it pieces gather to 1 MiB before a thread is troubled.
"""

from __future__ import annotations

import errno
import os
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Final, Protocol

from server.domain.refusals import Refused
from server.storage.disk import Disk, full, reserve
from server.storage.upload_state import STATE_SUFFIX, UploadState, note_durable

GATHER_SIZE: Final = 1 << 20
SYNC_SIZE: Final = 8 << 20


class Hasher(Protocol):
    """``crypto.stream.RootHasher``, or whatever else takes the bytes of a payload in order."""

    def update(self, part: bytes) -> None: ...

    def root(self) -> bytes: ...


class Upload:
    """One payload on its way. Made by ``BlobStore`` only."""

    def __init__(
        self,
        state: UploadState,
        part: Path,
        disk: Disk,
        new_hasher: Callable[[], Hasher],
    ) -> None:
        self.upload_id = state.upload_id
        self.size = state.size
        self.about = state.about
        self.created_ms = state.created_ms
        self._state = state
        self._part = part
        self._disk = disk
        self._new_hasher = new_hasher
        self._hasher: Hasher | None = None  # None: not yet fed with what is on the disk
        self._written = state.durable
        self._handle = -1
        self._gathered: list[bytes] = []
        self._gathered_size = 0
        self._busy = False

    @property
    def durable(self) -> int:
        """Bytes that survive a power cut: the Upload-Offset to tell."""
        return self._state.durable

    @property
    def offset(self) -> int:
        """Bytes taken so far, durable or not."""
        return self._written + self._gathered_size

    @property
    def is_complete(self) -> bool:
        return self.durable == self.size

    @asynccontextmanager
    async def writing(self, offset: int) -> AsyncIterator[Upload]:
        """The right to ``write`` from ``offset`` on; on leaving, what was taken is made durable.

        Raises Refused: upload.busy, upload.offset (not the durable offset), StorageFull.
        """
        with self.turn():
            try:
                await self._disk.run(self._prepare, offset)
                try:
                    yield self
                finally:
                    await self._flush()
            finally:
                self._gathered, self._gathered_size = [], 0
                await self._disk.run(self._settle)

    async def write(self, piece: bytes) -> None:
        """Takes the next bytes. Raises Refused upload.length at the first byte too many, before
        anything of this piece is written; StorageFull.
        """
        assert self._busy, "write outside of writing()"
        if self.offset + len(piece) > self.size:
            raise Refused("upload.length", size=self.size)
        self._gathered.append(piece)
        self._gathered_size += len(piece)
        if self._gathered_size >= GATHER_SIZE:
            await self._flush()

    async def root(self) -> bytes:
        """The root of the complete payload, as computed while it was received.

        Raises Refused: upload.busy, upload.offset (bytes are missing).
        """
        if not self.is_complete:
            raise Refused("upload.offset", durable=self.durable)
        with self.turn():
            return await self._disk.run(self._root)

    @contextmanager
    def turn(self) -> Iterator[None]:
        """One at a time. Raises Refused upload.busy."""
        if self._busy:
            raise Refused("upload.busy")
        self._busy = True
        try:
            yield
        finally:
            self._busy = False

    async def _flush(self) -> None:
        if self._gathered:
            data = b"".join(self._gathered)
            self._gathered, self._gathered_size = [], 0
            await self._disk.run(self._write, data)

    # ---- in a thread of the disk; ``_busy`` and Disk.run let one at a time in

    def _prepare(self, offset: int) -> None:
        """Opens the file as it is durably, with its whole length reserved."""
        if offset != self.durable:
            raise Refused("upload.offset", durable=self.durable)
        self._handle = os.open(self._part, os.O_RDWR | os.O_CLOEXEC)
        if self._hasher is None:
            # Whatever lies behind the durable offset was never promised to anybody.
            os.ftruncate(self._handle, self.durable)
            reserve(self._handle, self.size)
            self._rehash()

    def _rehash(self) -> None:
        hasher, at = self._new_hasher(), 0
        while at < self.durable:
            data = os.pread(self._handle, min(GATHER_SIZE, self.durable - at), at)
            if not data:
                raise OSError(errno.EIO, "payload shorter than its durable offset")
            hasher.update(data)
            at += len(data)
        self._hasher, self._written = hasher, self.durable

    def _write(self, data: bytes) -> None:
        assert self._hasher is not None
        try:
            view, at = memoryview(data), self._written
            while view:
                done = os.pwrite(self._handle, view, at)
                view, at = view[done:], at + done
            self._hasher.update(data)
            self._written = at
            if at - self.durable >= SYNC_SIZE:
                self._sync()
        except OSError as error:
            self._fall_back()
            raise full(error, self.size) from error

    def _settle(self) -> None:
        try:
            if self._written > self.durable:
                self._sync()
        except OSError:
            self._fall_back()
            raise
        finally:
            handle, self._handle = self._handle, -1
            if handle >= 0:
                os.close(handle)

    def _sync(self) -> None:
        os.fdatasync(self._handle)
        state = replace(self._state, turn=self._state.turn + 1, durable=self._written)
        note_durable(self._part.with_suffix(STATE_SUFFIX), state)
        self._state = state

    def _fall_back(self) -> None:
        """After an error of the disk only what was durable before counts; the rest is sent again.

        It is then written again too, so no doubtful page is ever taken for a stored one.
        """
        self._hasher = None
        self._written = self.durable

    def _root(self) -> bytes:
        if self._hasher is None:
            self._handle = os.open(self._part, os.O_RDONLY | os.O_CLOEXEC)
            try:
                self._rehash()
            finally:
                os.close(self._handle)
                self._handle = -1
        assert self._hasher is not None
        return self._hasher.root()
