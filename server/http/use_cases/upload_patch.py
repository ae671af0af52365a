"""PATCH /uploads/{uid}: the next bytes of a sealed payload (续传)."""

from aiohttp import web

from server.domain.model import Actor
from server.domain.refusals import Refused
from server.http.front import Front
from server.http.tus import PATCH_TYPE, expires, parse_size, require_version
from server.http.upload_receive import receive


async def handle(request: web.Request, front: Front, actor: Actor) -> web.StreamResponse:
    """204 when everything sent is durable. A device that came back displaces its own dead line."""
    require_version(request.headers)
    upload, _ = front.uploads.find(actor, request.match_info["uid"])
    if request.content_type != PATCH_TYPE:
        raise Refused("body.media_type")
    offset = parse_size(request.headers.get("Upload-Offset"), "upload.offset_missing")
    await front.uploads.displace_silent(upload)
    await receive(request, front, actor, upload, offset)
    return web.Response(
        status=204,
        headers={
            "Upload-Offset": str(upload.durable),
            "Upload-Expires": expires(front.uploads.expiry_ms(upload)),
        },
    )
