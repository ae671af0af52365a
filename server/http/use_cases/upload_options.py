"""OPTIONS /uploads: which tus this is (上传协议能力). No other address answers OPTIONS."""

from aiohttp import web

from server.domain.model import Actor
from server.http.front import Front
from server.http.tus import EXTENSIONS


async def handle(_request: web.Request, _front: Front, _actor: Actor) -> web.StreamResponse:
    """No limit on size is told: it is the tender's, and is said in its manifest."""
    return web.Response(
        status=204, headers={"Tus-Extension": EXTENSIONS, "Tus-Checksum-Algorithm": "sha256"}
    )
