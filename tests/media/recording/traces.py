"""RTP as a publisher sends it, made here: packetisers of our own and small encoded pictures.

``publish`` gives a camera and a microphone that can be checked by eye of a program: each picture
carries its number in black and white squares, and every full second it flashes while the sound
beeps.
"""

import struct
from collections.abc import Iterator
from dataclasses import dataclass, field
from fractions import Fraction
from functools import cache

import av
import numpy as np

from media.packets import build_rtp
from media.recording.segments import TrackFormat
from media.rtcp import SenderReport

H264 = TrackFormat("h264", 90_000, 102)
VP8 = TrackFormat("vp8", 90_000, 96)
OPUS = TrackFormat("opus", 48_000, 111)
WIDTH, HEIGHT, FPS = 320, 240, 25
SQUARE, BITS = 20, 12
FLASH_ROW = 160
PAYLOAD_MAX = 1100
NTP_EPOCH_S = 2_208_988_800


# ---- packetisers


def h264_payloads(nals: list[bytes], size: int = PAYLOAD_MAX) -> list[bytes]:
    """RFC 6184: parameter sets aggregated, small units single, large ones fragmented."""
    out: list[bytes] = []
    small = [nal for nal in nals if nal[0] & 0x1F in (7, 8)]
    if small:
        body = b"".join(len(nal).to_bytes(2, "big") + nal for nal in small)
        out.append(bytes([24 | 0x60]) + body)
    for nal in nals:
        if nal[0] & 0x1F in (7, 8):
            continue
        if len(nal) <= size:
            out.append(nal)
            continue
        parts = [nal[i : i + size - 2] for i in range(1, len(nal), size - 2)]
        for place, part in enumerate(parts):
            bits = (0x80 if place == 0 else 0) | (0x40 if place == len(parts) - 1 else 0)
            out.append(bytes([nal[0] & 0xE0 | 28, bits | nal[0] & 0x1F]) + part)
    return out


def vp8_payloads(frame: bytes, picture_id: int, size: int = PAYLOAD_MAX) -> list[bytes]:
    """RFC 7741 with a 15-bit picture id."""
    parts = [frame[i : i + size] for i in range(0, len(frame), size)]
    number = (0x8000 | picture_id & 0x7FFF).to_bytes(2, "big")
    return [
        bytes([0x90 if place == 0 else 0x80, 0x80]) + number + part
        for place, part in enumerate(parts)
    ]


@dataclass(slots=True)
class Sender:
    """Numbers packets. ``seq`` and ``timestamp`` wrap as they do on the wire."""

    form: TrackFormat
    ssrc: int
    seq: int = 65_500
    base: int = 0xFFFF_0000
    sent: list[bytes] = field(default_factory=list)

    def frame(self, payloads: list[bytes], ticks: int) -> list[bytes]:
        """The packets of one frame at ``ticks`` after the beginning."""
        packets = [
            build_rtp(
                self.form.payload_type,
                (self.seq + place) & 0xFFFF,
                (self.base + ticks) & 0xFFFFFFFF,
                self.ssrc,
                payload,
                marker=place == len(payloads) - 1,
            )
            for place, payload in enumerate(payloads)
        ]
        self.seq += len(payloads)
        self.sent += packets
        return packets

    def report(self, wall_s: Fraction, ticks: int) -> bytes:
        ntp = int((wall_s + NTP_EPOCH_S) * (1 << 32))
        return bytes(SenderReport(self.ssrc, ntp, (self.base + ticks) & 0xFFFFFFFF, 1, 1))


# ---- pictures and sound


def annexb_nals(raw: bytes) -> list[bytes]:
    starts = [i for i in range(len(raw) - 3) if raw[i : i + 3] == b"\0\0\1"]
    ends = [*starts[1:], len(raw)]
    nals = [raw[start + 3 : end].rstrip(b"\0") for start, end in zip(starts, ends, strict=True)]
    return [nal for nal in nals if nal and nal[0] & 0x1F in (1, 5, 7, 8)]


def picture(number: int, fps: int, width: int, height: int) -> np.ndarray:
    image = np.full((height, width, 3), 60, np.uint8)
    for bit in range(BITS):
        x = bit * SQUARE
        image[:SQUARE, x : x + SQUARE] = 255 if number >> bit & 1 else 0
    # Something that moves, so that frames have bytes.
    x = number * 7 % (width - 60)
    image[60:120, x : x + 60] = (200, number * 5 % 255, 90)
    if number % fps < 2:
        image[FLASH_ROW : FLASH_ROW + 40] = 255
    return image


def number_in(image: np.ndarray) -> int:
    """What ``picture`` wrote."""
    middle = SQUARE // 2
    return sum(1 << bit for bit in range(BITS) if image[middle, bit * SQUARE + middle].mean() > 128)


def is_flash(image: np.ndarray) -> bool:
    return bool(image[FLASH_ROW + 20, image.shape[1] // 2].mean() > 180)


@cache
def video(
    codec: str, frames: int, fps: int = FPS, gop: int = 25, size: tuple[int, int] = (WIDTH, HEIGHT)
) -> tuple[tuple[bytes, bool], ...]:
    """(encoded frame, is keyframe), once for all tests."""
    context = av.CodecContext.create(codec, "w")
    assert isinstance(context, av.VideoCodecContext)
    context.width, context.height = size
    context.pix_fmt = "yuv420p"
    context.time_base, context.framerate = Fraction(1, fps), Fraction(fps)
    context.bit_rate = 400_000
    context.gop_size = gop
    context.thread_count = 1
    if codec == "libx264":
        context.profile = "Baseline"
        context.options = {"preset": "ultrafast", "tune": "zerolatency", "sc_threshold": "0"}
    else:
        context.options = {"deadline": "realtime", "cpu-used": "8", "lag-in-frames": "0"}
    out = []
    for number in range(frames):
        frame = av.VideoFrame.from_ndarray(picture(number, fps, *size), format="rgb24")
        frame.pts = number
        out += context.encode(frame)
    out += context.encode(None)
    return tuple((bytes(packet), packet.is_keyframe) for packet in out)


@cache
def sound(seconds: int, codec: str = "libopus") -> tuple[bytes, ...]:
    """20 ms packets: silence, and 1 kHz in the first 80 ms of each second."""
    context = av.CodecContext.create(codec, "w")
    assert isinstance(context, av.AudioCodecContext)
    context.sample_rate, context.layout, context.format = 48_000, "stereo", "s16"
    context.time_base = Fraction(1, 48_000)
    context.bit_rate = 48_000
    context.options = {"application": "lowdelay", "frame_duration": "20"}
    t = np.arange(48_000 * seconds) / 48_000
    wave = np.where(t % 1 < 0.08, np.sin(2 * np.pi * 1000 * t), 0) * 20_000
    out = []
    for start in range(0, len(t), 960):
        block = np.repeat(wave[start : start + 960].astype(np.int16), 2)[None, :]
        frame = av.AudioFrame.from_ndarray(block, format="s16", layout="stereo")
        frame.sample_rate, frame.pts = 48_000, start
        out += context.encode(frame)
    out += context.encode(None)
    return tuple(bytes(packet) for packet in out)


@dataclass(frozen=True, slots=True)
class Sent:
    """One packet on its way. ``is_report``: an RTCP sender report."""

    at_ns: int
    track: str
    raw: bytes
    is_report: bool = False


def publish(
    seconds: int = 4,
    *,
    codec: str = "libx264",
    sound_delay_ns: int = 0,
    wall_s: Fraction = Fraction(1_795_000_000),
    reports: bool = True,
    gop: int = 25,
) -> list[Sent]:
    """A camera ("cam") and a microphone ("mic") of one publisher, by time of arrival.

    ``sound_delay_ns``: by how much the network holds up the sound; its sender reports still tell
    when it was made.
    """
    sent: list[Sent] = []
    form = H264 if codec == "libx264" else VP8
    cam, mic = Sender(form, 0xCA), Sender(OPUS, 0x31C, seq=10, base=0xFFFF_FF00)
    for number, (raw, _) in enumerate(video(codec, seconds * FPS, gop=gop)):
        at = Fraction(number, FPS)
        payloads = (
            h264_payloads(annexb_nals(raw)) if codec == "libx264" else vp8_payloads(raw, number)
        )
        for packet in cam.frame(payloads, int(at * 90_000)):
            sent.append(Sent(int(at * 10**9) + 5_000_000, "cam", packet))
        if reports and number % FPS == 3:
            report = cam.report(wall_s + at, int(at * 90_000))
            sent.append(Sent(int(at * 10**9) + 6_000_000, "cam", report, True))
    for number, raw in enumerate(sound(seconds)):
        at = Fraction(number, 50)
        late = int(at * 10**9) + 5_000_000 + sound_delay_ns
        (packet,) = mic.frame([raw], number * 960)
        sent.append(Sent(late, "mic", packet))
        if reports and number % 50 == 7:
            sent.append(Sent(late, "mic", mic.report(wall_s + at, number * 960), True))
    return sorted(sent, key=lambda one: one.at_ns)


def seq_of(packet: bytes) -> int:
    return struct.unpack_from(">H", packet, 2)[0]


def shuffled(packets: list[bytes], moves: list[int]) -> Iterator[bytes]:
    """The packets with each moved back by so many places."""
    keyed = sorted(
        (place + (moves[place % len(moves)] if moves else 0), place)
        for place in range(len(packets))
    )
    return (packets[place] for _, place in keyed)
