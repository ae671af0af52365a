"""Edges in the countdown: Redis killed and emptied, an edge killed, the owner killed. Participants
notice nothing that is not theirs, and every viewer has every event, once and in order.
"""

import asyncio
import time
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from urllib.request import urlopen

import pytest
import redis

from loadtests.edge_process import EdgeProcess, edge_settings
from loadtests.redis_process import RedisProcess
from signaling.client import Client
from signaling.codec import ChannelKey, pack
from signaling.feed import HeardEvent
from signaling.frames import event_payload
from signaling.gateway import Event
from tests.faults.books import open_books
from tests.faults.casts import DEADLINE_MS, OPENING, Cast
from tests.faults.site_process import Nursery, free_place, plan_of

pytestmark = pytest.mark.slow

VIEWERS = 20
ROOMS = 2  # a tender and its opening
COMPLETE_WITHIN_S = 30.0
ANSWER_WITHIN_S = 30.0
STREAM = f"kaibiao:frames:{OPENING}/hall"


class Viewer:
    """An anonymous viewer of the hall, as a page behind a list of edges."""

    def __init__(self, cast: Cast, edges: list[EdgeProcess], first: int) -> None:
        self.heard: list[HeardEvent] = []
        self.changed = asyncio.Event()
        ready = cast.site.ready
        urls = [edge.url for edge in edges[first:] + edges[:first]]
        self.counts: list[dict[str, int]] = []
        self.client = Client(
            f"ws://127.0.0.1:{ready['ws_port']}/ws",
            origin=cast.site.base,
            edges=urls,
            on_presence=self._count,
        )
        self.client._ways._last = self.client._ways._base = 0  # not by chance: from the first
        self.client.subscribe(OPENING, "hall", self._hear)

    def _hear(self, event: HeardEvent) -> None:
        self.heard.append(event)
        self.changed.set()

    def _count(self, _room: str, counts: dict[str, int]) -> None:
        self.counts.append(counts)
        self.changed.set()

    async def until(self, is_so: Callable[[], bool], within_s: float = 60.0) -> None:
        async with asyncio.timeout(within_s):
            while not is_so():
                self.changed.clear()
                await self.changed.wait()

    async def until_kind(self, kind: str, count: int = 1, within_s: float = 60.0) -> None:
        await self.until(lambda: self.count(kind) >= count, within_s)

    def count(self, kind: str) -> int:
        return sum(event.kind == kind for event in self.heard)


@asynccontextmanager
async def viewers_of(cast: Cast, edges: list[EdgeProcess]) -> AsyncIterator[list[Viewer]]:
    """Half of them begin at each edge."""
    async with AsyncExitStack() as stack:
        viewers = [Viewer(cast, edges, number % len(edges)) for number in range(VIEWERS)]
        for viewer in viewers:
            await stack.enter_async_context(viewer.client)
        yield viewers


async def everybody(viewers: list[Viewer], kind: str, count: int = 1, within_s: float = 60) -> None:
    await asyncio.gather(*(viewer.until_kind(kind, count, within_s) for viewer in viewers))


async def answered_soon(cast: Cast, op: str, **arguments: object) -> None:
    """A participant's command is answered as if nothing had happened."""
    began = time.monotonic()
    await cast.host.do(op, **arguments)
    assert time.monotonic() - began < ANSWER_WITHIN_S


def _until_counted(cast: Cast) -> None:
    """The owner's own figures count the viewers of its edges."""
    wanted = f'kaibiao_room_members{{kind="viewer",room="{OPENING}"}} {VIEWERS}.0'
    give_up = time.monotonic() + COMPLETE_WITHIN_S
    while True:
        with urlopen(f"{cast.site.health}/metrics", timeout=COMPLETE_WITHIN_S) as answer:
            if wanted in answer.read().decode():
                return
        assert time.monotonic() < give_up, wanted
        time.sleep(0.1)


def check_books(cast: Cast, viewers: list[Viewer]) -> None:
    """Every viewer heard the whole channel, byte for byte as the journal has it."""
    with open_books(cast.site.data) as books:
        books.check_chains()
        total = len(books.channel(OPENING, "hall"))
        for viewer in viewers:
            assert [event.seq for event in viewer.heard] == list(range(1, total + 1))
            books.check_heard(OPENING, "hall", viewer.heard)


def forged(epoch: int, seq: int) -> dict[bytes, bytes]:
    event = Event(seq, 1_700_000_000_000, "forged", pack({}), bytes(32))
    return {b"ev": event_payload(ChannelKey(OPENING, "hall"), epoch, event)}


@asynccontextmanager
async def with_edges(
    nursery: Nursery, directory: Path
) -> AsyncIterator[tuple[Cast, RedisProcess, EdgeProcess, EdgeProcess]]:
    """A hall with two edges; they were there first, and knew nobody."""
    ready = free_place()
    with (
        RedisProcess() as bus,
        EdgeProcess(bus.url, ready["origin"]) as a,
        EdgeProcess(bus.url, ready["origin"]) as b,
    ):
        for edge in (a, b):
            await asyncio.to_thread(edge.until_not_ready, "owner.unknown")
            with pytest.raises(ConnectionRefusedError):
                await asyncio.open_connection("127.0.0.1", edge.port)
        edges = edge_settings(bus.url, urls=[a.url, b.url])
        # Its deadline is counted from now.
        plan = plan_of(DEADLINE_MS, window_ms=300_000)
        async with Cast(nursery, directory, plan=plan, edges=edges, ready=ready) as cast:
            for edge in (a, b):
                await asyncio.to_thread(edge.until_ready, ROOMS)
            yield cast, bus, a, b


async def test_redis_killed_and_emptied_in_the_countdown(nursery: Nursery, tmp_path: Path):
    async with with_edges(nursery, tmp_path) as (cast, bus, a, b):
        async with viewers_of(cast, [a, b]) as viewers:
            await _kill_redis(cast, bus, viewers, (a, b))
            assert {viewer.client.connects for viewer in viewers} == {1}
            people = [cast.host, *cast.bidders, *cast.trustees]
            assert {p.client.connects for p in people if p.client} == {1}
        await cast.site.terminate()
        check_books(cast, viewers)
        for edge in (a, b):
            assert await asyncio.to_thread(edge.terminate) == (0, "")
        assert cast.site.said() == ""


async def _kill_redis(
    cast: Cast, bus: RedisProcess, viewers: list[Viewer], edges: tuple[EdgeProcess, ...]
) -> None:
    window = await cast.until_window()
    await everybody(viewers, "window_opened")
    none_yet = {"unlocked": 0, "bids": 3}
    await asyncio.gather(*(v.until(lambda v=v: none_yet in v.counts) for v in viewers))
    await asyncio.to_thread(_until_counted, cast)
    bus.kill()
    await answered_soon(cast, "extend", extra_ms=1_000, reason="线路")
    await cast.bidders[0].unlock(window)
    # Not even while it is away do viewers miss anything for long: the owner is asked.
    await everybody(viewers, "window_changed", 1, COMPLETE_WITHIN_S)
    await answered_soon(cast, "extend", extra_ms=1_000, reason="线路")
    bus.start()  # knows nothing any more
    await everybody(viewers, "window_changed", 2, COMPLETE_WITHIN_S)

    epoch, seq = viewers[0].heard[-1][:2]
    with redis.Redis(port=bus.port) as by_hand:
        # An emptied Redis refuses nothing; the edges know better.
        by_hand.delete(STREAM)
        by_hand.xadd(STREAM, forged(epoch - 1, seq + 5), id=f"{epoch - 1}-{seq + 5}")
        by_hand.xadd(STREAM, forged(epoch, seq), id=f"{epoch}-{seq}")
        await answered_soon(cast, "extend", extra_ms=1_000, reason="线路")
        await everybody(viewers, "window_changed", 3, COMPLETE_WITHIN_S)
        # And from now on it refuses by itself what is older.
        for old in (f"{epoch - 1}-{seq + 9}", f"{epoch}-{seq + 1}"):
            with pytest.raises(redis.ResponseError, match="equal or smaller"):
                by_hand.xadd(STREAM, forged(epoch - 1, seq), id=old)
    assert all(viewer.count("forged") == 0 for viewer in viewers)

    for bidder in cast.bidders[1:]:
        await bidder.unlock(window)
    await cast.until_read_out()
    await everybody(viewers, "prices_read_out", 1, COMPLETE_WITHIN_S)
    for edge in edges:
        figures = await asyncio.to_thread(edge.metrics)
        assert figures['kaibiao_edge_events_total{way="redis"}'] > 0
        assert figures['kaibiao_edge_events_total{way="journal"}'] > 0
        assert figures["kaibiao_edge_hears_redis"] == 1


async def test_an_edge_killed_the_owner_killed_and_the_last_edge_stopped(
    nursery: Nursery, tmp_path: Path
):
    async with with_edges(nursery, tmp_path) as (cast, _, a, b):
        start = await cast.host.http.bootstrap()
        assert start["edges"] == [a.url, b.url]
        async with viewers_of(cast, [a, b]) as viewers:
            await _kill_processes(cast, viewers, a, b)
            assert await asyncio.to_thread(b.terminate) == (0, "")
            # No edge is left: everybody is served by the owner, and has missed nothing.
            await cast.host.do("read_row", no=1)
            await everybody(viewers, "row_read")
        await cast.site.terminate()
        check_books(cast, viewers)


async def _kill_processes(
    cast: Cast, viewers: list[Viewer], a: EdgeProcess, b: EdgeProcess
) -> None:
    window = await cast.until_window()
    await everybody(viewers, "window_opened")
    of_a = viewers[::2]
    a.kill()
    began = time.monotonic()
    await cast.host.do("extend", extra_ms=1_000, reason="线路")
    await everybody(viewers, "window_changed", 1, COMPLETE_WITHIN_S)
    assert time.monotonic() - began < COMPLETE_WITHIN_S
    assert {viewer.client.connects for viewer in of_a} == {2}
    assert {viewer.client.connects for viewer in viewers[1::2]} == {1}
    assert {viewer.client._ways._last for viewer in of_a} == {1}

    cast.site.kill()
    await cast.site.ended()
    await cast.site.start()
    # The owner's outage extends the window; to viewers of the edge it is one more event.
    await everybody(viewers, "window_changed", 2)
    assert {viewer.client.connects for viewer in viewers[1::2]} == {1}
    assert await asyncio.to_thread(b.reasons) == []
    for bidder in cast.bidders:
        await bidder.unlock(window)
    await cast.until_read_out()
    await everybody(viewers, "prices_read_out", 1, COMPLETE_WITHIN_S)
