"""Where handlers find the recordings (录像入口). Without video there is none: ``media.absent``."""

from typing import Final

from aiohttp import web

from server.domain.refusals import Refused
from server.live.playback import Playback

PLAYBACK: Final = web.AppKey("playback", Playback)


def playback_of(request: web.Request) -> Playback:
    """Raises Refused ``media.absent``."""
    found = request.app.get(PLAYBACK)
    if found is None:
        raise Refused("media.absent")
    return found
