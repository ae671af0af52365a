"""GET /openings/{id}/evidence?bid_id=: what is known of a bid that did not open (证据)."""

from aiohttp import web

from server.domain.model import Actor
from server.http.front import Front
from server.http.queries import hex_query
from server.http.wire import answer

BID_ID_SIZE = 32


async def handle(request: web.Request, front: Front, actor: Actor) -> web.StreamResponse:
    """For the staff, and for the bidder whose bid it is."""
    bid_id = hex_query(request, "bid_id", BID_ID_SIZE)
    return answer(request, await front.hall.evidence(request.match_info["id"], actor, bid_id))
