"""RTP packets (RFC 3550, RFC 8285): read without copying, written from parts.

Invariant: whatever bytes come in, `parse_rtp` returns a view whose every offset lies inside the
buffer, or None. It never raises. The payload has its padding taken off; bytes of the payload are
never looked at here.
"""

from __future__ import annotations

import struct
from collections.abc import Iterable
from typing import Final

HEADER_BYTES: Final = 12
# Anything longer cannot have come through one Ethernet frame and is not media.
PACKET_BYTES_MAX: Final = 1500
EXTENSIONS_MAX: Final = 16
ONE_BYTE: Final = 0xBEDE
TWO_BYTE: Final = 0x1000
_TWO_BYTE_MASK: Final = 0xFFF0

SEQ_MASK: Final = 0xFFFF
TIMESTAMP_MASK: Final = 0xFFFFFFFF

_HEADER = struct.Struct("!BBHII")
_EXTENSION = struct.Struct("!HH")


def seq_delta(later: int, earlier: int) -> int:
    """Signed distance of two 16-bit sequence numbers, -32768..32767 (RFC 1982)."""
    return ((later - earlier + 0x8000) & 0xFFFF) - 0x8000


def timestamp_delta(later: int, earlier: int) -> int:
    """Signed distance of two 32-bit RTP timestamps."""
    return ((later - earlier + 0x80000000) & 0xFFFFFFFF) - 0x80000000


def is_rtcp(buf: bytes) -> bool:
    """RTP and RTCP share a port; the second byte tells them apart (RFC 5761 §4)."""
    return len(buf) >= 2 and 192 <= buf[1] <= 223


class RtpView:
    """One RTP packet, as it lies in ``buf``. Offsets are bytes from the start of ``buf``.

    ``payload_offset..payload_end`` is the payload without padding. ``extension_offset..
    extension_end`` is the extension block without its four-byte head (equal where there is none),
    ``extension_profile`` its 16-bit profile, 0 where there is none.
    """

    __slots__ = (
        "_read",
        "buf",
        "extension_end",
        "extension_offset",
        "extension_profile",
        "marker",
        "payload_end",
        "payload_offset",
        "pt",
        "seq",
        "ssrc",
        "timestamp",
    )

    _read: list[tuple[int, bytes]] | None
    buf: bytes
    marker: bool
    pt: int
    seq: int
    timestamp: int
    ssrc: int
    extension_profile: int
    extension_offset: int
    extension_end: int
    payload_offset: int
    payload_end: int

    @property
    def payload(self) -> bytes:
        """The payload, copied out."""
        return self.buf[self.payload_offset : self.payload_end]

    def extensions(self) -> dict[int, bytes]:
        """Header extensions by their negotiated id; of a repeated id the first counts.

        A block that is cut short yields what stands before the cut.
        """
        found: dict[int, bytes] = {}
        for number, value in self.each_extension():
            found.setdefault(number, value)
        return found

    def extension(self, number: int) -> bytes | None:
        """The value of one header extension, or None."""
        for other, value in self.each_extension():
            if other == number:
                return value
        return None

    def each_extension(self) -> list[tuple[int, bytes]]:
        """(id, value) in wire order, at most `EXTENSIONS_MAX`. Read once, whoever asks."""
        if self._read is None:
            if self.extension_profile == ONE_BYTE:
                self._read = _one_byte(self.buf, self.extension_offset, self.extension_end)
            elif self.extension_profile & _TWO_BYTE_MASK == TWO_BYTE:
                self._read = _two_byte(self.buf, self.extension_offset, self.extension_end)
            else:
                self._read = []
        return self._read

    def __repr__(self) -> str:
        return (
            f"RtpView(pt={self.pt} seq={self.seq} ts={self.timestamp} ssrc={self.ssrc:08x}"
            f" {'M ' if self.marker else ''}{self.payload_end - self.payload_offset} bytes)"
        )


def parse_rtp(buf: bytes, size_max: int = PACKET_BYTES_MAX) -> RtpView | None:
    """The packet in ``buf``, or None where it is not one well-formed RTP packet (RFC 3550 A.1)."""
    size = len(buf)
    if not HEADER_BYTES <= size <= size_max:
        return None
    first, second, seq, timestamp, ssrc = _HEADER.unpack_from(buf)
    if first >> 6 != 2:
        return None
    offset = HEADER_BYTES + 4 * (first & 0x0F)
    view = RtpView()
    view.extension_profile = 0
    view.extension_offset = view.extension_end = offset
    if first & 0x10:
        if offset + 4 > size:
            return None
        view.extension_profile, words = _EXTENSION.unpack_from(buf, offset)
        view.extension_offset = offset + 4
        view.extension_end = offset = offset + 4 + 4 * words
    if offset > size:
        return None
    end = size
    if first & 0x20:
        if offset == size:
            return None
        padding = buf[-1]
        if not 1 <= padding <= size - offset:
            return None
        end -= padding
    view._read = None
    view.buf = buf
    view.marker = second >= 0x80
    view.pt = second & 0x7F
    view.seq = seq
    view.timestamp = timestamp
    view.ssrc = ssrc
    view.payload_offset = offset
    view.payload_end = end
    return view


def _one_byte(buf: bytes, pos: int, end: int) -> list[tuple[int, bytes]]:
    """RFC 8285 §4.2. Id 0 pads, id 15 ends the block."""
    found: list[tuple[int, bytes]] = []
    while pos < end and len(found) < EXTENSIONS_MAX:
        head = buf[pos]
        pos += 1
        if head == 0:
            continue
        number, after = head >> 4, pos + (head & 0x0F) + 1
        if number == 15 or after > end:
            break
        # Id 0 with a length is invalid; its bytes are skipped.
        if number:
            found.append((number, buf[pos:after]))
        pos = after
    return found


def _two_byte(buf: bytes, pos: int, end: int) -> list[tuple[int, bytes]]:
    """RFC 8285 §4.3."""
    found: list[tuple[int, bytes]] = []
    while pos < end and len(found) < EXTENSIONS_MAX:
        number = buf[pos]
        pos += 1
        if number == 0:
            continue
        if pos >= end:
            break
        after = pos + 1 + buf[pos]
        if after > end:
            break
        found.append((number, buf[pos + 1 : after]))
        pos = after
    return found


def extension_block(values: Iterable[tuple[int, bytes]]) -> bytes:
    """A whole extension block with its head, in the one-byte form; empty without values.

    Ids 1..14, values of 1..16 bytes: what the SDP we write allows.
    """
    body = bytearray()
    for number, value in values:
        assert 1 <= number <= 14
        assert 1 <= len(value) <= 16
        body.append((number << 4) | (len(value) - 1))
        body += value
    if not body:
        return b""
    body += bytes(-len(body) % 4)
    return _EXTENSION.pack(ONE_BYTE, len(body) // 4) + body


def build_rtp(
    pt: int,
    seq: int,
    timestamp: int,
    ssrc: int,
    payload: bytes,
    *,
    marker: bool = False,
    extensions: Iterable[tuple[int, bytes]] = (),
) -> bytes:
    """One RTP packet without padding and contributing sources."""
    block = extension_block(extensions)
    first = 0x90 if block else 0x80
    second = pt | (0x80 if marker else 0)
    return _HEADER.pack(first, second, seq, timestamp, ssrc) + block + payload
