"""POST /auth/logout: the session ends here and everywhere it was used (退出)."""

from aiohttp import web

from server.domain.model import Actor
from server.http.front import Front


async def handle(request: web.Request, front: Front, _actor: Actor) -> web.StreamResponse:
    """Also without a session: the cookie is gone afterwards."""
    front.sessions.end(front.session_token(request))
    response = web.Response(status=204)
    front.clear_cookie(response)
    return response
