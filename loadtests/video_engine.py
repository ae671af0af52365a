"""The engine beside a bare loop (裸循环) in one process: the same trace, keys and socket.

One publisher, many viewers, each with AES-GCM keys of its own. Ours takes the publisher's SRTP
datagrams through `media.python_engine` to a real UDP socket, with everything it does on the way:
SRTP off, ring, losses, transport feedback, reports. The bare loop has the plain packets in its hand
and does what cannot be left out: header, payload, SRTP on, ``sendto``. A second bare loop begins
where we do, with the publisher's SRTP, and takes that off as well: what lies between the two loops
is receiving, and weighs the more the fewer viewers there are. Rounds alternate, so that all share
the machine's moods. Nobody reads the datagrams: the kernel delivers them to a socket's buffer and
drops what it does not hold, for all alike.
"""

import gc
import os
import socket
import struct
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import groupby
from typing import Any

from loadtests.machine import median, rss_bytes
from loadtests.report import say
from loadtests.video_peer import AUDIO_PT, TRANSPORT_ID, VIDEO_PT
from loadtests.video_trace import Due, recorded, replay
from media.aiortc_private import PacketBuffer, SrtpSession
from media.codecs import Codec
from media.engine import TICK_MS, Arrival, Counters, ExtensionIds, SrtpKeys, StreamTerms, TrackTerms
from media.packets import build_rtp
from media.python_engine import PythonEngine

PROFILE = "SRTP_AEAD_AES_128_GCM"
KEY_BYTES = 28
SSRCS = {True: 0x1111, False: 0x2222}
SEND_BUFFER_BYTES = 4 << 20
IDLE_VIEWERS, IDLE_S = 1000, 10

_HEADER = struct.Struct("!BBHII")
_WORDS = struct.Struct("!H")  # of the extension block, behind its profile


@dataclass(slots=True)
class Trace:
    """The publisher, from round to round: its packets never come twice."""

    made_ms: int = 0
    transport: int = 0
    sealing: SrtpSession = field(
        default_factory=lambda: SrtpSession(PROFILE, b"p" * KEY_BYTES, inbound=False)
    )
    buffer: PacketBuffer = field(default_factory=PacketBuffer)

    packets: Iterator[Due] = field(default_factory=lambda: replay(recorded()))
    first: Due | None = None  # of the next round

    def next(self, seconds: int) -> list[list[Due]]:
        """What comes at the same time, together."""
        self.made_ms += seconds * 1000
        taken = [self.first] if self.first else []
        for one in self.packets:
            if one.at_ms >= self.made_ms:
                self.first = one
                break
            taken.append(one)
        return [list(found) for _, found in groupby(taken, lambda one: one.at_ms)]

    def sealed(self, together: list[Due]) -> list[Arrival]:
        made: list[Arrival] = []
        for one in together:
            number = self.transport.to_bytes(2, "big")
            self.transport = self.transport + 1 & 0xFFFF
            plain = build_rtp(
                VIDEO_PT if one.is_video else AUDIO_PT,
                one.seq & 0xFFFF,
                one.ticks & 0xFFFFFFFF,
                SSRCS[one.is_video],
                one.data,
                marker=one.marker,
                extensions=[(TRANSPORT_ID, number)],
            )
            self.buffer.view[: len(plain)] = plain
            size = self.sealing.protect(self.buffer, len(plain))
            made.append((1, bytes(self.buffer.view[:size]), one.at_ms * 1000))
        return made


def viewer_keys(number: int) -> bytes:
    return number.to_bytes(4, "big") * (KEY_BYTES // 4)


class Ours:
    """The engine with its publisher (peer 1) and viewers."""

    def __init__(self, out: socket.socket, to: tuple[str, int], viewers: int) -> None:
        self.engine = PythonEngine(out.sendto)
        self.engine.add_peer(1, SrtpKeys(PROFILE, b"p" * KEY_BYTES, b"q" * KEY_BYTES))
        self.engine.place_peer(1, to)
        ids = ExtensionIds(transport=TRANSPORT_ID)
        for track, codec, pt in ((1, Codec.H264, VIDEO_PT), (2, Codec.OPUS, AUDIO_PT)):
            ssrcs = (SSRCS[codec is Codec.H264],)
            terms = TrackTerms(codec, str(track), pt, ssrcs=ssrcs, extensions=ids)
            self.engine.add_track(track, 1, terms)
        self._ticked_us = 0
        self._to = to
        self.join(viewers)

    def join(self, viewers: int) -> None:
        for number in range(viewers):
            peer = 100 + number
            self.engine.add_peer(peer, SrtpKeys(PROFILE, b"r" * KEY_BYTES, viewer_keys(number)))
            self.engine.place_peer(peer, self._to)
            for track in (1, 2):
                terms = StreamTerms(10_000 * track + number, 0, 0)
                self.engine.subscribe(2 * peer + track, peer, track, terms)

    def idle(self, seconds: int) -> None:
        """So long nothing comes."""
        for _ in range(seconds * 1000 // TICK_MS):
            self._ticked_us += TICK_MS * 1000
            self.engine.tick(self._ticked_us)
        self.engine.take_events()

    def round(self, batches: list[list[Arrival]]) -> int:
        before = self.engine.counters().forwarded
        receive, tick = self.engine.receive, self.engine.tick
        for batch in batches:
            receive(batch)
            while self._ticked_us < batch[0][2]:
                self._ticked_us += TICK_MS * 1000
                tick(self._ticked_us)
        self.engine.take_events()
        return self.engine.counters().forwarded - before


class Bare:
    """What cannot be left out, and nothing else."""

    def __init__(self, out: socket.socket, to: tuple[str, int], viewers: int) -> None:
        self.send_to, self.to = out.sendto, to
        self.viewers = [
            (1000 + number, SrtpSession(PROFILE, viewer_keys(number), inbound=False))
            for number in range(viewers)
        ]
        self.buffer = PacketBuffer()

    def round(self, packets: list[tuple[int, int, int, bytes]]) -> int:
        buffer, send_to, to = self.buffer, self.send_to, self.to
        view, pack_into, sent = buffer.view, _HEADER.pack_into, 0
        for second, seq, timestamp, payload in packets:
            size = 12 + len(payload)
            for ssrc, session in self.viewers:
                pack_into(view, 0, 0x80, second, seq, timestamp, ssrc)
                view[12:size] = payload
                send_to(view[: session.protect(buffer, size)], to)
                sent += 1
        return sent


class BareWithSrtpOff:
    """The same from the publisher's SRTP on, which is taken off and read no further than its
    payload.
    """

    def __init__(self, out: socket.socket, to: tuple[str, int], viewers: int) -> None:
        self.bare = Bare(out, to, viewers)
        self.inbound = SrtpSession(PROFILE, b"p" * KEY_BYTES, inbound=True)
        self.seq = 0  # of sound and picture together, as `plain` numbers them

    def round(self, batches: list[list[Arrival]]) -> int:
        buffer, unprotect, sent = self.bare.buffer, self.inbound.unprotect, 0
        view = buffer.view
        for batch in batches:
            plain: list[tuple[int, int, int, bytes]] = []
            for _, datagram, _ in batch:
                size = len(datagram)
                view[:size] = datagram
                opened = bytes(view[: unprotect(buffer, size)])
                _, second, _, timestamp, _ = _HEADER.unpack_from(opened)
                (words,) = _WORDS.unpack_from(opened, 14)
                plain.append((second, self.seq, timestamp, opened[16 + 4 * words :]))
                self.seq = self.seq + 1 & 0xFFFF
            sent += self.bare.round(plain)
        return sent


def plain(one: Due, seq: int) -> tuple[int, int, int, bytes]:
    """Second byte, number, timestamp, payload: what the bare loop starts from. Sound and picture
    leave it under one SSRC, so ``seq`` counts both.
    """
    second = (VIDEO_PT if one.is_video else AUDIO_PT) | (0x80 if one.marker else 0)
    return second, seq & 0xFFFF, one.ticks & 0xFFFFFFFF, one.data


def per_cpu_s(contestant: Any, work: Any) -> tuple[float, int]:
    """Packets per CPU-second of one round, and how many they were."""
    gc.collect()
    began = time.process_time_ns()
    sent = contestant.round(work)
    return sent * 1e9 / (time.process_time_ns() - began), sent


@dataclass(slots=True)
class Measured:
    """Packets per CPU-second by round, and what became of the packets."""

    ours: list[float] = field(default_factory=list[float])
    bare: list[float] = field(default_factory=list[float])
    bare_srtp_off: list[float] = field(default_factory=list[float])
    packets: int = 0
    lost: int = 0
    counters: Counters = field(default_factory=Counters)

    @property
    def ratio(self) -> float:
        return median([a / b for a, b in zip(self.ours, self.bare, strict=True)])

    @property
    def ratio_srtp_off(self) -> float:
        return median([a / b for a, b in zip(self.ours, self.bare_srtp_off, strict=True)])

    def as_json(self) -> dict[str, float]:
        return {
            "ours_per_cpu_s": round(median(self.ours)),
            "bare_per_cpu_s": round(median(self.bare)),
            "bare_with_srtp_off_per_cpu_s": round(median(self.bare_srtp_off)),
            "ratio_to_bare_loop": round(self.ratio, 3),
            "ratio_to_bare_loop_with_srtp_off": round(self.ratio_srtp_off, 3),
        }


def measured(viewers: int, seconds: int, rounds: int) -> Measured:
    """``seconds`` of the trace a round; the first round is not counted."""
    made = Measured()
    with (
        socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sink,
        socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as out,
    ):
        sink.bind(("127.0.0.1", 0))
        out.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, SEND_BUFFER_BYTES)
        to = sink.getsockname()
        ours, bare, trace = Ours(out, to, viewers), Bare(out, to, viewers), Trace()
        bare_srtp_off = BareWithSrtpOff(out, to, viewers)
        for number in range(1 + rounds):
            batches = trace.next(seconds)
            sealed = [trace.sealed(together) for together in batches]
            packets = [
                plain(one, trace.transport + at)
                for at, one in enumerate(one for together in batches for one in together)
            ]
            mine, sent = per_cpu_s(ours, sealed)
            theirs, _ = per_cpu_s(bare, packets)
            theirs_srtp_off, _ = per_cpu_s(bare_srtp_off, sealed)
            if number == 0:
                continue  # warm
            said = (
                f"ours {mine:,.0f}/s, bare {theirs:,.0f}/s, with SRTP off {theirs_srtp_off:,.0f}/s"
            )
            say(f"{viewers} viewers, round {number}: {said}")
            made.ours.append(mine)
            made.bare.append(theirs)
            made.bare_srtp_off.append(theirs_srtp_off)
            made.packets += sent
            made.lost += len(packets) * viewers - sent
    made.counters = ours.engine.counters()
    return made


def idle(viewers: int = IDLE_VIEWERS, seconds: int = IDLE_S) -> dict[str, float]:
    """What viewers cost the engine who have had a picture and get none now: share of a core, memory
    of each.
    """
    with (
        socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sink,
        socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as out,
    ):
        sink.bind(("127.0.0.1", 0))
        ours = Ours(out, sink.getsockname(), 0)
        gc.collect()
        before = rss_bytes(os.getpid())
        ours.join(viewers)
        trace = Trace()
        ours.round([trace.sealed(together) for together in trace.next(1)])
        grown = rss_bytes(os.getpid()) - before
        ours.idle(1)
        began = time.process_time()
        ours.idle(seconds)
        spent_s = time.process_time() - began
    return {
        "idle_viewers": viewers,
        "core_percent": round(100 * spent_s / seconds, 2),
        "kb_each": round(grown / viewers / 1000, 1),
    }
