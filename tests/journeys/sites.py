"""A whole site of a test: in this process, on this loop, with the demo's cast."""

import json
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from crypto.manifest import encode_manifest, encode_manifest_signatures, parse_manifest
from server.app import Running, running
from server.config import Config, Listen, Site
from server.demo.auto import register_command
from server.demo.people import Host, Visitor, now_ms
from server.demo.world import TenderPlan, World, build_manifest
from tests.journeys.people import Firm, Keyholder

Change = Callable[[dict[str, Any]], None]


@dataclass
class Centre:
    """The running site, and everybody who may come."""

    site: Running
    world: World
    stack: AsyncExitStack

    @property
    def base(self) -> str:
        return self.site.config.site.origin

    async def publish(
        self, room: str, in_ms: int, *, change: Change | None = None, **plan: Any
    ) -> int:
        """A tender whose deadline is ``in_ms`` from now; ``change`` edits its manifest."""
        deadline_ms = now_ms() + in_ms
        facts: dict[str, Any] = {"number": room.upper(), "title": "滨河东路道路改造工程（施工）"}
        facts |= {"window_ms": 3000, "reply_ms": 20_000, "body_pt_len_max": 1 << 20}
        tender = TenderPlan(deadline_ms=deadline_ms, **(facts | plan))
        raw, signatures = build_manifest(
            self.world,
            tender,
            receipt_pk=self.site.keys.receipt.public,
            log_origin=self.site.config.site.log_origin,
            log_pk=self.site.keys.log.public,
        )
        if change is not None:
            value = json.loads(raw)
            change(value)
            raw = encode_manifest(value, allow_test=True)
            signers = [
                ("agency", self.world.agency_officer),
                ("supervisor", self.world.supervisor_officer),
            ]
            tender_id = parse_manifest(raw, allow_test=True).tender_id
            signatures = encode_manifest_signatures(tender_id, signers)
        await self.site.hall.open_tender(room, raw, signatures)
        return deadline_ms

    async def firms(self, room: str, count: int) -> list[Firm]:
        people = self.world.bidders[:count]
        return [await self.stack.enter_async_context(Firm(self.base, p, room)) for p in people]

    async def host(self, room: str) -> Host:
        host = await self.stack.enter_async_context(Host(self.base, self.world.host, room))
        await host.enter("staff")
        return host

    async def supervisor(self, room: str) -> Visitor:
        visitor = await self.stack.enter_async_context(
            Visitor(self.base, self.world.supervisor, room)
        )
        await visitor.enter("staff")
        return visitor

    async def keyholders(self, room: str) -> list[Keyholder]:
        found: list[Keyholder] = []
        for keys in self.world.trustees:
            keyholder = Keyholder(self.base, keys, room)
            found.append(await self.stack.enter_async_context(keyholder))
            await keyholder.enter("staff")
        return found


@asynccontextmanager
async def a_centre(
    data: Path, *, bidders: int = 5, test_suites: bool = False
) -> AsyncIterator[Centre]:
    """A site that listens on free ports, with everybody in its registry."""
    world = World(b"journeys" * 4, bidders)
    config = Config(
        site=Site(data=str(data), log_origin="hall.example/kaibiao/log", test_suites=test_suites),
        listen=Listen(http_port=0, ws_port=0, health_port=0),
    )
    async with running(config) as site, AsyncExitStack() as stack:
        for person in world.everybody():
            await site.hall.register_person(register_command(person))
        yield Centre(site, world, stack)
