"""POST /media/{room}/publish: a publisher's offer, answered (发布)."""

from aiohttp import web

from server.domain.model import Actor
from server.http.front import Front
from server.http.live_gate import BODY_BYTES_MAX, gate_of
from server.http.shapes import PublishAsked
from server.http.wire import answer, read_json


async def handle(request: web.Request, front: Front, actor: Actor) -> web.StreamResponse:
    """{offer, labels, to} -> {answer, tracks}."""
    gate = gate_of(request)
    gate.take(actor.person)
    within_s = front.settings.limits.body_within_s
    asked = await read_json(request, PublishAsked, BODY_BYTES_MAX, within_s)
    to = {"kind": asked.to.kind, "id": asked.to.id} if asked.to is not None else None
    value = {"offer": asked.offer, "labels": asked.labels, "to": to}
    room = request.match_info["room"]
    return answer(request, await gate.desk.ask(room, actor, "publish", value, asked.tab))
