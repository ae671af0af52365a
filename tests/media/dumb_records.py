"""What the dumb engine keeps: everything (see `tests.media.dumb_engine`)."""

from dataclasses import dataclass, field

import pylibsrtp
from aiortc import rtp

from media import engine as seam
from media.packets import seq_delta


@dataclass
class Source:
    """An SSRC: everything it ever sent, by extended number."""

    ssrc: int
    track: int
    layer: int
    packets: dict[int, rtp.RtpPacket] = field(default_factory=dict[int, rtp.RtpPacket])
    asked: set[int] = field(default_factory=set[int])
    highest: int = -1
    last_us: int = 0
    times: tuple[int, int, int] | None = None
    wants_key: bool = False
    key_asked_us: int = -(10**9)
    reported: tuple[int, int] = (0, 0)

    def extended(self, seq: int) -> int:
        if self.highest < 0:
            self.highest = seq + 0x10000
        return self.highest + seq_delta(seq, self.highest & 0xFFFF)


@dataclass
class Stream:
    """``left`` is what left, by outgoing extended number."""

    peer: int
    track: int
    terms: seam.StreamTerms
    aim: int
    paused: bool = False
    on: Source | None = None
    wants: Source | None = None
    seq_shift: int = 0
    time_shift: int = 0
    floor: int = 0
    next: int = 0
    latest: int | None = None
    last_us: int = 0
    octets: int = 0
    sent: int = 0
    resent: int = 0
    left: dict[int, tuple[int, bytes]] = field(default_factory=dict[int, tuple[int, bytes]])


@dataclass
class Track:
    peer: int
    terms: seam.TrackTerms
    paused: bool = False
    tap: seam.Tap | None = None
    live: dict[int, Source] = field(default_factory=dict[int, Source])
    level: int = -1


@dataclass
class Peer:
    inbound: pylibsrtp.Session
    outbound: pylibsrtp.Session
    address: seam.Address | None = None
    sources: dict[int, Source] = field(default_factory=dict[int, Source])
    repairs: dict[int, Source] = field(default_factory=dict[int, Source])
    heard: set[int] = field(default_factory=set[int])
    transport: dict[int, int] = field(default_factory=dict[int, int])
    ticks: int = 0
