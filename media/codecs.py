"""Payloads, as far as forwarding has to look into them: where a keyframe starts, VP8's counters.

Invariant: pure, and total over any bytes: a payload that makes no sense starts no keyframe.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Final


class Codec(StrEnum):
    OPUS = "opus"
    H264 = "h264"
    VP8 = "vp8"


CLOCK_HZ: Final = {Codec.OPUS: 48_000, Codec.H264: 90_000, Codec.VP8: 90_000}

_SLICE_IDR, _SPS, _STAP_A, _FU_A = 5, 7, 24, 28


def starts_keyframe(codec: Codec, payload: bytes) -> bool:
    """Whether a viewer may join at the packet with this payload. Sound may be joined anywhere."""
    if codec is Codec.H264:
        return _starts_h264(payload)
    if codec is Codec.VP8:
        read = read_vp8(payload)
        return read is not None and read.keyframe
    return True


def _starts_h264(payload: bytes) -> bool:
    """RFC 6184: parameter sets come first, alone or aggregated; else the first slice of an IDR."""
    if not payload:
        return False
    kind = payload[0] & 0x1F
    if kind in (_SLICE_IDR, _SPS):
        return True
    if kind == _FU_A:
        return len(payload) > 1 and payload[1] & 0x80 != 0 and payload[1] & 0x1F == _SLICE_IDR
    if kind != _STAP_A:
        return False
    pos = 1
    while pos + 2 < len(payload):
        size = int.from_bytes(payload[pos : pos + 2], "big")
        if payload[pos + 2] & 0x1F in (_SLICE_IDR, _SPS):
            return True
        pos += 2 + size
    return False


@dataclass(frozen=True, slots=True)
class Vp8:
    """A VP8 payload descriptor (RFC 7741 §4.2). Offsets point into the payload; 0: not there.

    ``picture_bits`` is 7 or 15.
    """

    keyframe: bool
    picture_offset: int = 0
    picture_bits: int = 0
    picture: int = 0
    tl0_offset: int = 0
    tl0: int = 0


def read_vp8(payload: bytes) -> Vp8 | None:
    """The descriptor, or None where it is cut short."""
    size = len(payload)
    if size < 2:
        return None
    first, pos = payload[0], 1
    picture_offset = picture_bits = picture = tl0_offset = tl0 = 0
    if first & 0x80:
        more, pos = payload[1], 2
        if more & 0x80:
            if pos + 1 >= size:
                return None
            picture_offset, picture_bits, picture = pos, 7, payload[pos] & 0x7F
            if payload[pos] & 0x80:
                picture_bits, picture = 15, picture << 8 | payload[pos + 1]
            pos += picture_bits // 7
        if more & 0x40:
            if pos >= size:
                return None
            tl0_offset, tl0 = pos, payload[pos]
            pos += 1
        if more & 0x30:
            pos += 1
    if pos >= size:
        return None
    # S: start of the partition; PID 0: the first one; then the frame's own bit P, 0 for a key.
    keyframe = first & 0x17 == 0x10 and payload[pos] & 1 == 0
    return Vp8(keyframe, picture_offset, picture_bits, picture, tl0_offset, tl0)


def shift_vp8(payload: bytes, pictures: int, tl0s: int) -> bytes:
    """The payload with its picture id and its TL0PICIDX moved on; the rest as before."""
    read = read_vp8(payload)
    if read is None or not (pictures or tl0s):
        return payload
    moved = bytearray(payload)
    if read.picture_bits == 7:
        moved[read.picture_offset] = (read.picture + pictures) & 0x7F
    elif read.picture_bits == 15:
        picture = (read.picture + pictures) & 0x7FFF
        moved[read.picture_offset] = 0x80 | picture >> 8
        moved[read.picture_offset + 1] = picture & 0xFF
    if read.tl0_offset:
        moved[read.tl0_offset] = (read.tl0 + tl0s) & 0xFF
    return bytes(moved)
