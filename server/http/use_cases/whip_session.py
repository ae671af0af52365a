"""OPTIONS /media/{room}/whip/{uid}: what an encoder may send to its session (RFC 9725 §4.3)."""

from aiohttp import web

from server.domain.model import Actor
from server.http.front import Front
from server.http.live_gate import gate_of
from server.live.whip import FRAGMENT


async def handle(request: web.Request, _front: Front, _actor: Actor) -> web.StreamResponse:
    """Whether or not there is such a session."""
    gate_of(request)
    headers = {"Allow": "DELETE,OPTIONS,PATCH", "Accept-Patch": FRAGMENT}
    return web.Response(status=204, headers=headers)
