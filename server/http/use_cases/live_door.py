"""GET /media/{room}/door: what somebody may do in a room's video, and by which way (直播门口)."""

from aiohttp import web

from server.domain.model import Actor
from server.http.front import Front
from server.http.live_gate import gate_of
from server.http.wire import answer


async def handle(request: web.Request, _front: Front, actor: Actor) -> web.StreamResponse:
    """Asked again for a fresh token of the fragments."""
    gate, room = gate_of(request), request.match_info["room"]
    door = gate.desk.door(room, actor)
    return answer(
        request,
        door
        | {
            "ice_servers": gate.video.ice_servers(door["member"] or "viewer"),
            "fragments": gate.video.fragments(room, door["member"]),
            "udp_port": gate.video.udp_port if door["member"] else 0,
        },
    )
