"""A recorded trace (录制码流): H.264 and Opus as real encoders make them, cut into RTP payloads.

libx264 and libopus encode, aiortc packs: none of it is ours. What is recorded once is replayed as
often as anybody likes, each time with numbers and times that go on, beginning at a keyframe.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from functools import cache

import av
import numpy as np
from aiortc.codecs.h264 import H264Encoder

H264_HZ, OPUS_HZ = 90_000, 48_000
SOUND_MS = 20
BLOCK = 16  # pixels; finer noise costs more bits than it is worth


@dataclass(frozen=True, slots=True)
class Payload:
    """``at_ms`` after the beginning of the trace; ``ticks`` in the clock of its kind."""

    at_ms: int
    is_video: bool
    ticks: int
    marker: bool
    data: bytes


@dataclass(frozen=True, slots=True)
class Recorded:
    """In the order of time. ``length_ms`` is where a replay begins again."""

    payloads: tuple[Payload, ...]
    length_ms: int


@dataclass(frozen=True, slots=True)
class Due:
    """One packet of a replay: numbers and ticks that do not wrap."""

    at_ms: int
    is_video: bool
    seq: int
    ticks: int
    marker: bool
    data: bytes


def replay(trace: Recorded) -> Iterator[Due]:
    """Without end."""
    seqs = {True: 0, False: 0}
    turn = 0
    while True:
        for one in trace.payloads:
            hz = H264_HZ if one.is_video else OPUS_HZ
            ticks = one.ticks + turn * trace.length_ms * hz // 1000
            at_ms = one.at_ms + turn * trace.length_ms
            yield Due(at_ms, one.is_video, seqs[one.is_video], ticks, one.marker, one.data)
            seqs[one.is_video] += 1
        turn += 1


@cache
def recorded(
    width: int = 1280,
    height: int = 720,
    fps: int = 30,
    bits_s: int = 1_600_000,
    seconds: int = 4,
    gop_s: int = 2,
) -> Recorded:
    """A picture that never rests, and a tone. ``seconds`` is a multiple of ``gop_s``."""
    assert seconds % gop_s == 0
    payloads = [*_pictures(width, height, fps, bits_s, seconds, gop_s), *_sound(seconds)]
    return Recorded(tuple(sorted(payloads, key=lambda one: one.at_ms)), seconds * 1000)


def _pictures(
    width: int, height: int, fps: int, bits_s: int, seconds: int, gop_s: int
) -> Iterator[Payload]:
    context = av.CodecContext.create("libx264", "w")
    assert isinstance(context, av.VideoCodecContext)
    context.width, context.height, context.pix_fmt = width, height, "yuv420p"
    context.time_base, context.framerate = Fraction(1, fps), Fraction(fps)
    context.bit_rate, context.gop_size, context.thread_count = bits_s, gop_s * fps, 1
    context.profile = "Baseline"
    context.options = {"preset": "ultrafast", "tune": "zerolatency", "sc_threshold": "0"}
    noise = np.random.default_rng(7)
    packer = H264Encoder()
    scene = noise.integers(0, 255, (height // BLOCK, 2 * width // BLOCK, 3), np.uint8)
    whole = scene.repeat(BLOCK, 0).repeat(BLOCK, 1)
    for number in range(seconds * fps):
        left = number * 8 % width
        image = np.zeros((height, width, 3), np.uint8)
        image[: whole.shape[0]] = whole[:, left : left + width]
        frame = av.VideoFrame.from_ndarray(image, format="rgb24")
        frame.pts = number
        for packet in context.encode(frame):
            cut, ticks = packer.pack(packet)
            for place, data in enumerate(cut):
                at_ms = number * 1000 // fps
                yield Payload(at_ms, True, ticks, place == len(cut) - 1, data)


def _sound(seconds: int) -> Iterator[Payload]:
    context = av.CodecContext.create("libopus", "w")
    assert isinstance(context, av.AudioCodecContext)
    context.sample_rate, context.layout, context.format = OPUS_HZ, "stereo", "s16"
    context.time_base, context.bit_rate = Fraction(1, OPUS_HZ), 48_000
    context.options = {"application": "voip", "frame_duration": str(SOUND_MS)}
    samples = OPUS_HZ * SOUND_MS // 1000
    made: list[bytes] = []
    for start in range(0, seconds * OPUS_HZ, samples):
        at = np.arange(start, start + samples) / OPUS_HZ
        wave = (np.sin(at * 440 * 2 * np.pi) * 12_000).astype(np.int16)
        frame = av.AudioFrame.from_ndarray(wave.repeat(2)[None, :], format="s16", layout="stereo")
        frame.sample_rate, frame.pts = OPUS_HZ, start
        made += [bytes(packet) for packet in context.encode(frame)]
    for number, data in enumerate(made[: seconds * 1000 // SOUND_MS]):
        yield Payload(number * SOUND_MS, False, number * samples, False, data)
