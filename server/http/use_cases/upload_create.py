"""POST /uploads: a sealed payload is announced by the core of its header (上传登记).

What a core can be wrong in is refused here, before a byte of payload is taken (formats.md §9):
tender, lot, envelope, key, sizes, deadline. Bytes may follow in the same request.
"""

from aiohttp import web

from server.domain.model import Actor
from server.domain.refusals import Refused
from server.http.front import Front
from server.http.queries import ID
from server.http.tus import (
    PATCH_TYPE,
    expires,
    parse_length,
    parse_metadata,
    require_version,
)
from server.http.upload_receive import receive


async def handle(request: web.Request, front: Front, actor: Actor) -> web.StreamResponse:
    """201 with Location; the length must be the one that the core declares."""
    require_version(request.headers)
    length = parse_length(request.headers)
    limits = front.settings.limits
    metadata = parse_metadata(request.headers.get("Upload-Metadata", ""), limits.metadata_size_max)
    tender, core = _named(metadata, limits.core_size_max)
    has_body = request.body_exists
    if has_body and request.content_type != PATCH_TYPE:
        raise Refused("body.media_type")
    front.upload_rate.take(actor.org)
    declared = front.hall.upload_terms(actor, tender, core)
    if length != declared:
        raise Refused("upload.length", size=declared)
    upload = await front.uploads.create(actor, tender, core, length)
    if has_body:
        try:
            await receive(request, front, actor, upload, 0)
        except Refused as refused:
            if refused.code not in ("body.cut", "upload.taken_over"):
                # Its address was never told, so nobody could carry on with it.
                await front.uploads.discard(upload)
            raise
    return web.Response(
        status=201,
        headers={
            "Location": f"/uploads/{upload.upload_id}",
            "Upload-Offset": str(upload.durable),
            "Upload-Expires": expires(front.uploads.expiry_ms(upload)),
        },
    )


def _named(metadata: dict[str, bytes], core_size_max: int) -> tuple[str, bytes]:
    """Tender id and core; what else a client notes, a file name perhaps, is dropped."""
    tender, core = metadata.get("tender", b""), metadata.get("core", b"")
    text = tender.decode("ascii", "replace")
    if not ID.fullmatch(text):
        raise Refused("upload.metadata", why="tender")
    if not 0 < len(core) <= core_size_max:
        raise Refused("upload.metadata", why="core")
    return text, core
