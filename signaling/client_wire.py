"""The client's socket (客户端连接): one connection, opened, spoken through, lost.

No task and no queue: messages are handed on when they are read. Invariant: ``lost`` resolves
exactly once, with why.
"""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import Callable
from typing import NamedTuple, cast

from websockets.client import ClientProtocol
from websockets.exceptions import InvalidStatus
from websockets.frames import BINARY, CLOSE, Close, Frame
from websockets.http11 import Response
from websockets.protocol import OPEN
from websockets.typing import Origin, Subprotocol
from websockets.uri import WebSocketURI, parse_uri

from signaling.options import SUBPROTOCOL

_SERVER_FRAME_BYTES_MAX = 32 << 20


class Loss(NamedTuple):
    """Why a connection is no more. ``code`` 0: cut, or never opened."""

    code: int
    reason: str
    retry_after_s: float = 0.0


class ClientWire(asyncio.Protocol):
    """Use ``open_wire``."""

    def __init__(self, uri: WebSocketURI, origin: str | None) -> None:
        self._protocol = ClientProtocol(
            uri,
            origin=None if origin is None else Origin(origin),
            subprotocols=[Subprotocol(SUBPROTOCOL)],
            max_size=_SERVER_FRAME_BYTES_MAX,
        )
        self._transport: asyncio.Transport | None = None
        loop = asyncio.get_running_loop()
        self.opened: asyncio.Future[None] = loop.create_future()
        self.lost: asyncio.Future[Loss] = loop.create_future()
        self.on_message: Callable[[bytes], None] = _drop
        self._loss = Loss(0, "cut")

    def send(self, payload: bytes) -> None:
        """One binary message; nothing happens on a connection that is not open."""
        if self._protocol.state is OPEN:
            self._protocol.send_binary(payload)
            self._flush()

    def close(self) -> None:
        if self._protocol.state is OPEN:
            self._protocol.send_close(1000)
            self._flush()

    def abort(self) -> None:
        """Cut, as a network does."""
        if self._transport is not None:
            self._transport.abort()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)
        self._protocol.send_request(self._protocol.connect())
        self._flush()

    def data_received(self, data: bytes) -> None:
        self._protocol.receive_data(data)
        for event in self._protocol.events_received():
            if isinstance(event, Response):
                self._respond(event)
            elif isinstance(event, Frame):
                self._handle(event)
        self._flush()

    def eof_received(self) -> None:
        self._protocol.receive_eof()

    def connection_lost(self, exc: Exception | None) -> None:  # noqa: ARG002 - asyncio's name
        self._transport = None
        if not self.lost.done():  # whoever waited may have been cancelled
            self.lost.set_result(self._loss)
        if not self.opened.done():
            self.opened.set_result(None)

    def _respond(self, response: Response) -> None:
        if self._protocol.handshake_exc is None:
            self.opened.set_result(None)
            return
        retry_after = response.headers.get("Retry-After", "")
        status = (
            response.status_code if isinstance(self._protocol.handshake_exc, InvalidStatus) else 0
        )
        seconds = float(retry_after) if retry_after.isdecimal() else 0.0
        self._loss = Loss(0, f"http.{status}", seconds)
        self.abort()

    def _handle(self, frame: Frame) -> None:
        if frame.opcode is BINARY and frame.fin:
            self.on_message(cast(bytes, frame.data))
        elif frame.opcode is CLOSE:
            close = Close.parse(cast(bytes, frame.data))
            self._loss = Loss(close.code, close.reason)

    def _flush(self) -> None:
        if self._transport is None:
            return
        for raw in self._protocol.data_to_send():
            if raw:
                self._transport.write(raw)
            elif self._transport.can_write_eof():
                self._transport.write_eof()
            else:
                self._transport.close()


async def open_wire(
    url: str, origin: str | None, *, tls: ssl.SSLContext | None, timeout_s: float
) -> ClientWire:
    """Connect and shake hands; a refused handshake shows in ``lost``.

    Raises OSError, TimeoutError.
    """
    uri = parse_uri(url)
    loop = asyncio.get_running_loop()
    wire = ClientWire(uri, origin)
    try:
        async with asyncio.timeout(timeout_s):
            await loop.create_connection(
                lambda: wire,
                uri.host,
                uri.port,
                ssl=(tls or True) if uri.secure else None,
                server_hostname=uri.host if uri.secure else None,
            )
            await wire.opened
    except BaseException:
        wire.abort()
        raise
    return wire


def _drop(_payload: bytes) -> None:
    """Nobody listens yet: the server speaks only after hello."""
