"""A room whose queue is full says so, over a real socket, and loses nothing it has taken."""

import asyncio
from pathlib import Path
from typing import Any

import pytest

from loadtests.openings import Openings, actor_of
from server.domain import commands as cmd
from tests.rooms.test_metrics import BIDDERS, SEED, a_site, open_tender
from tests.signaling.hall import a_raw_client

QUEUE = 4
ROOM = "opening:q-1"


async def test_a_full_queue_asks_to_be_tried_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    async with a_site(tmp_path) as site:
        openings = Openings(site)
        await openings.cast(SEED, BIDDERS)
        await open_tender(openings, "q-1")
        await openings.announced("q-1")
        room = site.hall.find_room(ROOM)
        assert room is not None
        monkeypatch.setattr(room._queue, "_maxsize", QUEUE)  # 8192 would take 257 connections
        host = actor_of(openings.world.host)
        journal, disk = site.hall.journal, asyncio.Event()
        append = journal.append

        async def slow(*given: Any) -> None:
            await disk.wait()
            await append(*given)

        monkeypatch.setattr(journal, "append", lambda item: asyncio.ensure_future(slow(item)))
        starting = asyncio.create_task(openings._ask(ROOM, cmd.StartWindow(session=1), host))
        async with a_raw_client(site.signaling, origin=site.config.site.origin) as client:
            client.say("hello", 1, None, [])
            await client.until(lambda frames: frames and frames[0][0] == "welcome")
            for n in range(1, QUEUE + 2):
                client.say("cmd", n, f"command-{n:04d}", ROOM, "open_all", {})
            await client.until(lambda frames: frames[-1][0] == "err")
            number, cmd_id, code, is_retryable = client.frames[-1][1:5]
            assert (number, cmd_id) == (QUEUE + 1, f"command-{QUEUE + 1:04d}")
            assert (code, is_retryable) == ("room.busy", True)
            assert not starting.done()
            disk.set()
            await client.until(lambda frames: len(frames) == 2 + QUEUE)
            # What was taken is judged: a viewer may not, and that is final.
            assert {frame[3] for frame in client.frames[2:]} != {"room.busy"}
        await starting
