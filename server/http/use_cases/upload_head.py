"""HEAD /uploads/{uid}: how much of an upload is safely here (上传进度)."""

from aiohttp import web

from server.domain.model import Actor
from server.http.front import Front
from server.http.tus import expires, format_metadata, require_version


async def handle(request: web.Request, front: Front, actor: Actor) -> web.StreamResponse:
    """The durable offset: what survives a power cut, and from where to carry on."""
    require_version(request.headers)
    upload, note = front.uploads.find(actor, request.match_info["uid"])
    await front.uploads.displace_silent(upload)
    return web.Response(
        headers={
            "Upload-Offset": str(upload.durable),
            "Upload-Length": str(upload.size),
            "Upload-Metadata": format_metadata({"tender": note.tender.encode(), "core": note.core}),
            "Upload-Expires": expires(front.uploads.expiry_ms(upload)),
        }
    )
