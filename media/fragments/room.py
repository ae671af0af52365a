"""A room's stream for those behind firewalls (房间片段流): everything of this folder put together.

Used on the loop only; ``close`` when the room ends. Invariant: nothing runs in the background but
the AAC encoder, and that only after somebody asked for its sound.
"""

import asyncio
from collections import deque
from collections.abc import Callable, Sequence
from contextlib import suppress
from typing import Final

from media.fragments.aac import AacThread
from media.fragments.boxes import StreamFormat
from media.fragments.cutter import Cut
from media.fragments.hub import RING_MS_MAX, VIEWERS_MAX, Fragment, Hub, Viewer
from media.fragments.live import LiveStream
from media.fragments.shelf import Shelf
from media.recording.segments import TrackFormat
from media.rtcp import SenderReport, parse_rtcp

# Kept for the encoder, so that its first listener has some segments at once.
HEARD_MAX: Final = 500
BEGIN_S_MAX: Final = 10.0  # until a stream has enough to start with


class RoomStream:
    """``want_keyframe(track)`` asks a publisher; ``post`` runs a call on the loop from a thread."""

    def __init__(
        self,
        want_keyframe: Callable[[str], None],
        post: Callable[[Callable[[], None]], object],
        *,
        viewers_max: int = VIEWERS_MAX,
        ring_ms_max: int = RING_MS_MAX,
    ) -> None:
        self.hub = Hub(viewers_max=viewers_max, ring_ms_max=ring_ms_max)
        self.shelf = Shelf(self._begin_aac)
        self._live = LiveStream(self.hub, want_keyframe, self._on_fragment, self._on_sound)
        self._post = post
        self._aac: AacThread | None = None
        self._heard: deque[tuple[int, bytes]] = deque(maxlen=HEARD_MAX)
        self._generation = 0
        self._utc_ahead_ms = 0  # UTC minus media time
        self._is_closed = False
        self.awaits_picture = False  # one is chosen, and will be shown from its next keyframe on

    # ---- from the publishers

    def show(self, kind: str, track: str | None, form: TrackFormat | None = None) -> None:
        """Which track stands for "video" or "audio"; None while it is held or muted for long.

        Raises FragmentRefused ``fragment.codec``.
        """
        self._live.show(kind, track, form)

    def packets(self, track: str, arrivals: Sequence[tuple[int, bytes]], utc_ms: int) -> None:
        """A batch of RTP: (monotonic ns, packet), UTC of the last. Only what is shown is used."""
        self._live.packets(track, arrivals, utc_ms)

    def rtcp(self, track: str, raw: bytes) -> None:
        """RTCP of the track's publisher; sender reports are used, the rest is not."""
        for report in parse_rtcp(raw) or ():
            if isinstance(report, SenderReport):
                self._live.sender_report(track, report.ssrc, report.ntp, report.timestamp)

    def tick(self, now_ns: int) -> None:
        """About four times a second."""
        self._live.tick(now_ns)

    def close(self) -> None:
        """Ends the stream for everybody. Idempotent."""
        if self._is_closed:
            return
        self._is_closed = True
        if self._aac is not None:
            self._aac.close()
        self.hub.close()

    # ---- to the viewers

    @property
    def has_picture(self) -> bool:
        """Whether pictures come, and the first of them have been cut."""
        return "video" in self.hub.kinds and self.shelf.lanes["video"].format is not None

    def join(self) -> Viewer:
        """Raises FragmentRefused ``viewers.full``, ``stream.closed``."""
        return self.hub.join()

    def master(self) -> str:
        """The master playlist. Raises FragmentRefused ``stream.absent``."""
        return self.shelf.master(self.hub.kinds)

    async def begun_master(self) -> str:
        """The same once a picture that is awaited has come: players keep to what they found first.

        Raises FragmentRefused ``stream.absent``.
        """
        with suppress(TimeoutError):
            async with asyncio.timeout(BEGIN_S_MAX):
                while self.awaits_picture and not (self.has_picture or self._is_closed):
                    await self.hub.wait()
        return self.master()

    async def playlist(self, name: str) -> str:
        """A media playlist. One that is only beginning is waited for: some players try but once.

        Raises FragmentRefused ``fragment.name``, ``stream.absent``.
        """
        lane = self.shelf.lane(name)
        with suppress(TimeoutError):
            async with asyncio.timeout(BEGIN_S_MAX):
                while self._is_coming(name) and not lane.is_long_enough:
                    await self.hub.wait()
        return lane.playlist(self._is_closed)

    def _is_coming(self, name: str) -> bool:
        source = "audio" if name == "aac" else name
        return not self._is_closed and source in self.hub.kinds

    # ---- between the parts

    def _on_fragment(self, found: Fragment) -> None:
        if found.generation != self._generation:
            self._generation = found.generation
            self.shelf.break_here()
        self._utc_ahead_ms = found.utc_ms - found.time_ms
        if found.init.format.kind == "video":
            self.shelf.add("video", found.init.format, found.cut, found.utc_ms)

    def _on_sound(self, time: int, packet: bytes) -> None:
        self._heard.append((time, packet))
        if self._aac is not None:
            self._aac.push(time, packet)

    def _begin_aac(self) -> None:
        if self._aac is None and not self._is_closed:
            self._aac = AacThread(lambda form, cut: self._post(lambda: self._shelve(form, cut)))
            for time, packet in self._heard:
                self._aac.push(time, packet)

    def _shelve(self, form: StreamFormat, cut: Cut) -> None:
        time_ms = cut.time * 1000 // form.timescale
        self.shelf.add("aac", form, cut, time_ms + self._utc_ahead_ms)
        self.hub.wake()
