"""Packets back in order (重排): sequence numbers and timestamps unwrapped, gaps given up in time.

Invariant: units come out with rising sequence numbers, each at most once. A missing packet is
waited for ``WAIT_NS`` of arrival time or ``WAITING_MAX`` packets, whichever ends first; after that
it is lost for good.
"""

from collections.abc import Iterator
from typing import Final

from media.packets import RtpView, seq_delta, timestamp_delta
from media.recording.depacketise.frames import Counters, Unit

WAIT_NS: Final = 500_000_000
WAITING_MAX: Final = 512
# A jump this far is a sender that began anew, not a loss: its timestamps mean nothing to the old.
JUMP_MAX: Final = 3000
# So many in a row behind the place that was reached: the sender began anew a little lower.
LATE_MAX: Final = 100

GAP: Final = None


class Reorderer:
    """One source (SSRC). ``push`` and ``flush`` yield units in order, and GAP before a loss."""

    def __init__(self, wait_ns: int = WAIT_NS) -> None:
        self._wait_ns = wait_ns
        self._next: int | None = None  # unwrapped sequence number
        self._waiting: dict[int, tuple[RtpView, int]] = {}
        self._timestamp = 0  # unwrapped, of the last unit
        self._late = 0  # in a row

    def push(self, view: RtpView, arrival_ns: int, counters: Counters) -> Iterator[Unit | None]:
        """Takes one packet; yields what is in order now."""
        if self._next is None:
            self._next, self._timestamp = view.seq, view.timestamp
        number = self._next + seq_delta(view.seq, self._next & 0xFFFF)
        self._late = self._late + 1 if number < self._next else 0
        if abs(number - self._next) > JUMP_MAX or self._late > LATE_MAX:
            self._late = 0
            yield from self.flush(counters)
            counters.gaps += 1
            yield GAP
            number = self._next = self._next + 0x10000 + seq_delta(view.seq, self._next & 0xFFFF)
        if number < self._next:
            counters.late += 1
            return
        if number in self._waiting:
            counters.duplicates += 1
            return
        self._waiting[number] = view, arrival_ns
        yield from self._in_order()
        while self._waiting and self._has_waited(arrival_ns):
            yield from self._give_up(counters)

    def flush(self, counters: Counters) -> Iterator[Unit | None]:
        """Everything that still waits, its gaps given up."""
        while self._waiting:
            yield from self._give_up(counters)

    @property
    def timestamp(self) -> int:
        """Unwrapped timestamp of the last unit; 0 before the first."""
        return self._timestamp

    def _has_waited(self, now_ns: int) -> bool:
        oldest = self._waiting[min(self._waiting)][1]
        return now_ns - oldest >= self._wait_ns or len(self._waiting) > WAITING_MAX

    def _in_order(self) -> Iterator[Unit]:
        assert self._next is not None
        while (found := self._waiting.pop(self._next, None)) is not None:
            view, arrival_ns = found
            self._next += 1
            self._timestamp += timestamp_delta(view.timestamp, self._timestamp & 0xFFFFFFFF)
            yield Unit(view, self._timestamp, arrival_ns)

    def _give_up(self, counters: Counters) -> Iterator[Unit | None]:
        assert self._next is not None
        first = min(self._waiting)
        counters.lost += first - self._next
        counters.gaps += 1
        self._next = first
        yield GAP
        yield from self._in_order()
