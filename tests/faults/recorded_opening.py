"""A whole opening on disks whose power can be cut: what was written, and who had been told what.

Server and people run in this process; only the VFS and two ears are not the production's: one
hears every answer a room gives, one every event it publishes. What they heard stands as a mark
among the writes, at its place.
"""

import asyncio
from collections.abc import Iterator
from contextlib import AsyncExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from server import app
from server.app import running
from server.config import Config, Limits, Listen, Site
from server.config import Journal as JournalConfig
from server.demo.auto import publish
from server.demo.world import World
from server.rooms.hall import Hall
from server.rooms.room import Room
from server.storage import journal as journal_module
from server.storage import wal_keeper
from server.storage.journal import Journal
from tests.faults.hall_process import LOG_ORIGIN
from tests.faults.power_cut import Op, Recorder
from tests.faults.site_process import ROOM, plan_of
from tests.faults.steady_people import Act, Steady, SteadyBidder, SteadyHost, SteadyTrustee

OPENING = f"opening:{ROOM}"
BIDDERS = 3
DEADLINE_MS = 3_500


@dataclass(frozen=True)
class Answered:
    """A room has answered yes."""

    stream: str
    person: str
    cmd_id: str


@dataclass(frozen=True)
class Told:
    """An event was published to its channel."""

    stream: str
    audience: str
    seq: int
    hash: bytes


@dataclass
class Recorded:
    """One opening. ``ops`` ends when the power goes for good."""

    data: Path
    ops: list[Op] = field(default_factory=list)
    acts: list[Act] = field(default_factory=list)
    world: World = field(default_factory=lambda: World(bytes(range(32)), BIDDERS))


def config_of(data: Path, synchronous: str = "FULL") -> Config:
    return Config(
        site=Site(data=str(data), log_origin=LOG_ORIGIN),
        listen=Listen(http_port=0, ws_port=0, health_port=0),
        limits=Limits(decrypt_workers=2, requests_per_minute=60_000),
        journal=JournalConfig(synchronous=synchronous),
    )


@contextmanager
def recording(patch: pytest.MonkeyPatch, recorders: dict[Path, Recorder]) -> Iterator[None]:
    """Journals below these data directories are written through their recorders."""

    class Opened:
        @staticmethod
        def open(directory: Path, **options: Any) -> Journal:
            recorder = recorders[directory.parent]
            return Journal.open(directory, vfs=recorder.vfs_name, **options)

    def sync_directory(directory: Path) -> None:
        for data, recorder in recorders.items():
            if directory == data / "journal":
                recorder.sync_directory(directory)

    put, publish_all = Room.put, Hall._publish_all

    def listening_put(self: Room, request: Any) -> None:
        reply, recorder = request.reply, recorders[self._journal.directory.parent]

        def heard(answer: Any) -> None:
            if answer.ok and request.cmd_id:
                recorder.mark(Answered(self.stream, request.actor.person, request.cmd_id))
            reply(answer)

        request.reply = heard
        put(self, request)

    def listening_publish(self: Hall, room: Room, published: Any) -> None:
        recorder = recorders[self.directory]
        for event in published:
            recorder.mark(Told(room.stream, event.audience, event.seq, event.hash))
        publish_all(self, room, published)

    patch.setattr(app, "Journal", Opened)
    patch.setattr(journal_module, "sync_directory", sync_directory)
    patch.setattr(wal_keeper, "WAL_BYTES_MAX", 200 << 10)  # so that it is copied back on the way
    patch.setattr(Room, "put", listening_put)
    patch.setattr(Hall, "_publish_all", listening_publish)
    yield
    patch.undo()


async def play(recorded: Recorded, recorder: Recorder, synchronous: str) -> None:
    """From the publication of a tender to the end of the read-out."""
    async with AsyncExitStack() as stack:
        site = await stack.enter_async_context(running(config_of(recorded.data, synchronous)))
        site.hall.site_log.subscribe(recorder.mark)
        world, base = recorded.world, site.config.site.origin
        await publish(site, world, plan_of(DEADLINE_MS, window_ms=20_000), ROOM)
        host = SteadyHost.of(base, world, ROOM)
        bidders = [SteadyBidder(base, person, ROOM) for person in world.bidders]
        trustees = [SteadyTrustee.of(base, keys, ROOM) for keys in world.trustees[:2]]
        people: list[Steady] = [host, *bidders, *trustees]
        for person in people:
            await stack.enter_async_context(person)
        async with asyncio.timeout(60), asyncio.TaskGroup() as tasks:
            for k, bidder in enumerate(bidders):
                tasks.create_task(_bid(bidder, f"{71_000_000 + k}.00"))
            for trustee in trustees:
                tasks.create_task(_release(trustee))
            tasks.create_task(
                host.keep_open(lambda: all(b.receipt for b in bidders), asyncio.Event())
            )
            tasks.create_task(_preside(host))
        recorded.acts = [act for person in people for act in person.acts]
        # Not an orderly end: the power goes now.
        recorded.ops = list(recorder.ops)


async def _bid(bidder: SteadyBidder, price: str) -> None:
    await bidder.deliver(price)
    await bidder.enter_own()
    await bidder.do("sign_in")
    window = await bidder.until_kind("window_opened")
    await bidder.do("unlock", messages=bidder.unlock_messages(window))


async def _release(trustee: SteadyTrustee) -> None:
    await trustee.read_rules()
    await trustee.enter("staff")
    await trustee.release()


async def _preside(host: SteadyHost) -> None:
    await host.enter("staff")
    await host.until(lambda e: e.kind == "checkpoint_reached" and e.body["of"] == "closing")
    await host.do("start_window", session=1)
    await host.until_kind("replies_ended")
    await host.do("open_all")
    await host.until_kind("prices_read_out")
    await host.do("read_row", no=1)
