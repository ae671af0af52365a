"""GET /tenders: the public board (招标项目列表)."""

from aiohttp import web

from server.domain.model import Actor
from server.http.front import Front
from server.http.wire import answer


async def handle(request: web.Request, front: Front, _actor: Actor) -> web.StreamResponse:
    """Nothing here moves with a bid."""
    return answer(request, {"tenders": list(await front.hall.tenders())})
