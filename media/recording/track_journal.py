"""The files of one track while it is written (写入中的轨道). Called by the recorder's thread only.

Invariant: what stands in the file is whole records. A write that the disk refuses half-way is cut
off again, so that sound can go on after it and no reader meets a tear in the middle.
"""

import hashlib
import os
from contextlib import suppress
from pathlib import Path
from typing import Final

from media.recording.records import Kind, encode_record
from media.recording.recovery import recover_track
from media.recording.segments import (
    NO_HASH,
    SEGMENT_BYTES_MAX,
    Loss,
    SegmentClosed,
    SegmentHead,
    TrackFormat,
    segment_path,
)

FILE_MODE: Final = 0o640


class TrackJournal:
    """An open segment and its successors. ``loss``: what a crash took from the end of what was
    there before, known once the first segment is open.
    """

    def __init__(
        self,
        folder: Path,
        recording: str,
        track: str,
        form: TrackFormat,
        segment_bytes: int = SEGMENT_BYTES_MAX,
    ) -> None:
        self.folder, self.recording, self.track, self.format = folder, recording, track, form
        self.is_dirty = False
        self._segment_bytes = segment_bytes
        self.loss: Loss | None = None
        self._next, self._previous = 0, NO_HASH
        self._fd = -1

    @property
    def is_open(self) -> bool:
        return self._fd >= 0

    def append(self, records: bytes, packets: int, first_ms: int, last_ms: int) -> None:
        """Writes whole records, all or none of them. Raises OSError; the file is whole then too."""
        assert self.is_open
        self._write(records)
        self._packets += packets
        self._first_ms = self._first_ms or first_ms
        self._last_ms = last_ms

    @property
    def is_full(self) -> bool:
        return self._size >= self._segment_bytes

    def open_segment(self, mono_ns: int, utc_ms: int) -> None:
        """Begins the next segment with its head; the first goes on behind what is there.

        Raises OSError, and RecordingRefused for a folder that holds somebody else's files.
        """
        assert not self.is_open
        self.folder.mkdir(parents=True, exist_ok=True)
        if not self._next:
            found = recover_track(self.folder)
            self._next, self._previous, self.loss = found.next_segment, found.previous, found.loss
        number = self._next
        path = segment_path(self.folder, number)
        fd = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, FILE_MODE)
        self._fd, self._size, self._packets = fd, 0, 0
        self._first_ms = self._last_ms = 0
        self._digest = hashlib.sha256()
        head = SegmentHead(self.recording, self.track, number, self._previous, self.format)
        try:
            self._write(encode_record(Kind.HEAD, mono_ns, utc_ms, head.encode()))
            _sync_folder(self.folder)
        except OSError:
            os.close(fd)
            self._fd = -1
            with suppress(OSError):
                path.unlink()
            raise
        self._next += 1

    def sync(self) -> None:
        """Makes what was written durable. Raises OSError."""
        if self.is_dirty and self.is_open:
            os.fdatasync(self._fd)
        self.is_dirty = False

    def close_segment(self) -> SegmentClosed:
        """Syncs, closes and seals the open segment. Raises OSError; the file is closed anyway."""
        assert self.is_open
        try:
            os.fsync(self._fd)
        finally:
            os.close(self._fd)
            self._fd = -1
            self.is_dirty = False
        digest, before = self._digest.hexdigest(), self._previous
        self._previous = digest
        return SegmentClosed(
            self.recording, self.track, self._next - 1, self._size, self._packets,
            self._first_ms, self._last_ms, digest, before,
        )  # fmt: skip

    def _write(self, records: bytes) -> None:
        view, written = memoryview(records), 0
        try:
            while written < len(view):
                written += os.write(self._fd, view[written:])
        except OSError:
            # Cut back to the last whole record; O_WRONLY without O_APPEND: the position too.
            os.ftruncate(self._fd, self._size)
            os.lseek(self._fd, self._size, os.SEEK_SET)
            raise
        self._digest.update(records)
        self._size += len(records)
        self.is_dirty = True


def _sync_folder(folder: Path) -> None:
    """A new file is durable when its folder is; that of a recording may be new as well."""
    for place in (folder, folder.parent, folder.parent.parent):
        fd = os.open(place, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        try:
            os.fsync(fd)
        finally:
            os.close(fd)
