"""POST /media/{room}/own: somebody mutes a track of his own, or takes it back (自己静音)."""

from aiohttp import web

from server.domain.model import Actor
from server.http.front import Front
from server.http.live_gate import gate_of
from server.http.shapes import OwnMute
from server.http.wire import answer, read_json

BODY_BYTES_MAX = 1024


async def handle(request: web.Request, front: Front, actor: Actor) -> web.StreamResponse:
    """{track, muted} -> {}. Not journaled; everybody in the room is told."""
    gate = gate_of(request)
    gate.take(actor.person)
    asked = await read_json(request, OwnMute, BODY_BYTES_MAX, front.settings.limits.body_within_s)
    value, room = {"track": asked.track, "muted": asked.muted}, request.match_info["room"]
    return answer(request, await gate.desk.ask(room, actor, "own", value, asked.tab))
