"""GET /edge/heads: how far the public channels have come, for edges (边缘进程)."""

from aiohttp import web

from server.domain.model import Actor
from server.domain.refusals import Refused
from server.http.edge_door import BOOT_LENGTH_MAX, EDGE_DOOR
from server.http.front import Front
from server.http.queries import int_query
from server.http.wire import answer


async def handle(request: web.Request, _front: Front, _actor: Actor) -> web.StreamResponse:
    """What changed after ``version`` of ``boot``; all of it where that was another process."""
    door = request.app.get(EDGE_DOOR)
    if door is None or not door.knows(request):
        raise Refused("route.unknown")
    boot = request.query.get("boot", "")[:BOOT_LENGTH_MAX]
    return answer(request, door.heads(boot, int_query(request, "version", 0)))
