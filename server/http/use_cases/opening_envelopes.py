"""GET /openings/{id}/envelopes: SUBMITs and headers of all counting bids (信封清单)."""

from aiohttp import web

from server.domain.model import Actor
from server.http.front import Front
from server.http.queries import int_query
from server.http.wire import answer


async def handle(request: web.Request, front: Front, actor: Actor) -> web.StreamResponse:
    """What a trustee checks before releasing a share (sealing.md C7); after the deadline only."""
    size = int_query(request, "size", 0)
    return answer(request, await front.hall.envelopes(request.match_info["id"], actor, size))
