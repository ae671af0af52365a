"""GET /tenders/{id}/manifest.sig.json: who signed the rule book, verbatim (清单签名)."""

from aiohttp import web

from server.domain.model import Actor
from server.http.front import Front
from server.http.wire import JSON


async def handle(request: web.Request, front: Front, _actor: Actor) -> web.StreamResponse:
    """Signatures stand outside the hashed manifest (sealing.md C17)."""
    _, signatures = await front.hall.manifest(request.match_info["id"])
    return web.Response(body=signatures, content_type=JSON)
