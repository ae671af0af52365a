"""GET /openapi.json: this interface, described (接口描述)."""

from aiohttp import web

from server.domain.model import Actor
from server.http.front import Front
from server.http.wire import JSON


async def handle(_request: web.Request, front: Front, _actor: Actor) -> web.StreamResponse:
    """Generated from the route table when the site starts."""
    return web.Response(body=front.openapi, content_type=JSON)
