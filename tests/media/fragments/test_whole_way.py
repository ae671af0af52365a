"""The whole way: Chromium publishes by WebRTC, another watches the fragments, all is recorded.

What stands in the recording is what Chromium's encoder put out, frame by frame, by their hashes.
"""

import asyncio
import hashlib
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import av
import pytest
from playwright.async_api import BrowserContext

from media.fragments.room import RoomStream
from media.grants import Label
from media.recording.playable import make_playable
from media.recording.recorder import Recorder
from media.recording.records import Kind
from media.recording.segments import SegmentClosed, TrackFormat, track_records
from media.recording.session import RecordingSession
from media.recording.tapping import TrackTap
from media.rooms import MediaEvent, TrackOpened
from tests.media.fragments.site import serving
from tests.media.sfu_lab import Hall
from tests.media.sfu_lab import running as running_hall
from tests.media.test_sfu_in_browser import a_page, browser, publish

__all__ = ["browser"]
pytestmark = [pytest.mark.browser, pytest.mark.alone]
NAMES = {Label.CAMERA: "cam", Label.MICROPHONE: "mic"}
ALONE = {"width": 320, "height": 240, "simulcast": False}
WATCH_S = 4
TICK_S = 0.25


def utc_ms() -> int:
    return time.time_ns() // 1_000_000


class Tapped:
    """A hall whose room is recorded and cut from its first packet, as the server will do it."""

    def __init__(self, hall: Hall, root: Path) -> None:
        self.hall, self.events = hall, list[Any]()
        self.numbers: dict[str, int] = {}
        self.taps: list[TrackTap] = []
        self.recorder = Recorder(root, self.events.append)
        self.session = RecordingSession(self.recorder, "room")
        self.room = RoomStream(self.ask, asyncio.get_running_loop().call_soon_threadsafe)

    def ask(self, name: str) -> None:
        self.hall.sfu.ask_keyframe(self.numbers[name])

    def heard(self, event: MediaEvent) -> None:
        if isinstance(event, TrackOpened):
            self.opened(event)

    def opened(self, event: TrackOpened) -> None:
        name = NAMES[event.label]
        terms = self.hall.sfu._track(event.track)[1].terms
        form = TrackFormat(terms.codec, 48_000 if name == "mic" else 90_000, terms.pt)
        self.numbers[f"{name}-0"] = event.track
        tap = TrackTap(name, form, lambda at_ns: utc_ms(), recording=self.session, stream=self.room)
        self.taps.append(tap)
        self.hall.sfu.tap(event.track, tap)
        self.room.show(form.kind, f"{name}-0", form)

    async def tick(self) -> None:
        while True:
            await asyncio.sleep(TICK_S)
            self.room.tick(time.monotonic_ns())


@asynccontextmanager
async def tapped(root: Path) -> AsyncIterator[Tapped]:
    async with running_hall() as hall:
        found = Tapped(hall, root)
        hall.listeners.append(found.heard)
        ticking = asyncio.create_task(found.tick())
        try:
            yield found
        finally:
            ticking.cancel()
            found.recorder.close()


def hashes(path: Path, kind: str) -> list[str]:
    """Of every frame in the file, as the page hashes them: H.264 with start codes."""
    with av.open(str(path)) as container:
        stream = next(one for one in container.streams if one.type == kind)
        packets = [bytes(packet) for packet in container.demux(stream) if packet.size]
    if kind == "video":
        packets = [annexb(packet) for packet in packets]
    return [hashlib.sha256(packet).digest()[:8].hex() for packet in packets]


def annexb(data: bytes) -> bytes:
    out, offset = b"", 0
    while offset < len(data):
        size = int.from_bytes(data[offset : offset + 4], "big")
        out += b"\0\0\0\1" + data[offset + 4 : offset + 4 + size]
        offset += 4 + size
    return out


async def test_what_a_browser_publishes_is_watched_by_fragments_and_recorded(
    browser: BrowserContext, tmp_path: Path
) -> None:
    async with tapped(tmp_path) as hall, serving(hall.room) as site:
        host = await a_page(browser)
        await publish(hall.hall, host, **ALONE)
        viewer = await browser.new_page()
        await viewer.goto(f"{site.url}/watch")
        await viewer.wait_for_function("look().frames > 10 && look().sound > 0", timeout=45_000)
        before = await viewer.evaluate("look()")
        await asyncio.sleep(WATCH_S)
        found = await viewer.evaluate("look()")
        print("seconds behind, as the page tells:", found["latency"])
        assert found["errors"] == []
        assert found["time"] - before["time"] > WATCH_S * 0.7
        assert found["latency"] < 3
        sent = await host.evaluate("() => seen.host")
        for tap in hall.taps:
            tap.end()
        hall.recorder.close()
        check_recording(hall, tmp_path, sent)


def check_recording(hall: Tapped, root: Path, sent: dict[str, list[str]]) -> None:
    sealed = [event for event in hall.events if isinstance(event, SegmentClosed)]
    for name in hall.numbers:
        records = list(track_records(root / "room" / name))
        assert any(record.kind is Kind.SENDER_REPORT for record in records)
        packets = sum(record.kind is Kind.RTP for record in records)
        assert packets == sum(one.packets for one in sealed if one.track == name)
    out = root / "out.mkv"
    made = make_playable(root / "room", out, list(hall.numbers))
    for name, counters in made.counters.items():
        assert counters.lost == counters.malformed == counters.frames_dropped == 0, name
    for kind in ("video", "audio"):
        stored = hashes(out, kind)
        assert len(stored) > 50
        known = set(sent[kind])
        # What was published after the page was asked is not among what it told.
        assert set(stored[:-20]) <= known, kind
    with av.open(str(out)) as container:
        assert sum(1 for _ in container.decode(video=0)) > 50
