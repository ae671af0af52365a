"""A camera's packets as the forwarding engine and WebRTC want them (整形): numbers and sizes.

What a camera encoded stays byte for byte. New are the packets' numbers and sender (ours, one for
each time that the camera plays), and three things are mended:

- where a keyframe comes without its parameter sets, those of the description go before it, because
  a viewer who joins there knows none;
- a packet that would not fit into one datagram on its way to a viewer is cut (RFC 6184 §5.8);
- what is missing in the camera's numbers stays missing in ours.

Invariant: pure; total over any payload; numbers only grow.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Final

from media.packets import RtpView, build_rtp, seq_delta, timestamp_delta
from media.rtsp_sdp import PARAMETER_BYTES_MAX, PARAMETER_SETS_MAX

# With SRTP, UDP, IP and a relay's four bytes that is one Ethernet frame.
PAYLOAD_BYTES_MAX: Final = 1400
GAP_MAX: Final = 100
_SLICE, _IDR, _SPS, _PPS, _STAP_A, _FU_A = 1, 5, 7, 8, 24, 28
_KINDS: Final = {*range(1, _STAP_A + 1), _FU_A}  # of packetization modes 0 and 1


@dataclass(slots=True)
class Numbers:
    """One stream towards the engine: ours are its sender's number, payload type and numbers."""

    ssrc: int
    pt: int
    seq: int
    _theirs: int = -1

    @property
    def has_begun(self) -> bool:
        return self._theirs >= 0

    def advance(self, theirs: int) -> bool:
        """The camera's next packet; False where it came before."""
        if self._theirs >= 0:
            step = seq_delta(theirs, self._theirs)
            if step <= 0:
                return False
            self.seq += min(step - 1, GAP_MAX)
        self._theirs = theirs
        return True

    def packet(self, timestamp: int, payload: bytes, *, marker: bool) -> bytes:
        self.seq = (self.seq + 1) & 0xFFFF
        return build_rtp(self.pt, self.seq, timestamp, self.ssrc, payload, marker=marker)


@dataclass(slots=True)
class SoundShaper:
    """Opus: renumbered."""

    numbers: Numbers
    is_reordered: bool = False

    def shape(self, view: RtpView) -> list[bytes]:
        payload = view.payload
        if not self.numbers.advance(view.seq) or not 0 < len(payload) <= PAYLOAD_BYTES_MAX:
            return []
        return [self.numbers.packet(view.timestamp, payload, marker=view.marker)]


@dataclass(slots=True)
class PictureShaper:
    """H.264. ``parameters`` are those of the description; ``is_reordered`` tells of B frames, whose
    times go back and forth: browsers show them jerking.
    """

    numbers: Numbers
    parameters: tuple[bytes, ...] = ()
    is_reordered: bool = False
    _in_band: list[bytes] = field(default_factory=list[bytes])
    _are_fresh: bool = False  # parameter sets have come since the last picture
    _keyframe_at: int = -1  # its timestamp
    _latest: int = -1

    def shape(self, view: RtpView) -> list[bytes]:
        payload = view.payload
        if not self.numbers.advance(view.seq) or not payload or payload[0] & 0x1F not in _KINDS:
            return []
        timestamp = view.timestamp
        if self._latest >= 0 and timestamp_delta(timestamp, self._latest) < 0:
            self.is_reordered = True
        self._latest = timestamp
        needs_sets = False
        for kind, unit in _beginning_units(payload):
            needs_sets |= self._begins(kind, unit, timestamp)
        units = [self._aggregated()] if needs_sets else []
        units += _fitting(payload)
        last = len(units) - 1
        return [
            self.numbers.packet(timestamp, unit, marker=view.marker and at == last)
            for at, unit in enumerate(units)
        ]

    def _begins(self, kind: int, unit: bytes, timestamp: int) -> bool:
        """A unit of this kind begins; True where parameter sets have to go before its packet.

        ``unit`` is whole but for fragments, and those are never parameter sets that we keep.
        """
        if kind == _SPS:
            self._in_band = [unit] if unit else []
            self._are_fresh = True
        elif kind == _PPS:
            is_new = bool(unit and self._in_band) and unit not in self._in_band
            if is_new and len(self._in_band) < PARAMETER_SETS_MAX:
                self._in_band.append(unit)
        elif kind == _IDR and timestamp != self._keyframe_at:
            self._keyframe_at = timestamp
            needed = not self._are_fresh and bool(self._sets())
            self._are_fresh = False
            return needed
        elif _SLICE <= kind < _IDR:
            self._are_fresh = False
        return False

    def _sets(self) -> tuple[bytes, ...]:
        """The latest in the stream if they are whole, else those of the description."""
        for sets in (tuple(self._in_band), self.parameters):
            kinds = {unit[0] & 0x1F for unit in sets}
            small = sum(map(len, sets)) <= PARAMETER_BYTES_MAX and len(sets) <= PARAMETER_SETS_MAX
            if small and kinds == {_SPS, _PPS}:
                return sets
        return ()

    def _aggregated(self) -> bytes:
        """RFC 6184 §5.7.1."""
        sets = self._sets()
        importance = max(unit[0] & 0x60 for unit in sets)
        return bytes([importance | _STAP_A]) + b"".join(
            len(unit).to_bytes(2, "big") + unit for unit in sets
        )


def _beginning_units(payload: bytes) -> Iterator[tuple[int, bytes]]:
    """Kind and bytes of every unit that begins in a payload; of a fragmented one no bytes."""
    kind = payload[0] & 0x1F
    if kind == _STAP_A:
        yield from ((unit[0] & 0x1F, unit) for unit in _aggregated_units(payload))
    elif kind == _FU_A:
        if len(payload) > 1 and payload[1] & 0x80:
            yield payload[1] & 0x1F, b""
    else:
        yield kind, payload


def _aggregated_units(payload: bytes) -> Iterator[bytes]:
    pos = 1
    while pos + 2 < len(payload):
        size = int.from_bytes(payload[pos : pos + 2], "big")
        unit = payload[pos + 2 : pos + 2 + size]
        if not unit:
            return
        yield unit
        pos += 2 + size


def _fitting(payload: bytes) -> list[bytes]:
    """As it is, where it fits; else the same units in payloads that do."""
    kind = payload[0] & 0x1F
    if len(payload) <= PAYLOAD_BYTES_MAX:
        return [payload]
    if kind == _STAP_A:
        return [part for unit in _aggregated_units(payload) for part in _fitting(unit)]
    if kind == _FU_A:
        return _fragments(payload[0], payload[1], payload[2:])
    return _fragments(payload[0] & 0xE0 | _FU_A, 0xC0 | kind, payload[1:])


def _fragments(indicator: int, head: int, body: bytes) -> list[bytes]:
    """Parts of one unit, alike in size; only the first may start it, only the last end it."""
    count = -(-len(body) // (PAYLOAD_BYTES_MAX - 2))
    size = -(-len(body) // count)
    parts: list[bytes] = []
    for at in range(count):
        first, last = at == 0, at == count - 1
        mark = head & (0x1F | (0x80 if first else 0) | (0x40 if last else 0))
        parts.append(bytes([indicator, mark]) + body[at * size : (at + 1) * size])
    return parts
