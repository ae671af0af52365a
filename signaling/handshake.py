"""From a TCP connection to an open WebSocket (握手): the HTTP part, and the strictness of frames.

websockets' sans-I/O ``ServerProtocol`` checks the upgrade, the Origin and the subprotocol, and
parses frames; this adds our path, our limits and our close codes. Invariant: no extension is ever
negotiated, so a compressed frame is a violation and prebuilt frames fit every connection.
"""

from __future__ import annotations

import asyncio
import http
import logging
from typing import Final, cast

from websockets.frames import CloseCode as StandardCode
from websockets.http11 import Request, Response
from websockets.server import ServerProtocol
from websockets.typing import Origin, Subprotocol

from signaling.accept import client_address
from signaling.options import PATH, SUBPROTOCOL, Options
from signaling.session import CloseCode

# Opening and closing are no news, and who connects when is nobody's business before the deadline.
_quiet = logging.getLogger("signaling.websocket")
_quiet.setLevel(logging.WARNING)

# What RFC 6455 calls a violation is a bad frame here, whatever its kind.
_VIOLATIONS: Final = {
    StandardCode.PROTOCOL_ERROR: "frame.protocol",
    StandardCode.INVALID_DATA: "frame.utf8",
    StandardCode.MESSAGE_TOO_BIG: "frame.too_large",
}
_ADDRESS_RETRY_S: Final = 15


class StrictProtocol(ServerProtocol):
    """Ends every violation with 4400 and a stable reason, kept in ``violation``."""

    violation: str | None = None

    def __init__(self, options: Options) -> None:
        super().__init__(
            origins=[None if each is None else Origin(each) for each in options.origins],
            subprotocols=[Subprotocol(SUBPROTOCOL)],
            max_size=options.hello_frame_bytes_max,
            logger=_quiet,
        )

    def fail(self, code: StandardCode | int, reason: str = "") -> None:
        if code in _VIOLATIONS:
            self.violation = _VIOLATIONS[StandardCode(code)]
            code, reason = CloseCode.BAD_FRAME, self.violation
        super().fail(code, reason)

    def dissolve(self) -> None:
        """Break the circles through the parser's frame, once the connection is lost.

        What is left to the garbage collector becomes a pause, and its pause everybody's lag.
        """
        self.parser.close()
        self.parser_exc = self.handshake_exc = None


def busy_response(code: str, retry_after_s: int) -> bytes:
    """503 with ``code`` as its body, without having read the request: all a storm costs us per
    connection.
    """
    body = code.encode() + b"\n"
    return (
        b"HTTP/1.1 503 Service Unavailable\r\nConnection: close\r\n"
        b"Content-Type: text/plain\r\nContent-Length: %d\r\nRetry-After: %d\r\n\r\n%b"
        % (len(body), retry_after_s, body)
    )


def address_of(
    transport: asyncio.BaseTransport, request: Request, trusted_proxies: frozenset[str]
) -> str:
    """Where a request comes from, as the socket and our own proxy say."""
    peername = cast("tuple[str, int] | None", transport.get_extra_info("peername"))
    forwarded_for = ",".join(request.headers.get_all("X-Forwarded-For"))
    return client_address(peername[0] if peername else "", forwarded_for, trusted_proxies)


def answer_request(
    protocol: StrictProtocol, request: Request, *, is_crowded_address: bool
) -> Response:
    """The answer to the upgrade request; 101 only when everything about it is right."""
    if request.path != PATH:
        # Exactly the path: a ticket in the query would end up in the logs of proxies.
        return protocol.reject(http.HTTPStatus.NOT_FOUND, "not here\n")
    if is_crowded_address:
        response = protocol.reject(http.HTTPStatus.TOO_MANY_REQUESTS, "address.crowded\n")
        response.headers["Retry-After"] = str(_ADDRESS_RETRY_S)
        return response
    return protocol.accept(request)
