"""GET /media/{room}/recording/{file}: a playable file, by ranges (录像文件)."""

import asyncio

from aiohttp import web

from server.domain.model import Actor
from server.http.front import Front
from server.http.playback_door import playback_of

DIGEST_HEADER = "X-SHA256"


async def handle(request: web.Request, _front: Front, actor: Actor) -> web.StreamResponse:
    """For the room's officers, and for players that show the token of recording.json."""
    room, file = request.match_info["room"], request.match_info["file"]
    token = request.query.get("token", "")
    playback = playback_of(request)
    path, mime, sha256 = await asyncio.to_thread(playback.path, room, actor, file, token)
    return web.FileResponse(
        path,
        headers={
            "Content-Type": mime,
            "Content-Disposition": f'inline; filename="{file}"',
            # Files are made again while a recording goes on: what a browser has is asked for anew.
            "Cache-Control": "private, no-cache",
            DIGEST_HEADER: sha256,
        },
    )
