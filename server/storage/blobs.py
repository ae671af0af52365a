"""The content store (密文库): sealed payloads and their headers on the disk, outside the journal.

Invariant: a blob is there under its name complete and durable, or not at all; it is never changed,
only removed as a whole. Names are made here from bytes that others computed, so no text from
outside ever becomes a path. A journal row is what makes a blob count; one that no row names may be
removed.

    uploads/<id>.part <id>.state     on their way (see ``upload``)
    blobs/<aa>/<name>.kbc .kbh       complete
"""

from __future__ import annotations

import os
import re
from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path
from typing import Final, Literal

from crypto.errors import Rejected
from crypto.keys import random_bytes
from server.domain.refusals import Refused
from server.storage.disk import Disk, reserve, sync_directory, write_whole
from server.storage.errors import StorageFull
from server.storage.upload import Hasher, Upload
from server.storage.upload_state import STATE_SUFFIX, UploadState, read, write_new

UPLOADS_MAX: Final = 4096
READ_SIZE_MAX: Final = 8 << 20
PIECE_SIZE: Final = 1 << 20
SMALL_SIZE_MAX: Final = 1 << 20
# The journal shares the disk with the blobs in small halls; it must never be what finds it full.
KEEP_FREE: Final = 256 << 20
PART_SUFFIX: Final = ".part"
UPLOAD_ID: Final = re.compile(r"[0-9a-f]{32}")
BLOB_MODE: Final = 0o440

Kind = Literal["kbc", "kbh"]


class BlobStore:
    """All files below one directory. Its methods are called on one loop."""

    def __init__(
        self,
        directory: Path,
        new_hasher: Callable[[bytes], Hasher],
        *,
        keep_free: int = KEEP_FREE,
    ) -> None:
        """``new_hasher(about)`` makes the hasher of an upload from what was noted about it."""
        self._uploads_directory = directory / "uploads"
        self._blobs_directory = directory / "blobs"
        self._new_hasher = new_hasher
        self._keep_free = keep_free
        self._disk = Disk()
        self._uploads: dict[str, Upload] = {}
        self._creating = 0
        self._made_durably: set[Path] = set()
        for made in (self._uploads_directory, self._blobs_directory):
            made.mkdir(parents=True, exist_ok=True)
        sync_directory(directory)
        for state in self._states_on_disk():
            self._uploads[state.upload_id] = self._upload(state)

    # ---- uploads

    async def create(self, size: int, about: bytes, *, created_ms: int) -> Upload:
        """A new upload of exactly ``size`` bytes, its room on the disk reserved.

        Raises Refused upload.too_many, StorageFull.
        """
        assert size > 0
        if len(self._uploads) + self._creating >= UPLOADS_MAX:
            raise Refused("upload.too_many")
        state = UploadState(random_bytes(16).hex(), size, created_ms, about, turn=0, durable=0)
        self._creating += 1
        try:
            await self._disk.run(self._create, state)
        finally:
            self._creating -= 1
        upload = self._uploads[state.upload_id] = self._upload(state)
        return upload

    def upload(self, upload_id: str) -> Upload:
        """The upload of this id, as a client names it. Raises Refused upload.unknown."""
        found = self._uploads.get(upload_id)
        if found is None:
            raise Refused("upload.unknown")
        return found

    def uploads(self) -> list[Upload]:
        """All that are on their way, for quotas and for finding abandoned ones."""
        return list(self._uploads.values())

    async def finish(self, upload: Upload, name: bytes) -> None:
        """Gives a complete upload its final name; durable when this returns. Repeatable.

        The caller has compared ``await upload.root()`` with the header that ``name`` stands for.
        Raises Refused: upload.offset (bytes are missing), upload.busy, upload.unknown.
        """
        if not upload.is_complete:
            raise Refused("upload.offset", durable=upload.durable)
        with upload.turn():
            await self._disk.run(self._finish, upload.upload_id, self.path(name))
        self._uploads.pop(upload.upload_id, None)

    async def discard(self, upload: Upload) -> None:
        """Removes an upload and gives its room back. Raises Refused upload.busy."""
        with upload.turn():
            await self._disk.run(self._discard, upload.upload_id)
        self._uploads.pop(upload.upload_id, None)

    # ---- complete blobs

    def path(self, name: bytes, kind: Kind = "kbc") -> Path:
        """Where a blob is or would be; for processes that decrypt it."""
        assert 16 <= len(name) <= 32, "a blob's name is an id or a digest"
        text = name.hex()
        return self._blobs_directory / text[:2] / f"{text}.{kind}"

    async def put(self, name: bytes, data: bytes, kind: Kind = "kbh") -> None:
        """Stores a small blob; durable when this returns. The same name again changes nothing."""
        assert len(data) <= SMALL_SIZE_MAX
        await self._disk.run(self._put, self.path(name, kind), data)

    async def size(self, name: bytes, kind: Kind = "kbc") -> int | None:
        """Bytes of a blob, None when there is none."""
        return await self._disk.run(_size, self.path(name, kind))

    async def read(self, name: bytes, offset: int, length: int, kind: Kind = "kbc") -> bytes:
        """``length`` bytes from ``offset``, fewer at the end. FileNotFoundError without a blob."""
        assert offset >= 0
        assert 0 <= length <= READ_SIZE_MAX
        return await self._disk.run(_read, self.path(name, kind), offset, length)

    async def pieces(self, name: bytes, kind: Kind = "kbc") -> AsyncIterator[bytes]:
        """The whole blob in pieces of 1 MiB. FileNotFoundError without a blob."""
        offset = 0
        while piece := await self.read(name, offset, PIECE_SIZE, kind):
            yield piece
            offset += len(piece)

    async def verify(self, name: bytes, hasher: Hasher) -> bytes | None:
        """Reads every byte again (STORE_CHECK, 存储校验): the root, to be compared by the caller.

        None when the blob is missing, unreadable, or not of the length the hasher expects.
        """
        return await self._disk.run(_hash, self.path(name), hasher)

    async def remove(self, name: bytes, kind: Kind = "kbc") -> None:
        """Retention, or a blob that no row names. Missing is fine."""
        await self._disk.run(_remove, self.path(name, kind))

    def names(self, kind: Kind = "kbc") -> Iterator[bytes]:
        """The names of all complete blobs, in no order. Blocking: call it from a thread."""
        for path in self._blobs_directory.glob(f"??/*.{kind}"):
            yield bytes.fromhex(path.stem)

    def close(self) -> None:
        """Waits for what is under way. Uploads stay as they are, to be resumed."""
        self._disk.close()

    # ---- in a thread, but for the start

    def _upload(self, state: UploadState) -> Upload:
        about = state.about
        part = self._uploads_directory / (state.upload_id + PART_SUFFIX)
        return Upload(state, part, self._disk, lambda: self._new_hasher(about))

    def _states_on_disk(self) -> Iterator[UploadState]:
        """What can be resumed; what a crash left half made or half removed goes."""
        for path in sorted(self._uploads_directory.glob(f"*{STATE_SUFFIX}")):
            part = path.with_suffix(PART_SUFFIX)
            state = read(path) if part.exists() and UPLOAD_ID.fullmatch(path.stem) else None
            if state is not None:
                yield state
            else:
                path.unlink()
        for path in sorted(self._uploads_directory.iterdir()):
            if path.suffix != STATE_SUFFIX and not path.with_suffix(STATE_SUFFIX).exists():
                path.unlink()

    def _create(self, state: UploadState) -> None:
        files = os.statvfs(self._uploads_directory)
        if files.f_bavail * files.f_frsize < state.size + self._keep_free:
            raise StorageFull(state.size)
        part = self._uploads_directory / (state.upload_id + PART_SUFFIX)
        handle = os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
        try:
            reserve(handle, state.size)
            write_new(part.with_suffix(STATE_SUFFIX), state)
        except BaseException:
            part.unlink()
            raise
        finally:
            os.close(handle)

    def _finish(self, upload_id: str, final: Path) -> None:
        part = self._uploads_directory / (upload_id + PART_SUFFIX)
        self._make_directory(final.parent)
        if part.exists():
            handle = os.open(part, os.O_RDWR | os.O_CLOEXEC)
            try:
                os.fchmod(handle, BLOB_MODE)
                os.fsync(handle)
            finally:
                os.close(handle)
            # Over what is there, if anything is: a repair (补正存储) replaces damaged bytes by the
            # same sound ones.
            part.rename(final)
        elif not final.exists():
            raise Refused("upload.unknown")
        sync_directory(final.parent)
        part.with_suffix(STATE_SUFFIX).unlink(missing_ok=True)
        sync_directory(self._uploads_directory)

    def _discard(self, upload_id: str) -> None:
        part = self._uploads_directory / (upload_id + PART_SUFFIX)
        part.unlink(missing_ok=True)
        part.with_suffix(STATE_SUFFIX).unlink(missing_ok=True)
        sync_directory(self._uploads_directory)

    def _put(self, path: Path, data: bytes) -> None:
        self._make_directory(path.parent)
        if path.exists():
            # Of a life that was killed, or of another thread: its name may not have been synced.
            sync_directory(path.parent)
        else:
            write_whole(path, data, durable=True, mode=BLOB_MODE)

    def _make_directory(self, directory: Path) -> None:
        # That it exists says nothing: whoever made it may have been killed before its sync.
        if directory not in self._made_durably:
            directory.mkdir(exist_ok=True)
            sync_directory(self._blobs_directory)
            self._made_durably.add(directory)


def _size(path: Path) -> int | None:
    try:
        return path.stat().st_size
    except FileNotFoundError:
        return None


def _read(path: Path, offset: int, length: int) -> bytes:
    handle = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    try:
        return os.pread(handle, length, offset)
    finally:
        os.close(handle)


def _hash(path: Path, hasher: Hasher) -> bytes | None:
    try:
        with path.open("rb", buffering=0) as file:
            while piece := file.read(PIECE_SIZE):
                hasher.update(piece)
        return hasher.root()
    except (OSError, Rejected):
        return None


def _remove(path: Path) -> None:
    path.unlink(missing_ok=True)
    if path.parent.exists():
        sync_directory(path.parent)
