"""GET /openings/{id}/closed.json: which SUBMITs count, after the deadline (截止清单)."""

from aiohttp import web

from server.domain.model import Actor
from server.http.front import Front
from server.http.wire import answer


async def handle(request: web.Request, front: Front, _actor: Actor) -> web.StreamResponse:
    """Hashes alone, sorted: no names, no order of arrival."""
    return answer(request, await front.hall.closed_list(request.match_info["id"]))
