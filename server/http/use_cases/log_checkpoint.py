"""GET /log/checkpoint: the newest signed checkpoint of the site log (存证检查点)."""

from aiohttp import web

from server.domain.model import Actor
from server.http.front import Front


async def handle(_request: web.Request, front: Front, _actor: Actor) -> web.StreamResponse:
    """A C2SP signed note; its size tells the time and nothing else (sealing.md C13)."""
    return web.Response(text=await front.hall.checkpoint_text(), content_type="text/plain")
