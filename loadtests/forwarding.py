"""forwarding (转发): packets forwarded per CPU-second, beside the same work in a bare loop.

One publisher, many viewers, each with AES-GCM keys of its own; the trace is 30 frames a second of a
picture of 1.6 Mbit/s, with a keyframe of 30 packets every two seconds. Ours takes the publisher's
SRTP datagrams through `media.python_engine` to a real UDP socket, with everything it does on the
way: SRTP off, ring, losses, transport feedback, reports. The bare loop has the plain packets in its
hand and does what cannot be left out: header, payload, SRTP on, ``sendto``. CPU is the process's,
by the kernel; rounds alternate, so that both share the machine's moods. Nobody reads the datagrams:
the kernel delivers them to a socket's buffer and drops what it does not hold, for both alike.

Debian's janus is named in ``absent``: we have no client that drives it with this trace.
"""

import argparse
import gc
import socket
import struct
import time
from dataclasses import dataclass, field
from typing import Any

from loadtests.machine import median
from loadtests.report import Aim, Report, options, run, say
from media.aiortc_private import PacketBuffer, SrtpSession
from media.codecs import Codec
from media.engine import TICK_MS, Arrival, ExtensionIds, SrtpKeys, StreamTerms, TrackTerms
from media.packets import build_rtp
from media.python_engine import PythonEngine

VIEWERS, SMALL_VIEWERS = 100, 40
SECONDS, SMALL_SECONDS = 4, 2  # of the trace, per round
ROUNDS, SMALL_ROUNDS = 7, 5
RATIO = 0.6
PROFILE = "SRTP_AEAD_AES_128_GCM"
FRAMES_PER_S, FRAME_PACKETS, KEYFRAME_PACKETS = 30, 6, 30
PAYLOAD_BYTES = 1100
TRANSPORT_ID = 3
KEY_BYTES = 28

_HEADER = struct.Struct("!BBHII")


def plain_frame(number: int, seq: int) -> list[bytes]:
    """The packets of one frame, as an encoder would cut it."""
    key = number % (2 * FRAMES_PER_S) == 0
    count = KEYFRAME_PACKETS if key else FRAME_PACKETS
    made: list[bytes] = []
    for part in range(count):
        head = bytes([0x67 if part == 0 else 0x65]) if key else b"\x41"
        transport = [(TRANSPORT_ID, ((seq + part) & 0xFFFF).to_bytes(2, "big"))]
        made.append(
            build_rtp(
                102,
                (seq + part) & 0xFFFF,
                number * 90_000 // FRAMES_PER_S & 0xFFFFFFFF,
                0x1111,
                head + bytes(PAYLOAD_BYTES - 1),
                marker=part == count - 1,
                extensions=transport,
            )
        )
    return made


@dataclass(slots=True)
class Trace:
    """The publisher, from round to round: its packets never come twice."""

    frame: int = 0
    seq: int = 0
    sealing: SrtpSession = field(
        default_factory=lambda: SrtpSession(PROFILE, b"p" * KEY_BYTES, inbound=False)
    )
    buffer: PacketBuffer = field(default_factory=PacketBuffer)

    def next(self, seconds: int) -> list[list[bytes]]:
        """Plain packets by frame."""
        frames: list[list[bytes]] = []
        for _ in range(seconds * FRAMES_PER_S):
            frames.append(plain_frame(self.frame, self.seq))
            self.frame += 1
            self.seq += len(frames[-1])
        return frames

    def sealed(self, frame: list[bytes], at_us: int) -> list[Arrival]:
        made: list[Arrival] = []
        for plain in frame:
            self.buffer.view[: len(plain)] = plain
            size = self.sealing.protect(self.buffer, len(plain))
            made.append((1, bytes(self.buffer.view[:size]), at_us))
        return made


def viewer_keys(number: int) -> bytes:
    return number.to_bytes(4, "big") * (KEY_BYTES // 4)


class Ours:
    """The engine with its publisher (peer 1) and viewers."""

    def __init__(self, out: socket.socket, to: tuple[str, int], viewers: int) -> None:
        self.engine = PythonEngine(out.sendto)
        self.engine.add_peer(1, SrtpKeys(PROFILE, b"p" * KEY_BYTES, b"q" * KEY_BYTES))
        self.engine.place_peer(1, to)
        terms = TrackTerms(
            Codec.H264, "0", 102, ssrcs=(0x1111,), extensions=ExtensionIds(transport=TRANSPORT_ID)
        )
        self.engine.add_track(1, 1, terms)
        for number in range(viewers):
            peer = 100 + number
            self.engine.add_peer(peer, SrtpKeys(PROFILE, b"r" * KEY_BYTES, viewer_keys(number)))
            self.engine.place_peer(peer, to)
            self.engine.subscribe(peer, peer, 1, StreamTerms(1000 + number, 0, 0))

    def round(self, frames: list[list[Arrival]]) -> int:
        before = self.engine.counters().forwarded
        receive, tick = self.engine.receive, self.engine.tick
        for frame in frames:
            receive(frame)
            for _ in range(1000 // FRAMES_PER_S // TICK_MS + 1):
                tick(frame[0][2])
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

    def round(self, frames: list[list[tuple[int, int, int, bytes]]]) -> int:
        buffer, send_to, to = self.buffer, self.send_to, self.to
        view, pack_into, sent = buffer.view, _HEADER.pack_into, 0
        for frame in frames:
            for second, seq, timestamp, payload in frame:
                size = 12 + len(payload)
                for ssrc, session in self.viewers:
                    pack_into(view, 0, 0x80, second, seq, timestamp, ssrc)
                    view[12:size] = payload
                    send_to(view[: session.protect(buffer, size)], to)
                    sent += 1
        return sent


def parts(plain: bytes) -> tuple[int, int, int, bytes]:
    """Second byte, number, timestamp, payload: what the bare loop starts from."""
    _, second, seq, timestamp, _ = _HEADER.unpack_from(plain)
    return second, seq, timestamp, plain[-PAYLOAD_BYTES:]


def per_cpu_s(contestant: Any, frames: Any) -> tuple[float, int]:
    """Packets per CPU-second of one round, and how many they were."""
    gc.collect()
    began = time.process_time_ns()
    sent = contestant.round(frames)
    return sent * 1e9 / (time.process_time_ns() - began), sent


def measure(arguments: argparse.Namespace) -> Report:
    small = arguments.small
    viewers = arguments.count or (SMALL_VIEWERS if small else VIEWERS)
    seconds = SMALL_SECONDS if small else SECONDS
    rates: dict[str, list[float]] = {"ours": [], "bare": []}
    lost = packets = 0
    with (
        socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sink,
        socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as out,
    ):
        sink.bind(("127.0.0.1", 0))
        out.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 4 << 20)
        to = sink.getsockname()
        ours, bare, trace = Ours(out, to, viewers), Bare(out, to, viewers), Trace()
        for number in range(1 + (SMALL_ROUNDS if small else ROUNDS)):
            frames = trace.next(seconds)
            sealed = [
                trace.sealed(frame, (trace.frame - len(frames) + at) * 1_000_000 // FRAMES_PER_S)
                for at, frame in enumerate(frames)
            ]
            plain = [[parts(packet) for packet in frame] for frame in frames]
            mine, sent = per_cpu_s(ours, sealed)
            theirs, _ = per_cpu_s(bare, plain)
            if number == 0:
                continue  # warm
            say(f"round {number}: ours {mine:,.0f}/s, bare {theirs:,.0f}/s")
            rates["ours"].append(mine)
            rates["bare"].append(theirs)
            packets += sent
            lost += sum(map(len, frames)) * viewers - sent
    ratio = median([a / b for a, b in zip(rates["ours"], rates["bare"], strict=True)])
    counters = ours.engine.counters()
    return Report(
        name="forwarding",
        ratio=ratio,
        aim=RATIO,
        at_least=True,
        aims=[
            Aim("packets per CPU-second, of the bare loop's", ratio, RATIO, at_least=True),
            Aim("packets lost", lost, 0),
        ],
        figures={
            "viewers": viewers,
            "packets": packets,
            "lost": lost,
            "send_failures": counters.send_failures,
            "ratio_to_bare_loop": round(ratio, 3),
            "per_cpu_s": {name: round(median(found)) for name, found in rates.items()},
            "rounds": {name: [round(one) for one in found] for name, found in rates.items()},
        },
        absent=["janus: no client here that drives it", "viewers by fragments"],
    )


if __name__ == "__main__":
    run(measure, options("forwarding", "viewers"))
