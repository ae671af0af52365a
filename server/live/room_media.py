"""A room's media in the media process (房间媒体): all streams recorded, one program for the public.

Told by the forwarding unit of everything that happens in the room; tells the main process by
``notify`` what has to be journaled or shown. Used on the loop. Invariant: a track is recorded from
its first packet: while what a crash left is being read, packets wait here, bounded.
"""

import asyncio
import time
from collections.abc import Callable, Mapping
from typing import Any, Final

from media.errors import MediaRefused
from media.fragments.room import RoomStream
from media.recording.disk import DiskLevel
from media.recording.errors import RecordingRefused
from media.recording.session import RecordingSession
from media.recording.writing import Event
from media.rooms import (
    MediaEvent,
    SpeakerChanged,
    TrackClosed,
    TrackOpened,
    TrackPaused,
)
from media.sfu import Sfu
from server.live.live_track import LiveTrack
from server.live.on_air import OnAir
from server.live.program import Stage
from server.live.recording_notices import Notices
from server.live.recordings import Recordings, recording_of, utc_ms
from server.live.track_streams import TrackStreams, parse_of

Notify = Callable[[dict[str, Any]], None]
IDLE_NS: Final = 20_000_000_000  # a player of HLS asks more often
STATE_NS: Final = 10_000_000_000  # between two forecasts


class RoomMedia:
    """``has_program``: whether the public may watch: in an opening, never in an evaluation. Its
    members may have single tracks, and, while one of them asks for it, a program of their own: who
    speaks, for players that can play but one picture and one sound.

    ``stream`` is what the public gets of fragments, ``stream_of`` what anybody does.
    """

    def __init__(
        self,
        sfu: Sfu,
        recordings: Recordings,
        room: str,
        notify: Notify,
        *,
        has_program: bool = True,
    ) -> None:
        self.room, self.recording = room, recording_of(room)
        self._sfu, self._recordings = sfu, recordings
        self._loop = asyncio.get_running_loop()
        self._notices = Notices(room, self.recording, notify, recordings.level)
        self._tracks: dict[int, LiveTrack] = {}
        self._names: set[str] = set()
        self._session: RecordingSession | None = None
        self._opening: asyncio.Task[None] | None = None
        self._tasks: set[asyncio.Task[None]] = set()
        self._state_ns = 0
        self._is_closed = self._is_refused = False
        self.streams = TrackStreams(self._tracks, utc_of, self._loop.call_soon_threadsafe)
        self._air: OnAir | None = None
        self._has_program, self._asked_ns = has_program, 0
        self._speaker: int | None = None
        if has_program:
            self._begin_program()
        recordings.listen(self.recording, self._written)
        if recordings.is_running(self.recording):
            self._begin()  # what a crash took is told at once, not when somebody comes back

    @property
    def stream(self) -> RoomStream | None:
        return self._air.stream if self._air is not None else None

    def stream_of(self, of: str) -> RoomStream | None:
        """``of``: "" for the program, else what names a track and its size. Who asks may have it.

        Raises FragmentRefused, see `TrackStreams.open`.
        """
        asked, now_ns = parse_of(of), time.monotonic_ns()
        if self._is_closed or self._has_program:
            return self.stream if not of else None
        if not of:
            self._asked_ns = now_ns
            if self._air is None:
                self._begin_program()
                self._show()
            return self.stream
        return self.streams.open(asked, now_ns) if asked is not None else None

    def _begin_program(self) -> None:
        stream = RoomStream(self._want_keyframe, self._loop.call_soon_threadsafe)
        self._air = OnAir(stream, utc_of)
        self._air.speaker = self._speaker
        for track in self._tracks.values():
            track.go_on_air(self._air.tap)

    def _end_program(self) -> None:
        assert self._air is not None
        self._air.close()
        self._air = None
        for track in self._tracks.values():
            track.air = None

    @property
    def fragmented(self) -> int:
        """How many streams are cut for members now."""
        return len(self.streams) + (self._air is not None and not self._has_program)

    # ---- from the forwarding unit

    def told(self, event: MediaEvent) -> None:
        """Every event of this room, while it is told: so that no packet of a track is missed."""
        if isinstance(event, TrackOpened):
            self._opened(event)
        elif isinstance(event, SpeakerChanged):
            self._speaker = event.track
            if self._air is not None:
                self._air.speaker = event.track
        elif isinstance(event, TrackClosed | TrackPaused):
            track = self._tracks.get(event.track)
            if track is None:
                return
            if isinstance(event, TrackPaused):
                track.pause(event.paused)
                self.streams.look()
            else:
                self._closed(track)
        else:
            return
        self._show()

    def _opened(self, event: TrackOpened) -> None:
        number = event.track
        track = LiveTrack(
            event,
            self._names,
            lambda: self._want_keyframe_of(number),
            utc_of,
            lambda name, form, ask: self._air.tap(name, form, ask) if self._air else None,
        )
        self._tracks[event.track] = track
        self._names.add(track.name)
        if self._session is not None:
            track.record(self._session, self._refused)
        elif self._is_refused:
            track.leave_out()
        else:
            self._begin()
        self._sfu.tap(event.track, track)

    def _closed(self, track: LiveTrack) -> None:
        del self._tracks[track.opened.track]
        self._names.discard(track.name)
        self.streams.closed(track.opened.track)
        track.end()

    # ---- from the main process

    def stage(self, stage: Stage) -> None:
        """Who hosts and who is on stage, each time that changes."""
        if self._air is not None and self._has_program:
            self._air.stage = stage
            self._show()

    def order(self, message: Mapping[str, Any]) -> None:
        """What the main process wants of the recording: ``tell_seals`` {track, first, last}."""
        if message.get("order") == "tell_seals":
            self._spawn(
                self._tell_seals(str(message["track"]), int(message["first"]), int(message["last"]))
            )

    async def _tell_seals(self, track: str, first: int, last: int) -> None:
        try:
            for sealed in await self._recordings.sealed(self.recording, track, first, last):
                self._notices.sealed(sealed)
        except (RecordingRefused, OSError) as error:
            self._notices.report("failed", detail=f"{track}: {error}")

    # ---- time

    def tick(self) -> None:
        """About four times a second."""
        now_ns = time.monotonic_ns()
        self._show()
        if self._air is not None:
            self._air.stream.tick(now_ns)
            is_idle = not self._air.stream.hub.viewers and now_ns - self._asked_ns >= IDLE_NS
            if is_idle and not self._has_program:
                self._end_program()
        self.streams.tick(now_ns)
        self._notices.tick(now_ns)
        if self._session is not None and now_ns - self._state_ns >= STATE_NS:
            self._state_ns = now_ns
            self._tell_state()

    async def close(self, *, ended: bool = True) -> None:
        """Ends every track in order. ``ended``: the room is over, and its recording with it; not
        so when only this process ends. Idempotent.
        """
        if self._is_closed:
            return
        self._is_closed = True
        if self._opening is not None:
            await asyncio.gather(self._opening, return_exceptions=True)
        for track in list(self._tracks.values()):
            self._untap(track)
            self._closed(track)
        if self._air is not None:
            self._air.close()
        self.streams.close()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        if self._session is not None:
            if ended:
                await self._recordings.end(self.recording)
            else:
                await self._recordings.idle(self.recording)
        await asyncio.sleep(0)  # the last seals have been posted: let them be told
        self._notices.flush()
        if ended:
            await self._tell_end()
        self._recordings.leave(self.recording)

    async def _tell_end(self) -> None:
        """Also of a recording that ended before: the journal may not have heard of it."""
        if self._session is None and self._recordings.has_ended(self.recording):
            for sealed in await self._recordings.last_seals(self.recording):
                self._notices.sealed(sealed)
        if self._recordings.has_ended(self.recording):
            self._notices.report("ended")

    # ---- recording

    def _begin(self) -> None:
        if self._opening is None and not self._is_closed:
            self._opening = self._loop.create_task(self._open())

    async def _open(self) -> None:
        try:
            session = await self._recordings.open(self.recording)
        except (RecordingRefused, OSError) as error:
            code = error.code if isinstance(error, RecordingRefused) else "recording.disk_error"
            self._is_refused, self._opening = True, None
            for track in self._tracks.values():
                track.leave_out()
            self._notices.report("refused", detail=code)
            self._notices.state("refused", self._recordings.recorder)
            return
        self._session, self._is_refused = session, False
        self._notices.began()
        for sealed in session.unreported:
            self._notices.sealed(sealed)
        if session.losses:
            self._notices.lost(self._recordings.new_losses(self.recording, session.losses))
        for track in self._tracks.values():
            track.record(session, self._refused)
        if self._recordings.level is DiskLevel.SOUND_ONLY:
            self._notices.report("pictures_stopped")
        self._tell_state()

    def _written(self, event: Event) -> None:
        """Told by the writing thread: of this recording, or of the disk."""
        before, after = self._notices.written(event, is_running=self._session is not None)
        if before != after:
            self._tell_state()
            if self._is_refused and after is DiskLevel.ENOUGH:
                self._is_refused = False
                self._begin()

    def _refused(self, refused: RecordingRefused) -> None:
        self._notices.report("failed", detail=refused.code)

    def _tell_state(self) -> None:
        level = self._recordings.level
        on = "no_pictures" if level is DiskLevel.SOUND_ONLY else "on"
        state = on if self._session is not None else ("refused" if self._is_refused else "off")
        self._notices.state(state, self._recordings.recorder)

    # ---- the program

    def _show(self) -> None:
        if self._air is not None and not self._is_closed:
            if not self._has_program:
                self._air.stage = self._listens()
            self._air.show(self._tracks, time.monotonic_ns())

    def _listens(self) -> Stage:
        """A meeting: to whoever speaks, and to all the others else."""
        members = frozenset(track.opened.member for track in self._tracks.values())
        speaker = self._tracks.get(self._speaker or 0)
        return Stage(members, (speaker.opened.member,) if speaker is not None else ())

    # ---- keyframes

    def _want_keyframe_of(self, track: int) -> None:
        if track in self._tracks:
            try:
                self._sfu.ask_keyframe(track)
            except MediaRefused:
                return  # it has just gone

    def _want_keyframe(self, name: str) -> None:
        """Of the picture that stands in the fragments, by its name there."""
        for number, track in self._tracks.items():
            if name.rpartition("-")[0] == track.name:
                self._want_keyframe_of(number)

    def _untap(self, track: LiveTrack) -> None:
        try:
            self._sfu.tap(track.opened.track, None)
        except MediaRefused:
            return  # it has just gone

    def _spawn(self, work: Any) -> None:
        task = self._loop.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)


def utc_of(mono_ns: int) -> int:
    """UTC ms of a moment of the monotonic clock that is not long ago."""
    return utc_ms() - (time.monotonic_ns() - mono_ns) // 1_000_000
