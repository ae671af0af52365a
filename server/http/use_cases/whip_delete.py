"""DELETE /media/{room}/whip/{uid}: an encoder goes (RFC 9725 §4.2)."""

from aiohttp import web

from server.domain.model import Actor
from server.http.front import Front
from server.http.live_gate import gate_of
from server.http.whip_wire import authorization, bearer


@bearer
async def handle(request: web.Request, _front: Front, _actor: Actor) -> web.StreamResponse:
    """Its tracks end at once."""
    gate, room = gate_of(request), request.match_info["room"]
    gate.take(f"{room} {gate.video.cameras.check(room, authorization(request))}")
    gate.video.cameras.end(room, request.match_info["uid"], authorization(request))
    return web.Response()
