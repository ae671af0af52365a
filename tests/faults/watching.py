"""People who look at everything there is to look at, all the time, by every way in (旁观).

Each has ears (``recording``), a WebSocket and long polls on every channel it may hear, asks for
every channel it may not, and reads every address again and again.
"""

import asyncio
import re
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from typing import Any, Self

from server.http.client import HallRefused
from tests.faults.casts import OPENING, TENDER
from tests.faults.recording import Ears
from tests.faults.site_process import ROOM, SiteProcess
from tests.faults.steady_people import Steady

SWEEP_S = 0.7
POLL_MS = 600
# What moves by itself, or with a deadline that is put off in public.
MOMENT = re.compile(rb"\d{13}")
MOVED = re.compile(rb'"deadline_changes":\[.*?\],(?="opening)|"checkpoint":"[^"]*"')

PAGES = (
    "/tenders",
    f"/tenders/{ROOM}/manifest.json",
    f"/openings/{ROOM}/closed.json",
    f"/openings/{ROOM}/proofs",
    f"/openings/{ROOM}/envelopes",
    f"/openings/{ROOM}/halves",
    f"/openings/{ROOM}/closed-path?sha256={'ab' * 32}",
    f"/openings/{ROOM}/sealed-bid?bid_id_start={'ab' * 8}",
    f"/rooms/{TENDER}/events?audience=hall&wait_ms=0",
    f"/rooms/{TENDER}/events?audience=staff&wait_ms=0",
    "/rooms/registry/events?audience=hall&wait_ms=0",
    "/uploads/00000000000000000000000000000000",
    "/auth/me",
    "/demo/people.json",
    "/openapi.json",
)
LOG_PAGES = ("/log/checkpoint", "/log/consistency?from=1&to=2")


@dataclass
class Watcher:
    """One person and all that it hears. ``audiences``: the channels of the opening it may hear."""

    person: Steady
    ears: Ears
    audiences: tuple[str, ...]
    refused: dict[str, str] = field(default_factory=dict)
    polled: dict[str, list[list[Any]]] = field(default_factory=dict)
    bodies: dict[str, bytes] = field(default_factory=dict)

    async def sweep(self) -> dict[str, bytes]:
        """Every page once: status and body, without what the clock alone moves."""
        for path in (*PAGES, f"/tenders/{ROOM}/mine"):
            async with self.person.http.session.get(path) as response:
                body = MOVED.sub(b"", MOMENT.sub(b"#", await response.read()))
                self.bodies[path] = b"%d %s" % (response.status, body)
        for path in LOG_PAGES:
            async with self.person.http.session.get(path) as response:
                await response.read()
        return dict(self.bodies)

    async def look(self) -> None:
        """Until cancelled."""
        async with asyncio.TaskGroup() as tasks:
            for audience in self.audiences:
                tasks.create_task(self._poll(audience))
            while True:
                await self.sweep()
                await asyncio.sleep(SWEEP_S)

    async def _poll(self, audience: str) -> None:
        heard = self.polled[audience] = []
        while True:
            after = heard[-1][0] if heard else 0
            ask = self.person.http.events(OPENING, audience, epoch=1, after=after, wait_ms=POLL_MS)
            heard += (await ask)["events"]

    async def until_polled(self, audience: str, count: int) -> None:
        """Until the long polls have brought so many events."""
        while True:
            if len(self.polled[audience]) >= count:
                return
            await asyncio.sleep(0.05)

    async def enter(self, foreign: list[str]) -> None:
        """A seat in the hall; then every door that should be closed is tried."""
        await self.person.enter(*(a for a in self.audiences if a != "hall"))
        assert self.person.client is not None
        doors = [(OPENING, audience) for audience in (*foreign, "sealed", "staff")]
        doors += [(TENDER, audience) for audience in (*foreign, "sealed", "staff")]
        doors += [("registry", audience) for audience in ("hall", "staff", *foreign)]
        own = {(OPENING, audience) for audience in self.audiences}
        own |= {(TENDER, audience) for audience in self.audiences}
        for room, audience in doors:
            if (room, audience) not in own:
                feed = self.person.client.subscribe(room, audience)
                async with asyncio.timeout(20):
                    async for event in feed:
                        raise AssertionError(f"{self.ears.who} heard {event} of {room} {audience}")
                self.refused[f"{room} {audience}"] = feed.refused or ""
                try:
                    await self.person.http.events(room, audience)
                except HallRefused as refused:
                    self.refused[f"{room} {audience} by poll"] = refused.code


class Anonymous(Steady):
    """Nobody: no login, no ticket."""

    async def __aenter__(self) -> Self:
        await self.http.__aenter__()
        return self

    async def ticket(self) -> None:  # type: ignore[override]
        return None


async def seat(
    site: SiteProcess, stack: AsyncExitStack, ears: Ears, person: Steady, *audiences: str
) -> Watcher:
    """Logged in, through its own proxies."""
    ears.aim(site.ready)
    await stack.enter_async_context(person)
    return Watcher(person, ears, ("hall", *audiences))
