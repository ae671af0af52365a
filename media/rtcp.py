"""RTCP (RFC 3550, 4585, 5104; REMB and transport-wide feedback by their drafts): what we need.

Invariant: `parse_rtcp` returns the known packets of a well-formed compound in order, or None; it
never raises, and what it returns is bounded by the size of a datagram. Packets of types that we
do not use (SDES, APP, XR) are skipped. Each class builds itself with ``bytes(packet)``.

We accept reduced-size RTCP (RFC 5506): a compound may start with feedback.
"""

from __future__ import annotations

import struct
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from media.packets import PACKET_BYTES_MAX

SR: Final = 200
RR: Final = 201
SDES: Final = 202
BYE: Final = 203
RTPFB: Final = 205
PSFB: Final = 206

NACK_FORMAT: Final = 1
TRANSPORT_FORMAT: Final = 15
PLI_FORMAT: Final = 1
FIR_FORMAT: Final = 4
APPLICATION_FORMAT: Final = 15

NACKED_MAX: Final = 1024  # sequence numbers out of one NACK
STATUSES_MAX: Final = 4096  # packets one transport feedback may speak of
PACKETS_MAX: Final = 32  # packets of one compound

_U32 = struct.Struct("!I")
_PAIR = struct.Struct("!II")
_HEAD = struct.Struct("!BBH")
_BLOCK = struct.Struct("!IIIIII")
_SENDER = struct.Struct("!QIII")
_NACK = struct.Struct("!HH")


def _packet(kind: int, count: int, body: bytes) -> bytes:
    assert len(body) % 4 == 0
    return _HEAD.pack(0x80 | count, kind, len(body) // 4) + body


@dataclass(frozen=True, slots=True)
class ReportBlock:
    """What one receiver says of one source. ``fraction_lost`` in 1/256, ``lost`` signed 24 bits,
    ``jitter`` in timestamp units, ``last_sr`` and ``since_last_sr`` in 1/65536 s.
    """

    ssrc: int
    fraction_lost: int
    lost: int
    highest_seq: int
    jitter: int
    last_sr: int
    since_last_sr: int

    def __bytes__(self) -> bytes:
        lost = min(max(self.lost, -(1 << 23)), (1 << 23) - 1) & 0xFFFFFF
        return _BLOCK.pack(
            self.ssrc,
            (self.fraction_lost << 24) | lost,
            self.highest_seq,
            self.jitter,
            self.last_sr,
            self.since_last_sr,
        )


@dataclass(frozen=True, slots=True)
class SenderReport:
    """``ntp`` is 64-bit NTP time, ``timestamp`` the RTP timestamp of that moment."""

    ssrc: int
    ntp: int
    timestamp: int
    packets: int
    octets: int
    reports: tuple[ReportBlock, ...] = ()

    def __bytes__(self) -> bytes:
        counts = (self.packets & 0xFFFFFFFF, self.octets & 0xFFFFFFFF)
        body = _U32.pack(self.ssrc) + _SENDER.pack(self.ntp, self.timestamp, *counts)
        return _packet(SR, len(self.reports), body + b"".join(map(bytes, self.reports)))


@dataclass(frozen=True, slots=True)
class ReceiverReport:
    ssrc: int
    reports: tuple[ReportBlock, ...] = ()

    def __bytes__(self) -> bytes:
        body = _U32.pack(self.ssrc) + b"".join(map(bytes, self.reports))
        return _packet(RR, len(self.reports), body)


@dataclass(frozen=True, slots=True)
class Nack:
    """``lost``: sequence numbers asked for again, in the order given."""

    sender: int
    media: int
    lost: tuple[int, ...]

    def __bytes__(self) -> bytes:
        assert self.lost
        body = _PAIR.pack(self.sender, self.media)
        first, mask = self.lost[0], 0
        for seq in self.lost[1:]:
            distance = (seq - first - 1) & 0xFFFF
            if distance < 16:
                mask |= 1 << distance
            else:
                body += _NACK.pack(first, mask)
                first, mask = seq, 0
        return _packet(RTPFB, NACK_FORMAT, body + _NACK.pack(first, mask))


@dataclass(frozen=True, slots=True)
class PictureLoss:
    """PLI: the receiver needs a keyframe."""

    sender: int
    media: int

    def __bytes__(self) -> bytes:
        return _packet(PSFB, PLI_FORMAT, _PAIR.pack(self.sender, self.media))


@dataclass(frozen=True, slots=True)
class FullIntra:
    """FIR (RFC 5104 §4.3.1): ``entries`` are (source, command number)."""

    sender: int
    entries: tuple[tuple[int, int], ...]

    def __bytes__(self) -> bytes:
        body = _PAIR.pack(self.sender, 0)
        for ssrc, number in self.entries:
            body += _PAIR.pack(ssrc, (number & 0xFF) << 24)
        return _packet(PSFB, FIR_FORMAT, body)


@dataclass(frozen=True, slots=True)
class BitrateLimit:
    """REMB: what the receiver thinks its path carries, bit/s over all of ``ssrcs``."""

    sender: int
    bits_per_s: int
    ssrcs: tuple[int, ...]

    def __bytes__(self) -> bytes:
        exponent = max(0, self.bits_per_s.bit_length() - 18)
        mantissa = self.bits_per_s >> exponent
        word = (len(self.ssrcs) << 24) | (exponent << 18) | mantissa
        body = _PAIR.pack(self.sender, 0) + b"REMB" + _U32.pack(word)
        return _packet(PSFB, APPLICATION_FORMAT, body + b"".join(map(_U32.pack, self.ssrcs)))


@dataclass(frozen=True, slots=True)
class TransportFeedback:
    """Transport-wide feedback (draft-holmer-rmcat-transport-wide-cc-extensions-01).

    ``arrivals[i]`` belongs to transport sequence number ``first + i``: ticks of 250 us after
    ``reference`` * 64 ms, or None where it has not arrived.
    """

    sender: int
    media: int
    first: int
    reference: int
    number: int
    arrivals: tuple[int | None, ...]

    def __bytes__(self) -> bytes:
        statuses: list[int] = []
        deltas = bytearray()
        last = 0
        for ticks in self.arrivals:
            if ticks is None:
                statuses.append(0)
                continue
            delta, last = ticks - last, ticks
            if 0 <= delta <= 0xFF:
                statuses.append(1)
                deltas.append(delta)
            else:
                assert -0x8000 <= delta <= 0x7FFF, "the caller starts another feedback"
                statuses.append(2)
                deltas += struct.pack("!h", delta)
        chunks = b"".join(_status_chunks(statuses))
        head = struct.pack(
            "!HHI",
            self.first,
            len(statuses),
            ((self.reference & 0xFFFFFF) << 8) | (self.number & 0xFF),
        )
        body = _PAIR.pack(self.sender, self.media) + head + chunks + deltas
        padding = -len(body) % 4
        if padding:
            body += bytes(padding - 1) + bytes([padding])
        raw = _packet(RTPFB, TRANSPORT_FORMAT, body)
        return bytes([raw[0] | 0x20]) + raw[1:] if padding else raw


@dataclass(frozen=True, slots=True)
class Goodbye:
    """BYE: these sources have ended."""

    ssrcs: tuple[int, ...]

    def __bytes__(self) -> bytes:
        return _packet(BYE, len(self.ssrcs), b"".join(map(_U32.pack, self.ssrcs)))


def source_name(ssrc: int, name: bytes) -> bytes:
    """SDES with the CNAME only: what a compound must hold beside its report (RFC 3550 §6.1)."""
    assert len(name) <= 255
    chunk = _U32.pack(ssrc) + bytes([1, len(name)]) + name + b"\x00"
    return _packet(SDES, 1, chunk + bytes(-len(chunk) % 4))


RtcpPacket = (
    SenderReport
    | ReceiverReport
    | Nack
    | PictureLoss
    | FullIntra
    | BitrateLimit
    | TransportFeedback
    | Goodbye
)


def parse_rtcp(buf: bytes) -> list[RtcpPacket] | None:
    """The known packets of one compound in order; None where any of it is malformed."""
    size = len(buf)
    if not 4 <= size <= PACKET_BYTES_MAX:
        return None
    found: list[RtcpPacket] = []
    pos = 0
    for _ in range(PACKETS_MAX):
        if pos + 4 > size:
            return None
        first, kind, words = _HEAD.unpack_from(buf, pos)
        start, pos = pos + 4, pos + 4 + 4 * words
        if first >> 6 != 2 or pos > size:
            return None
        body = buf[start:pos]
        if first & 0x20:
            if not body or not 1 <= body[-1] <= len(body):
                return None
            body = body[: -body[-1]]
        try:
            packet = _read(kind, first & 0x1F, body)
        except struct.error:
            return None
        except _MalformedError:
            return None
        if packet is not None:
            found.append(packet)
        if pos == size:
            return found
    return None


class _MalformedError(Exception):
    """Inside of one packet; the compound is refused."""


def _read(kind: int, count: int, body: bytes) -> RtcpPacket | None:
    if kind == SR:
        blocks = _blocks(body, 24, count)
        ntp, timestamp, packets, octets = _SENDER.unpack_from(body, 4)
        return SenderReport(_U32.unpack_from(body)[0], ntp, timestamp, packets, octets, blocks)
    if kind == RR:
        return ReceiverReport(_U32.unpack_from(body)[0], _blocks(body, 4, count))
    if kind == BYE:
        if len(body) < 4 * count:
            raise _MalformedError
        return Goodbye(struct.unpack_from(f"!{count}I", body))
    if kind == RTPFB and count == NACK_FORMAT:
        return _nack(body)
    if kind == RTPFB and count == TRANSPORT_FORMAT:
        return _transport(body)
    if kind == PSFB and count == PLI_FORMAT:
        return PictureLoss(*_PAIR.unpack_from(body))
    if kind == PSFB and count == FIR_FORMAT:
        sender, _ = _PAIR.unpack_from(body)
        pairs = [_PAIR.unpack_from(body, at) for at in range(8, len(body), 8)]
        return FullIntra(sender, tuple((ssrc, word >> 24) for ssrc, word in pairs))
    if kind == PSFB and count == APPLICATION_FORMAT and body[8:12] == b"REMB":
        return _limit(body)
    return None


def _blocks(body: bytes, offset: int, count: int) -> tuple[ReportBlock, ...]:
    # Profile-specific extensions may follow the blocks; less than the blocks is malformed.
    found: list[ReportBlock] = []
    for at in range(offset, offset + 24 * count, 24):
        ssrc, loss, highest, jitter, last_sr, since = _BLOCK.unpack_from(body, at)
        lost = loss & 0xFFFFFF
        lost -= (lost & 0x800000) << 1
        found.append(ReportBlock(ssrc, loss >> 24, lost, highest, jitter, last_sr, since))
    return tuple(found)


def _nack(body: bytes) -> Nack:
    sender, media = _PAIR.unpack_from(body)
    lost: list[int] = []
    for at in range(8, len(body), 4):
        first, mask = _NACK.unpack_from(body, at)
        lost.append(first)
        lost += [(first + bit + 1) & 0xFFFF for bit in range(16) if mask >> bit & 1]
        if len(lost) > NACKED_MAX:
            break
    return Nack(sender, media, tuple(lost[:NACKED_MAX]))


def _limit(body: bytes) -> BitrateLimit:
    sender, _ = _PAIR.unpack_from(body)
    (word,) = _U32.unpack_from(body, 12)
    bits = (word & 0x3FFFF) << (word >> 18 & 0x3F)
    return BitrateLimit(sender, bits, struct.unpack_from(f"!{word >> 24}I", body, 16))


def _status_chunks(statuses: list[int]) -> Iterable[bytes]:
    """Run-length chunks for long runs, vectors of seven two-bit symbols for the rest."""
    at = 0
    while at < len(statuses):
        run = 1
        while at + run < len(statuses) and statuses[at + run] == statuses[at] and run < 0x1FFF:
            run += 1
        if run >= 7:
            yield struct.pack("!H", (statuses[at] << 13) | run)
            at += run
            continue
        word = 0xC000
        for bit, status in enumerate(statuses[at : at + 7]):
            word |= status << (12 - 2 * bit)
        yield struct.pack("!H", word)
        at += 7


def _transport(body: bytes) -> TransportFeedback:
    sender, media = _PAIR.unpack_from(body)
    first, count, word = struct.unpack_from("!HHI", body, 8)
    if count > STATUSES_MAX:
        raise _MalformedError
    at = 16
    statuses: list[int] = []
    while len(statuses) < count:
        (chunk,) = struct.unpack_from("!H", body, at)
        at += 2
        if not chunk & 0x8000:
            statuses += [chunk >> 13 & 3] * min(chunk & 0x1FFF, count - len(statuses))
            if not chunk & 0x1FFF:
                raise _MalformedError
        elif chunk & 0x4000:
            statuses += [chunk >> shift & 3 for shift in range(12, -1, -2)]
        else:
            statuses += [chunk >> shift & 1 for shift in range(13, -1, -1)]
    arrivals: list[int | None] = []
    ticks = 0
    for status in statuses[:count]:
        if status == 1:
            ticks += body[at] if at < len(body) else _cut()
            at += 1
        elif status == 2:
            ticks += struct.unpack_from("!h", body, at)[0]
            at += 2
        elif status == 3:
            raise _MalformedError
        arrivals.append(ticks if status else None)
    return TransportFeedback(sender, media, first, word >> 8, word & 0xFF, tuple(arrivals))


def _cut() -> int:
    raise _MalformedError
