"""PATCH /media/{room}/whip/{uid}: candidates, which are not needed, or an ICE restart (WHIP)."""

from aiohttp import web

from server.domain.model import Actor
from server.http.front import Front
from server.http.live_gate import gate_of
from server.http.whip_wire import authorization, bearer, read_text
from server.live.whip import FRAGMENT, FRAGMENT_BYTES_MAX


@bearer
async def handle(request: web.Request, front: Front, _actor: Actor) -> web.StreamResponse:
    """204 for candidates; 200 with ours, and another ETag, for a restart."""
    gate, room = gate_of(request), request.match_info["room"]
    cameras = gate.video.cameras
    gate.take(f"{room} {cameras.check(room, authorization(request))}")
    fragment = await read_text(request, front, FRAGMENT, FRAGMENT_BYTES_MAX)
    session, ours = await cameras.patch(
        room,
        request.match_info["uid"],
        authorization(request),
        request.headers.get("If-Match", ""),
        fragment,
    )
    if not ours:
        return web.Response(status=204)
    response = web.Response(text=ours, content_type=FRAGMENT)
    response.headers["ETag"] = session.tag
    return response
