"""GET /tenders/{id}/manifest.json: the signed rule book of a tender, verbatim (招标清单)."""

from aiohttp import web

from server.domain.model import Actor
from server.http.front import Front
from server.http.wire import JSON


async def handle(request: web.Request, front: Front, _actor: Actor) -> web.StreamResponse:
    """The bytes whose hash is the tender_id."""
    manifest, _ = await front.hall.manifest(request.match_info["id"])
    return web.Response(body=manifest, content_type=JSON)
