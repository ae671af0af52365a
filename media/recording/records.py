"""One record of the RTP journal (录像日志的记录): a head of 32 bytes and a body.

::

    0   4  magic "KRJ1"
    4   4  CRC-32 (zlib's, IEEE 802.3) of everything after this field, body included
    8   4  body length
    12  8  monotonic ns of the machine that wrote it
    20  8  UTC ms of the same moment
    28  1  kind (1 head, 2 RTP, 3 RTCP sender report, 4 mark, 5 end)
    29  1  flags (RTP: 1 = repaired by a retransmission)
    30  2  zero

Integers are big-endian. CRC-32 and not CRC-32C: the standard library has the first and both find a
torn write. Invariant: a record that does not check out is never half believed, and no length is
trusted before it is compared with its limit and with the bytes that are there.
"""

import json
import struct
import zlib
from collections.abc import Iterator
from dataclasses import dataclass, replace
from enum import IntEnum
from typing import Any, BinaryIO, Final

from media.recording.errors import RecordingRefused

MAGIC: Final = b"KRJ1"
HEAD: Final = struct.Struct(">4sIIQQBBH")
CHECKED_FROM: Final = 8  # the CRC covers everything from here
BODY_BYTES_MAX: Final = 16_384
TIME_MAX: Final = (1 << 63) - 1
FLAG_REPAIRED: Final = 1
ABOUT: Final = "about"  # the mark that says whose a track is


class Kind(IntEnum):
    HEAD = 1  # first of a segment: JSON, see ``segments.SegmentHead``
    RTP = 2  # one RTP packet, decrypted, as it was forwarded
    SENDER_REPORT = 3  # one RTCP sender report, for lip sync
    MARK = 4  # JSON: mute, hold, layer, loss ...
    END = 5  # the track was ended in order; no body


@dataclass(frozen=True, slots=True)
class Record:
    """One record. ``offset`` is where it begins in its segment, in bytes."""

    kind: Kind
    mono_ns: int
    utc_ms: int
    body: bytes
    flags: int = 0
    offset: int = 0

    @property
    def size(self) -> int:
        return HEAD.size + len(self.body)


def encode_record(kind: int, mono_ns: int, utc_ms: int, body: bytes, flags: int = 0) -> bytes:
    """The bytes of one record. Raises RecordingRefused ``record.too_long``, ``record.time``."""
    if len(body) > BODY_BYTES_MAX:
        raise RecordingRefused("record.too_long")
    if not (0 <= mono_ns <= TIME_MAX and 0 <= utc_ms <= TIME_MAX):
        raise RecordingRefused("record.time")
    checked = HEAD.pack(MAGIC, 0, len(body), mono_ns, utc_ms, kind, flags, 0)[CHECKED_FROM:]
    crc = zlib.crc32(body, zlib.crc32(checked))
    return b"".join((MAGIC, crc.to_bytes(4, "big"), checked, body))


def record_at(raw: bytes | memoryview, offset: int) -> Record | None:
    """The record that begins at ``offset``; None if there is no whole one that checks out."""
    if len(raw) - offset < HEAD.size:
        return None
    magic, crc, length, mono_ns, utc_ms, kind, flags, zero = HEAD.unpack_from(raw, offset)
    end = offset + HEAD.size + length
    if magic != MAGIC or length > BODY_BYTES_MAX or end > len(raw):
        return None
    if zlib.crc32(raw[offset + CHECKED_FROM : end]) != crc:
        return None
    # What checks out and is still nonsense was written by somebody else's program.
    if zero or kind not in _KINDS or mono_ns > TIME_MAX or utc_ms > TIME_MAX:
        return None
    return Record(
        _KINDS[kind], mono_ns, utc_ms, bytes(raw[offset + HEAD.size : end]), flags, offset
    )


def records_in(file: BinaryIO) -> Iterator[Record]:
    """Records from where ``file`` stands up to the first place that does not check out."""
    offset = 0
    while True:
        head = file.read(HEAD.size)
        if len(head) < HEAD.size:
            return
        length = HEAD.unpack(head)[2]
        if length > BODY_BYTES_MAX:
            return
        record = record_at(head + file.read(length), 0)
        if record is None:
            return
        yield replace(record, offset=offset)
        offset += record.size


def resync(raw: bytes) -> Iterator[Record]:
    """Whatever in ``raw`` still checks out: only to say how much a torn tail held."""
    offset = 0
    while (offset := raw.find(MAGIC, offset)) >= 0:
        record = record_at(raw, offset)
        if record is not None:
            yield record
        offset += record.size if record is not None else 1


def json_body(value: dict[str, Any]) -> bytes:
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()


def body_json(body: bytes) -> dict[str, Any]:
    """Raises RecordingRefused ``record.json``."""
    try:
        value = json.loads(body)
    except (ValueError, RecursionError) as error:
        raise RecordingRefused("record.json") from error
    if not isinstance(value, dict):
        raise RecordingRefused("record.json")
    return value


_KINDS: Final = {int(kind): kind for kind in Kind}
