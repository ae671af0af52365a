"""A forwarding unit on loopback, with aiortc's own peer connections around it.

They are the independent second implementation: full ICE, DTLS as client, their own RTP stack, H.264
and Opus encoded and decoded for real.
"""

import asyncio
import fractions
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

import aioice.ice
import aiortc.mediastreams
import av
import numpy
import pytest
from aiortc import (
    AudioStreamTrack,
    RTCConfiguration,
    RTCPeerConnection,
    RTCRtpSender,
    RTCSessionDescription,
    VideoStreamTrack,
)

from media.grants import Grants, Label
from media.python_engine import PythonEngine
from media.rooms import MediaEvent, SfuOptions
from media.sfu import Sfu

ROOM = "opening:test"
HOST = Grants(publish=frozenset(Label), watch=True, mute=True)
VIEWER = Grants(watch=True)
PATIENCE_S = 30


@pytest.fixture
def on_loopback(monkeypatch: pytest.MonkeyPatch) -> None:
    """aioice leaves loopback out when it gathers; nothing here needs a network."""
    monkeypatch.setattr(aioice.ice, "get_host_addresses", lambda use_ipv4, use_ipv6: ["127.0.0.1"])


class Hall:
    """The unit under test and what it has told; ``listeners`` hear it at once."""

    def __init__(self, make_engine: Any = PythonEngine, **options: Any) -> None:
        self.events: list[MediaEvent] = []
        self.listeners: list[Callable[[MediaEvent], None]] = []
        self._told = asyncio.Event()
        self.sfu = Sfu(SfuOptions(**options), self._tell, make_engine)

    def _tell(self, event: MediaEvent) -> None:
        self.events.append(event)
        self._told.set()
        for listener in self.listeners:
            listener(event)

    def told(self, kind: type) -> list[Any]:
        return [event for event in self.events if isinstance(event, kind)]

    async def until(self, kind: type, fits: Callable[[Any], bool] = lambda event: True) -> Any:
        """The first event of this kind that fits, whenever it comes."""
        async with asyncio.timeout(PATIENCE_S):
            while True:
                for event in self.told(kind):
                    if fits(event):
                        return event
                self._told.clear()
                await self._told.wait()

    async def received(self, packets: int) -> None:
        """The engine has received so many packets."""
        async with asyncio.timeout(PATIENCE_S):
            while self.sfu.counters().received < packets:  # noqa: ASYNC110 - nobody tells
                await asyncio.sleep(0.02)


@asynccontextmanager
async def running(**options: Any) -> AsyncIterator[Hall]:
    hall = Hall(**options)
    await hall.sfu.open()
    try:
        yield hall
    finally:
        await hall.sfu.close()


class Tone(AudioStreamTrack):
    """A loud 440 Hz."""

    async def recv(self) -> av.AudioFrame:
        silent: Any = await super().recv()
        start = silent.pts or 0
        at = numpy.arange(start, start + silent.samples) / silent.sample_rate
        wave = (numpy.sin(at * 440 * 2 * numpy.pi) * 20_000).astype(numpy.int16)
        frame = av.AudioFrame.from_ndarray(wave.reshape(1, -1), format="s16", layout="mono")
        frame.pts, frame.sample_rate = silent.pts, silent.sample_rate
        frame.time_base = fractions.Fraction(1, silent.sample_rate)
        return frame


class Pictures(VideoStreamTrack):
    """A grey that changes, small enough to encode beside everything else."""

    async def recv(self) -> av.VideoFrame:
        pts, time_base = await self.next_timestamp()
        shade = (pts // 3000) % 200 + 20
        grey = numpy.full((240, 320, 3), shade, numpy.uint8)
        frame = av.VideoFrame.from_ndarray(grey, format="bgr24")
        frame.pts, frame.time_base = pts, time_base
        return frame


def connection() -> RTCPeerConnection:
    return RTCPeerConnection(RTCConfiguration(iceServers=[]))


async def publish(
    hall: Hall, member: str = "host", *, video: bool = True, codec: str = "video/H264"
) -> RTCPeerConnection:
    """aiortc publishes a tone, and pictures."""
    pc = connection()
    pc.addTrack(Tone())
    labels = [Label.MICROPHONE]
    if video:
        sender = pc.addTrack(Pictures())
        (transceiver,) = [one for one in pc.getTransceivers() if one.sender is sender]
        codecs = RTCRtpSender.getCapabilities("video").codecs
        transceiver.setCodecPreferences(
            [one for one in codecs if one.mimeType in (codec, "video/rtx")]
        )
        labels.append(Label.CAMERA)
    await pc.setLocalDescription(await pc.createOffer())
    mids = [str(one.mid) for one in pc.getTransceivers()]
    answer = await hall.sfu.publish(
        ROOM, member, pc.localDescription.sdp, dict(zip(mids, labels, strict=True))
    )
    await pc.setRemoteDescription(RTCSessionDescription(answer, "answer"))
    return pc


class Viewer:
    """aiortc watches: every track it gets is decoded and counted."""

    def __init__(self, hall: Hall, member: str) -> None:
        self.hall, self.member = hall, member
        self.pc = connection()
        self.frames: dict[str, int] = {"audio": 0, "video": 0}
        self.loudest = 0
        self._came = asyncio.Event()
        self._tasks: list[asyncio.Task[None]] = []
        self.pc.on("track", self._track)

    def _track(self, track: Any) -> None:
        self._tasks.append(asyncio.ensure_future(self._receive(track)))

    async def _receive(self, track: Any) -> None:
        try:
            while True:
                frame = await track.recv()
                self.frames[track.kind] += 1
                if track.kind == "audio":
                    self.loudest = max(self.loudest, int(numpy.abs(frame.to_ndarray()).max()))
                self._came.set()
        except aiortc.mediastreams.MediaStreamError:
            return

    async def watch(self, wanted: dict[int, int]) -> None:
        offer = await self.hall.sfu.watch(ROOM, self.member, wanted)
        if offer is not None:
            await self.pc.setRemoteDescription(RTCSessionDescription(offer, "offer"))
            await self.pc.setLocalDescription(await self.pc.createAnswer())
            self.hall.sfu.answer(ROOM, self.member, self.pc.localDescription.sdp)

    async def until(self, **frames: int) -> None:
        """So many frames of each kind have been decoded."""
        async with asyncio.timeout(PATIENCE_S):
            while any(self.frames[kind] < count for kind, count in frames.items()):
                self._came.clear()
                await self._came.wait()

    async def close(self) -> None:
        await self.pc.close()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
