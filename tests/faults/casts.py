"""One hall with everybody in it, brought to where a test begins."""

import asyncio
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Self

from server.demo.world import TenderPlan
from tests.faults.site_process import ROOM, Nursery, SiteProcess, free_place, plan_of
from tests.faults.steady_people import Steady, SteadyBidder, SteadyHost, SteadyTrustee

OPENING, TENDER = f"opening:{ROOM}", f"tender:{ROOM}"
DEADLINE_MS = 5_000


@dataclass
class Cast:
    """A site, its host, its bidders and two trustees, logged in. Use ``async with``."""

    nursery: Nursery
    directory: Path
    bids: int = 3
    accounts: int = 0  # people of bidders in the registry; at least ``bids``
    plan: TenderPlan = field(default_factory=lambda: plan_of(DEADLINE_MS))
    edges: dict[str, Any] = field(default_factory=dict)
    ready: dict[str, Any] = field(default_factory=free_place)  # its ports and origin
    first: dict[str, Any] = field(default_factory=dict)  # the first window_opened

    async def __aenter__(self) -> Self:
        self._stack = AsyncExitStack()
        bidders = max(self.bids, self.accounts)
        site = SiteProcess(
            self.nursery,
            self.directory,
            {ROOM: self.plan},
            bidders=bidders,
            edges=self.edges,
            ready=self.ready,
        )
        self.site = await self._stack.enter_async_context(site)
        await site.start()
        base, world = site.base, site.world
        self.host = SteadyHost.of(base, world, ROOM)
        self.bidders = [SteadyBidder(base, person, ROOM) for person in world.bidders[: self.bids]]
        self.trustees = [SteadyTrustee.of(base, keys, ROOM) for keys in world.trustees[:2]]
        await self.admit(self.host)
        # From the first moment on: to log thirty people in takes a busy machine its time.
        self._waiting = asyncio.create_task(
            self.host.keep_open(lambda: all(b.receipt for b in self.bidders), asyncio.Event())
        )
        await self.admit(*self.bidders, *self.trustees)
        return self

    async def __aexit__(self, *exc: Any) -> None:
        self._waiting.cancel()
        await self._stack.aclose()

    async def admit(self, *people: Steady) -> None:
        """Logs them in, and out again at the end."""
        for person in people:
            await self._stack.enter_async_context(person)

    async def deliver(self) -> None:
        """Every bid is in, with its receipt; the deadline waits for that."""
        prices = [f"{71_000_000 + 137_311 * k}.{k:02d}" for k in range(self.bids)]
        await asyncio.gather(
            *(b.deliver(price) for b, price in zip(self.bidders, prices, strict=True))
        )
        await self._waiting

    async def gather_in_hall(self) -> None:
        await self.host.enter("staff")
        await asyncio.gather(*(bidder.enter_own() for bidder in self.bidders))
        await asyncio.gather(*(trustee.enter("staff") for trustee in self.trustees))

    async def start_window(self, reason: str = "") -> dict[str, Any]:
        """The next countdown: its window_opened."""
        host, before = self.host, len(self.host.all("window_opened"))
        # The closing must be under a checkpoint, and so must the end of the window before.
        await host.until(lambda _: len(host.all("checkpoint_reached")) == before + 1)
        await host.do("start_window", session=1, reason=reason)
        await host.until(lambda e: len(host.all("window_opened")) > before)
        return host.all("window_opened")[-1]

    async def until_window(self) -> dict[str, Any]:
        """From nothing to the first countdown."""
        await self.deliver()
        await self.gather_in_hall()
        self.first = await self.start_window()
        return self.first

    async def until_window_end(self) -> None:
        """The newest window is over, and everybody who needs it has its checkpoint."""
        w = self.host.all("window_opened")[-1]["w"]
        for person in (self.host, *self.trustees):
            await person.until(
                lambda e: (
                    e.kind == "checkpoint_reached"
                    and (e.body["of"], e.body["w"]) == ("window_end", w)
                )
            )

    async def until_read_out(self) -> None:
        """From the end of a window to the prices."""
        await self.until_window_end()
        await asyncio.gather(*(trustee.release() for trustee in self.trustees))
        await self.host.until_kind("replies_ended")
        await self.host.do("open_all")
        await self.host.until_kind("prices_read_out")
