"""An engine with publishers and viewers around it: real SRTP at both ends, no sockets.

The other ends use pylibsrtp's public calls and aiortc's parsers: nothing of the code under test.
"""

from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass, field
from itertools import count
from typing import Any

import pylibsrtp
from aiortc import rtp

from media.codecs import Codec
from media.engine import Address, Engine, EngineEvent, ExtensionIds, SrtpKeys, StreamTerms
from media.engine import TrackTerms as Terms
from media.packets import build_rtp, is_rtcp
from media.rtcp import RtcpPacket, parse_rtcp

PROFILE = "SRTP_AEAD_AES_128_GCM"
IDS = ExtensionIds(mid=3, rid=4, repaired_rid=5, audio_level=6, orientation=7, transport=8)
KEY, DELTA = bytes([0x65]) + b"key", bytes([0x41]) + b"delta"
VIDEO, AUDIO, RTX = 120, 109, 121

EngineMaker = Callable[[Callable[[Any, Address], object]], Engine]


def session(key: bytes, *, inbound: bool) -> pylibsrtp.Session:
    kind = pylibsrtp.Policy.SSRC_ANY_INBOUND if inbound else pylibsrtp.Policy.SSRC_ANY_OUTBOUND
    gcm = pylibsrtp.Policy.SRTP_PROFILE_AEAD_AES_128_GCM
    policy = pylibsrtp.Policy(key, kind, srtp_profile=gcm)
    policy.allow_repeat_tx = True
    policy.window_size = 1024
    return pylibsrtp.Session(policy)


@dataclass
class End:
    """The other end of one peer."""

    number: int
    lab: "Lab"
    address: Address = ("127.0.0.1", 0)
    got: list[rtp.RtpPacket] = field(default_factory=list[rtp.RtpPacket])
    got_raw: list[bytes] = field(default_factory=list[bytes])
    told: list[RtcpPacket] = field(default_factory=list[RtcpPacket])

    def __post_init__(self) -> None:
        there, back = bytes([self.number]) * 28, bytes([self.number + 100]) * 28
        self.address = ("192.0.2.1", 10_000 + self.number)
        self._sending = session(there, inbound=False)
        self._receiving = session(back, inbound=True)
        self.keys = SrtpKeys(PROFILE, receive=there, send=back)

    def seal(self, plain: bytes) -> bytes:
        return (self._sending.protect_rtcp if is_rtcp(plain) else self._sending.protect)(plain)

    def send(self, *plain: bytes) -> None:
        at_us = self.lab.now_us
        self.lab.engine.receive([(self.number, self.seal(one), at_us) for one in plain])

    def take(self, datagram: bytes) -> None:
        if is_rtcp(datagram):
            packets = parse_rtcp(self._receiving.unprotect_rtcp(datagram))
            assert packets is not None
            self.told += packets
            return
        try:
            plain = self._receiving.unprotect(datagram)
        except pylibsrtp.Error:
            # A resend of what has come: the replay window knows it.
            self.got_raw.append(datagram)
            return
        self.got_raw.append(datagram)
        self.got.append(rtp.RtpPacket.parse(plain))

    def heard(self, kind: type) -> list[Any]:
        return [one for one in self.told if isinstance(one, kind)]


class Camera:
    """One layer of a publisher, as it numbers and times its packets."""

    def __init__(self, end: End, ssrc: int, *, seq: int = 1000, timestamp: int = 0, **more: Any):
        self.end, self.ssrc, self.seq, self.timestamp = end, ssrc, seq, timestamp
        self.mid: str = more.get("mid", "v")
        self.rid: str = more.get("rid", "")
        self.pt: int = more.get("pt", VIDEO)
        self.transport = more.get("transport", count())

    def packet(self, payload: bytes, *, ticks: int = 3000, marker: bool = True) -> bytes:
        self.seq = (self.seq + 1) & 0xFFFF
        self.timestamp = (self.timestamp + ticks) & 0xFFFFFFFF
        return self.plain(self.pt, self.ssrc, self.seq, payload, marker=marker)

    def plain(
        self,
        pt: int,
        ssrc: int,
        seq: int,
        payload: bytes,
        *,
        marker: bool = True,
        repaired: int = 0,
    ) -> bytes:
        values = [(IDS.mid, self.mid.encode())]
        if self.rid:
            values.append((IDS.repaired_rid if repaired else IDS.rid, self.rid.encode()))
        number = next(self.transport) & 0xFFFF
        values.append((IDS.transport, number.to_bytes(2, "big")))
        return build_rtp(pt, seq, self.timestamp, ssrc, payload, marker=marker, extensions=values)

    def repair(self, ssrc: int, seq: int, rtx_seq: int, payload: bytes) -> bytes:
        """RFC 4588."""
        body = seq.to_bytes(2, "big") + payload
        return self.plain(RTX, ssrc, rtx_seq, body, repaired=True)

    def send(self, *payloads: bytes) -> None:
        self.end.send(*(self.packet(payload) for payload in payloads))


class Lab:
    def __init__(self, make: EngineMaker) -> None:
        self.now_us = 1_000_000
        self.ends: dict[Address, End] = {}
        self.sent: dict[Address, int] = defaultdict(int)
        self.events: list[EngineEvent] = []
        self.engine = make(self._send_to)
        self._numbers = count(1)

    def _send_to(self, data: Any, address: Address) -> None:
        self.sent[address] += 1
        self.ends[address].take(bytes(data))

    def peer(self, *, placed: bool = True) -> End:
        end = End(next(self._numbers), self)
        self.ends[end.address] = end
        self.engine.add_peer(end.number, end.keys)
        if placed:
            self.engine.place_peer(end.number, end.address)
        return end

    def track(self, end: End, number: int = 1, **more: Any) -> int:
        terms = Terms(more.pop("codec", Codec.H264), more.pop("mid", "v"), more.pop("pt", VIDEO))
        terms = Terms(terms.codec, terms.mid, terms.pt, RTX, extensions=IDS, **more)
        self.engine.add_track(number, end.number, terms)
        return number

    def watch(self, end: End, track: int = 1, number: int = 1, *, ssrc: int = 0xAAAA) -> int:
        self.engine.subscribe(number, end.number, track, StreamTerms(ssrc, 100, 5000))
        return number

    def run(self, ms: int) -> None:
        for _ in range(ms // 20):
            self.now_us += 20_000
            self.engine.tick(self.now_us)
        self.events += self.engine.take_events()

    def told(self, kind: type) -> list[Any]:
        self.events += self.engine.take_events()
        return [one for one in self.events if isinstance(one, kind)]
