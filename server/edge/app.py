"""One edge (边缘进程): `kaibiao edge` until it is told to stop. The composer of this process.

Order of life: health, the line to the owner, and, once the owner has told its positions, the
listener for viewers. An edge that knows nothing lets nobody in: its viewers go elsewhere at once.
"""

import asyncio
import contextlib
import logging
import secrets
import signal
import time
from collections.abc import AsyncIterator, Mapping

from prometheus_client import CollectorRegistry

from server.collector import calm_the_collector
from server.config import Config
from server.edge.feed import Feed
from server.edge.gateway import EdgeGateway
from server.edge.metrics import EdgeCollector
from server.edge.positions import Positions
from server.edge.shared import EDGE_NOTE, OWNER_NOTE, address_name, check
from server.http.edge_client import OwnerAway, OwnerLine
from server.http.health import build_health_app, listen_health
from signaling.broker_notes import Note, Notes
from signaling.broker_redis import RedisBroker
from signaling.options import Options
from signaling.server import SignalingServer
from signaling.server import serve as serve_signaling

LOOK_EVERY_S = 1.0
AWAY_AFTER_S = 10.0
RESTART_SPREAD_MS = 3000
# Fewer connections of one address are nothing that other processes must know of.
CROWDED_SHARE = 16

log = logging.getLogger("kaibiao.edge")


class Edge:
    """One process's parts, once it knows the owner."""

    def __init__(self, config: Config, owner: OwnerLine) -> None:
        self._config = config
        self._owner = owner
        self._heard_s = float("-inf")
        self.positions = Positions()
        self.redis = RedisBroker(config.edges.redis)
        self.feed = Feed(self.redis, owner, self.positions)
        self.gateway = EdgeGateway(owner, self.positions, self.feed)
        self.known = asyncio.Event()
        self._counted: frozenset[str] = frozenset()
        self._edges = 1
        self._signaling: SignalingServer | None = None

    def not_ready(self) -> list[str]:
        """Reasons, as stable codes, why no viewers should come."""
        if not self.positions.is_known:
            return ["owner.unknown"]
        return ["owner.away"] if time.monotonic() - self._heard_s > AWAY_AFTER_S else []

    async def look(self) -> None:
        """Asks the owner for its positions, again and again; fetches what Redis has lost."""
        while True:
            try:
                told = await self._owner.heads(self.positions.boot, self.positions.version)
            except OwnerAway as away:
                log.info("edge.owner_away %s", away)
            else:
                self._heard_s = time.monotonic()
                self.positions.take(told)
                self.known.set()
                await self.feed.look()
            await asyncio.sleep(LOOK_EVERY_S)

    @contextlib.asynccontextmanager
    async def listening(self) -> AsyncIterator[SignalingServer]:
        """Viewers come in for as long as the context lasts."""
        config = self._config
        signaling = self._signaling = await serve_signaling(
            config.edges.host,
            config.edges.ws_port,
            self.gateway,
            Options(
                origins=(config.site.origin, None),
                trusted_proxies=frozenset(config.listen.trusted_proxies),
                connections_max=config.limits.connections,
                per_address_max=config.limits.connections_per_address,
                accept_rate_per_s=self._share(1),
                accept_burst=self._share(1),
            ),
            broker=self.feed,
        )
        name = EDGE_NOTE + secrets.token_hex(8)
        notes = Notes(config.edges.redis, name, write=self._note, read=self._read)
        try:
            yield signaling
        finally:
            await notes.close()
            await signaling.close("server.restart", RESTART_SPREAD_MS)

    # ---- what processes tell each other

    def _share(self, edges: int) -> int:
        """Handshakes a second, where so many edges share them."""
        limits = self._config.limits.handshakes_per_s, self._config.edges.handshakes_per_s // edges
        return max(1, min(limits))

    def _name(self, address: str) -> str:
        return address_name(self._config.edges.secret, address)

    def _note(self) -> Note:
        assert self._signaling is not None
        least = max(1, self._config.limits.connections_per_address // CROWDED_SHARE)
        crowded = self._signaling.crowded_addresses(least)
        return Note(
            members={r: n for r, n in self.gateway.members.items() if r in self._counted},
            addresses={self._name(address): n for address, n in crowded.items()},
        )

    def _read(self, others: Mapping[str, Note]) -> None:
        assert self._signaling is not None
        owner = others.get(OWNER_NOTE, Note())
        self._counted = frozenset(owner.counted)
        before, self.gateway.counts = self.gateway.counts, owner.counts
        for room in before.keys() | owner.counts.keys():
            if before.get(room) != owner.counts.get(room):
                self._signaling.counts_changed(room)
        edges = [note for name, note in others.items() if name.startswith(EDGE_NOTE)]
        if others:  # else nobody can say how many there are: as many as before
            self._edges = 1 + len(edges)

        def elsewhere(address: str) -> int:
            name = self._name(address)
            return sum(note.addresses.get(name, 0) for note in edges)

        self._signaling.share_limits(self._share(self._edges), elsewhere)


@contextlib.asynccontextmanager
async def _started(config: Config, registry: CollectorRegistry) -> AsyncIterator[Edge]:
    """Health and the line to the owner; raises Rejected config.invalid, OSError."""
    check(config.edges)
    edges = config.edges
    line = OwnerLine(edges.owner, origin=config.site.origin, secret=edges.secret)
    async with line as owner:
        edge = Edge(config, owner)
        app = build_health_app(registry, edge.not_ready)
        try:
            health = await listen_health(app, edges.health_port)
            try:
                yield edge
            finally:
                await health.cleanup()
        finally:
            await edge.feed.close()


async def _first(*awaited: "asyncio.Future[None]") -> None:
    """Until one of them is done; raises what it raised."""
    done, _ = await asyncio.wait(awaited, return_when=asyncio.FIRST_COMPLETED)
    for one in done:
        one.result()


async def serve(config: Config) -> None:
    """An edge until SIGTERM or SIGINT."""
    loop = asyncio.get_running_loop()
    stopped: asyncio.Future[None] = loop.create_future()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, lambda: stopped.done() or stopped.set_result(None))
    registry = CollectorRegistry()
    async with _started(config, registry) as edge:
        looking = loop.create_task(edge.look())
        known = loop.create_task(_set(edge.known))
        try:
            await _first(stopped, looking, known)
            if not stopped.done():
                async with edge.listening() as signaling:
                    registry.register(
                        EdgeCollector(edge.positions, edge.redis, edge.feed, signaling)
                    )
                    calm_the_collector()
                    print(f"kaibiao edge: {config.edges.host}:{signaling.port}", flush=True)
                    await _first(stopped, looking)
        finally:
            for task in (looking, known):
                task.cancel()
            await asyncio.gather(looking, known, return_exceptions=True)


async def _set(event: asyncio.Event) -> None:
    await event.wait()
