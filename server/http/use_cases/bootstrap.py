"""GET /bootstrap.json: what a page must know before anything else (启动信息)."""

from aiohttp import web

from server.domain.model import Actor
from server.http.front import Front
from server.http.settings import WS_PATH
from server.http.wire import answer


async def handle(request: web.Request, front: Front, _actor: Actor) -> web.StreamResponse:
    """Where signaling is, also for viewers, which origin a login signs, whom to call."""
    settings = front.settings
    return answer(
        request,
        {
            "ws_port": settings.ws_port,
            "ws_path": WS_PATH,
            "edges": settings.edges,
            "origin": settings.origin,
            "demo": settings.demo,
            "version": settings.version,
            "site_name": settings.site_name,
            "help_phone": settings.help_phone,
        },
    )
