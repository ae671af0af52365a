"""All recordings of the media process (录像总台): one recorder, one disk, many rooms.

A room opens its recording here; what the writing thread tells goes to the room it concerns.
Invariant: reading what a crash left never happens on the loop, and never beside its writer.
"""

import asyncio
import json
import os
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any, Final

from crypto.hashes import blake2b_256
from media.recording.disk import DiskLevel, Kept, MeasureDisk, RoomLimits, measure_disk
from media.recording.errors import RecordingRefused
from media.recording.recorder import Recorder
from media.recording.retention import Removed, recording_bytes, remove_recording
from media.recording.segments import (
    SEGMENT_BYTES_MAX,
    Loss,
    SegmentClosed,
    checked_name,
    read_segment,
    segment_numbers,
    segment_path,
)
from media.recording.session import RecordingSession
from media.recording.writing import DiskChanged, Event

ENDED: Final = "ended.json"  # in the folder of a recording that its room has ended
LOSSES: Final = "losses.json"  # which losses have been told: {track: kept_until_ms}
NAME_MAX: Final = 64
IDLE_S: Final = 0.02
UNLIMITED: Final = RoomLimits(bytes_max=1 << 62, keep_ms=0)
Listener = Callable[[Event], None]


def utc_ms() -> int:
    return time.time_ns() // 1_000_000


def recording_of(room: str) -> str:
    """The name of a room's recording: ``opening:x`` is kept as ``opening-x``.

    A name that is too long for a folder ends in a digest.
    """
    name = room.replace(":", "-")
    if len(name) > NAME_MAX:
        name = f"{name[: NAME_MAX - 17]}-{blake2b_256(room.encode()).hex()[:16]}"
    return checked_name(name)


def write_json(path: Path, value: Any) -> None:
    """A small file, whole or not at all. Raises OSError."""
    part = path.with_name(f"{path.name}.part")
    with part.open("w") as file:
        file.write(json.dumps(value))
        file.flush()
        os.fsync(file.fileno())
    part.replace(path)


def ended_ms(folder: Path) -> int | None:
    """When the room ended this recording; None while it has not."""
    try:
        return int(json.loads((folder / ENDED).read_text())["ended_ms"])
    except (OSError, ValueError, KeyError):
        return None


class Recordings:
    """``limits`` are those of every room; 0 days and a quota of 0 mean none. Used on the loop."""

    def __init__(
        self,
        root: Path,
        *,
        limits: RoomLimits = UNLIMITED,
        measure: MeasureDisk = measure_disk,
        segment_bytes: int = SEGMENT_BYTES_MAX,
    ) -> None:
        self.root, self.limits = root, limits
        self._loop = asyncio.get_running_loop()
        self._listeners: dict[str, Listener] = {}
        self.recorder = Recorder(root, self._post, measure=measure, segment_bytes=segment_bytes)

    @property
    def level(self) -> DiskLevel:
        return self.recorder.level

    # ---- rooms

    def listen(self, recording: str, listener: Listener) -> None:
        """What concerns this recording, and every change of the disk."""
        assert recording not in self._listeners
        self._listeners[recording] = listener

    def leave(self, recording: str) -> None:
        self._listeners.pop(recording, None)

    def is_running(self, recording: str) -> bool:
        """Whether it has begun and its room has not ended it: a crash, or we, stand in between."""
        folder = self.root / recording
        return folder.is_dir() and not (folder / ENDED).exists()

    def has_ended(self, recording: str) -> bool:
        return (self.root / recording / ENDED).exists()

    async def open(self, recording: str) -> RecordingSession:
        """Begins a recording, or goes on with one. Raises RecordingRefused, OSError."""
        return await asyncio.to_thread(self._open, recording)

    def _open(self, recording: str) -> RecordingSession:
        while self.recorder.is_writing(recording):
            time.sleep(IDLE_S)
        folder = self.root / recording
        goes_on = self.is_running(recording)
        kept = [Kept(recording, recording_bytes(folder), 0)] if folder.is_dir() else []
        session = RecordingSession(
            self.recorder, recording, limits=self.limits, kept=kept, goes_on=goes_on
        )
        folder.mkdir(exist_ok=True)
        (folder / ENDED).unlink(missing_ok=True)
        return session

    def new_losses(self, recording: str, losses: tuple[Loss, ...]) -> list[Loss]:
        """Those that have not been told before. A torn track that nobody goes on with is found at
        every start; call this when they are being told.
        """
        path = self.root / recording / LOSSES
        try:
            told = json.loads(path.read_text())
        except (OSError, ValueError):
            told = {}
        new = [one for one in losses if told.get(one.track) != one.kept_until_ms]
        told |= {one.track: one.kept_until_ms for one in new}
        with suppress(OSError):  # then it is told again
            write_json(path, told)
        return new

    async def idle(self, recording: str) -> None:
        """When everything that was ended is sealed."""
        while self.recorder.is_writing(recording) and self.recorder.is_running:  # noqa: ASYNC110
            await asyncio.sleep(IDLE_S)

    async def end(self, recording: str) -> None:
        """The room has ended it: from now on its term runs. Every track must have been ended."""
        await asyncio.to_thread(self._end, recording)

    def _end(self, recording: str) -> None:
        while self.recorder.is_writing(recording):
            time.sleep(IDLE_S)
        folder = self.root / recording
        if not folder.is_dir():
            return  # nobody ever published
        write_json(folder / ENDED, {"ended_ms": utc_ms()})

    async def sealed(
        self, recording: str, track: str, first: int, last: int
    ) -> list[SegmentClosed]:
        """Seals of segments that will not change any more, told again. Raises RecordingRefused."""
        return await asyncio.to_thread(self._sealed, recording, track, first, last)

    async def last_seals(self, recording: str) -> list[SegmentClosed]:
        """Of each track, told again."""
        return await asyncio.to_thread(self._last_seals, recording)

    def _last_seals(self, recording: str) -> list[SegmentClosed]:
        tracks = sorted(path for path in (self.root / recording).iterdir() if path.is_dir())
        last = [(path, numbers[-1]) for path in tracks if (numbers := segment_numbers(path))]
        found = [read_segment(segment_path(path, number)) for path, number in last]
        return [one.closed() for one in found if one is not None]

    def _sealed(self, recording: str, track: str, first: int, last: int) -> list[SegmentClosed]:
        folder = self.root / checked_name(recording) / checked_name(track)
        found = [read_segment(segment_path(folder, n)) for n in segment_numbers(folder)
                 if first <= n <= last]  # fmt: skip
        return [one.closed() for one in found if one is not None]

    async def remove(self, recording: str) -> Removed:
        """Takes a recording off the disk; one that runs stays. Raises RecordingRefused, OSError."""
        if recording in self._listeners or self.is_running(recording):
            raise RecordingRefused("recording.running", recording)
        return await asyncio.to_thread(self._remove, recording)

    def _remove(self, recording: str) -> Removed:
        folder = self.root / checked_name(recording)
        (folder / LOSSES).unlink(missing_ok=True)
        removed = remove_recording(self.root, recording)
        # Last: a removal that was cut short is still one of an ended recording.
        (folder / ENDED).unlink(missing_ok=True)
        with suppress(OSError):  # somebody else's file keeps the folder
            folder.rmdir()
        return removed

    async def close(self) -> None:
        """Everything queued is on the disk then, and told."""
        await asyncio.to_thread(self.recorder.close)
        await asyncio.sleep(0)  # what the thread told last

    # ---- told by the writing thread

    def _post(self, event: Event) -> None:
        with suppress(RuntimeError):  # the loop has ended; the next start tells it
            self._loop.call_soon_threadsafe(self._heard, event)

    def _heard(self, event: Event) -> None:
        if isinstance(event, DiskChanged):
            for listener in list(self._listeners.values()):
                listener(event)
            return
        listener = self._listeners.get(event.recording)
        if listener is not None:
            listener(event)
