"""The thread that writes recordings (录像写入线程).

It writes what has gathered every ``FLUSH_S``, makes it durable every ``SYNC_S``, seals full
segments and looks at the disk. So a killed process loses what gathered since the last flush, a
power cut what came since the last sync: under one second both. Invariant: no fault of the disk ends
the thread; what could not be written is counted, marked when the disk takes it, and told.
"""

import threading
import time
from collections import defaultdict, deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final, NamedTuple

from media.recording.disk import DiskLevel, MeasureDisk, forecast_ms, judge
from media.recording.errors import RecordingRefused
from media.recording.records import TIME_MAX, Kind, encode_record, json_body
from media.recording.segments import Loss, SegmentClosed
from media.recording.track_journal import TrackJournal

FLUSH_S: Final = 0.1
SYNC_S: Final = 0.75
SEGMENT_S_MAX: Final = 600.0  # a quiet track's segment is sealed after this long too
RATE_WINDOW: Final = 10  # syncs over which bytes per second are averaged


@dataclass(frozen=True, slots=True)
class DiskChanged:
    """The disk's level changed. ``forecast_ms``: until pictures stop, None = a year or more."""

    level: DiskLevel
    free_bytes: int
    total_bytes: int
    forecast_ms: int | None


@dataclass(frozen=True, slots=True)
class PacketsDropped:
    """Records of a track that were not written. ``reason``: ``disk.low`` (pictures were stopped),
    ``disk.error``, ``queue.full``.
    """

    recording: str
    track: str
    packets: int
    bytes: int
    reason: str


@dataclass(frozen=True, slots=True)
class SegmentFailed:
    """A segment that could not be synced or sealed: what it holds is for recovery to find out."""

    recording: str
    track: str
    errno: int


@dataclass(frozen=True, slots=True)
class TrackResumed:
    """A track goes on after a crash. ``gap_ms``: from its last whole record to its first new one;
    it is in the journal too, as a mark.
    """

    recording: str
    track: str
    loss: Loss
    gap_ms: int


Event = SegmentClosed | TrackResumed | DiskChanged | PacketsDropped | SegmentFailed


@dataclass(slots=True, eq=False)
class Track:
    """A track on its way to the disk. ``overflow_*`` is counted by the loop, the rest is ours."""

    journal: TrackJournal
    overflow_packets: int = 0
    overflow_bytes: int = 0
    overflow_told: tuple[int, int] = (0, 0)
    dropped: dict[str, list[int]] = field(default_factory=dict)  # reason: [packets, bytes]
    last: tuple[int, int] = (0, 0)  # monotonic ns and UTC ms of the last record
    opened_s: float = 0.0

    @property
    def is_picture(self) -> bool:
        return self.journal.format.kind == "video"

    def drop(self, reason: str, packets: int, size: int) -> None:
        count = self.dropped.setdefault(reason, [0, 0])
        count[0] += packets
        count[1] += size


class Batch(NamedTuple):
    """What came together for one track. ``utc_ms`` belongs to the last of ``arrivals``."""

    track: Track
    kind: Kind
    arrivals: Sequence[tuple[int, bytes]]
    utc_ms: int
    flags: int
    bytes: int


class Writing:
    """``taken``: bytes of batches that left the queue; ``tracks``: those that are not sealed yet.

    Written by the thread, read by the loop.
    """

    def __init__(self, root: Path, on_event: Callable[[Event], None], measure: MeasureDisk) -> None:
        self.queue: deque[Batch] = deque()
        self.taken = 0
        self.disk = measure(root)
        self.level = judge(self.disk, DiskLevel.ENOUGH)
        self._root, self._tell, self._measure = root, on_event, measure
        self.tracks: list[Track] = []
        self._written = 0
        self._recent: deque[tuple[float, int]] = deque(maxlen=RATE_WINDOW)

    def adopt(self, track: Track) -> None:
        """Called by the loop, before the first batch of the track."""
        self.tracks.append(track)

    @property
    def bytes_per_s(self) -> int:
        """Written to the disk, averaged over the last seconds."""
        recent = list(self._recent)
        if len(recent) < 2 or recent[-1][0] <= recent[0][0]:
            return 0
        return int((recent[-1][1] - recent[0][1]) / (recent[-1][0] - recent[0][0]))

    def run(self, closing: threading.Event) -> None:
        """Until ``closing`` is set; then writes what is queued and seals every track."""
        synced = time.monotonic()
        is_last = False
        while not is_last:
            is_last = closing.wait(FLUSH_S)
            self._flush()
            if time.monotonic() - synced >= SYNC_S:
                self._look_at_disk()
                self._tell_dropped()
                self._sync()
                synced = time.monotonic()
                self._recent.append((synced, self._written))
        self._tell_dropped()
        for track in list(self.tracks):
            self._end(track, *track.last)

    # ---- writing

    def _flush(self) -> None:
        grouped: defaultdict[Track, list[Batch]] = defaultdict(list)
        for _ in range(len(self.queue)):
            batch = self.queue.popleft()
            grouped[batch.track].append(batch)
        for track, batches in grouped.items():
            ends = batches[-1].kind is Kind.END
            self._write(track, batches[:-1] if ends else batches)
            if ends:
                self._tell_dropped()
                self._end(track, batches[-1].arrivals[0][0], batches[-1].utc_ms)
            self.taken += sum(batch.bytes for batch in batches)

    def _write(self, track: Track, batches: Sequence[Batch]) -> None:
        if not batches:
            return
        if track.is_picture and self.level is DiskLevel.SOUND_ONLY:
            kept = [batch for batch in batches if batch.kind is not Kind.RTP]
            packets = sum(len(batch.arrivals) for batch in batches if batch.kind is Kind.RTP)
            size = sum(batch.bytes for batch in batches if batch.kind is Kind.RTP)
            if packets:
                track.drop("disk.low", packets, size)
            batches = kept
        records = [record for batch in batches for record in _encode(batch)]
        if not records:
            return
        first, last = batches[0].utc_ms, batches[-1].utc_ms
        track.last = batches[-1].arrivals[-1][0], last
        packets = sum(len(batch.arrivals) for batch in batches if batch.kind is Kind.RTP)
        if not self._append(track, b"".join(records), packets, first, last):
            track.drop("disk.error", len(records), sum(map(len, records)))

    def _append(self, track: Track, records: bytes, packets: int, first: int, last: int) -> bool:
        journal = track.journal
        try:
            if not journal.is_open:
                journal.open_segment(*track.last)
                track.opened_s = time.monotonic()
                records = self._resumed(track, first) + records
            journal.append(records, packets, first, last)
        except (OSError, RecordingRefused):
            self._look_at_disk()  # most likely it is full
            return False
        self._written += len(records)
        if journal.is_full:
            self._seal(track)
        return True

    def _resumed(self, track: Track, first_ms: int) -> bytes:
        """The mark of a track that goes on after a crash; empty otherwise."""
        journal = track.journal
        loss, journal.loss = journal.loss, None
        if loss is None:
            return b""
        gap_ms = max(0, first_ms - loss.kept_until_ms)
        self._tell(TrackResumed(journal.recording, journal.track, loss, gap_ms))
        return encode_record(
            Kind.MARK, *track.last, json_body({"mark": "resumed", "gap_ms": gap_ms})
        )

    def _mark(self, track: Track, members: dict[str, Any]) -> None:
        mono_ns, utc_ms = track.last
        record = encode_record(Kind.MARK, mono_ns, utc_ms, json_body(members))
        if track.journal.is_open:
            self._append(track, record, 0, utc_ms, utc_ms)

    def _end(self, track: Track, mono_ns: int, utc_ms: int) -> None:
        if track.journal.is_open:
            self._append(track, encode_record(Kind.END, mono_ns, utc_ms, b""), 0, utc_ms, utc_ms)
        if track.journal.is_open:  # unless that filled it
            self._seal(track)
        self.tracks.remove(track)

    # ---- once in a while

    def _sync(self) -> None:
        for track in self.tracks:
            try:
                track.journal.sync()
            except OSError as error:
                # After a failed sync nobody knows what is stored: this file is not written again.
                self._fail(track, error)
                self._seal(track)
            if track.journal.is_open and time.monotonic() - track.opened_s >= SEGMENT_S_MAX:
                self._seal(track)

    def _seal(self, track: Track) -> None:
        try:
            self._tell(track.journal.close_segment())
        except OSError as error:
            self._fail(track, error)

    def _fail(self, track: Track, error: OSError) -> None:
        journal = track.journal
        self._tell(SegmentFailed(journal.recording, journal.track, error.errno or 0))

    def _look_at_disk(self) -> None:
        self.disk = self._measure(self._root)
        level = judge(self.disk, self.level)
        if level is self.level:
            return
        before, self.level = self.level, level
        ahead = forecast_ms(self.disk, self.bytes_per_s)
        self._tell(DiskChanged(level, self.disk.free_bytes, self.disk.total_bytes, ahead))
        if DiskLevel.SOUND_ONLY in (before, level):
            mark = "pictures_stopped" if level is DiskLevel.SOUND_ONLY else "pictures_resumed"
            for track in self.tracks:
                if track.is_picture:
                    self._mark(track, {"mark": mark, "free_percent": self.disk.free_percent})

    def _tell_dropped(self) -> None:
        for track in self.tracks:
            overflow = track.overflow_packets, track.overflow_bytes
            if overflow != track.overflow_told:
                told, track.overflow_told = track.overflow_told, overflow
                track.drop("queue.full", overflow[0] - told[0], overflow[1] - told[1])
            dropped, track.dropped = track.dropped, {}
            for reason, (packets, size) in dropped.items():
                journal = track.journal
                self._tell(PacketsDropped(journal.recording, journal.track, packets, size, reason))
                self._mark(track, {"mark": "dropped", "packets": packets, "reason": reason})


def _encode(batch: Batch) -> list[bytes]:
    newest = batch.arrivals[-1][0]
    return [
        encode_record(
            batch.kind,
            mono_ns,
            min(max(batch.utc_ms - (newest - mono_ns) // 1_000_000, 0), TIME_MAX),
            raw,
            batch.flags,
        )
        for mono_ns, raw in batch.arrivals
    ]
