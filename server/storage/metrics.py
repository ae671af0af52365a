"""Plain counters of the journal, read by whoever serves metrics (运行指标).

Invariant: one thread writes, any thread reads; a reader may see a sum one step ahead of its count,
never a torn number.
"""

from __future__ import annotations

from bisect import bisect_left
from dataclasses import dataclass, field

SECONDS_BOUNDS = (0.0002, 0.0005, 0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1.0, 5.0)
SIZE_BOUNDS = (1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 1024, 2048, 4096)


class Histogram:
    """Counts per upper bound (the last cell: above all of them), sum and largest value."""

    __slots__ = ("bounds", "count", "counts", "largest", "sum")

    def __init__(self, bounds: tuple[float, ...]) -> None:
        self.bounds = bounds
        self.counts = [0] * (len(bounds) + 1)
        self.count = 0
        self.sum = 0.0
        self.largest = 0.0

    def observe(self, value: float) -> None:
        self.counts[bisect_left(self.bounds, value)] += 1
        self.count += 1
        self.sum += value
        self.largest = max(self.largest, value)

    def quantile(self, share: float) -> float:
        """The bound under which ``share`` (0..1) of all values lie, or the largest value."""
        wanted, total = share * self.count, 0
        for bound, count in zip(self.bounds, self.counts, strict=False):
            total += count
            if total >= wanted:
                return bound
        return self.largest

    def cumulative(self) -> list[tuple[float, int]]:
        """(upper bound, how many at or below it), as a Prometheus histogram wants them."""
        total, answer = 0, []
        for bound, count in zip((*self.bounds, float("inf")), self.counts, strict=True):
            total += count
            answer.append((bound, total))
        return answer


@dataclass(slots=True)
class JournalMetrics:
    """What the writer thread did so far.

    ``fsync_seconds`` is the time of COMMIT: writing the group to the WAL and its one fsync.
    Only quantiles and ``wal_checkpoints`` may be shown before a deadline. Every count grows with
    each submission, and in a quiet hall that tells how many bids there are (design.md §3).
    """

    commits: int = 0
    items: int = 0
    rows: int = 0
    wal_checkpoints: int = 0
    wal_bytes: int = 0
    group_items: Histogram = field(default_factory=lambda: Histogram(SIZE_BOUNDS))
    fsync_seconds: Histogram = field(default_factory=lambda: Histogram(SECONDS_BOUNDS))
    wal_checkpoint_seconds: Histogram = field(default_factory=lambda: Histogram(SECONDS_BOUNDS))
