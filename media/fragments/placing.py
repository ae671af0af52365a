"""Where a live frame lies in time (直播对时): steady, and sound in step with pictures.

Pure. A track runs on its own timestamps from a base; the base is moved only when sender reports or
a changed delay say that it is off by more than ``STEP_NS``, so that the sound has no seams.
"""

from dataclasses import dataclass
from typing import Final

from media.recording.clocks import (
    BLOCK_NS,
    NS,
    TRUST_NS,
    Delays,
    PlacedSource,
    SourceClock,
    ntp_ns,
)

STEP_NS: Final = 60_000_000
BLOCKS_MAX: Final = 4
SAME_CLOCK_NS: Final = 2 * NS


@dataclass(slots=True)
class _Track:
    source: PlacedSource
    clock_rate: int
    base_ns: int | None = None  # recorder's time of timestamp 0
    has_reports: bool = False


class LivePlacing:
    """Tracks by their kind."""

    def __init__(self) -> None:
        self._tracks: dict[str, _Track] = {}

    def begin(self, kind: str, clock_rate: int) -> None:
        """Another source stands for ``kind`` from now on."""
        self._tracks[kind] = _Track(PlacedSource(SourceClock(clock_rate)), clock_rate)

    def report(self, kind: str, timestamp: int, ntp: int) -> None:
        """A sender report: the unwrapped timestamp and its NTP time."""
        track = self._tracks[kind]
        if not track.has_reports:
            track.has_reports = True
            track.source.delays = Delays()  # those so far were by another clock
        track.source.clock.report(timestamp, ntp_ns(ntp))

    def place(self, kind: str, timestamp: int, arrival_ns: int) -> int:
        """When the frame was made, on the recorder's clock."""
        track = self._tracks[kind]
        clock, delays = track.source.clock, track.source.delays
        sender_ns = clock.sender_ns(timestamp)
        delays.add(arrival_ns, arrival_ns - sender_ns)
        if len(delays.smallest) > BLOCKS_MAX:
            oldest = arrival_ns // BLOCK_NS - BLOCKS_MAX
            delays.smallest = {b: d for b, d in delays.smallest.items() if b > oldest}
        target = sender_ns + self._delay(track)
        if abs(target - arrival_ns) > TRUST_NS:
            target = arrival_ns
        ticks_ns = timestamp * NS // track.clock_rate
        if track.base_ns is None or abs(target - ticks_ns - track.base_ns) > STEP_NS:
            track.base_ns = target - ticks_ns
        return track.base_ns + ticks_ns

    def _delay(self, track: _Track) -> int:
        """The smallest delay of all tracks with this one's clock."""
        own = track.source.delays.least
        if not track.has_reports:
            return own
        others = [
            other.source.delays.least
            for other in self._tracks.values()
            if other.has_reports and other.source.delays.smallest
        ]
        return min(least for least in others if abs(least - own) <= SAME_CLOCK_NS)
