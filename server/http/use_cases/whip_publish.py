"""POST /media/{room}/whip: a camera or an encoder publishes by itself (RFC 9725)."""

from aiohttp import web

from media.sdp import SDP_BYTES_MAX
from server.domain.model import Actor
from server.domain.refusals import Refused
from server.http.front import Front
from server.http.live_gate import gate_of
from server.http.whip_wire import authorization, bearer, read_text
from server.live.turn import link_headers
from server.live.whip import FRAGMENT, SDP


@bearer
async def handle(request: web.Request, front: Front, _actor: Actor) -> web.StreamResponse:
    """Its offer; 201 with the answer, and where its session is."""
    gate, room = gate_of(request), request.match_info["room"]
    cameras = gate.video.cameras
    member = cameras.check(room, authorization(request))
    gate.take(f"{room} {member}")
    offer = await read_text(request, front, SDP, SDP_BYTES_MAX)
    if "m=" not in offer:
        raise Refused("media.sdp")
    session, answer = await cameras.publish(room, authorization(request), offer)
    response = web.Response(status=201, text=answer, content_type=SDP)
    response.headers["Location"] = f"/media/{room}/whip/{session.session}"
    response.headers["ETag"] = session.tag
    response.headers["Accept-Patch"] = FRAGMENT
    for link in link_headers(gate.video.ice_servers(member)):
        response.headers.add("Link", link)
    return response
