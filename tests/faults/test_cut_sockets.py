"""Every socket is cut again and again during an opening: each client's list equals its channel in
the journal, nothing twice, nothing missing; a command is done once however often it was asked.
"""

import asyncio
import random
from contextlib import AsyncExitStack
from functools import partial
from pathlib import Path

from tests.faults.books import open_books
from tests.faults.casts import OPENING, Cast
from tests.faults.cutting_proxy import CuttingProxy
from tests.faults.explaining import explain
from tests.faults.site_process import ROOM, Nursery, plan_of
from tests.faults.steady_people import Steady, SteadyBidder

PROXY_CUTS = 200
TEST_S_MAX = 240  # a fifth of it on a machine that does nothing else
OWN_CUTS = 20  # of each client that is not behind the proxy
# A handshake with hello and welcome takes about a thousand bytes each way, the manifest's event
# four thousand: a line that never carries so much would never get it across. What was missed may be
# far more: it comes in frames that begin small.
BYTES_MAX = (2_500, 12_000)
QUIET_S_MAX = 3.0
CHANGES_MIN, CHANGES_MAX = 100, 300


async def test_sockets_that_are_cut_hear_everything_once(nursery: Nursery, tmp_path: Path):
    plan = plan_of(5_000, window_ms=120_000)
    async with Cast(nursery, tmp_path, accounts=13, plan=plan) as cast, asyncio.timeout(TEST_S_MAX):
        proxy = CuttingProxy(cast.site.ready["ws_port"], random.Random(1), BYTES_MAX, QUIET_S_MAX)
        async with proxy, AsyncExitStack() as told:
            watchers = [
                SteadyBidder(cast.site.base, person, ROOM)
                for person in cast.site.world.bidders[cast.bids :]
            ]
            await cast.admit(*watchers)
            direct = watchers[:4]
            behind: list[Steady] = [cast.host, *cast.bidders, *cast.trustees, *watchers[4:]]
            for person in behind:
                person.ws_port = proxy.port
            people = [*behind, *direct]
            told.push_async_exit(partial(explain, cast.site, people))
            await cast.deliver()
            await cast.gather_in_hall()
            await asyncio.gather(*(watcher.enter_own() for watcher in watchers))
            window = await cast.start_window()
            chances = [random.Random(k) for k in range(len(direct))]
            cutting = asyncio.gather(*map(cut_often, direct, chances))
            changes = await change_until(cast, proxy)
            for bidder in cast.bidders:
                await bidder.do("unlock", messages=bidder.unlock_messages(window))
            await cutting
            await cast.until_read_out()
            proxy.is_cutting = False
            for person in people:
                for audience, heard in person.channels.items():
                    all_of_it = await person.http.events(OPENING, audience)
                    await person.until_count(heard, len(all_of_it["events"]))
            assert sum(person.client.connects for person in direct) > 2 * OWN_CUTS
            await cast.site.terminate()
    with open_books(cast.site.data) as books:
        books.check_once(OPENING)
        assert books.check_acts(act for person in people for act in person.acts) > changes
        assert len(books.payloads(OPENING, "window_changed")) == changes
        for person in people:
            for audience, heard in person.channels.items():
                books.check_heard(OPENING, audience, heard)


async def cut_often(person: Steady, chance: random.Random) -> None:
    """At random moments, some of them before the line is up again."""
    assert person.client is not None
    for _ in range(OWN_CUTS):
        await asyncio.sleep(chance.uniform(0, 0.6))
        person.client.cut()
    while person.client.connects <= OWN_CUTS // 2:
        await asyncio.sleep(chance.uniform(0.2, 0.6))
        person.client.cut()


async def change_until(cast: Cast, proxy: CuttingProxy) -> int:
    """Things to hear, over lines that are cut all the time: how many."""
    changes = 0
    while proxy.cuts < PROXY_CUTS or changes < CHANGES_MIN:
        if changes < CHANGES_MAX:
            await cast.host.do("extend", extra_ms=1000 + changes, reason=f"第{changes}次")
            changes += 1
        await asyncio.sleep(0.1)
    return changes
