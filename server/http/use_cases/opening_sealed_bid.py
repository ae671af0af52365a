"""GET /openings/{id}/sealed-bid?bid_id_start=: one counting bid, for whoever holds its card
(解锁卡查封套).
"""

from aiohttp import web

from crypto.card import BID_ID_START_SIZE
from server.domain.model import Actor
from server.http.front import Front
from server.http.queries import hex_query
from server.http.wire import answer


async def handle(request: web.Request, front: Front, _actor: Actor) -> web.StreamResponse:
    """Header, SUBMIT and its place in the closed list (sealing.md C8), after the deadline only."""
    start = hex_query(request, "bid_id_start", BID_ID_START_SIZE)
    return answer(request, await front.hall.sealed_bid(request.match_info["id"], start))
