"""The halls under attack: one for each stage, shared by the attacks of that stage."""

from collections.abc import AsyncIterator, Iterator

import pytest
import pytest_asyncio

from tests.attacks.arena import Arena
from tests.faults.casts import Cast
from tests.faults.site_process import Nursery, plan_of


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
    """Five bids, a second countdown that will not end while the tests run, and before it one that
    did.
    """
    plan = plan_of(5_000, window_ms=2_000)
    async with Cast(nursery, tmp_path_factory.mktemp("attacked"), bids=5, plan=plan) as cast:
        await cast.until_window()
        await cast.start_window("再来一次")
        await cast.host.do("extend", extra_ms=600_000, reason="直到测试结束")
        arena = Arena(cast)
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
