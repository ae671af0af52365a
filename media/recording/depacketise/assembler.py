"""From a track's journal or live packets to frames (组帧): the door of this folder.

Invariant: whatever packets come, at most ``WAITING_MAX`` of them and one frame are held.
"""

from collections.abc import Iterator
from dataclasses import replace

from media.packets import parse_rtp, timestamp_delta
from media.recording.depacketise.frames import Counters, Depacketiser, Frame, Unit
from media.recording.depacketise.h264 import H264Depacketiser
from media.recording.depacketise.opus import OpusDepacketiser
from media.recording.depacketise.sequence import WAIT_NS, Reorderer
from media.recording.depacketise.vp8 import Vp8Depacketiser
from media.recording.segments import TrackFormat

_DEPACKETISERS: dict[str, type[Depacketiser]] = {
    "opus": OpusDepacketiser,
    "h264": H264Depacketiser,
    "vp8": Vp8Depacketiser,
}


class Assembler:
    """One track. ``source`` counts the sources it has had: a publisher who comes back may bring
    a new SSRC, and then timestamps begin anew.
    """

    def __init__(self, form: TrackFormat, wait_ns: int = WAIT_NS) -> None:
        self.format = form
        self.counters = Counters()
        self.source = 0
        self._wait_ns = wait_ns
        self._ssrc: int | None = None
        self._reorderer = Reorderer(wait_ns)
        self._depacketiser = _DEPACKETISERS[form.codec]()

    def packet(self, raw: bytes, arrival_ns: int) -> list[Frame]:
        """Takes one RTP packet; returns frames that are whole now, in decoding order."""
        counters = self.counters
        counters.packets += 1
        view = parse_rtp(raw)
        if view is None:
            counters.malformed += 1
            return []
        is_foreign = view.pt != self.format.payload_type
        counters.foreign += is_foreign
        frames: list[Frame] = []
        if view.ssrc != self._ssrc:
            if is_foreign:
                return []
            if self._ssrc is not None:
                frames = self.flush()
                self._depacketiser.gap(counters)
                self.source += 1
            self._ssrc, self._reorderer = view.ssrc, Reorderer(self._wait_ns)
        return frames + self._take(self._reorderer.push(view, arrival_ns, counters))

    def flush(self) -> list[Frame]:
        """What can still be made of what waits; call it at the end."""
        return self._take(self._reorderer.flush(self.counters))

    def _take(self, units: Iterator[Unit | None]) -> list[Frame]:
        frames: list[Frame] = []
        for unit in units:
            if unit is None:
                self._depacketiser.gap(self.counters)
            elif unit.view.pt == self.format.payload_type:
                # What is not ours still has its place in the sequence: it is no gap.
                frames += self._depacketiser.push(unit, self.counters)
        if self.source:
            return [replace(frame, source=self.source) for frame in frames]
        return frames

    def unwrapped(self, ssrc: int, timestamp: int) -> int | None:
        """A 32-bit timestamp of a sender report as ``Frame.timestamp`` counts; None if unknown."""
        if ssrc != self._ssrc:
            return None
        now = self._reorderer.timestamp
        return now + timestamp_delta(timestamp, now & 0xFFFFFFFF)
