"""Watching where no UDP passes (片段观看): a WebSocket of fragments, and HLS over the same ones.

Served by the media process (`live_listener`). Who asks shows a token, and whether it is good still
is asked again before every slice. Invariant: a viewer here has no queue. What a slow socket does
not take stays in the room's ring, and who takes nothing for ``SEND_S_MAX`` is closed.
"""

import asyncio
from collections import Counter
from collections.abc import Callable, Container, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, Final

from aiohttp import WSCloseCode, WSMsgType, web

from media.fragments.errors import FragmentRefused
from media.fragments.hub import Viewer
from media.fragments.room import RoomStream
from server.http.refusals import CODE_HEADER, refusal_body

SEND_S_MAX: Final = 10.0
PING_S: Final = 20.0
ADDRESS_MAX: Final = 100  # an office behind one address
CLIENT_BYTES_MAX: Final = 64  # viewers have nothing to say
CLOSE_NOT_ALLOWED: Final = 4403
CLOSE_BAD_FRAME: Final = 4400
CLOSE_SLOW: Final = 4008
PLAYLIST: Final = "application/vnd.apple.mpegurl"
SEGMENT: Final = "video/mp4"
# The names of old segments are never used again, but whoever may watch now may not for ever.
SEGMENT_CACHE: Final = "private, max-age=60"
STATUS: Final = {
    "stream.unknown": 404,
    "stream.absent": 404,
    "stream.closed": 410,
    "stream.not_yours": 403,
    "stream.origin": 403,
    "stream.too_many": 429,
    "viewers.full": 503,
    "streams.full": 503,
    "fragment.name": 404,
    "fragment.unknown": 404,
}


Still = Callable[[], bool]


def of_request(request: web.Request) -> str:
    """Which of a room's streams is asked for; "": its program."""
    return request.match_info.get("of") or request.query.get("of", "")


@dataclass(slots=True)
class FragmentDoor:
    """``stream(room, of)``: None where there is none; ``admit(request)``: whether whoever asks may
    watch that room, and may go on; None: no. ``address(request)``: whose request it is, behind
    proxies too. ``origins``: whose pages may ask.
    """

    stream: Callable[[str, str], RoomStream | None]
    admit: Callable[[web.Request], Still | None]
    address: Callable[[web.Request], str]
    origins: Container[str]
    _held: Counter[str] = field(default_factory=Counter)

    def open(self, request: web.Request) -> tuple[RoomStream, Still]:
        """Raises FragmentRefused ``stream.origin``, ``stream.not_yours``, ``stream.unknown``."""
        origin = request.headers.get("Origin")
        if origin is not None and origin not in self.origins:
            raise FragmentRefused("stream.origin")
        still = self.admit(request)
        # Asked first: who may not watch is not told which rooms there are either.
        if still is None:
            raise FragmentRefused("stream.not_yours")
        stream = self.stream(request.match_info["room"], of_request(request))
        if stream is None:
            raise FragmentRefused("stream.unknown")
        return stream, still

    @contextmanager
    def held(self, request: web.Request) -> Iterator[None]:
        """A place for something that lasts. Raises FragmentRefused ``stream.too_many``."""
        address = self.address(request)
        if self._held[address] >= ADDRESS_MAX:
            raise FragmentRefused("stream.too_many")
        self._held[address] += 1
        try:
            yield
        finally:
            self._held[address] -= 1
            if not self._held[address]:
                del self._held[address]


FRAGMENTS: Final = web.AppKey("fragments", FragmentDoor)


async def live(request: web.Request) -> web.StreamResponse:
    """A WebSocket of the messages of ``media.fragments.hub``."""
    door = request.app[FRAGMENTS]
    try:
        stream, still = door.open(request)
        with door.held(request):
            viewer = stream.join()
            try:
                return await _serve(request, still, viewer)
            finally:
                viewer.close()
    except FragmentRefused as refused:
        return _refusal(refused.code)


async def hls(request: web.Request) -> web.StreamResponse:
    """Playlists, init segments and segments, by ``name``."""
    door = request.app[FRAGMENTS]
    name = request.match_info["name"]
    try:
        stream, _ = door.open(request)
        if name == "index.m3u8":
            with door.held(request):
                text = await stream.begun_master()
            return web.Response(text=text, content_type=PLAYLIST)
        if name.endswith(".m3u8"):
            with door.held(request):
                text = await stream.playlist(name.removesuffix(".m3u8"))
            return web.Response(text=text, content_type=PLAYLIST)
        headers = {"Cache-Control": SEGMENT_CACHE}
        return web.Response(body=stream.shelf.file(name), content_type=SEGMENT, headers=headers)
    except FragmentRefused as refused:
        return _refusal(refused.code)


async def _serve(request: web.Request, still: Still, viewer: Viewer) -> web.WebSocketResponse:
    socket = web.WebSocketResponse(
        max_msg_size=CLIENT_BYTES_MAX, compress=False, heartbeat=PING_S, autoclose=True
    )
    await socket.prepare(request)
    pump = asyncio.create_task(_pump(socket, still, viewer))
    listen = asyncio.create_task(socket.receive())
    try:
        await asyncio.wait({pump, listen}, return_when=asyncio.FIRST_COMPLETED)
        if listen.done() and not listen.cancelled() and listen.exception() is None:
            if listen.result().type in (WSMsgType.TEXT, WSMsgType.BINARY):
                await socket.close(code=CLOSE_BAD_FRAME)
        elif pump.done():
            code = pump.result()
            if code == CLOSE_SLOW and request.transport is not None:
                request.transport.abort()  # it would not read a close frame either
            else:
                await socket.close(code=code)
    finally:
        for task in (pump, listen):
            task.cancel()
        await asyncio.gather(pump, listen, return_exceptions=True)
    return socket


async def _pump(socket: web.WebSocketResponse, still: Still, viewer: Viewer) -> int:
    """Sends until there is a reason to stop; returns the close code."""
    while True:
        messages = await viewer.messages()
        if not still():
            return CLOSE_NOT_ALLOWED
        if not messages:
            return WSCloseCode.OK
        for message in messages:
            try:
                async with asyncio.timeout(SEND_S_MAX):
                    await socket.send_bytes(message)
            except TimeoutError:
                return CLOSE_SLOW
            except ConnectionError:
                return WSCloseCode.GOING_AWAY


def _refusal(code: str) -> web.Response:
    body: dict[str, Any] = refusal_body(code) | {"retryable": STATUS[code] in (429, 503)}
    return web.json_response(body, status=STATUS[code], headers={CODE_HEADER: code})
