"""The HTTP listener put together (组装): the route table becomes an aiohttp application.

Invariant: every limit of the transport comes from ``settings.Limits``; request bodies are never
unpacked and never gathered by the library, only by those who know their size. No access log is
written: its lines would say who uploads when.
"""

import asyncio
import socket
from collections.abc import AsyncIterator
from contextlib import suppress
from ssl import SSLContext
from typing import Final

from aiohttp import web
from prometheus_client import CollectorRegistry

from server.http.front import FRONT, Front, build_front
from server.http.guard import admitted, guard
from server.http.metrics import HttpMetrics
from server.http.noise import hush_strangers
from server.http.openapi import describe
from server.http.ports import Hall
from server.http.reading_moment import DatedConnection
from server.http.routes import PATTERNS, ROUTES, Route
from server.http.security_headers import header_writer
from server.http.settings import HttpSettings
from server.storage.blobs import BlobStore

SWEEP_S: Final = 60.0
# A long poll without an answer is worth nothing, and a HEAD must not make anybody present.
NO_HEAD: Final = frozenset({"event_list", "live_told"})
BACKLOG: Final = 1024


def build_app(
    hall: Hall,
    blobs: BlobStore,
    settings: HttpSettings,
    registry: CollectorRegistry | None = None,
) -> web.Application:
    """The application. ``app[FRONT].sessions`` is what signaling redeems its tickets from."""
    metrics = HttpMetrics(registry or CollectorRegistry())
    front = build_front(hall, settings, blobs, metrics, describe(settings.version))
    app = web.Application(middlewares=[guard], client_max_size=1)
    app[FRONT] = front
    for route in ROUTES:
        _add(app, front, route)
    app.on_response_prepare.append(header_writer(settings))
    app.cleanup_ctx.append(_sweeping)
    return app


def bind(host: str, port: int) -> socket.socket:
    """A bound socket for ``listen``; with port 0 it tells the port before an origin is set."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    return socket.create_server((host, port), family=family, backlog=BACKLOG)


async def listen(
    app: web.Application, sock: socket.socket, *, ssl_context: SSLContext | None = None
) -> web.AppRunner:
    """Starts listening; ``await runner.cleanup()`` ends it."""
    hush_strangers()
    limits = app[FRONT].settings.limits
    runner = web.AppRunner(
        app, access_log=None, handle_signals=False, shutdown_timeout=limits.shutdown_s
    )
    await runner.setup()
    await _DatedSite(runner, sock, ssl_context=ssl_context).start()
    return runner


class _DatedSite(web.BaseSite):
    """A listening socket whose connections say when they were read (``reading_moment``)."""

    __slots__ = ("_front", "_sock")

    def __init__(
        self, runner: web.AppRunner, sock: socket.socket, *, ssl_context: SSLContext | None
    ) -> None:
        super().__init__(runner, ssl_context=ssl_context, backlog=BACKLOG)
        self._sock = sock
        self._front = runner.app[FRONT]

    @property
    def name(self) -> str:
        return self._front.settings.origin

    async def start(self) -> None:
        await super().start()
        manager = self._runner.server
        assert manager is not None
        loop = asyncio.get_running_loop()
        limits, clock = self._front.settings.limits, self._front.hall.pass_clock

        def connection() -> DatedConnection:
            return DatedConnection(
                manager,
                received_ms=clock.received_ms,
                loop=loop,
                access_log=None,
                auto_decompress=False,
                keepalive_timeout=limits.keepalive_s,
                lingering_time=limits.lingering_s,
                max_line_size=limits.header_line_max,
                max_field_size=limits.header_line_max,
                max_headers=limits.headers_max,
            )

        self._server = await loop.create_server(
            connection, sock=self._sock, ssl=self._ssl_context, backlog=BACKLOG
        )


def _add(app: web.Application, front: Front, route: Route) -> None:
    path = route.path
    for name, pattern in PATTERNS.items():
        path = path.replace(f"{{{name}}}", f"{{{name}:{pattern}}}")
    handler = admitted(route.use_case, route.who, costly=route.costly)
    if route.counted:
        handler = front.metrics.counting(handler, route.path)
    resource = app.router.add_resource(path)
    resource.add_route(route.method, handler)
    if route.method == "GET" and route.name not in NO_HEAD:
        resource.add_route("HEAD", handler)


async def _sweeping(app: web.Application) -> AsyncIterator[None]:
    """Ends idle sessions and forgotten uploads while the application runs."""
    front = app[FRONT]

    async def sweep() -> None:
        while True:
            await asyncio.sleep(SWEEP_S)
            front.sessions.sweep()
            await front.uploads.sweep()

    sweeper = asyncio.get_running_loop().create_task(sweep(), name="http sweep")
    try:
        yield
    finally:
        sweeper.cancel()
        with suppress(asyncio.CancelledError):
            await sweeper
