"""A server that falls in the countdown: the end follows the tender's outage rule (formats.md §3),
and thirty clients are back and complete within 3 s of the new process being up.
"""

import asyncio
from pathlib import Path
from typing import Any

import pytest

from crypto.entries import decode_entry
from server.demo.people import now_ms
from tests.faults.books import open_books
from tests.faults.casts import DEADLINE_MS, OPENING, Cast
from tests.faults.site_process import ROOM, Nursery, plan_of
from tests.faults.steady_people import SteadyBidder

CLIENTS = 30
pytestmark = pytest.mark.alone  # who is back within what time

BACK_WITHIN_MS = 3000
OUTAGE_S = 2.5
TICK_MS = 1000


async def fall_and_rise(cast: Cast) -> tuple[int, int]:
    """kill -9, and a new process after the outage: (when it fell, when it was up), UTC ms."""
    cast.site.kill()
    await cast.site.ended()
    fell_ms = now_ms()
    await asyncio.sleep(OUTAGE_S)
    ready = await cast.site.start()
    return fell_ms, ready["ms"]


def logged_changes(data: Path) -> list[dict[str, Any]]:
    with open_books(data) as books:
        entries = [decode_entry(raw) for (raw,) in books.journal.query("SELECT entry FROM entry")]
    return [dict(e.members) for e in entries if e.type.name == "WINDOW_CHANGE"]


async def test_thirty_clients_are_back_and_complete(nursery: Nursery, tmp_path: Path):
    async with Cast(nursery, tmp_path, accounts=CLIENTS) as cast:
        watching = cast.site.world.bidders[cast.bids :]
        others = [SteadyBidder(cast.site.base, person, ROOM) for person in watching]
        await cast.admit(*others)
        everybody = [*cast.bidders, *others]
        await asyncio.gather(cast.deliver(), *(other.enter_own() for other in others))
        await cast.gather_in_hall()
        window = await cast.start_window()
        await cast.bidders[0].unlock(window)

        fell_ms, up_ms = await fall_and_rise(cast)
        back_ms: list[int] = []

        async def come_back(bidder: SteadyBidder) -> None:
            await bidder.until(lambda e: e.kind == "window_changed")
            back_ms.append(now_ms() - up_ms)

        await asyncio.gather(*(come_back(bidder) for bidder in everybody))
        assert len(back_ms) == CLIENTS
        assert max(back_ms) <= BACK_WITHIN_MS, sorted(back_ms)

        (change,) = cast.host.all("window_changed")
        assert (change["change"], change["reason"]) == ("extend", "outage")
        longer_ms = change["end_ms"] - window["end_ms"]
        assert up_ms - fell_ms - 1000 <= longer_ms <= up_ms - fell_ms + TICK_MS + 200

        for bidder in cast.bidders[1:]:
            await bidder.unlock(window)
        await asyncio.gather(*(person.until_kind("window_ended") for person in everybody))
        assert cast.host.all("window_ended")[0]["early"]
        await cast.until_read_out()
        await asyncio.gather(*(person.until_kind("prices_read_out") for person in everybody))
        await cast.site.terminate()
        assert [c["reason"] for c in logged_changes(cast.site.data)] == ["outage"]
        with open_books(cast.site.data) as books:
            books.check_chains()
            books.check_acts(act for person in everybody for act in person.acts)
            for person in everybody:
                for audience, heard in person.channels.items():
                    books.check_heard(OPENING, audience, heard)


async def test_a_kept_end_stands_and_a_lost_one_is_bounded(nursery: Nursery, tmp_path: Path):
    """Three halls fall at once: one keeps its end and is up before it, one keeps it and is not,
    one extends by less than it was away.
    """
    casts = {
        "kept": plan_of(DEADLINE_MS, window_ms=8_000, outage="keep"),
        "passed": plan_of(DEADLINE_MS, window_ms=2_000, outage="keep"),
        "bounded": plan_of(DEADLINE_MS, window_ms=2_000),
    }

    async def play(name: str) -> None:
        async with Cast(nursery, tmp_path / name, plan=casts[name]) as cast:
            window = await cast.until_window()
            await cast.bidders[0].do("unlock", messages=cast.bidders[0].unlock_messages(window))
            _, up_ms = await fall_and_rise(cast)
            ended = await cast.host.until_kind("window_ended")
            changes = cast.host.all("window_changed")
            at_ms = next(e.server_ms for e in cast.host.heard if e.kind == "window_ended")
            if name == "bounded":
                assert [c["end_ms"] - window["end_ms"] for c in changes] == [2_000]
                assert ended["end_ms"] == window["end_ms"] + 2_000
            else:
                assert changes == []
                assert ended["end_ms"] == window["end_ms"]
            assert at_ms >= ended["end_ms"]
            if name == "passed":
                assert window["end_ms"] < up_ms
                assert at_ms - up_ms < BACK_WITHIN_MS
            assert (ended["unlocked"], len(ended["locked"])) != ([], 3)
            assert len(ended["unlocked"]) == 1
            await cast.until_read_out()
            assert cast.site.said() == ""

    await asyncio.gather(*(play(name) for name in casts))
