"""The composer (装配): the only place that knows everything. `serve` runs one site until it is
told to stop.

Order of life: journal and site log, rooms rebuilt, then signaling, then pages; down in the
opposite order. A disk that fails ends the process at once: what was not acknowledged never
happened.
"""

import asyncio
import contextlib
import logging
import signal
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from msgspec.structs import replace
from prometheus_client import CollectorRegistry

from server.collector import calm_the_collector as calm_the_collector
from server.config import Config
from server.decryption.pool import Pool
from server.domain.model import Actor
from server.domain.opening_events import BiddersAnnounced, BidUnlocked, OpeningFailed, WindowOpened
from server.http.app import FRONT, bind, build_app, listen
from server.http.edge_door import EDGE_DOOR
from server.http.front import Front
from server.http.health import build_health_app, listen_health
from server.http.live_gate import show_video
from server.http.reading_moment import TURNS_AFTER_READ
from server.http.settings import HttpSettings, Limits, Rate
from server.http.upload_note import new_hasher
from server.live.metrics import VideoCollector
from server.live.video import Video, bind_listener
from server.operator_socket import operator_door
from server.rooms.clock import Clock
from server.rooms.desk import Desk
from server.rooms.gateway import RoomsGateway
from server.rooms.hall import Hall
from server.rooms.metrics import register_metrics
from server.rooms.operator import Operator, SiteNames
from server.rooms.rows import Published
from server.site_keys import SiteKeys, load_site_keys
from server.storage.blobs import BlobStore
from server.storage.journal import Journal
from server.storage.site_log import SiteLog
from signaling.options import Options
from signaling.pass_clock import PassClock
from signaling.server import SignalingServer
from signaling.server import serve as serve_signaling

if TYPE_CHECKING:
    from server.edge.owner_side import OwnerSide

SOFTWARE = "kaibiao 0.1.0"
PAGES = Path(__file__).resolve().parent.parent / "web_client" / "dist"
RESTART_SPREAD_MS = 3000
# What moves the count of the unlocked, or lets who is here be counted.
COUNTED = (BiddersAnnounced.TYPE, OpeningFailed.TYPE, BidUnlocked.TYPE, WindowOpened.TYPE)

log = logging.getLogger("kaibiao.app")


@dataclass(frozen=True, slots=True)
class Running:
    """A site that listens; ports are the real ones."""

    hall: Hall
    keys: SiteKeys
    config: Config
    front: Front
    signaling: SignalingServer
    http_port: int
    ws_port: int
    video: Video | None
    trouble: "asyncio.Future[None]"  # fails with what ends the process, see `_watch`


class DiskFailed(Exception):
    """The journal's disk can no longer be believed; what was not acknowledged never happened."""


@contextlib.asynccontextmanager
async def running(
    config: Config, *, demo_people: Mapping[str, Any] | None = None
) -> AsyncIterator[Running]:
    """A whole site for as long as the context lasts."""
    loop = asyncio.get_running_loop()
    failed: asyncio.Future[None] = loop.create_future()

    def on_failure(error: BaseException) -> None:
        if not failed.done():
            failed.set_exception(DiskFailed(str(error)))

    data = Path(config.site.data)
    keys = load_site_keys(data)
    async with contextlib.AsyncExitStack() as stack:
        journal = Journal.open(
            data / "journal",
            loop=loop,
            on_failure=on_failure,
            synchronous=config.journal.synchronous,
        )
        stack.callback(journal.close)
        pool = Pool(config.limits.decrypt_workers or None)
        stack.callback(pool.close)
        site_log = SiteLog(
            journal, config.site.log_origin, keys.log, software=SOFTWARE, aside=pool.aside
        )
        clock = Clock(site_log.last_tick_ms or 0)
        blobs = BlobStore(data / "store", new_hasher)
        pass_clock = PassClock(loop, clock.now_ms)
        pass_clock.start()  # before the rooms: an end may have come while we were down
        stack.callback(pass_clock.close)
        hall = Hall(
            data,
            journal,
            site_log,
            blobs,
            receipt_key=keys.receipt,
            clock=clock,
            pool=pool,
            pass_clock=pass_clock,
            allow_test=config.site.test_suites,
            rooms_max=config.limits.rooms,
        )
        ready = asyncio.Event()
        life = loop.create_task(hall.run(ready))
        stack.push_async_callback(_end, life)
        await _first(ready.wait(), life, failed)
        site = await _listen(config, keys, hall, stack, demo_people)
        names = SiteNames(config.site.log_origin, keys.log.public, keys.receipt.public)
        operator = Operator(hall, names, allow_test=config.site.test_suites)
        await stack.enter_async_context(operator_door(data, operator))
        watch = loop.create_task(_watch(life, failed, site.trouble))
        stack.push_async_callback(_end, watch)
        yield site


async def _listen(
    config: Config,
    keys: SiteKeys,
    hall: Hall,
    stack: contextlib.AsyncExitStack,
    demo_people: Mapping[str, Any] | None,
) -> Running:
    sock = bind(config.listen.host, config.listen.http_port)
    if config.listen.http_port == 0:  # a site of a test: its origin follows its port
        origin = f"http://{config.listen.host}:{sock.getsockname()[1]}"
        config = replace(config, site=replace(config.site, origin=origin))
    registry = CollectorRegistry()
    desk = Desk(hall, demo_people=demo_people)
    edges = _edges(config, hall)
    if edges is not None:
        stack.push_async_callback(edges.close)
    video = _video(config, hall)
    gateway = RoomsGateway(hall, lambda ticket: _redeem(app[FRONT], hall, ticket))
    signaling = await serve_signaling(
        config.listen.host,
        config.listen.ws_port,
        gateway,
        _options(config, hall),
        clock=hall.pass_clock,
        broker=edges.broker if edges else None,
    )
    gateway.present = _present(signaling, edges)
    stack.push_async_callback(signaling.close, "server.restart", RESTART_SPREAD_MS)
    settings = _settings(config, signaling.port, video)
    app = build_app(desk, hall.blobs, settings, registry)
    hall.publish = _publisher(signaling)
    if edges is not None:
        edges.start(registry)
        app[EDGE_DOOR] = edges.door
    if video is not None:
        stack.push_async_callback(video.close)
        show_video(app, video, hall.now_ms)
        registry.register(VideoCollector(video))
    hall.turns_after_read = TURNS_AFTER_READ
    app[FRONT].sessions.on_end.append(lambda digest: _drop(signaling, digest))
    pages = await listen(app, sock)
    stack.push_async_callback(pages.cleanup)
    register_metrics(registry, hall, signaling, edges.members if edges else None)
    health = await listen_health(
        build_health_app(registry, lambda: ["room.stopped"] if hall.stopped else []),
        config.listen.health_port,
    )
    stack.push_async_callback(health.cleanup)
    return Running(
        hall=hall,
        keys=keys,
        config=config,
        front=app[FRONT],
        signaling=signaling,
        http_port=pages.addresses[0][1],
        ws_port=signaling.port,
        video=video,
        trouble=asyncio.get_running_loop().create_future(),
    )


def _options(config: Config, hall: Hall) -> Options:
    return Options(
        origins=(config.site.origin, None),
        trusted_proxies=frozenset(config.listen.trusted_proxies),
        now_ms=hall.now_ms,
        connections_max=config.limits.connections,
        per_address_max=config.limits.connections_per_address,
        login_hint=b"sid=",  # of `Front.cookie`, whatever its prefix
        per_session_max=config.limits.connections_per_session,
        memory_bytes_max=config.limits.memory_mib << 20,
        accept_rate_per_s=config.limits.handshakes_per_s,
        accept_burst=config.limits.handshakes_per_s,
        is_writing=lambda: hall.journal.is_writing,
    )


def _edges(config: Config, hall: Hall) -> "OwnerSide | None":
    """What edges need of us. Without them nothing of Redis is even loaded."""
    if not config.edges.redis:
        return None
    from server.edge.owner_side import OwnerSide

    return OwnerSide(config.edges, hall)


def _video(config: Config, hall: Hall) -> Video | None:
    """Live video; its process begins with `serve`, or with the first who asks for it."""
    return Video(config, hall, bind_listener(config)) if config.media.enabled else None


def _settings(config: Config, ws_port: int, video: Video | None) -> HttpSettings:
    per_minute = config.limits.requests_per_minute
    rate = Rate(per_minute, per_minute)
    return HttpSettings(
        origin=config.site.origin,
        version=SOFTWARE.split()[-1],
        hosts=frozenset(config.listen.public_hosts),
        proxies=frozenset(config.listen.trusted_proxies),
        ws_port=None if config.listen.ws_behind_origin else ws_port,
        media_port=video.port if video and not config.media.behind_origin else None,
        edges=tuple(config.edges.urls) if config.edges.redis else (),
        demo=config.site.demo,
        site_name=config.site.name,
        help_phone=config.site.help_phone,
        pages=PAGES if PAGES.exists() else None,
        limits=Limits(challenge_rate=rate, login_rate=rate, command_rate=rate),
    )


def _redeem(front: Front, hall: Hall, ticket: str) -> tuple[str, Actor, str] | None:
    admission = front.sessions.admit(ticket)
    if admission is None:
        return None
    people = hall.rooms("registry")[0].state.people.values()
    names = {person.actor.person: person.org_name for person in people}
    name = names.get(admission.actor.person, "")
    return admission.session.hex(), admission.actor, name


def _drop(signaling: SignalingServer, session: bytes) -> None:
    """A session that is over takes its sockets with it."""
    signaling.drop_identity(session.hex())


def _present(signaling: SignalingServer, edges: "OwnerSide | None") -> Callable[[str], int]:
    """Connections that hear a room, here and on edges."""

    def present(room: str) -> int:
        return sum(signaling.members(room)) + (edges.members(room) if edges else 0)

    return present


def _publisher(signaling: SignalingServer) -> Callable[[str, Published, int], None]:
    def publish(stream: str, event: Published, epoch: int) -> None:
        signaling.publish(
            stream,
            event.audience,
            epoch,
            event.seq,
            event.ts_ms,
            event.type,
            event.payload,
            event.hash,
        )
        if event.type in COUNTED:
            signaling.counts_changed(stream)

    return publish


async def _first(wanted: Awaitable[Any], *others: "asyncio.Future[Any]") -> None:
    """Waits for ``wanted``; raises what any of the others raised before."""
    task = asyncio.ensure_future(wanted)
    done, _ = await asyncio.wait({task, *others}, return_when=asyncio.FIRST_COMPLETED)
    for other in others:
        if other in done:
            task.cancel()
            other.result()
    await task


async def _watch(
    life: "asyncio.Task[None]", failed: "asyncio.Future[None]", trouble: "asyncio.Future[None]"
) -> None:
    """Ends the process when the hall cannot go on: a half-alive hall would be a lie."""
    done, _ = await asyncio.wait({life, failed}, return_when=asyncio.FIRST_COMPLETED)
    # A disk that failed takes the hall with it: the cause is told, not the effect.
    for one in sorted(done, key=lambda each: each is not failed):
        error = None if one.cancelled() else one.exception()
        if error is not None:
            if not isinstance(error, DiskFailed):
                log.critical("the hall cannot go on", exc_info=error)
            trouble.set_exception(error)
            trouble.exception()  # whoever only waits for the signal need not ask for it
            signal.raise_signal(signal.SIGTERM)
            return


async def _end(task: "asyncio.Task[Any]") -> None:
    task.cancel()
    with contextlib.suppress(asyncio.CancelledError, Exception):
        await task


async def serve(config: Config) -> None:
    """A site until SIGTERM or SIGINT. Raises DiskFailed, or whatever else ended the hall."""
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    async with running(config) as site:
        calm_the_collector()
        if site.video is not None:
            site.video.begin()
        print(f"kaibiao: {config.site.origin}", flush=True)
        await stop.wait()
        if site.trouble.done():
            site.trouble.result()
