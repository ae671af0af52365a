"""A camera of a hall, fetched by RTSP into the forwarding unit for as long as it is wanted (机位).

    camera = RtspCamera(sfu, CameraLine("opening:x", "hall-1", "rtsp://..."), tell)
    camera.start()
    await camera.close()

It is the member ``camera:<name>`` of its room. Its tracks stay while it is away, so that whoever
watches goes on when it is back; that it is away is told at once (`TrackFlowing`, `CameraChanged`).

Invariant: a camera that fails is tried again, ever more seldom, and costs nobody else anything.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final, NoReturn

from crypto.keys import random_bytes
from media.camera_line import CameraLine
from media.codecs import Codec
from media.engine import ROOM_PT, TrackTerms
from media.errors import CameraFailed, MediaRefused
from media.grants import Grants, Label
from media.packets import parse_rtp
from media.peer import Feed
from media.rtcp import Goodbye, SenderReport, parse_rtcp, source_name
from media.rtsp import connected
from media.rtsp_login import CameraUrl, parse_url
from media.rtsp_sdp import CameraOffer, CameraTrack
from media.rtsp_shaping import Numbers, PictureShaper, SoundShaper
from media.sfu import Sfu
from media.udp_port import now_us

log = logging.getLogger(__name__)
AGAIN_S: Final = 1.0
AGAIN_S_MAX: Final = 30.0
STEADY_S: Final = 30  # who has played for so long is tried again at once
RTP_BYTES_MAX: Final = 0xFFFF  # what interleaving can carry
LABELS: Final = {Codec.H264: Label.CAMERA, Codec.OPUS: Label.MICROPHONE}
GRANTS: Final = Grants(publish=frozenset(LABELS.values()))


@dataclass(frozen=True, slots=True)
class CameraChanged:
    """``why`` is a code of `media.errors`, empty where it plays; then ``again_s`` is 0.

    ``notice``: what of the camera is not shown, or not well.
    """

    room: str
    member: str
    playing: bool
    why: str = ""
    again_s: float = 0
    notice: str = ""


class RtspCamera:
    """CameraFailed camera.url where the line's URL is none."""

    def __init__(
        self, sfu: Sfu, line: CameraLine, tell: Callable[[CameraChanged], None] = lambda told: None
    ) -> None:
        self.line = line
        self._url: CameraUrl = parse_url(line.url)
        self._sfu = sfu
        self._tell = tell
        self._feed: Feed | None = None
        self._kinds: tuple[Codec, ...] = ()
        self._task: asyncio.Task[None] | None = None

    def start(self) -> None:
        assert self._task is None
        self._task = asyncio.ensure_future(self._forever())

    async def close(self) -> None:
        """With its tracks and its place in the room."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)
        if self._feed is not None:
            self._feed.end()
        self._sfu.dismiss(self.line.room, self.line.member)

    async def _forever(self) -> None:
        again_s = AGAIN_S
        while True:
            began = time.monotonic()
            try:
                await self._play()
            except CameraFailed as failed:
                why, detail = failed.code, failed.detail
            except MediaRefused as refused:
                why, detail = refused.code, refused.detail
            except Exception:
                log.exception("camera %s: we were wrong about it", self.line.name)
                why, detail = "camera.malformed", ""
            if time.monotonic() - began > STEADY_S:
                again_s = AGAIN_S
            log.warning("camera %s: %s %s; again in %g s", self.line.name, why, detail, again_s)
            self._changed(playing=False, why=why, again_s=again_s)
            await asyncio.sleep(again_s)
            again_s = min(2 * again_s, AGAIN_S_MAX)

    def _changed(self, **more: bool | str | float) -> None:
        room, member = self.line.room, self.line.member
        self._tell(CameraChanged(room, member, **more))  # pyright: ignore[reportArgumentType]

    async def _play(self) -> NoReturn:
        """One session, from the connection to its failure."""
        async with connected(self._url) as session:
            offer = await session.describe()
            feed = self._feed_for(offer)
            playing = _Playing(offer, feed, self._notice)
            try:
                await session.play(offer, playing.take)
                if offer.ignored:
                    log.info("camera %s: not taken: %s", self.line.name, ", ".join(offer.ignored))
                self._changed(playing=True, notice=", ".join(offer.ignored))
                await session.until_over()
            finally:
                playing.end()
        raise AssertionError("a session ends by failing")

    def _notice(self, what: str) -> None:
        log.warning("camera %s: %s", self.line.name, what)
        self._changed(playing=True, notice=what)

    def _feed_for(self, offer: CameraOffer) -> Feed:
        """The feed that is there, if it still has the same tracks; else a new one."""
        kinds = tuple(track.codec for track in offer.tracks)
        feed = self._feed
        if feed is None or not feed.is_connected or kinds != self._kinds:
            self._sfu.admit(self.line.room, self.line.member, GRANTS)
            wanted = {
                LABELS[codec]: TrackTerms(codec, codec.value, ROOM_PT[codec]) for codec in kinds
            }
            feed = self._sfu.feed(self.line.room, self.line.member, wanted)
            self._feed, self._kinds = feed, kinds
        return feed


class _Playing:
    """From one session's packets to the feed."""

    def __init__(self, offer: CameraOffer, feed: Feed, notice: Callable[[str], None]) -> None:
        self._feed = feed
        self._notice = notice
        self._noticed = False
        self._pts = [track.pt for track in offer.tracks]
        self._shapers = [_shaper(track) for track in offer.tracks]

    def take(self, packets: Sequence[tuple[int, bool, bytes]]) -> None:
        if not self._feed.is_connected:
            raise CameraFailed("camera.replaced")
        shaped: list[bytes] = []
        for track, is_rtcp, raw in packets:
            shaper = self._shapers[track]
            if is_rtcp:
                if shaper.numbers.has_begun:
                    shaped += _sender_times(raw, shaper.numbers.ssrc)
                continue
            view = parse_rtp(raw, RTP_BYTES_MAX)
            if view is not None and view.pt == self._pts[track]:
                shaped += shaper.shape(view)
        if shaped:
            self._feed.send(shaped, now_us())
        if not self._noticed and any(one.is_reordered for one in self._shapers):
            self._noticed = True
            self._notice("B frames: browsers show them jerking; turn them off in the camera")

    def end(self) -> None:
        """That no more will come of these is told, not found out."""
        begun = [one.numbers.ssrc for one in self._shapers if one.numbers.has_begun]
        gone = [source_name(ssrc, b"camera") + bytes(Goodbye((ssrc,))) for ssrc in begun]
        self._feed.send(gone, now_us())


def _shaper(track: CameraTrack) -> PictureShaper | SoundShaper:
    ssrc = int.from_bytes(random_bytes(4), "big")
    seq = int.from_bytes(random_bytes(2), "big")
    numbers = Numbers(ssrc, ROOM_PT[track.codec], seq)
    if track.codec is Codec.H264:
        return PictureShaper(numbers, track.parameters)
    return SoundShaper(numbers)


def _sender_times(compound: bytes, ssrc: int) -> list[bytes]:
    """The camera's clock, under our sender's number."""
    return [
        bytes(SenderReport(ssrc, one.ntp, one.timestamp, one.packets, one.octets))
        for one in parse_rtcp(compound) or ()
        if isinstance(one, SenderReport)
    ]
