"""OPTIONS /media/{room}/whip: what an encoder may send here (RFC 9725 §4.2).

No Access-Control header, as in no answer of ours: encoders are no pages.
"""

from aiohttp import web

from server.domain.model import Actor
from server.http.front import Front
from server.http.live_gate import gate_of
from server.live.whip import SDP


async def handle(request: web.Request, _front: Front, _actor: Actor) -> web.StreamResponse:
    """Whoever asks."""
    gate_of(request)
    return web.Response(status=204, headers={"Allow": "OPTIONS,POST", "Accept-Post": SDP})
