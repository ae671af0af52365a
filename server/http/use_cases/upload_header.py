"""PUT /uploads/{uid}/header: the whole header turns an upload into a stored envelope (信封入库).

Order: the header is checked (C6) and compared with what was announced and what was received; then
the payload takes its bid's name on the disk; then the journal says that it is there. So a row never
names a payload that could be missing. A crash or a lost answer in between is mended by asking
again: the upload is gone then, but the payload stands under the bid_id of this very header, and
only the bidder whose keys signed the header gets past C6.
"""

from aiohttp import web

from crypto.errors import Rejected
from crypto.header import Header
from server.domain.model import Actor
from server.domain.refusals import Refused
from server.http.front import Front
from server.http.upload_note import UploadNote
from server.http.wire import answer, read_body
from server.storage.upload import Upload


async def handle(request: web.Request, front: Front, actor: Actor) -> web.StreamResponse:
    """201 {bid_id}. The same header again gets the same answer."""
    limits = front.settings.limits
    raw = await read_body(request, limits.header_size_max, limits.body_within_s)
    try:
        upload, note = front.uploads.find(actor, request.match_info["uid"])
    except Refused:
        tender, header = await _stored_before(front, actor, raw)
    else:
        tender, header = front.hall.check_envelope(actor, raw)
        await front.uploads.displace_silent(upload)
        await _compare(header, upload, note, tender)
        await front.uploads.blobs.put(header.bid_id, raw, "kbh")
        await front.uploads.finish(upload, header.bid_id)
    result = await front.hall.store_envelope(
        actor, tender, raw, header.bid_id.hex(), header.ct_root
    )
    return answer(request, dict(result), 201)


async def _stored_before(front: Front, actor: Actor, raw: bytes) -> tuple[str, Header]:
    """The envelope of an upload that was finished; whatever is wrong, there is no such upload."""
    try:
        tender, header = front.hall.check_envelope(actor, raw)
    except (Refused, Rejected):
        raise Refused("upload.unknown") from None
    if await front.uploads.blobs.size(header.bid_id) is None:
        raise Refused("upload.unknown")
    return tender, header


async def _compare(header: Header, upload: Upload, note: UploadNote, tender: str) -> None:
    """Header, announcement and received bytes are of one envelope."""
    if not upload.is_complete:
        raise Refused("upload.incomplete", offset=upload.durable, size=upload.size)
    if tender != note.tender or header.core != note.core:
        raise Refused("upload.header")
    if header.ct_root != await upload.root():
        raise Refused("bid.ct_root")
