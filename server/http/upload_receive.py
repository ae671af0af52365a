"""Taking the bytes of one request into an upload (接收密文): one writer, in order, durable at the
end.

Invariant: what is refused here was refused before any byte beyond the announced length was written;
a body with a checksum is written whole or not at all.
"""

from aiohttp import web

from crypto.hashes import sha256
from server.domain.model import Actor
from server.domain.refusals import Refused
from server.http.front import Front
from server.http.steady_body import SteadyBody
from server.http.tus import parse_checksum
from server.http.wire import refuse_encoding
from server.storage.upload import Upload


async def receive(
    request: web.Request, front: Front, actor: Actor, upload: Upload, offset: int
) -> None:
    """Reads the body into ``upload`` from ``offset``, which must be the durable one.

    Raises upload.offset, upload.busy, upload.length, upload.slow, upload.checksum*, body.cut: what
    came before a cut line is durable nevertheless.
    """
    refuse_encoding(request)
    if offset != upload.durable:
        raise Refused("upload.offset", durable=upload.durable)
    if offset + (request.content_length or 0) > upload.size:
        raise Refused("upload.length", size=upload.size)
    checksum = request.headers.get("Upload-Checksum")
    body = SteadyBody(request, front.settings.limits)
    with front.uploads.writing(actor, upload, body):
        if checksum is not None:
            await _receive_checked(request, front, upload, body, parse_checksum(checksum))
            return
        async with upload.writing(offset):
            while piece := await body.read():
                await upload.write(piece)


async def _receive_checked(
    request: web.Request, front: Front, upload: Upload, body: SteadyBody, digest: bytes
) -> None:
    size = request.content_length
    if size is None or size > front.settings.limits.checked_patch_max:
        raise Refused("upload.checked_too_large")
    with front.uploads.checked.held(size):
        pieces: list[bytes] = []
        while piece := await body.read():
            pieces.append(piece)
        if sha256(*pieces) != digest:
            raise Refused("upload.checksum")
        async with upload.writing(upload.durable):
            for piece in pieces:
                await upload.write(piece)
