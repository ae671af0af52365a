"""What is counted about HTTP (运行指标): public reads by address, our own failures, nothing else.

Invariant: no counter here moves with anything a bidder does. A site may have one tender only, and
then the number of uploads, logins or commands is the number of bidders (电子招标投标办法 art. 21).
"""

from collections.abc import Awaitable, Callable

from aiohttp import web
from prometheus_client import CollectorRegistry, Counter

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


class HttpMetrics:
    """The counters of one site, in a registry that is handed in."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self._reads = Counter(
            "kaibiao_http_public_reads",
            "Answers to public GET requests.",
            ["route", "status"],
            registry=registry,
        )
        self._troubles = Counter(
            "kaibiao_http_troubles", "Answers with server.trouble.", registry=registry
        )
        self._foreign = Counter(
            "kaibiao_http_foreign",
            "Requests refused for their Host or Origin.",
            registry=registry,
        )

    def counting(self, handler: Handler, route: str) -> Handler:
        """``handler``, counted under ``route`` when it answers; refusals are not."""

        async def handle(request: web.Request) -> web.StreamResponse:
            response = await handler(request)
            self._reads.labels(route, f"{response.status // 100}xx").inc()
            return response

        return handle

    def trouble(self) -> None:
        """We failed."""
        self._troubles.inc()

    def foreign(self) -> None:
        """Somebody came by a name that is not ours, or from a page that is not ours."""
        self._foreign.inc()
