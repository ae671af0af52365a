"""Frames cut into fragments (切片): one stream of pictures or of sound.

Pure. Times are in the stream's timescale from the stream's zero. Invariant: times of a stream only
rise and its fragments do not overlap; a fragment that begins with a keyframe says so.
"""

from typing import Final, NamedTuple

from media.fragments.boxes import Sample, StreamFormat, fragment
from media.recording.depacketise.opus import SILENCE, SILENCE_DURATION

PART_MS: Final = 300
SAMPLES_MAX: Final = 256
FRAME_BYTES_MAX: Final = 2 << 20
# A picture lasts until the next one; held longer than this it is cut off and the next begins anew.
PICTURE_MS_MAX: Final = 2000
SOUND_SLACK: Final = 480  # 10 ms: sound nearer than this to its place is in its place
FILL_MS_MAX: Final = 10_000


class Cut(NamedTuple):
    """One fragment. ``time`` and ``duration`` in the stream's timescale, ``data`` moof and mdat."""

    time: int
    duration: int
    is_key: bool
    data: bytes


class _Cutter:
    """What both kinds share: the samples of the fragment that is being filled."""

    def __init__(self, form: StreamFormat, first_sequence: int = 1) -> None:
        self.format = form
        self._part = form.timescale * PART_MS // 1000
        self._sequence = first_sequence
        self._samples: list[Sample] = []
        self._time = 0  # of the first sample
        self._filled = 0

    def _add(self, time: int, sample: Sample) -> list[Cut]:
        """Takes a sample at ``time``; returns the fragment that this completes."""
        out: list[Cut] = []
        is_break = self._samples and time != self._time + self._filled
        if is_break or (sample.is_key and self._begins_fragment):
            out = self.flush()
        if not self._samples:
            self._time, self._filled = time, 0
        self._samples.append(sample)
        self._filled += sample.duration
        if self._filled >= self._part or len(self._samples) >= SAMPLES_MAX:
            out += self.flush()
        return out

    _begins_fragment = False

    def flush(self) -> list[Cut]:
        """The fragment as far as it is filled."""
        if not self._samples:
            return []
        samples, self._samples = self._samples, []
        data = fragment(self._sequence, self._time, samples)
        self._sequence += 1
        return [Cut(self._time, self._filled, samples[0].is_key, data)]


class PictureCutter(_Cutter):
    """Pictures. Each is kept back until the next tells how long it lasts."""

    _begins_fragment = True

    def __init__(self, form: StreamFormat, first_sequence: int = 1) -> None:
        super().__init__(form, first_sequence)
        self._kept: tuple[int, bytes, bool] | None = None
        self._needs_key = True
        self._longest = form.timescale * PICTURE_MS_MAX // 1000

    def push(self, time: int, data: bytes, is_key: bool) -> list[Cut]:
        """Takes one picture. One too large for any camera is left out with what refers to it."""
        self._needs_key = len(data) > FRAME_BYTES_MAX or (self._needs_key and not is_key)
        if self._needs_key:
            return []
        if self._kept is None:
            self._kept = max(time, 0), data, is_key
            return []
        at, before, was_key = self._kept
        time = max(time, at + 1)
        self._kept = time, data, is_key
        return self._add(at, Sample(before, min(time - at, self._longest), was_key))

    def finish(self) -> list[Cut]:
        """Everything, the picture that was kept back too."""
        out: list[Cut] = []
        if self._kept is not None:
            at, data, is_key = self._kept
            self._kept = None
            out = self._add(at, Sample(data, self._part // 8, is_key))
        return out + self.flush()


class SoundCutter(_Cutter):
    """Sound. Where none comes (mute, pauses between words) silence stands in for it.

    A player stalls where sound is missing, so ``fill`` keeps it going with ``silence``: a packet
    and its duration, or None where pauses are filled before.
    """

    def __init__(
        self,
        form: StreamFormat,
        silence: tuple[bytes, int] | None = (SILENCE, SILENCE_DURATION),
        first_sequence: int = 1,
    ) -> None:
        super().__init__(form, first_sequence)
        self._silence = silence
        self._next: int | None = None
        self._fill_max = form.timescale * FILL_MS_MAX // 1000

    @property
    def next_time(self) -> int | None:
        """Where the next sound belongs; None before the first."""
        return self._next

    def push(self, time: int, data: bytes, duration: int) -> list[Cut]:
        """Takes one packet of sound. What comes where silence has been put already is left out."""
        assert duration > 0
        out: list[Cut] = []
        if self._next is not None:
            if time <= self._next - SOUND_SLACK:
                return []
            out = self.fill(time)
            if time - self._next < SOUND_SLACK:
                time = self._next
        time = max(time, 0)
        self._next = time + duration
        return out + self._add(time, Sample(data, duration, True))

    def fill(self, until: int) -> list[Cut]:
        """Silence up to ``until``, as far as it fits. A pause too long for that is left open."""
        if self._next is None or self._silence is None:
            return []
        if until - self._next > self._fill_max:
            self._next = until
            return []
        data, duration = self._silence
        out: list[Cut] = []
        while until - self._next >= duration:
            out += self._add(self._next, Sample(data, duration, True))
            self._next += duration
        return out
