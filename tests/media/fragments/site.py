"""A small site with one room, fed from a trace in real time; for browsers and raw clients."""

import asyncio
import itertools
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, replace
from pathlib import Path

from aiohttp import web

from media.fragments.room import RoomStream
from server.http.fragments import FRAGMENTS, FragmentDoor, hls, live
from tests.media.recording.traces import H264, OPUS, Sent, publish

PAGE = Path(__file__).with_name("watch.html")
STEP_S = 0.02
TICK_EVERY = 10


@dataclass
class Site:
    """``allowed``: whether anybody may watch; ``began_ms``: UTC of the first packet's time 0."""

    room: RoomStream
    port: int = 0
    allowed: bool = True
    began_ms: int = 0

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"


def looped(seconds: int, times: int) -> list[Sent]:
    """A trace again and again, with numbers and times that go on as one publisher's do."""
    once = publish(seconds, reports=False)
    counts = {
        track: len({one.raw for one in once if one.track == track}) for track in ("cam", "mic")
    }
    clocks = {"cam": 90_000, "mic": 48_000}

    def moved(one: Sent, round_: int) -> Sent:
        seq = int.from_bytes(one.raw[2:4], "big") + round_ * counts[one.track]
        ticks = int.from_bytes(one.raw[4:8], "big") + round_ * seconds * clocks[one.track]
        raw = (
            one.raw[:2] + (seq & 0xFFFF).to_bytes(2, "big")
            + (ticks & 0xFFFFFFFF).to_bytes(4, "big") + one.raw[8:]
        )  # fmt: skip
        return replace(one, at_ns=one.at_ns + round_ * seconds * 10**9, raw=raw)

    return [moved(one, round_) for round_ in range(times) for one in once]


async def play(site: Site, sent: list[Sent], past_s: float) -> None:
    """Feeds the room at the pace of the trace; what was ``past_s`` ago at once."""
    began_ns = time.monotonic_ns() - int(past_s * 1e9)
    site.began_ms = (time.time_ns() - int(past_s * 1e9)) // 1_000_000
    room = site.room
    groups = itertools.groupby(sent, key=lambda one: one.at_ns // int(STEP_S * 1e9))
    for count, (_, group) in enumerate(groups):
        batch = list(group)
        ahead = (began_ns + batch[-1].at_ns - time.monotonic_ns()) / 1e9
        await asyncio.sleep(max(ahead, 0))
        for one in batch:
            utc_ms = site.began_ms + one.at_ns // 1_000_000
            room.packets(one.track, [(began_ns + one.at_ns, one.raw)], utc_ms)
        if count % TICK_EVERY == 0:
            room.tick(began_ns + batch[-1].at_ns)


async def watch_page(request: web.Request) -> web.StreamResponse:
    return web.FileResponse(PAGE)


@asynccontextmanager
async def running(sent: list[Sent] | None = None, past_s: float = 0) -> AsyncIterator[Site]:
    """A site whose room is fed from ``sent``."""
    room = RoomStream(lambda track: None, asyncio.get_running_loop().call_soon_threadsafe)
    room.show("video", "cam", H264)
    room.show("audio", "mic", OPUS)
    async with serving(room) as site:
        feeding = asyncio.create_task(play(site, sent or [], past_s))
        try:
            yield site
        finally:
            feeding.cancel()
            with suppress(asyncio.CancelledError):
                await feeding


@asynccontextmanager
async def serving(room: RoomStream) -> AsyncIterator[Site]:
    """A site with this room; closes it."""
    site = Site(room)
    app = web.Application(client_max_size=1)
    origins: set[str] = set()
    app[FRAGMENTS] = FragmentDoor(
        lambda name, of: room if name == "room" and not of else None,
        lambda request: (lambda: site.allowed) if site.allowed else None,
        lambda request: request.remote or "",
        origins,  # known once it listens
    )
    app.router.add_get("/media/{room}/live", live)
    app.router.add_get("/media/{room}/hls/{name}", hls)
    app.router.add_get("/watch", watch_page)
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.5)
    await runner.setup()
    listener = web.TCPSite(runner, "127.0.0.1", 0)
    await listener.start()
    site.port = runner.addresses[0][1]
    origins.add(site.url)
    try:
        yield site
    finally:
        room.close()
        await runner.cleanup()
