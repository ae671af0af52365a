"""GET /media/{room}/recording.json: what was recorded, and where a moment is in it (录像目录)."""

from aiohttp import web

from server.domain.model import Actor
from server.http.front import Front
from server.http.playback_door import playback_of
from server.http.wire import answer


async def handle(request: web.Request, _front: Front, actor: Actor) -> web.StreamResponse:
    """``media.not_allowed`` but for the room's officers; see ``server.live.recording_access``."""
    room = request.match_info["room"]
    return answer(request, await playback_of(request).describe(room, actor))
