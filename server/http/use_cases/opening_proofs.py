"""GET /openings/{id}/proofs: the public log entries of an opening (公开证明)."""

from aiohttp import web

from server.domain.model import Actor
from server.http.front import Front
from server.http.wire import answer


async def handle(request: web.Request, front: Front, _actor: Actor) -> web.StreamResponse:
    """What a device checks before its half leaves it (sealing.md C7)."""
    return answer(request, await front.hall.proofs(request.match_info["id"]))
