"""The fragments' listener of the media process (片段监听): two addresses, behind a token.

    GET /media/{room}/live?token=...               a WebSocket, see `media.fragments.hub`
    GET /media/{room}/hls/{token}/index.m3u8       and what its playlists name beside it

Of a meeting a member asks for one track after the other: ``&of=12.small`` of the first, and
``/hls/{token}/12.small/index.m3u8``; ``small`` and ``large`` of a picture, ``sound`` of a sound.

No session comes here and no cookie is read. Invariant: what a foreign page asks is refused, what
our own page asks it may read (CORS, for players that fetch), and nothing is kept of who asked.
"""

import socket
from collections.abc import Awaitable, Callable
from typing import Final

from aiohttp import web

from media.fragments.room import RoomStream
from server.http.fragments import FRAGMENTS, FragmentDoor, Still, hls, live, of_request
from server.http.noise import hush_strangers
from server.http.rates import client_address
from server.live.tokens import Admitted

ROOM: Final = "{room:(?:opening|evaluation):[a-z0-9-]{1,64}}"
TOKEN: Final = "{token:[A-Za-z0-9_.-]{1,400}}"  # noqa: S105 - a pattern
HEADER_LINE_MAX: Final = 4096
HEADERS_MAX: Final = 64
KEEPALIVE_S: Final = 75.0
OF: Final = "{of:[0-9]{1,9}[.][a-z]{5}}"
MEMBER: Final = web.RequestKey("member", str)
SHUTDOWN_S: Final = 1.0
BACKLOG: Final = 1024


async def listen_fragments(
    sock: socket.socket,
    *,
    stream: Callable[[str, str], RoomStream | None],
    admitted: Callable[[str, str, str], Admitted | None],
    origin: str,
    proxies: frozenset[str],
) -> Callable[[], Awaitable[None]]:
    """Listens on ``sock``; returns what ends it. ``stream(room, of)`` and ``admitted(room, token,
    of)`` are the worker's.
    """

    def admit(request: web.Request) -> Still | None:
        token = request.match_info.get("token") or request.query.get("token", "")
        held = admitted(request.match_info["room"], token, of_request(request))
        if held is None:
            return None
        request[MEMBER] = held.subject
        return held.still

    def address(request: web.Request) -> str:
        # A venue is behind one address, and each of its people watches many tracks.
        if request.get(MEMBER):
            return request[MEMBER]
        forwarded = request.headers.get("X-Forwarded-For", "")
        return client_address(request.remote, forwarded, proxies)

    hush_strangers()
    app = web.Application(client_max_size=1)
    app[FRAGMENTS] = FragmentDoor(stream, admit, address, frozenset({origin}))
    app.router.add_get(f"/media/{ROOM}/live", live)
    app.router.add_get(f"/media/{ROOM}/hls/{TOKEN}/{{name}}", hls)
    app.router.add_get(f"/media/{ROOM}/hls/{TOKEN}/{OF}/{{name}}", hls)
    app.on_response_prepare.append(_header_writer(origin))
    runner = web.AppRunner(
        app,
        access_log=None,
        handle_signals=False,
        keepalive_timeout=KEEPALIVE_S,
        shutdown_timeout=SHUTDOWN_S,
        max_line_size=HEADER_LINE_MAX,
        max_field_size=HEADER_LINE_MAX,
        max_headers=HEADERS_MAX,
    )
    await runner.setup()
    await web.SockSite(runner, sock, backlog=BACKLOG).start()
    return runner.cleanup


def _header_writer(
    origin: str,
) -> Callable[[web.Request, web.StreamResponse], Awaitable[None]]:
    async def write(_request: web.Request, response: web.StreamResponse) -> None:
        response.headers["Access-Control-Allow-Origin"] = origin
        response.headers["Vary"] = "Origin"
        response.headers["X-Content-Type-Options"] = "nosniff"
        response.headers["Referrer-Policy"] = "no-referrer"
        # Chromium's own player of HLS fetches on nobody's behalf, from no site that were ours.
        # What keeps foreign pages out is the token in the address.
        response.headers["Cross-Origin-Resource-Policy"] = "cross-origin"
        response.headers["Server"] = "kaibiao"
        if "Cache-Control" not in response.headers:
            response.headers["Cache-Control"] = "no-store"

    return write
