"""The recorder (录像机) as the loop sees it: batches of packets in, nothing awaited.

Here packets are only checked and queued; ``writing`` puts them on the disk in a thread. Invariant:
the queue is bounded by bytes. What does not fit is dropped, pictures before sound, and counted;
the thread marks the loss in the journal and tells it.
"""

import threading
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, Final

from media.recording.disk import DiskLevel, DiskState, MeasureDisk, forecast_ms, measure_disk
from media.recording.errors import RecordingRefused
from media.recording.records import HEAD, TIME_MAX, Kind, json_body
from media.recording.segments import SEGMENT_BYTES_MAX, TrackFormat, checked_name
from media.recording.track_journal import TrackJournal
from media.recording.writing import Batch, Event, Track, Writing

QUEUE_BYTES_MAX: Final = 32 << 20
PICTURE_QUEUE_BYTES_MAX: Final = QUEUE_BYTES_MAX // 2  # above it only sound is taken
ENTRY_BYTES: Final = 200  # what a queued batch costs by itself
PACKET_BYTES_MAX: Final = 1500
MARK_BYTES_MAX: Final = 1024
TRACKS_MAX: Final = 512

Arrival = tuple[int, bytes]  # monotonic ns, packet


class Recorder:
    """``on_event`` is called on the writing thread: hand in one that posts to your loop and does
    not raise.
    """

    def __init__(
        self,
        root: Path,
        on_event: Callable[[Event], None],
        *,
        measure: MeasureDisk = measure_disk,
        segment_bytes: int = SEGMENT_BYTES_MAX,
    ) -> None:
        root.mkdir(parents=True, exist_ok=True)
        self.root = root
        self._segment_bytes = segment_bytes
        self._tracks: dict[tuple[str, str], Track] = {}
        self._taken = 0
        self._writing = Writing(root, on_event, measure)
        self._closing = threading.Event()
        self._thread = threading.Thread(
            target=self._writing.run, args=(self._closing,), name="recorder", daemon=True
        )
        self._thread.start()

    @property
    def disk(self) -> DiskState:
        """As it was found last, at most a second ago."""
        return self._writing.disk

    @property
    def level(self) -> DiskLevel:
        return self._writing.level

    @property
    def is_running(self) -> bool:
        """Whether the thread writes. If not, and nobody closed it, we are wrong: restart."""
        return self._thread.is_alive()

    @property
    def forecast_ms(self) -> int | None:
        """How long until pictures stop if all goes on as in the last seconds; None = a year."""
        return forecast_ms(self.disk, self._writing.bytes_per_s)

    def check_new(self) -> None:
        """Whether a new recording may begin. Raises RecordingRefused ``recording.disk_low``."""
        if self.level >= DiskLevel.NO_NEW:
            raise RecordingRefused("recording.disk_low", f"{self.disk.free_percent} %")

    def is_writing(self, recording: str) -> bool:
        """Whether a track of it is still on its way to the disk, perhaps ended already."""
        return any(one.journal.recording == recording for one in self._writing.tracks)

    def add_track(
        self,
        recording: str,
        track: str,
        form: TrackFormat,
    ) -> None:
        """Begins a track, or goes on with one that ended or was torn: one name, one chain.

        A running recording may always begin a track; ``check_new`` is for new recordings.
        Raises RecordingRefused ``recording.name``, ``recording.tracks``, ``recording.track_twice``.
        """
        names = checked_name(recording), checked_name(track)
        if names in self._tracks:
            raise RecordingRefused("recording.track_twice", track)
        if len(self._tracks) >= TRACKS_MAX:
            raise RecordingRefused("recording.tracks")
        journal = TrackJournal(
            self.root / recording / track, recording, track, form, self._segment_bytes
        )
        found = self._tracks[names] = Track(journal)
        self._writing.adopt(found)

    def packets(
        self, recording: str, track: str, arrivals: Sequence[Arrival], utc_ms: int, flags: int = 0
    ) -> None:
        """A batch of RTP packets as forwarded; ``utc_ms`` is UTC when the last of them came.

        What is no packet by its size is left out, whoever sent it. Raises RecordingRefused
        ``recording.track_unknown``.
        """
        self._take(recording, track, Kind.RTP, arrivals, utc_ms, flags)

    def sender_report(
        self, recording: str, track: str, mono_ns: int, raw: bytes, utc_ms: int
    ) -> None:
        """One RTCP sender report of the track's publisher, as received."""
        self._take(recording, track, Kind.SENDER_REPORT, [(mono_ns, raw)], utc_ms, 0)

    def mark(
        self, recording: str, track: str, mono_ns: int, utc_ms: int, members: dict[str, Any]
    ) -> None:
        """Mute, hold, layer and the like. Raises RecordingRefused ``mark.too_long``."""
        body = json_body(members)
        if len(body) > MARK_BYTES_MAX:
            raise RecordingRefused("mark.too_long")
        self._take(recording, track, Kind.MARK, [(mono_ns, body)], utc_ms, 0)

    def end_track(self, recording: str, track: str, mono_ns: int, utc_ms: int) -> None:
        """Ends a track in order; its last segment is sealed and told soon after."""
        self._take(recording, track, Kind.END, [(mono_ns, b"")], utc_ms, 0)
        del self._tracks[recording, track]

    def close(self) -> None:
        """Writes what is queued, ends and seals every track, ends the thread. Idempotent."""
        self._closing.set()
        self._thread.join()

    def _take(
        self,
        recording: str,
        track: str,
        kind: Kind,
        arrivals: Sequence[Arrival],
        utc_ms: int,
        flags: int,
    ) -> None:
        found = self._tracks.get((recording, track))
        if found is None:
            raise RecordingRefused("recording.track_unknown", track[:64])
        fit = [
            (mono_ns, raw)
            for mono_ns, raw in arrivals
            if len(raw) <= PACKET_BYTES_MAX and 0 <= mono_ns <= TIME_MAX
        ]
        if not fit:
            return
        size = sum(len(raw) + HEAD.size for _, raw in fit) + ENTRY_BYTES
        limit = PICTURE_QUEUE_BYTES_MAX if found.is_picture else QUEUE_BYTES_MAX
        if self._taken - self._writing.taken + size > limit and kind is not Kind.END:
            found.overflow_packets += len(fit)
            found.overflow_bytes += size
            return
        self._taken += size
        self._writing.queue.append(
            Batch(found, kind, fit, min(max(utc_ms, 0), TIME_MAX), flags & 0xFF, size)
        )
