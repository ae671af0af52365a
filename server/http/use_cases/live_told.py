"""GET /media/{room}/told: what happens in a room's video, line by line (直播通报).

The stream is the presence: while it is open, its person is in the room. Invariant: it ends with the
session that opened it, and who does not read it is let go.
"""

import asyncio
import re
from contextlib import suppress
from typing import Final

from aiohttp import web

from server.domain.model import Actor
from server.domain.refusals import Refused
from server.http.front import Front
from server.http.live_gate import gate_of
from server.http.sessions import digest_of
from server.live.told import Listener, encoded

LINES: Final = "application/x-ndjson"
TAB: Final = re.compile(r"[A-Za-z0-9_-]{0,64}")
LOOK_S: Final = 0.5  # how soon it is noticed that nobody reads any more
BEAT_LOOKS: Final = 10
SEND_S_MAX: Final = 10.0
BEAT: Final = encoded({"kind": "beat"})


async def handle(request: web.Request, front: Front, actor: Actor) -> web.StreamResponse:
    """``?tab=``: which page of the person's it is; another one takes the place of the first."""
    gate, room = gate_of(request), request.match_info["room"]
    gate.take(actor.person)
    if request.headers.get("Sec-Fetch-Site", "same-origin") not in ("same-origin", "none"):
        raise Refused("origin.foreign")  # reading changes who is present
    tab = request.query.get("tab", "")
    if not TAB.fullmatch(tab):
        raise Refused("query.malformed", name="tab")
    session = digest_of(front.session_token(request)) or b""
    address = front.address(request)
    with gate.present(room, actor, tab, session, address) as listener:
        response = web.StreamResponse(headers={"Content-Type": LINES, "X-Accel-Buffering": "no"})
        await response.prepare(request)
        with suppress(ConnectionError, TimeoutError):  # those who stay notice it
            await _tell(request, response, front, listener, session)
        if not front.sessions.touch(session):
            gate.desk.drop(room, listener)
    return response


async def _tell(
    request: web.Request,
    response: web.StreamResponse,
    front: Front,
    listener: Listener,
    session: bytes,
) -> None:
    silent = 0
    while not front.is_gone(request):
        lines = await listener.next(LOOK_S)
        if lines is None:
            return
        silent = 0 if lines else silent + 1
        if silent == BEAT_LOOKS:
            if not front.sessions.touch(session):
                return
            lines, silent = BEAT, 0
        if lines:
            await _send(response, lines)


async def _send(response: web.StreamResponse, lines: bytes) -> None:
    async with asyncio.timeout(SEND_S_MAX):
        await response.write(lines)
