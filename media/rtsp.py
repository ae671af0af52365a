"""One RTSP connection to a camera (RFC 2326), media interleaved with the messages (一次取流会话).

    async with connected(url) as session:
        offer = await session.describe()
        await session.play(offer, on_media)
        await session.until_over()

Invariant: nobody but the configured host is ever connected to; every wait ends; whatever the camera
sends, the session goes on or ends with a CameraFailed.
"""

from __future__ import annotations

import asyncio
import contextlib
import re
import time
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from typing import Final

from crypto.keys import random_bytes
from media.errors import CameraFailed
from media.rtsp_login import CameraUrl, Login
from media.rtsp_messages import (
    Media,
    MessageReader,
    Response,
    ServerRequest,
    is_safe,
    write_refusal,
    write_request,
)
from media.rtsp_sdp import CameraOffer, read_camera

AGENT: Final = "kaibiao"
ANSWER_S_MAX: Final = 10
SILENT_S_MAX: Final = 10  # without a packet of media
GOODBYE_S_MAX: Final = 1
KEEPALIVE_S_MAX: Final = 25
READ_BYTES: Final = 64 << 10
BYTES_PER_S_MAX: Final = 8 << 20
MESSAGES_PER_S_MAX: Final = 20_000
_CHANNELS: Final = re.compile(r"(?:^|;)\s*interleaved=([0-9]{1,3})(?:-[0-9]{1,3})?(?:;|$)")
_SESSION: Final = re.compile(r"([!-:<-~]{1,256})(?:\s*;\s*timeout\s*=\s*([0-9]{1,6}))?.*")

# Packets of media as they came together: (track of the offer, whether RTCP, packet).
OnMedia = Callable[[Sequence[tuple[int, bool, bytes]]], None]


@asynccontextmanager
async def connected(url: CameraUrl) -> AsyncIterator[RtspSession]:
    """CameraFailed camera.unreachable. At the end the camera is told, if it still listens."""
    try:
        async with asyncio.timeout(ANSWER_S_MAX):
            reader, writer = await asyncio.open_connection(url.host, url.port, limit=READ_BYTES)
    except (OSError, TimeoutError):
        raise CameraFailed("camera.unreachable") from None
    session = RtspSession(url, reader, writer)
    try:
        yield session
    finally:
        try:
            await session.goodbye()
        finally:
            session.close()


class RtspSession:
    """``keepalive_s`` is as often as the camera wants to hear of us."""

    def __init__(
        self, url: CameraUrl, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        self.url = url
        self.keepalive_s: float = KEEPALIVE_S_MAX
        self._reader, self._writer = reader, writer
        self._login = Login(url.user, url.password)
        self._messages = MessageReader()
        self._cseq = 0
        self._waiting: asyncio.Future[Response] | None = None
        self._session = ""
        self._control = url.url
        self._can_get_parameter = False
        self._channels: dict[int, tuple[int, bool]] = {}
        self._on_media: OnMedia = lambda packets: None
        self._media_at = time.monotonic()
        self._reading = asyncio.ensure_future(self._read())

    # ---- what a session consists of

    async def describe(self) -> CameraOffer:
        """What the camera has."""
        options = await self._ask("OPTIONS", self.url.url)
        self._can_get_parameter = "GET_PARAMETER" in options.headers.get("public").upper()
        told = await self._ask("DESCRIBE", self.url.url, {"Accept": "application/sdp"})
        headers = told.headers
        base = headers.get("content-base") or headers.get("content-location") or self.url.url
        if not is_safe(base) or not base.lower().startswith("rtsp://"):
            base = self.url.url
        return read_camera(told.body, base)

    async def play(self, offer: CameraOffer, on_media: OnMedia) -> None:
        """Set every track up and let them come."""
        for number, track in enumerate(offer.tracks):
            channels = f"{2 * number}-{2 * number + 1}"
            wanted = {"Transport": f"RTP/AVP/TCP;unicast;interleaved={channels}"}
            told = await self._ask("SETUP", track.control, wanted)
            self._note_session(told)
            first = _channel(told, 2 * number)
            self._channels[first] = (number, False)
            self._channels[first + 1] = (number, True)
        if len(self._channels) != 2 * len(offer.tracks):
            raise CameraFailed("camera.malformed", "channels")
        self._on_media = on_media
        self._control = offer.control
        await self._ask("PLAY", offer.control, {"Range": "npt=0.000-"})
        self._media_at = time.monotonic()

    async def until_over(self) -> None:
        """Stay in touch; raises CameraFailed when the camera is gone, or has fallen silent."""
        asked_at = time.monotonic()
        while True:
            wait_s = min(self.keepalive_s, SILENT_S_MAX) / 4
            await asyncio.wait([self._reading], timeout=wait_s)
            if self._reading.done():
                self._reading.result()
                raise CameraFailed("camera.unreachable", "closed")
            if time.monotonic() - self._media_at > SILENT_S_MAX:
                raise CameraFailed("camera.silent")
            if time.monotonic() - asked_at >= self.keepalive_s:
                asked_at = time.monotonic()
                method = "GET_PARAMETER" if self._can_get_parameter else "OPTIONS"
                # Some cameras answer an error and go on; whether pictures come is what counts.
                await self._ask(method, self._control, accept_all=True)

    async def goodbye(self) -> None:
        """TEARDOWN, without waiting long; also where we were the ones who did not like it."""
        if self._session and not self._writer.is_closing():
            with contextlib.suppress(CameraFailed, TimeoutError):
                async with asyncio.timeout(GOODBYE_S_MAX):
                    await self._ask("TEARDOWN", self._control)

    def close(self) -> None:
        self._reading.cancel()
        self._reading.add_done_callback(_read_out)
        self._writer.close()

    # ---- questions

    async def _ask(
        self,
        method: str,
        url: str,
        more: Mapping[str, str] | None = None,
        *,
        accept_all: bool = False,
    ) -> Response:
        """The camera's 200. A challenge is answered once for each that is new."""
        for _ in range(3):
            told = await self._ask_once(method, url, more or {})
            if told.status == 200 or (accept_all and told.status != 401):
                return told
            if 300 <= told.status < 400:
                raise CameraFailed("camera.redirected")
            if told.status != 401:
                raise CameraFailed("camera.refused", f"{method} {told.status}")
            if not self._login.challenged(told.headers.all("www-authenticate")):
                break
        raise CameraFailed("camera.login")

    async def _ask_once(self, method: str, url: str, more: Mapping[str, str]) -> Response:
        self._cseq += 1
        headers = {"CSeq": str(self._cseq), "User-Agent": AGENT}
        if self._session:
            headers["Session"] = self._session
        if login := self._login.header(method, url, random_bytes(8).hex()):
            headers["Authorization"] = login
        self._waiting = asyncio.get_running_loop().create_future()
        self._writer.write(write_request(method, url, {**headers, **more}))
        try:
            async with asyncio.timeout(ANSWER_S_MAX):
                await self._writer.drain()
                await asyncio.wait(
                    [self._waiting, self._reading], return_when=asyncio.FIRST_COMPLETED
                )
        except TimeoutError:
            raise CameraFailed("camera.silent", method) from None
        except OSError:
            raise CameraFailed("camera.unreachable", method) from None
        if self._waiting.done():
            return self._waiting.result()
        self._reading.result()
        raise CameraFailed("camera.unreachable", "closed")

    def _note_session(self, told: Response) -> None:
        found = _SESSION.fullmatch(told.headers.get("session"))
        if found is None:
            raise CameraFailed("camera.malformed", "session")
        self._session = found[1]
        if found[2]:
            self.keepalive_s = min(max(int(found[2]) / 2, 1), KEEPALIVE_S_MAX)

    # ---- what comes

    async def _read(self) -> None:
        """Until the camera closes; CameraFailed for what it must not send."""
        since, size, messages = time.monotonic(), 0, 0
        while True:
            try:
                data = await self._reader.read(READ_BYTES)
            except OSError:
                return
            if not data:
                return
            now = time.monotonic()
            if now - since >= 1:
                since, size, messages = now, 0, 0
            size += len(data)
            messages += self._take(data, MESSAGES_PER_S_MAX - messages)
            if size > BYTES_PER_S_MAX:
                raise CameraFailed("camera.flood")

    def _take(self, data: bytes, messages_max: int) -> int:
        """How many messages that were."""
        batch: list[tuple[int, bool, bytes]] = []
        count = 0
        for count, message in enumerate(self._messages.feed(data), 1):
            if count > messages_max:
                raise CameraFailed("camera.flood")
            if isinstance(message, Media):
                track = self._channels.get(message.channel)
                if track is not None:
                    batch.append((*track, message.data))
            elif isinstance(message, ServerRequest):
                self._writer.write(write_refusal(message.headers.get("cseq")))
            else:
                self._answered(message)
        if batch:
            self._media_at = time.monotonic()
            self._on_media(batch)
        return count

    def _answered(self, answer: Response) -> None:
        waiting = self._waiting
        if waiting is not None and not waiting.done() and answer.cseq == str(self._cseq):
            waiting.set_result(answer)


def _channel(told: Response, asked: int) -> int:
    """The RTP channel that the camera has chosen; ours where it says none."""
    text = told.headers.get("transport")
    found = _CHANNELS.search(text)
    number = int(found[1]) if found is not None else asked
    if "tcp" not in text.lower() or number > 254:
        raise CameraFailed("camera.refused", "transport")
    return number


def _read_out(task: asyncio.Task[None]) -> None:
    """Nobody is left to be told."""
    if not task.cancelled():
        task.exception()
