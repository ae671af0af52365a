"""GET /tenders/{id}/mine: what the asking bidder has in a tender (我的投标)."""

from aiohttp import web

from server.domain.model import Actor
from server.http.front import Front
from server.http.wire import answer


async def handle(request: web.Request, front: Front, actor: Actor) -> web.StreamResponse:
    """For another device of the same organisation: registration, envelopes, submits, receipts."""
    return answer(request, await front.hall.mine(actor, request.match_info["id"]))
