"""DELETE /uploads/{uid}: an upload is given up (取消上传)."""

from aiohttp import web

from server.domain.model import Actor
from server.http.front import Front
from server.http.tus import require_version


async def handle(request: web.Request, front: Front, actor: Actor) -> web.StreamResponse:
    """A payload that already has its bid's name is no upload and stays."""
    require_version(request.headers)
    upload, _ = front.uploads.find(actor, request.match_info["uid"])
    await front.uploads.displace_silent(upload)
    await front.uploads.discard(upload)
    return web.Response(status=204)
