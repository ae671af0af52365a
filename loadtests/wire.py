"""WebSocket bytes for generators (线上字节): prebuilt client frames, and server frames split again.

Only what a load generator needs: it must cost less than the server that it measures. The real
client is `signaling.client`.
"""

import base64
import os
import struct

import msgpack

from signaling.options import PATH, SUBPROTOCOL

BINARY, CLOSE, PING, PONG = 2, 8, 9, 10


def handshake(
    host: str,
    port: int,
    origin: str,
    *,
    is_logged_in: bool = False,
    path: str = PATH,
    subprotocol: str = SUBPROTOCOL,
) -> bytes:
    """The upgrade request, with a session cookie as a browser sends it."""
    key = base64.b64encode(os.urandom(16)).decode()
    lines = (
        f"GET {path} HTTP/1.1",
        f"Host: {host}:{port}",
        "Upgrade: websocket",
        "Connection: Upgrade",
        f"Sec-WebSocket-Key: {key}",
        "Sec-WebSocket-Version: 13",
        f"Sec-WebSocket-Protocol: {subprotocol}",
        f"Origin: {origin}",
        *(["Cookie: sid=" + key] if is_logged_in else []),
        "",
        "",
    )
    return "\r\n".join(lines).encode()


def client_frame(payload: bytes, opcode: int = BINARY) -> bytes:
    """``payload`` as one masked frame."""
    size = len(payload)
    head = bytes([0x80 | opcode])
    if size <= 125:
        head += bytes([0x80 | size])
    elif size <= 0xFFFF:
        head += struct.pack(">BH", 0x80 | 126, size)
    else:
        head += struct.pack(">BQ", 0x80 | 127, size)
    mask = os.urandom(4)
    stream = mask * (size // 4 + 1)
    masked = int.from_bytes(payload, "big") ^ int.from_bytes(stream[:size], "big")
    return head + mask + masked.to_bytes(size, "big")


def server_frame(payload: bytes) -> bytes:
    """``payload`` as one unmasked frame."""
    size = len(payload)
    if size <= 125:
        return bytes([0x80 | BINARY, size]) + payload
    if size <= 0xFFFF:
        return struct.pack(">BBH", 0x80 | BINARY, 126, size) + payload
    return struct.pack(">BBQ", 0x80 | BINARY, 127, size) + payload


def packed(value: object) -> bytes:
    raw = msgpack.packb(value)
    assert isinstance(raw, bytes)
    return raw


def hello(ticket: str | None, positions: list[list[object]]) -> bytes:
    return client_frame(packed(["hello", 1, ticket, positions]))


def frame_span(data: bytearray | bytes, at: int) -> tuple[int, int, int] | None:
    """(opcode, begin, end) of the payload of the server frame at ``at``; None: not all here."""
    left = len(data) - at
    if left < 2:
        return None
    size = data[at + 1]
    begin = at + 2
    if size == 126:
        if left < 4:
            return None
        size = int.from_bytes(data[at + 2 : at + 4], "big")
        begin = at + 4
    elif size == 127:
        if left < 10:
            return None
        size = int.from_bytes(data[at + 2 : at + 10], "big")
        begin = at + 10
    end = begin + size
    if len(data) < end:
        return None
    return data[at] & 15, begin, end
