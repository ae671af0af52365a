"""GET /demo/people.json: the people of the rehearsal and their keys (演示人员)."""

from aiohttp import web

from server.domain.model import Actor
from server.domain.refusals import Refused
from server.http.front import Front
from server.http.wire import answer


async def handle(request: web.Request, front: Front, _actor: Actor) -> web.StreamResponse:
    """Only where the whole site is a demo; elsewhere there is no such address."""
    if not front.settings.demo:
        raise Refused("route.unknown")
    return answer(request, await front.hall.demo_people())
