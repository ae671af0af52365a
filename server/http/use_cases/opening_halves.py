"""GET /openings/{id}/halves: the bidders' halves, after WINDOW_END (投标人半钥)."""

from aiohttp import web

from server.domain.model import Actor
from server.http.front import Front
from server.http.wire import answer


async def handle(request: web.Request, front: Front, actor: Actor) -> web.StreamResponse:
    """With these a trustee sees that a bid was unlocked by its bidder (sealing.md C7)."""
    return answer(request, await front.hall.halves(request.match_info["id"], actor))
