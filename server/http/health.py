"""Health and metrics on a loopback port of their own (健康检查与指标).

Invariant: never reachable from outside, and nothing here speaks of a tender before its deadline:
what is in the registry that is handed in has been counted under that rule by whoever counts it.
"""

from collections.abc import Callable, Sequence
from ipaddress import ip_address

from aiohttp import web
from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, generate_latest

KEEPALIVE_S = 30.0
SHUTDOWN_S = 1.0


def build_health_app(
    registry: CollectorRegistry, not_ready: Callable[[], Sequence[str]]
) -> web.Application:
    """``not_ready`` gives the reasons, as stable codes, why no traffic should come; none: ready."""

    async def livez(_request: web.Request) -> web.Response:
        # That the loop came round to this line is the whole test.
        return web.json_response({"alive": True})

    async def readyz(_request: web.Request) -> web.Response:
        reasons = list(not_ready())
        return web.json_response(
            {"ready": not reasons, "reasons": reasons}, status=503 if reasons else 200
        )

    async def metrics(_request: web.Request) -> web.Response:
        return web.Response(
            body=generate_latest(registry), headers={"Content-Type": CONTENT_TYPE_LATEST}
        )

    app = web.Application(client_max_size=1)
    app.router.add_get("/livez", livez)
    app.router.add_get("/readyz", readyz)
    app.router.add_get("/metrics", metrics)
    return app


async def listen_health(app: web.Application, port: int, host: str = "127.0.0.1") -> web.AppRunner:
    """Starts listening on a loopback address; ``await runner.cleanup()`` ends it."""
    assert ip_address(host).is_loopback, "health is for this machine alone"
    runner = web.AppRunner(
        app,
        access_log=None,
        handle_signals=False,
        keepalive_timeout=KEEPALIVE_S,
        shutdown_timeout=SHUTDOWN_S,
    )
    await runner.setup()
    await web.TCPSite(runner, host, port).start()
    return runner
