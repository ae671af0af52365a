"""GET /log/consistency?from=&to=: that the log only grew between two sizes (一致性证明)."""

from aiohttp import web

from server.domain.model import Actor
from server.http.front import Front
from server.http.queries import int_query
from server.http.wire import answer


async def handle(request: web.Request, front: Front, _actor: Actor) -> web.StreamResponse:
    """{from, to, path} (formats.md §7)."""
    sizes = int_query(request, "from"), int_query(request, "to")
    return answer(request, await front.hall.consistency(*sizes))
