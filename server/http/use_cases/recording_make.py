"""POST /media/{room}/recording: makes playable files of what was recorded (制作可播放文件)."""

from aiohttp import web

from server.domain.model import Actor
from server.http.front import Front
from server.http.playback_door import playback_of
from server.http.shapes import MakeAsked
from server.http.wire import answer, read_json


async def handle(request: web.Request, front: Front, actor: Actor) -> web.StreamResponse:
    """``make``: ``all`` for browsers, ``matroska`` for archives. How far it is: recording.json."""
    limits = front.settings.limits
    asked = await read_json(request, MakeAsked, limits.auth_body_max, limits.body_within_s)
    playback_of(request).make(request.match_info["room"], actor, asked.make)
    return answer(request, {}, 202)
