"""POST /media/{room}/leave: somebody goes, at once (离开)."""

from aiohttp import web

from server.domain.model import Actor
from server.http.front import Front
from server.http.live_gate import gate_of
from server.http.shapes import LiveLeft
from server.http.wire import answer, read_json

BODY_BYTES_MAX = 1024


async def handle(request: web.Request, front: Front, actor: Actor) -> web.StreamResponse:
    """{} -> {}. Who only closes the page is waited for a while."""
    gate = gate_of(request)
    asked = await read_json(request, LiveLeft, BODY_BYTES_MAX, front.settings.limits.body_within_s)
    gate.desk.leave(request.match_info["room"], actor, asked.tab)
    return answer(request, {})
