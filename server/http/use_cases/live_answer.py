"""POST /media/{room}/answer: the answer to the latest offer of ``watch``."""

from aiohttp import web

from server.domain.model import Actor
from server.http.front import Front
from server.http.live_gate import BODY_BYTES_MAX, gate_of
from server.http.shapes import AnswerGiven
from server.http.wire import answer, read_json


async def handle(request: web.Request, front: Front, actor: Actor) -> web.StreamResponse:
    """{answer} -> {}."""
    gate = gate_of(request)
    gate.take(actor.person)
    within_s = front.settings.limits.body_within_s
    given = await read_json(request, AnswerGiven, BODY_BYTES_MAX, within_s)
    value, room = {"answer": given.answer}, request.match_info["room"]
    return answer(request, await gate.desk.ask(room, actor, "answer", value, given.tab))
