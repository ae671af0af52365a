"""The one sound that is encoded anew (AAC 转码): for HLS players that do not know Opus.

Invariant: at most one encoder per room, in a thread of its own with a short queue; where it cannot
keep up, sound is left out and never waited for.
"""

import threading
from collections.abc import Callable
from contextlib import suppress
from fractions import Fraction
from queue import Full, Queue
from typing import Final

import av
import numpy as np
from av.error import FFmpegError

from media.fragments.boxes import AUDIO_TIMESCALE, StreamFormat, aac_format
from media.fragments.cutter import Cut, SoundCutter

BIT_RATE: Final = 64_000
FRAME: Final = 1024
QUEUE_MAX: Final = 1000  # twenty seconds of sound
GAP_MAX: Final = AUDIO_TIMESCALE * 10
LAYOUT: Final = "stereo"

OnFragment = Callable[[StreamFormat, Cut], object]


class AacEncoder:
    """Opus in, fragments of AAC out. Pure but for its codecs' state."""

    def __init__(self) -> None:
        decoder = av.CodecContext.create("libopus", "r")
        encoder = av.CodecContext.create("aac", "w")
        assert isinstance(decoder, av.AudioCodecContext)
        assert isinstance(encoder, av.AudioCodecContext)
        decoder.sample_rate, decoder.layout = AUDIO_TIMESCALE, LAYOUT
        encoder.sample_rate, encoder.layout, encoder.format = AUDIO_TIMESCALE, LAYOUT, "fltp"
        encoder.time_base, encoder.bit_rate = Fraction(1, AUDIO_TIMESCALE), BIT_RATE
        encoder.open()
        self.format = aac_format(bytes(encoder.extradata or b""))
        self._decoder, self._encoder = decoder, encoder
        self._resampler = av.AudioResampler("fltp", LAYOUT, AUDIO_TIMESCALE)
        self._cutter = SoundCutter(self.format, silence=None)
        self._left = np.zeros((2, 0), np.float32)
        self._time: int | None = None  # of the first sample in _left

    def push(self, time: int, packet: bytes) -> list[Cut]:
        """One Opus packet that begins at ``time`` (48 kHz); what does not decode is silence."""
        try:
            decoded = self._decoder.decode(av.Packet(packet)) if packet else []
        except FFmpegError:
            decoded = []
        wave = [part.to_ndarray() for frame in decoded for part in self._resampler.resample(frame)]
        return self._feed(time, np.concatenate(wave, axis=1) if wave else self._left[:, :0])

    def _feed(self, time: int, wave: np.ndarray) -> list[Cut]:
        end = None if self._time is None else self._time + self._left.shape[1]
        if end is None or self._time is None or abs(time - end) > GAP_MAX:
            self._time, self._left = time, np.zeros((2, 0), np.float32)
        elif time > end:  # the publisher was silent
            self._left = np.pad(self._left, ((0, 0), (0, time - end)))
        self._left = np.concatenate([self._left, wave], axis=1)
        out: list[Cut] = []
        while self._left.shape[1] >= FRAME:
            block, self._left = self._left[:, :FRAME], self._left[:, FRAME:]
            out += self._encode(self._time, block)
            self._time += FRAME
        return out

    def _encode(self, time: int, block: np.ndarray) -> list[Cut]:
        frame = av.AudioFrame.from_ndarray(
            np.ascontiguousarray(block), format="fltp", layout=LAYOUT
        )
        frame.sample_rate, frame.pts = AUDIO_TIMESCALE, time
        out: list[Cut] = []
        for packet in self._encoder.encode(frame):
            if packet.pts is not None and packet.pts >= 0:
                out += self._cutter.push(packet.pts, bytes(packet), FRAME)
        return out


class AacThread:
    """The encoder in its thread. ``on_fragment`` is called there: post it to your loop."""

    def __init__(self, on_fragment: OnFragment) -> None:
        self._on_fragment = on_fragment
        self._queue: Queue[tuple[int, bytes] | None] = Queue(QUEUE_MAX)
        self._closing = threading.Event()
        self.left_out = 0
        self._thread = threading.Thread(target=self._run, name="aac", daemon=True)
        self._thread.start()

    def push(self, time: int, packet: bytes) -> None:
        """On the loop; never waits."""
        try:
            self._queue.put_nowait((time, packet))
        except Full:
            self.left_out += 1

    def close(self) -> None:
        """Soon: what waits is not encoded any more."""
        self._closing.set()
        with suppress(Full):  # then it does not sleep
            self._queue.put_nowait(None)
        self._thread.join()

    def _run(self) -> None:
        encoder = AacEncoder()
        while (heard := self._queue.get()) is not None and not self._closing.is_set():
            for cut in encoder.push(*heard):
                self._on_fragment(encoder.format, cut)
