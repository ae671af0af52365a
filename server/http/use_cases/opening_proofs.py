"""GET /openings/{id}/proofs: the public log entries of an opening (公开证明)."""

from aiohttp import web

from server.domain.model import Actor
from server.http.front import Front
from server.http.queries import int_query
from server.http.wire import answer


async def handle(request: web.Request, front: Front, _actor: Actor) -> web.StreamResponse:
    """What a device checks before its half leaves it (sealing.md C7); ``size`` 0: the newest
    tree.
    """
    size = int_query(request, "size", 0)
    return answer(request, await front.hall.proofs(request.match_info["id"], size))
