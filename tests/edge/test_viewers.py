"""An edge's parts behind a real signaling server: what a viewer hears over its socket."""

import asyncio
from contextlib import asynccontextmanager

import pytest

from server.edge.gateway import EdgeGateway
from signaling.client import Client
from signaling.options import Options
from signaling.outbox import CommandRefused
from signaling.server import serve
from tests.edge.test_feed import ROOM, Site


class Viewer:
    """A client that keeps what it hears."""

    def __init__(self, port):
        self.heard = []
        self.changed = asyncio.Event()
        self.client = Client(f"ws://127.0.0.1:{port}/ws", clock_samples=0)
        self.feed = self.client.subscribe(ROOM, "hall", self._hear)

    def _hear(self, event):
        self.heard.append((event.epoch, event.seq))
        self.changed.set()

    async def until(self, wanted):
        async with asyncio.timeout(60):
            while self.heard[-len(wanted) :] != wanted:
                self.changed.clear()
                await self.changed.wait()


@asynccontextmanager
async def an_edge(count):
    site = Site(count)
    gateway = EdgeGateway(site.owner, site.positions, site.feed)
    options = Options(origins=(None,))
    site.server = await serve("127.0.0.1", 0, gateway, options, broker=site.feed)
    try:
        yield site
    finally:
        await site.server.close(spread_ms=0)
        assert site.bus.is_closed


def seqs(first, last, epoch=1):
    return [(epoch, seq) for seq in range(first, last + 1)]


async def test_what_the_bus_skips_comes_from_the_journal_in_its_place():
    async with an_edge(3) as site:
        viewer = Viewer(site.server.port)
        async with viewer.client:
            await viewer.until(seqs(1, 3))
            site.owner.count = 9
            site.bus.bring(1, 4)
            site.bus.bring(1, 9)
            await viewer.until(seqs(1, 9))
        assert viewer.heard == seqs(1, 9)


async def test_a_lost_end_comes_without_anything_after_it():
    async with an_edge(3) as site:
        viewer = Viewer(site.server.port)
        async with viewer.client:
            await viewer.until(seqs(1, 3))
            site.owner.count = 600
            await site.look()
            await site.look()
            await viewer.until(seqs(1, 600))


async def test_a_history_restored_from_a_backup_is_heard_from_its_beginning():
    async with an_edge(5) as site:
        viewer = Viewer(site.server.port)
        async with viewer.client:
            await viewer.until(seqs(1, 5))
            site.owner.epoch, site.owner.count = 2, 3
            await site.look()
            await site.look()
            await viewer.until(seqs(1, 3, epoch=2))
            site.bus.bring(1, 6)  # a late word of the old history
            site.owner.count = 4
            site.bus.bring(2, 4)
            await viewer.until(seqs(1, 4, epoch=2))
            late = Viewer(site.server.port)
            async with late.client:
                await late.until(seqs(1, 4, epoch=2))
        assert viewer.heard == seqs(1, 5) + seqs(1, 4, epoch=2)


async def test_a_room_that_is_not_known_and_a_command_are_refused():
    async with an_edge(1) as site:
        viewer = Viewer(site.server.port)
        async with viewer.client:
            await viewer.until(seqs(1, 1))
            other = viewer.client.subscribe("opening:other", "hall")
            staff = viewer.client.subscribe(ROOM, "staff")
            async with asyncio.timeout(60):
                for feed in (other, staff):
                    assert [event async for event in feed] == []
            assert (other.refused, staff.refused) == ("room.unknown", "channel.not_yours")
            with pytest.raises(CommandRefused) as refused:
                await viewer.client.command(ROOM, "card_unlock", {}, cmd_id="12345678")
            assert refused.value.code == "edge.viewers_only"
