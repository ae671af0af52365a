"""GET /openings/{id}/closed-path?sha256=: that one SUBMIT is in the closed list (入列证明)."""

from aiohttp import web

from crypto.hashes import SHA256_SIZE
from server.domain.model import Actor
from server.http.front import Front
from server.http.queries import hex_query
from server.http.wire import answer


async def handle(request: web.Request, front: Front, _actor: Actor) -> web.StreamResponse:
    """{path, index, count}; whoever knows the hash may ask."""
    digest = hex_query(request, "sha256", SHA256_SIZE)
    return answer(request, await front.hall.closed_path(request.match_info["id"], digest))
