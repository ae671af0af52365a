"""POST /media/{room}/watch: what somebody watches from now on (观看)."""

from aiohttp import web

from server.domain.model import Actor
from server.http.front import Front
from server.http.live_gate import BODY_BYTES_MAX, gate_of
from server.http.shapes import WatchAsked
from server.http.wire import answer, read_json


async def handle(request: web.Request, front: Front, actor: Actor) -> web.StreamResponse:
    """{wanted, anew} -> {offer or null}."""
    gate = gate_of(request)
    gate.take(actor.person)
    within_s = front.settings.limits.body_within_s
    asked = await read_json(request, WatchAsked, BODY_BYTES_MAX, within_s)
    value = {"wanted": asked.wanted, "anew": asked.anew, "restart": asked.restart}
    room = request.match_info["room"]
    return answer(request, await gate.desk.ask(room, actor, "watch", value, asked.tab))
