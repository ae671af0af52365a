"""One recording (一次录像) of a room from its beginning to its end, over restarts of the server.

The composer makes one for each room and forwards it what the SFU taps. After a crash the same
name finds the same tracks: what is torn is cut, what was not told is told again, and each track
goes on in its chain with a mark that says how long nothing was recorded. Invariant: a recording
that has begun is never refused; only its beginning is, also when it begins again after its end.
"""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from media.recording.disk import Kept, RoomLimits, room_is_full
from media.recording.errors import RecordingRefused
from media.recording.recorder import Arrival, Recorder
from media.recording.recovery import Recovered, recover_recording
from media.recording.segments import TrackFormat, checked_name


class RecordingSession:
    """``losses``: what a crash took; ``unreported``: seals that the journal may not have."""

    def __init__(
        self,
        recorder: Recorder,
        recording: str,
        *,
        limits: RoomLimits | None = None,
        kept: Sequence[Kept] = (),
        goes_on: bool | None = None,
    ) -> None:
        """``kept``: the room's finished recordings, held against its ``limits``. ``goes_on``:
        whether it has begun and was not ended; None: it has, if there is anything of it.

        Raises RecordingRefused ``recording.name``, ``recording.disk_low``, ``recording.room_full``.
        """
        self.recording = checked_name(recording)
        self._recorder = recorder
        folder: Path = recorder.root / recording
        recovered: list[Recovered] = []
        is_there = folder.is_dir()
        if not (is_there if goes_on is None else goes_on):
            recorder.check_new()
            if limits is not None and room_is_full(kept, 0, limits):
                raise RecordingRefused("recording.room_full")
        if is_there:
            recovered = list(recover_recording(folder).values())
        self.losses = tuple(one.loss for one in recovered if one.loss is not None)
        self.unreported = tuple(one.unreported for one in recovered if one.unreported is not None)
        self._open: set[str] = set()

    def begin_track(self, track: str, form: TrackFormat) -> None:
        """A track begins, or goes on under its name. Raises RecordingRefused."""
        self._recorder.add_track(self.recording, track, form)
        self._open.add(track)

    def packets(self, track: str, arrivals: Sequence[Arrival], utc_ms: int, flags: int = 0) -> None:
        """See ``Recorder.packets``; what comes for a track that has not begun is left out."""
        if track in self._open:
            self._recorder.packets(self.recording, track, arrivals, utc_ms, flags)

    def sender_report(self, track: str, mono_ns: int, raw: bytes, utc_ms: int) -> None:
        """One RTCP sender report, as received: without them sound and picture drift apart."""
        if track in self._open:
            self._recorder.sender_report(self.recording, track, mono_ns, raw, utc_ms)

    def mark(self, track: str, mono_ns: int, utc_ms: int, members: dict[str, Any]) -> None:
        """Mute, hold, layer: ``{"mark": "mute", "on": true}`` and the like."""
        if track in self._open:
            self._recorder.mark(self.recording, track, mono_ns, utc_ms, members)

    def end_track(self, track: str, mono_ns: int, utc_ms: int) -> None:
        """A track ends in order. Idempotent."""
        if track in self._open:
            self._open.discard(track)
            self._recorder.end_track(self.recording, track, mono_ns, utc_ms)

    def end(self, mono_ns: int, utc_ms: int) -> None:
        """All tracks end in order."""
        for track in sorted(self._open):
            self.end_track(track, mono_ns, utc_ms)
