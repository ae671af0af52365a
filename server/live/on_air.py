"""What of a room is on the air (播出): chosen by ``program``, switched by ``air_tap``.

Invariant: who may not be heard or seen any more is off the air at once; everybody else stays until
the next has a keyframe.
"""

from collections.abc import Callable, Mapping

from media.fragments.room import RoomStream
from media.recording.segments import TrackFormat
from server.live.air_tap import AirTap
from server.live.live_track import LiveTrack
from server.live.program import NOTHING, Source, Stage, allowed, choose


class OnAir:
    """``utc_of``: UTC ms of a moment of the monotonic clock, ns."""

    def __init__(self, stream: RoomStream, utc_of: Callable[[int], int]) -> None:
        self.stream = stream
        self.stage = Stage()
        self.speaker: int | None = None
        self._utc_of = utc_of
        self._program = NOTHING
        self._taps: dict[str, AirTap] = {}  # on the air, by kind

    def tap(self, name: str, form: TrackFormat, want_keyframe: Callable[[], None]) -> AirTap:
        """The way to the public of a new track."""
        return AirTap(name, form, self.stream, self._utc_of, want_keyframe, self._went_on)

    def _went_on(self, tap: AirTap) -> None:
        before = self._taps.get(tap.kind)
        if before is not None and before is not tap:
            before.take_off()
        self._taps[tap.kind] = tap

    def show(self, tracks: Mapping[int, LiveTrack], now_ns: int) -> None:
        """Chooses again, by what plays now."""
        sources = [
            Source(number, track.opened.member, track.opened.label, track.plays(now_ns))
            for number, track in tracks.items()
            if track.air is not None
        ]
        found = allowed(sources, self.stage)
        self._program = choose(sources, self.stage, self.speaker, self._program)
        wanted = {self._program.picture, self._program.sound}
        for source in sources:
            air = tracks[source.track].air
            assert air is not None
            if source.track in wanted:
                air.want()
            elif source in found:
                air.not_want()
            else:
                air.take_off()
        picture = tracks.get(self._program.picture or 0)
        self.stream.awaits_picture = picture is not None and not self.stream.has_picture
        for kind, number in (("video", self._program.picture), ("audio", self._program.sound)):
            if number is None and self._taps.pop(kind, None) is not None:
                self.stream.show(kind, None)

    def close(self) -> None:
        self.stream.close()
