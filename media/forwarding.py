"""Header rewriting (转发改写): many sources become one stream, without a gap of our own making.

A viewer's stream has one SSRC for its whole life. Behind it stands one source at a time (a
simulcast layer of a track), and changing it starts a new *segment*: a constant offset for the
sequence numbers, one for the timestamps, for VP8 one for the picture ids.

Invariants, held by `tests/media/test_forwarding.py`:

- what leaves has the gaps of its sources (which NACK fills), and none of our own;
- no outgoing number stands for two different packets: with AES-GCM that would give the key away;
- the first timestamp of a segment is later than every timestamp before it;
- a packet sent again is the packet that was sent, byte for byte.

Pure: no clock, no randomness, no I/O.
"""

from __future__ import annotations

import struct
from collections import deque
from dataclasses import dataclass
from typing import Final

from media.codecs import read_vp8, shift_vp8
from media.packets import HEADER_BYTES, seq_delta, timestamp_delta
from media.ring import RING_PACKETS, Packet

SEGMENTS_MAX: Final = 16  # how far back a NACK may reach over switches
# Below the middle: a receiver that misses the first packets must not guess the roll-over wrongly.
FIRST_SEQ_MAX: Final = 0x7FFF
# A source that fell silent for longer starts as if it had been silent for this long.
SILENCE_TICKS_MAX: Final = 90_000 * 3600

_HEADER = struct.Struct("!BBHII")


@dataclass(slots=True)
class Segment:
    """From one switch to the next. ``first`` and ``last`` are outgoing extended numbers."""

    source: int
    first: int
    last: int
    seq_offset: int
    timestamp_offset: int
    picture_offset: int = 0
    tl0_offset: int = 0


class Rewriter:
    """One outgoing stream. ``source`` is an id; what it names is the caller's business."""

    __slots__ = (
        "_picture",
        "_segments",
        "_started",
        "_timestamp",
        "_tl0",
        "_vp8",
        "now",
        "ssrc",
    )

    def __init__(self, ssrc: int, first_seq: int, first_timestamp: int, *, vp8: bool) -> None:
        assert 0 <= first_seq <= FIRST_SEQ_MAX
        self.ssrc = ssrc
        self._vp8 = vp8
        self._started = False
        self._timestamp = first_timestamp
        self._picture = self._tl0 = -1
        # An empty segment of no source, so that there is always one to stand behind.
        self._segments: deque[Segment] = deque(maxlen=SEGMENTS_MAX)
        self.now = Segment(-1, first_seq, first_seq - 1, 0, 0)

    @property
    def source(self) -> int:
        """What stands behind the stream now; -1: nothing yet."""
        return self.now.source

    @property
    def timestamp(self) -> int:
        """The latest outgoing timestamp."""
        return self._timestamp

    def switch(self, source: int, packet: Packet, elapsed_ticks: int) -> None:
        """Let ``packet`` of ``source`` be the next one.

        ``elapsed_ticks``: how much later it was captured than the latest packet that left. The
        same source may come again (after a pause); its numbers go on.
        """
        old = self.now
        elapsed = min(max(elapsed_ticks, 1), SILENCE_TICKS_MAX)
        timestamp = self._timestamp + (elapsed if self._started else 0)
        new = Segment(
            source,
            old.last + 1,
            old.last,
            old.last + 1 - packet.seq,
            (timestamp - packet.timestamp) & 0xFFFFFFFF,
        )
        read = read_vp8(packet.tail[packet.payload_at :]) if self._vp8 else None
        if read is not None and self._picture >= 0:
            new.picture_offset = (self._picture + 1 - read.picture) & 0x7FFF
            new.tl0_offset = (self._tl0 + 1 - read.tl0) & 0xFF
        if old.last >= old.first:
            self._segments.append(old)
        self.now = new

    def admit(self, packet: Packet) -> bool:
        """Whether ``packet`` of the current source may leave; counts it as having left."""
        now = self.now
        seq = packet.seq + now.seq_offset
        if seq < now.first:
            # From before the switch: its number belongs to another packet.
            return False
        if seq > now.last:
            now.last = seq
            timestamp = (packet.timestamp + now.timestamp_offset) & 0xFFFFFFFF
            if timestamp != self._timestamp and (
                not self._started or timestamp_delta(timestamp, self._timestamp) > 0
            ):
                self._timestamp = timestamp
            self._started = True
            if self._vp8:
                self._note_pictures(packet)
        return True

    def _note_pictures(self, packet: Packet) -> None:
        read = read_vp8(packet.tail[packet.payload_at :])
        if read is not None:
            self._picture = (read.picture + self.now.picture_offset) & 0x7FFF
            self._tl0 = (read.tl0 + self.now.tl0_offset) & 0xFF

    def write(self, packet: Packet, segment: Segment, out: memoryview | bytearray) -> int:
        """The packet as it leaves in ``segment``, into ``out``; how many bytes that are."""
        tail = packet.tail
        if self._vp8:
            at = packet.payload_at
            shifted = shift_vp8(tail[at:], segment.picture_offset, segment.tl0_offset)
            tail = tail[:at] + shifted
        _HEADER.pack_into(
            out,
            0,
            packet.first,
            packet.second,
            (packet.seq + segment.seq_offset) & 0xFFFF,
            (packet.timestamp + segment.timestamp_offset) & 0xFFFFFFFF,
            self.ssrc,
        )
        end = HEADER_BYTES + len(tail)
        out[HEADER_BYTES:end] = tail
        return end

    def origin(self, seq: int) -> tuple[Segment, int] | None:
        """The segment and the source's extended number of a 16-bit number that has left.

        None for a number that has not left, or too long ago. The packet itself may never have
        come: then its number is in the gap of its source, and whoever looks does not find it.
        """
        last = self.now.last
        extended = last + seq_delta(seq, last & 0xFFFF)
        if not last - RING_PACKETS < extended <= last:
            return None
        if extended >= self.now.first:
            return self.now, extended - self.now.seq_offset
        for segment in reversed(self._segments):
            if segment.first <= extended <= segment.last:
                return segment, extended - segment.seq_offset
        return None
