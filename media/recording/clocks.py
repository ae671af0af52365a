"""When a frame was made (唇音同步): RTP timestamps by sender reports onto the recorder's time.

A publisher's sound and picture have clocks of their own; its sender reports tell both by one clock
(RFC 3550 §6.4.1). How far that clock is from ours is the smallest delay that packets had, taken
anew every few seconds, because clocks drift. Pure. Invariant: whatever a publisher claims, a frame
is placed within ``TRUST_NS`` of the moment at which it came.
"""

from bisect import bisect_right
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Final

NS: Final = 1_000_000_000
NTP_EPOCH_S: Final = 2_208_988_800
BLOCK_NS: Final = 10 * NS  # over which the smallest delay is taken
TRUST_NS: Final = 10 * NS
SAME_CLOCK_NS: Final = 2 * NS  # delays of two tracks this close: one publisher's clock
STEP_NS: Final = 15_000_000  # reports are a little off; only a real drift moves a source
ANCHORS_MAX: Final = 100_000


def ntp_ns(ntp: int) -> int:
    """64-bit NTP time as ns since 1970."""
    return ((ntp >> 32) - NTP_EPOCH_S) * NS + ((ntp & 0xFFFFFFFF) * NS >> 32)


class SourceClock:
    """One source's timestamps on its publisher's clock; by the timestamps alone until a report."""

    def __init__(self, clock_rate: int) -> None:
        self._rate = clock_rate
        self._starts: list[int] = []  # unwrapped timestamps, ascending
        self._offsets: list[int] = []  # ns to add from there on

    @property
    def has_reports(self) -> bool:
        return bool(self._starts)

    def report(self, timestamp: int, sender_ns: int) -> None:
        """``timestamp`` (unwrapped) was at ``sender_ns`` on the publisher's clock."""
        offset = sender_ns - self._ticks_ns(timestamp)
        if not self._starts:
            self._starts, self._offsets = [timestamp], [offset]
        elif (
            timestamp > self._starts[-1]
            and abs(offset - self._offsets[-1]) > STEP_NS
            and len(self._starts) < ANCHORS_MAX
        ):
            self._starts.append(timestamp)
            self._offsets.append(offset)

    def sender_ns(self, timestamp: int) -> int:
        """When the frame was made, on the publisher's clock."""
        ticks = self._ticks_ns(timestamp)
        if not self._starts:
            return ticks
        # What was made before the first report is placed by the first.
        return ticks + self._offsets[max(0, bisect_right(self._starts, timestamp) - 1)]

    def _ticks_ns(self, timestamp: int) -> int:
        return timestamp * NS // self._rate


@dataclass(slots=True)
class Delays:
    """The smallest delay in each block of time; between them a straight line."""

    smallest: dict[int, int] = field(default_factory=dict)  # block: ns
    _line: list[tuple[int, int]] = field(default_factory=list)

    def add(self, now_ns: int, delay_ns: int) -> None:
        block = now_ns // BLOCK_NS
        known = self.smallest.get(block)
        if known is None or delay_ns < known:
            self.smallest[block] = delay_ns
            self._line.clear()

    def merge(self, other: "Delays") -> None:
        for block, delay_ns in other.smallest.items():
            self.add(block * BLOCK_NS, delay_ns)

    @property
    def least(self) -> int:
        return min(self.smallest.values())

    def at(self, now_ns: int) -> int:
        """The delay to take out at ``now_ns``; some must have been added."""
        if not self._line:
            middle = BLOCK_NS // 2
            self._line = sorted((b * BLOCK_NS + middle, d) for b, d in self.smallest.items())
        line = self._line
        place = bisect_right(line, (now_ns, 1 << 80))
        if place == 0:
            return line[0][1]
        if place == len(line):
            return line[-1][1]
        (from_ns, one), (until_ns, two) = line[place - 1], line[place]
        return one + (two - one) * (now_ns - from_ns) // (until_ns - from_ns)


@dataclass(slots=True)
class PlacedSource:
    """A source and the delays that count for it: its own, or those of its publisher."""

    clock: SourceClock
    delays: Delays = field(default_factory=Delays)

    def place(self, timestamp: int, arrival_ns: int) -> int:
        """When the frame was made, on the recorder's clock, ns."""
        when = self.clock.sender_ns(timestamp) + self.delays.at(arrival_ns)
        return when if abs(when - arrival_ns) <= TRUST_NS else arrival_ns


def share_delays(sources: Iterable[PlacedSource]) -> None:
    """Lets sources with one publisher's clock be placed by one delay: that is lip sync.

    Sources without reports keep their own. Which clock is whose shows in the delays: two clocks
    that agree within ``SAME_CLOCK_NS`` are taken for one.
    """
    groups: list[list[PlacedSource]] = []
    known = [one for one in sources if one.clock.has_reports and one.delays.smallest]
    for source in sorted(known, key=lambda one: one.delays.least):
        if groups and source.delays.least - groups[-1][0].delays.least <= SAME_CLOCK_NS:
            groups[-1].append(source)
        else:
            groups.append([source])
    for group in groups:
        shared = Delays()
        for source in group:
            shared.merge(source.delays)
        for source in group:
            source.delays = shared


def steady(moments: Iterable[tuple[int, int]], reference: tuple[int, int]) -> Iterator[int]:
    """(monotonic ns, UTC ms) pairs of one track as ns on one clock that no reboot turns back.

    ``reference``: such a pair of the recording. Where monotonic time went back, or never agreed
    with the reference, the machine was started again, and UTC bridges the pause.
    """
    mono_ref, utc_ref = reference
    shift = 0
    before: tuple[int, int] | None = None
    for mono_ns, utc_ms in moments:
        by_utc = mono_ref + (utc_ms - utc_ref) * 1_000_000
        if before is None:
            shift = by_utc - mono_ns if abs(by_utc - mono_ns) > 60 * NS else 0
        elif mono_ns < before[0] - TRUST_NS:
            shift += before[0] - mono_ns + max(0, utc_ms - before[1]) * 1_000_000
        before = mono_ns, utc_ms
        yield mono_ns + shift
