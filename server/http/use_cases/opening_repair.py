"""PUT /openings/{id}/payloads/{bid_id}: the same sealed payload again (修复存储, sealing.md C3).

The body is received like any upload, beside what is stored, and takes its place only when it gives
the ct_root of the header that was submitted. Whatever else happens, the stored bytes stay.
"""

import contextlib

from aiohttp import web

from server.domain.model import Actor
from server.domain.refusals import Refused
from server.http.front import Front
from server.http.upload_receive import receive


async def handle(request: web.Request, front: Front, actor: Actor) -> web.StreamResponse:
    """204 when REPAIR is logged. Refused: repair.ct_root, upload.length and as
    ``Hall.damaged_header``.
    """
    opening = request.match_info["id"]
    bid_id = bytes.fromhex(request.match_info["bid_id"])
    front.upload_rate.take(actor.org)
    header = await front.hall.damaged_header(opening, actor, bid_id)
    if request.content_length != header.payload_size:
        raise Refused("upload.length", size=header.payload_size)
    upload = await front.uploads.create(actor, opening, header.core, header.payload_size)
    try:
        await receive(request, front, actor, upload, 0)
        if not upload.is_complete or await upload.root() != header.ct_root:
            raise Refused("repair.ct_root")
        await front.uploads.finish(upload, bid_id)
    except BaseException:
        with contextlib.suppress(Refused):
            await front.uploads.discard(upload)
        raise
    await front.hall.report_repair(opening, actor, header)
    return web.Response(status=204)
