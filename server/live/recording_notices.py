"""What a recording tells the main process (录像通报): plain maps, ready for the link.

Kinds: ``recording_began``, ``recording_sealed``, ``recording_report`` (what: docs/recording.md) and
``recording_state``. Invariant: what comes in floods is told as sums, and no sum is forgotten.
"""

from collections.abc import Callable, Sequence
from typing import Any, Final

from media.recording.disk import DiskLevel
from media.recording.recorder import Recorder
from media.recording.segments import Loss, SegmentClosed
from media.recording.writing import (
    DiskChanged,
    Event,
    PacketsDropped,
    SegmentFailed,
    TrackResumed,
)

Notify = Callable[[dict[str, Any]], None]
DROPPED_NS: Final = 60_000_000_000  # between two reports of what was dropped
DETAIL_MAX: Final = 200


class Notices:
    """Of one recording. ``level``: the disk's, as it is now."""

    def __init__(self, room: str, recording: str, notify: Notify, level: DiskLevel) -> None:
        self._head = {"room": room, "recording": recording}
        self._notify = notify
        self._level = level
        self._dropped: dict[tuple[str, str], int] = {}  # track, reason: packets
        self._dropped_ns = 0

    def _tell(self, kind: str, **members: Any) -> None:
        self._notify({"kind": kind, **self._head, **members})

    def began(self) -> None:
        """It begins, or goes on."""
        self._tell("recording_began")

    def sealed(self, found: SegmentClosed) -> None:
        """A segment that will not change any more; may be told twice, see ``RecordingActs``."""
        self._tell(
            "recording_sealed", track=found.track, segment=found.segment, sha256=found.sha256,
            bytes=found.bytes, packets=found.packets,
            first_ms=found.first_utc_ms, last_ms=found.last_utc_ms,
        )  # fmt: skip

    def report(self, what: str, *, lost_ms: int = 0, detail: str = "") -> None:
        self._tell("recording_report", what=what, lost_ms=lost_ms, detail=detail[:DETAIL_MAX])

    def lost(self, losses: Sequence[Loss]) -> None:
        """What a crash took. Tracks end at the same crash: the longest loss is the room's."""
        if not losses:
            return
        each = [
            f"{one.track} <= {one.torn_ms + one.unwritten_ms_max} ms after {one.kept_until_ms}"
            for one in losses
        ]
        longest = max(one.torn_ms + one.unwritten_ms_max for one in losses)
        self.report("interrupted", lost_ms=longest, detail="; ".join(each))

    def state(self, state: str, recorder: Recorder) -> None:
        """``state``: on, no_pictures, off, refused; what is foreseen if all goes on as now."""
        self._tell(
            "recording_state", state=state, forecast_ms=recorder.forecast_ms,
            free_percent=recorder.disk.free_percent,
        )  # fmt: skip

    def written(self, event: Event, *, is_running: bool) -> tuple[DiskLevel, DiskLevel]:
        """What the writing thread told; returns the disk's level before and after it."""
        before = self._level
        if isinstance(event, SegmentClosed):
            self.sealed(event)
        elif isinstance(event, TrackResumed):
            self.report("resumed", detail=f"{event.track} after {event.gap_ms} ms")
        elif isinstance(event, PacketsDropped):
            key = event.track, event.reason
            self._dropped[key] = self._dropped.get(key, 0) + event.packets
        elif isinstance(event, SegmentFailed):
            self.report("failed", detail=f"{event.track} errno {event.errno}")
        elif isinstance(event, DiskChanged):
            self._level = event.level
            was, now = (one is DiskLevel.SOUND_ONLY for one in (before, event.level))
            if is_running and was != now:
                free = f"{event.free_bytes * 100 // max(event.total_bytes, 1)} % free"
                self.report("pictures_stopped" if now else "pictures_resumed", detail=free)
        return before, self._level

    def tick(self, now_ns: int) -> None:
        if self._dropped and now_ns - self._dropped_ns >= DROPPED_NS:
            self._dropped_ns = now_ns
            self.flush()

    def flush(self) -> None:
        """What was dropped since it was told last."""
        dropped, self._dropped = self._dropped, {}
        if dropped:
            each = [f"{track} {count} packets {why}" for (track, why), count in dropped.items()]
            self.report("dropped", detail="; ".join(each))
