"""Three venues of three publishers and twenty viewers, recorded; Chromium comes last (负载).

The media process as shipped, in a process of its own. Publishers replay recorded H.264 and Opus
through real ICE, DTLS and SRTP, viewers count what reaches them. A minute here, ten by ``make
soak``.
"""

import asyncio
import os
import shutil
import subprocess
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from itertools import pairwise
from pathlib import Path
from typing import Any

import av
import pytest
from playwright.async_api import Page

from loadtests.machine import rss_bytes
from loadtests.video_peer import AUDIO_PT, VIDEO_PT, ThinPeer
from loadtests.video_process import MediaProcess, udp_sockets
from loadtests.video_trace import H264_HZ, OPUS_HZ, Due, recorded, replay
from media.recording.catalogue import read_catalogue
from media.recording.playable import make_playable
from media.recording.records import Kind
from media.recording.segments import check_chain, track_records
from tests.media.test_sfu_in_browser import a_page, browser

__all__ = ["browser"]
pytestmark = [pytest.mark.alone, pytest.mark.browser, pytest.mark.slow]

ROOM, RECORDING = "evaluation:load", "evaluation-load"
VENUES, PUBLISHERS, VIEWERS = 3, 3, 20
IS_SOAK = "KAIBIAO_SOAK" in os.environ
SECONDS = 600 if IS_SOAK else 60
WARM_S = SECONDS // 4  # before memory is looked at
GROWTH_BYTES_MAX = 24 << 20
REPORT_S = 1.0
TURN_S = 0.01
PATIENCE_S = 30
FREEZE_S_MAX = 1.0
FFPROBE = (
    "ffprobe -v error -count_packets -show_entries stream=codec_name,nb_read_packets -of csv=p=0"
)
# Every picture of a viewer: how many frames it has shown, and how long it stood still in all.
PICTURES = """async () => {
  const found = [];
  (await connections.viewer.getStats()).forEach((one) => {
    if (one.type === "inbound-rtp" && one.kind === "video")
      found.push([one.ssrc, one.framesDecoded || 0, one.totalFreezesDuration || 0]);
  });
  return found;
}"""


@dataclass
class Seat:
    """One publisher and his replay, somewhere else in the trace than the others."""

    peer: ThinPeer
    begin_ms: int
    packets: Iterator[Due] = field(init=False)
    sent: dict[int, int] = field(default_factory=lambda: {VIDEO_PT: 0, AUDIO_PT: 0})
    _next: Due | None = None
    _reported_s: float = 0.0

    def __post_init__(self) -> None:
        self.packets = replay(recorded(320, 180, 25, 250_000, 8))

    def turn(self, at_s: float) -> None:
        """What is due ``at_s`` after the beginning."""
        until_ms = at_s * 1000 - self.begin_ms
        while (due := self._next or next(self.packets)).at_ms <= until_ms:
            self._next = None
            pt = VIDEO_PT if due.is_video else AUDIO_PT
            self.peer.send(pt, due.seq, due.ticks, due.data, marker=due.marker)
            self.sent[pt] += 1
        self._next = due
        if until_ms > 0 and at_s - self._reported_s >= REPORT_S:
            self._reported_s = at_s
            for pt, hz in ((VIDEO_PT, H264_HZ), (AUDIO_PT, OPUS_HZ)):
                self.peer.report(pt, time.time(), int(until_ms * hz / 1000))


async def speak(seats: list[Seat], until: asyncio.Event) -> float:
    """The longest time, in seconds, in which nobody spoke: a pause of ours, not of what we test."""
    began = newest = time.monotonic()
    longest = 0.0
    while not until.is_set():
        for seat in seats:
            seat.turn(time.monotonic() - began)
        await asyncio.sleep(TURN_S)
        longest, newest = max(longest, time.monotonic() - newest), time.monotonic()
    return longest


class LastViewer:
    """Chromium, which must show every picture and let none stand still."""

    def __init__(self, page: Page) -> None:
        self._page = page
        self._shown: dict[int, tuple[float, int]] = {}  # of an SSRC: since when, how many frames
        self.still_s = 0.0
        self.frozen_s = 0.0

    async def join(self, process: MediaProcess) -> None:
        offer = await process.offer("chromium")
        await process.answer(
            "chromium", await self._page.evaluate("(sdp) => watch('viewer', sdp)", offer)
        )
        async with asyncio.timeout(PATIENCE_S):
            while len(await self.look()) < VENUES * PUBLISHERS:  # noqa: ASYNC110
                await asyncio.sleep(0.2)
        self.still_s = 0.0

    async def look(self) -> list[int]:
        """The SSRCs that have shown something; notes how long each has stood still."""
        now = time.monotonic()
        for ssrc, frames, frozen_s in await self._page.evaluate(PICTURES):
            since, before = self._shown.get(ssrc, (now, 0))
            if frames > before:
                self._shown[ssrc] = (now, frames)
            else:
                self.still_s = max(self.still_s, now - since)
            self.frozen_s = max(self.frozen_s, frozen_s)
        return [ssrc for ssrc, (_, frames) in self._shown.items() if frames]


@pytest.fixture
async def people() -> AsyncIterator[AsyncExitStack]:
    async with AsyncExitStack() as stack:
        yield stack


async def come(people: AsyncExitStack, name: str, *, is_careful: bool = False) -> ThinPeer:
    peer = ThinPeer(name, is_careful=is_careful)
    people.push_async_callback(peer.close)
    return peer


async def test_nine_publish_twenty_watch_and_nothing_is_lost(
    browser: Any, tmp_path: Path, people: AsyncExitStack
) -> None:
    async with MediaProcess(ROOM, tmp_path) as process:
        seats: list[Seat] = []
        for number in range(VENUES * PUBLISHERS):
            name = f"venue{number // PUBLISHERS}seat{number % PUBLISHERS}"
            seats.append(Seat(await come(people, name), number * 90))
            await process.publish(seats[-1].peer)
        viewers = [
            await come(people, f"viewer{number}", is_careful=number % 10 == 0)
            for number in range(VIEWERS)
        ]
        for viewer in viewers:
            await process.watch(viewer)

        silence = asyncio.Event()
        speaking = asyncio.create_task(speak(seats, silence))
        last = LastViewer(await a_page(browser))
        await last.join(process)
        began, warm = time.monotonic(), 0
        while (now := time.monotonic() - began) < SECONDS:
            await last.look()
            if not warm and now >= WARM_S:
                warm = rss_bytes(process.pid)
            await asyncio.sleep(0.25)
        grown = rss_bytes(process.pid) - warm
        silence.set()
        pause_s = await speaking

        sent = sum(sum(seat.sent.values()) for seat in seats)
        await process.received(sent)
        assert udp_sockets(process.pid) == 1
        assert last.still_s < FREEZE_S_MAX + pause_s
        assert last.frozen_s < FREEZE_S_MAX + pause_s
        assert grown < GROWTH_BYTES_MAX
        counts = process.counts
        assert counts["refused"] == 0
        await process.end()
    everybody_got_everything(viewers, sent)
    the_recording_is_whole(tmp_path / RECORDING, seats)
    plays(tmp_path / RECORDING, tmp_path / "seat.mkv", seats[0])


def everybody_got_everything(viewers: list[ThinPeer], sent: int) -> None:
    for viewer in viewers:
        assert len(viewer.got) == 2 * VENUES * PUBLISHERS
        assert viewer.packets == sent
        assert viewer.unreadable == 0
        for seqs in viewer.seqs.values():
            assert all((b - a) & 0xFFFF == 1 for a, b in pairwise(seqs))


def the_recording_is_whole(folder: Path, seats: list[Seat]) -> None:
    """As many packets of every track as its publisher has sent."""
    due = {
        (seat.peer.name, label): seat.sent[pt]
        for seat in seats
        for label, pt in (("camera", VIDEO_PT), ("microphone", AUDIO_PT))
    }
    found: dict[tuple[str, str], int] = {}
    for info in read_catalogue(folder):
        assert check_chain(folder / info.track) == "whole"
        records = track_records(folder / info.track)
        found[info.member, info.label] = sum(one.kind is Kind.RTP for one in records)
    assert found == due


def plays(folder: Path, out: Path, seat: Seat) -> None:
    """By ffprobe where it is installed, else by the library under it."""
    tracks = [one.track for one in read_catalogue(folder) if one.member == seat.peer.name]
    make_playable(folder, out, tracks)
    if shutil.which("ffprobe"):
        done = subprocess.run([*FFPROBE.split(), str(out)], capture_output=True, check=True)
        streams = dict(line.split(",")[:2] for line in done.stdout.decode().splitlines())
        assert streams.keys() == {"h264", "opus"}
        assert int(streams["opus"]) >= 0.95 * seat.sent[AUDIO_PT]
    with av.open(str(out)) as container:
        pictures = sum(1 for _ in container.decode(video=0))
    assert pictures >= 0.95 * SECONDS * 25
