"""The halls under attack: one for each stage, shared by the attacks of that stage."""

from collections.abc import AsyncIterator, Iterator

import pytest
import pytest_asyncio

from crypto.hashes import sha256
from tests.attacks.arena import Arena
from tests.faults.casts import Cast
from tests.faults.site_process import ROOM, Nursery, plan_of
from tests.faults.steady_people import SteadyBidder


@pytest.fixture(scope="session")
def nursery() -> Iterator[Nursery]:
    found = Nursery()
    yield found
    found.close()


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def before_deadline(
    nursery: Nursery, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[Arena]:
    """Nobody has delivered; everybody is logged in and in the hall; the deadline is far."""
    plan = plan_of(600_000, body=True)
    async with Cast(nursery, tmp_path_factory.mktemp("attacked"), accounts=6, plan=plan) as cast:
        await cast.gather_in_hall()
        arena = Arena(cast)
        yield arena
        await arena.assert_sound()


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def in_countdown(
    nursery: Nursery, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[Arena]:
    """Five bids and one withdrawn; a second countdown that will not end while the tests run, and
    before it one that did.
    """
    plan = plan_of(5_000, window_ms=2_000)
    directory = tmp_path_factory.mktemp("attacked")
    async with Cast(nursery, directory, bids=5, accounts=6, plan=plan) as cast:
        gone = SteadyBidder(cast.site.base, cast.site.world.bidders[5], ROOM)
        await cast.admit(gone)
        await gone.deliver("71000000.00")
        withdrawal = gone.submit_bytes([], seq=2, prev=sha256(gone.submit_raw))
        await gone.http.submit(ROOM, withdrawal)
        await gone.enter_own()
        await cast.until_window()
        await cast.start_window("再来一次")
        await cast.host.do("extend", extra_ms=600_000, reason="直到测试结束")
        arena = Arena(cast, withdrawn=gone)
        yield arena
        await arena.assert_sound()


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def in_release(
    nursery: Nursery, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[Arena]:
    """The window is over, two of three bids are unlocked, nothing is released."""
    plan = plan_of(5_000, window_ms=2_500, reply_ms=600_000)
    async with Cast(nursery, tmp_path_factory.mktemp("attacked"), plan=plan) as cast:
        window = await cast.until_window()
        for bidder in cast.bidders[:2]:
            await bidder.do("unlock", messages=bidder.unlock_messages(window))
        await cast.until_window_end()
        arena = Arena(cast)
        yield arena
        await arena.assert_sound()
