"""After a crash (崩溃恢复): cut the torn tail off, seal what is there, say what is gone.

Invariant: nothing that checks out is removed. Only the last segment of a track can be torn, since
each is sealed before the next begins.
"""

import os
from dataclasses import dataclass
from pathlib import Path

from media.recording.segments import (
    NO_HASH,
    UNWRITTEN_MS_MAX,
    Loss,
    SegmentClosed,
    read_segment,
    segment_numbers,
    segment_path,
)


@dataclass(frozen=True, slots=True)
class Recovered:
    """One track after a crash: with what to go on, what is new to the journal, what is lost.

    ``loss`` is None for a track that was ended in order. ``unreported``: the segment that was
    open; its seal may never have been told.
    """

    track: str
    next_segment: int
    previous: str
    unreported: SegmentClosed | None
    loss: Loss | None


def recover_track(folder: Path) -> Recovered:
    """Makes a track whole again; safe to repeat. Raises OSError, RecordingRefused."""
    numbers = segment_numbers(folder)
    unheaded = 0
    while numbers:
        path = segment_path(folder, numbers[-1])
        found = read_segment(path)
        if found is not None:
            torn = found.raw_bytes - found.good_bytes
            if torn:
                _cut(path, found.good_bytes)
            kept_ms = found.kept_until_ms
            loss = Loss(
                folder.name, kept_ms, torn + unheaded, max(0, found.last_readable_ms - kept_ms),
                UNWRITTEN_MS_MAX,
            )  # fmt: skip
            is_whole = found.ended and not torn and not unheaded
            return Recovered(
                folder.name, found.head.segment + 1, found.sha256, found.closed(),
                None if is_whole else loss,
            )  # fmt: skip
        # Not even its head was durable: it holds nothing, and its number is used again.
        unheaded += path.stat().st_size
        path.unlink()
        numbers.pop()
    loss = Loss(folder.name, 0, unheaded, 0, UNWRITTEN_MS_MAX) if unheaded else None
    return Recovered(folder.name, 1, NO_HASH, None, loss)


def recover_recording(folder: Path) -> dict[str, Recovered]:
    """Every track of a recording, by its name."""
    return {path.name: recover_track(path) for path in sorted(folder.iterdir()) if path.is_dir()}


def _cut(path: Path, size: int) -> None:
    fd = os.open(path, os.O_WRONLY | os.O_CLOEXEC)
    try:
        os.ftruncate(fd, size)
        os.fsync(fd)
    finally:
        os.close(fd)
