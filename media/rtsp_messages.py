"""RTSP messages (RFC 2326), as a client reads and writes them; media stands between them (§10.12).

Invariant: pure. Whatever bytes a server sends, in whatever slices, they become messages or a
CameraFailed ``camera.malformed``; what is kept is bounded by `HEAD_BYTES_MAX` and `BODY_BYTES_MAX`.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Final

from media.errors import CameraFailed

HEAD_BYTES_MAX: Final = 8 << 10
HEADERS_MAX: Final = 64
BODY_BYTES_MAX: Final = 64 << 10
DOLLAR: Final = 0x24
VERSION: Final = "RTSP/1.0"

_STATUS: Final = re.compile(r"RTSP/1\.[0-9] ([1-5][0-9]{2})(?: .{0,200})?")
_REQUEST: Final = re.compile(r"([A-Z_]{1,32}) \S{1,1024} RTSP/1\.[0-9]")
_HEADER_NAME: Final = re.compile(r"[A-Za-z0-9-]{1,64}")
_SAFE: Final = re.compile(r"[\x20-\x7e]*")


@dataclass(frozen=True, slots=True)
class Media:
    """A packet of one channel (§10.12)."""

    channel: int
    data: bytes


@dataclass(frozen=True, slots=True)
class Headers:
    """In wire order, names in lower case; a name may come more than once."""

    pairs: tuple[tuple[str, str], ...]

    def get(self, name: str) -> str:
        """The first of that name, or empty."""
        return next((value for key, value in self.pairs if key == name), "")

    def all(self, name: str) -> tuple[str, ...]:
        return tuple(value for key, value in self.pairs if key == name)


@dataclass(frozen=True, slots=True)
class Response:
    status: int
    headers: Headers
    body: bytes = b""

    @property
    def cseq(self) -> str:
        return self.headers.get("cseq")


@dataclass(frozen=True, slots=True)
class ServerRequest:
    """A server may ask, too (§10.1); nothing that it may ask for is done."""

    method: str
    headers: Headers


Message = Media | Response | ServerRequest


def write_request(method: str, url: str, headers: Mapping[str, str]) -> bytes:
    """One request without a body. Values are ours, or have passed `is_safe`."""
    lines = [f"{method} {url} {VERSION}", *(f"{name}: {text}" for name, text in headers.items())]
    assert all(is_safe(line) for line in lines)
    return ("\r\n".join(lines) + "\r\n\r\n").encode("ascii")


def write_refusal(cseq: str) -> bytes:
    """The answer to whatever a server asks."""
    number = cseq if cseq.isascii() and cseq.isdigit() and len(cseq) < 11 else "0"
    return f"{VERSION} 501 Not Implemented\r\nCSeq: {number}\r\n\r\n".encode()


def is_safe(text: str) -> bool:
    """Whether a text can stand in a line of ours."""
    return _SAFE.fullmatch(text) is not None


class MessageReader:
    """Bytes in, messages out."""

    def __init__(self) -> None:
        self._buffer = bytearray()

    def feed(self, data: bytes) -> Iterator[Message]:
        """The messages that are whole now."""
        self._buffer += data
        while (message := self._next()) is not None:
            yield message

    def _next(self) -> Message | None:
        buffer = self._buffer
        # Empty lines between messages are what some servers send to stay in touch.
        while buffer[:2] == b"\r\n":
            del buffer[:2]
        if not buffer:
            return None
        if buffer[0] == DOLLAR:
            return self._media()
        return self._message()

    def _media(self) -> Media | None:
        buffer = self._buffer
        if len(buffer) < 4:
            return None
        end = 4 + int.from_bytes(buffer[2:4], "big")
        if len(buffer) < end:
            return None
        media = Media(buffer[1], bytes(buffer[4:end]))
        del buffer[:end]
        return media

    def _message(self) -> Response | ServerRequest | None:
        buffer = self._buffer
        end = buffer.find(b"\r\n\r\n", 0, HEAD_BYTES_MAX + 4)
        if end < 0:
            if len(buffer) > HEAD_BYTES_MAX:
                raise CameraFailed("camera.malformed", "head")
            return None
        first, headers = _head(bytes(buffer[:end]))
        length = _length(headers)
        if len(buffer) < end + 4 + length:
            return None
        body = bytes(buffer[end + 4 : end + 4 + length])
        del buffer[: end + 4 + length]
        status = _STATUS.fullmatch(first)
        if status is not None:
            return Response(int(status[1]), headers, body)
        asked = _REQUEST.fullmatch(first)
        if asked is None:
            raise CameraFailed("camera.malformed", "first line")
        return ServerRequest(asked[1], headers)


def _head(raw: bytes) -> tuple[str, Headers]:
    lines = raw.decode("latin-1").split("\r\n")
    if len(lines) > HEADERS_MAX + 1:
        raise CameraFailed("camera.malformed", "headers")
    pairs: list[tuple[str, str]] = []
    for line in lines[1:]:
        name, colon, value = line.partition(":")
        if not colon or not _HEADER_NAME.fullmatch(name.strip()):
            raise CameraFailed("camera.malformed", "header")
        pairs.append((name.strip().lower(), value.strip()))
    return lines[0], Headers(tuple(pairs))


def _length(headers: Headers) -> int:
    text = headers.get("content-length") or "0"
    if not (text.isascii() and text.isdigit() and len(text) < 8) or int(text) > BODY_BYTES_MAX:
        raise CameraFailed("camera.malformed", "length")
    return int(text)
