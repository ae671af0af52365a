"""Eight technical files come in at once, each in little of the server's memory."""

import asyncio
from contextlib import AsyncExitStack
from pathlib import Path

import pytest

from crypto.sealing import Sealed
from tests.faults.site_process import ROOM, Nursery, SiteProcess, plan_of
from tests.faults.steady_people import SteadyBidder
from tests.large.measures import MIB, forget_peak, peak_growth

pytestmark = pytest.mark.slow

BIDDERS = 9  # the first warms the server up
BODY_BYTES = 24 * MIB
EACH_MAX = 8 * MIB
FORM: dict[str, str | int] = {"price": "71000000.00", "days": 160, "manager": "何川"}


async def test_each_of_eight_uploads_costs_less_than_eight_mib(
    nursery: Nursery, tmp_path: Path
) -> None:
    async with AsyncExitStack() as stack, asyncio.timeout(120):
        plan = plan_of(110_000, body=True)
        site = await stack.enter_async_context(
            SiteProcess(nursery, tmp_path / "site", {ROOM: plan}, bidders=BIDDERS)
        )
        await site.start()
        bidders = [
            await stack.enter_async_context(SteadyBidder(site.base, site.world.bidders[n], ROOM))
            for n in range(BIDDERS)
        ]
        bodies = [await sealed_body(bidder) for bidder in bidders]
        await store(bidders[0], bodies[0])
        before = forget_peak(site.pid)
        await asyncio.gather(*map(store, bidders[1:], bodies[1:]))
        growth = peak_growth(site.pid, before)
        assert growth < (BIDDERS - 1) * EACH_MAX
        assert len(list(site.data.rglob("*.kbc"))) == BIDDERS


async def sealed_body(bidder: SteadyBidder) -> Sealed:
    await bidder.read_rules()
    await bidder.register()
    document = bytes([len(bidder.person.person)]) * BODY_BYTES
    sealed = await asyncio.to_thread(bidder.seal, FORM, document)
    return max(sealed, key=lambda each: len(each.payload))


async def store(bidder: SteadyBidder, body: Sealed) -> None:
    uploads, header = bidder.http.uploads, body.header
    location = await uploads.create(ROOM, header.core, len(body.payload))
    await uploads.send(location, body.payload)
    await uploads.put_header(location, header.raw)
