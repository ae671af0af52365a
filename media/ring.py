"""Packets of one source, as they are kept for a while: unwrapped, each once, findable by number.

Invariant: `PacketRing.keep` accepts every extended sequence number at most once in the ring's
life, whatever the publisher sends. So a number never stands for two different packets, which is
what the rewriting relies on (media/forwarding.py).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from media.packets import seq_delta

RING_PACKETS: Final = 512  # about a second of the largest layer
_MASK: Final = RING_PACKETS - 1


@dataclass(slots=True)
class Packet:
    """A packet from a publisher, in the room's terms: ready to be sent under any header.

    ``seq`` is extended (it does not wrap), ``first`` and ``second`` are the header's first two
    bytes with the room's payload type, ``tail`` is everything behind the twelve header bytes: the
    room's extension block, then the payload from ``payload_at`` on.
    """

    seq: int
    timestamp: int
    first: int
    second: int
    tail: bytes
    payload_at: int
    keyframe: bool
    arrival_us: int


class Unwrapper:
    """16-bit sequence numbers made to grow for ever; the first one keeps its value."""

    __slots__ = ("_highest",)

    def __init__(self) -> None:
        self._highest = -1

    def unwrap(self, seq: int) -> int:
        if self._highest < 0:
            # One turn up, so that what came late before the first one is not negative.
            self._highest = seq + 0x10000
            return self._highest
        extended = self._highest + seq_delta(seq, self._highest & 0xFFFF)
        self._highest = max(self._highest, extended)
        return extended


class PacketRing:
    """The newest `RING_PACKETS` packets of one source by extended sequence number."""

    __slots__ = ("_slots", "highest")

    def __init__(self) -> None:
        self._slots: list[Packet | None] = [None] * RING_PACKETS
        self.highest = -1

    def keep(self, packet: Packet) -> bool:
        """False, and nothing happens, for a number that was kept, or that is too old to tell."""
        seq = packet.seq
        if seq <= self.highest - RING_PACKETS:
            return False
        held = self._slots[seq & _MASK]
        if held is not None and held.seq == seq:
            return False
        self._slots[seq & _MASK] = packet
        if seq > self.highest:
            self.highest = seq
        return True

    def find(self, seq: int) -> Packet | None:
        held = self._slots[seq & _MASK]
        return held if held is not None and held.seq == seq else None
