"""POST /auth/ticket: one WebSocket hello within 30 s (信令票据)."""

from aiohttp import web

from server.domain.model import Actor
from server.http.front import Front
from server.http.wire import answer


async def handle(request: web.Request, front: Front, _actor: Actor) -> web.StreamResponse:
    """The ticket goes into the first frame, never into an address."""
    return answer(request, {"ticket": front.sessions.ticket(front.session_token(request))})
