"""Taking a recording off the disk (到期删除) when its term is over, and saying what is gone.

The journal keeps the hashes of what is gone. Invariant: only files of the recorder's own are
removed, and what cannot be accounted for stays.
"""

import os
from dataclasses import dataclass
from pathlib import Path

from media.recording.errors import RecordingRefused
from media.recording.segments import (
    SUFFIX,
    checked_name,
    read_segment,
    segment_numbers,
    segment_path,
)


@dataclass(frozen=True, slots=True)
class Removed:
    """What was removed: bytes, and by track the SHA-256 of its last segment ("" if unreadable)."""

    recording: str
    bytes: int
    heads: dict[str, str]


def recording_bytes(folder: Path) -> int:
    """What the segments of a recording take."""
    return sum(path.stat().st_size for path in folder.glob(f"*/*{SUFFIX}"))


def remove_recording(root: Path, recording: str) -> Removed:
    """Removes a recording's journal. Playable files are the caller's.

    Raises RecordingRefused ``recording.name``, ``recording.unknown``; OSError.
    """
    folder = root / checked_name(recording)
    if not folder.is_dir() or folder.is_symlink():
        raise RecordingRefused("recording.unknown", recording)
    size, heads = recording_bytes(folder), {}
    tracks = [path for path in sorted(folder.iterdir()) if path.is_dir() and not path.is_symlink()]
    for track in tracks:
        heads[track.name] = _last_hash(track)
    for track in tracks:
        # Oldest last: what a removal that is cut short leaves is still a chain.
        for number in reversed(segment_numbers(track)):
            segment_path(track, number).unlink()
        if not any(track.iterdir()):
            track.rmdir()
    if not any(folder.iterdir()):
        folder.rmdir()
    fd = os.open(root, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(fd)
    finally:
        os.close(fd)
    return Removed(recording, size, heads)


def _last_hash(track: Path) -> str:
    numbers = segment_numbers(track)
    try:
        found = read_segment(segment_path(track, numbers[-1])) if numbers else None
    except RecordingRefused:
        found = None
    return found.sha256 if found is not None else ""
