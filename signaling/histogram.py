"""Counts of durations in fixed buckets, in milliseconds (直方图). Pure."""

from __future__ import annotations

from bisect import bisect_left
from typing import Final

BOUNDS_MS: Final = (1, 2, 5, 10, 20, 50, 100, 200, 500, 1000, 2000, 5000, 10_000)


class Histogram:
    """``counts[i]``: durations above ``BOUNDS_MS[i-1]`` and up to ``BOUNDS_MS[i]``."""

    __slots__ = ("counts", "max_ms", "sum_ms", "total")

    def __init__(self) -> None:
        self.counts = [0] * (len(BOUNDS_MS) + 1)
        self.total = 0
        self.sum_ms = 0.0
        self.max_ms = 0.0

    def observe(self, duration_ms: float) -> None:
        self.counts[bisect_left(BOUNDS_MS, duration_ms)] += 1
        self.total += 1
        self.sum_ms += duration_ms
        self.max_ms = max(self.max_ms, duration_ms)

    def quantile(self, share: float) -> float:
        """The bound in ms under which ``share`` (0..1) of all lie, the longest above all of them;
        0 when there is none.
        """
        wanted = share * self.total
        for bound, seen in self.cumulative():
            if seen and seen >= wanted:
                return min(bound, self.max_ms)
        return 0.0

    def cumulative(self) -> list[tuple[float, int]]:
        """(upper bound in ms, how many were not longer), the last bound infinite."""
        rows: list[tuple[float, int]] = []
        seen = 0
        for bound, count in zip((*BOUNDS_MS, float("inf")), self.counts, strict=True):
            seen += count
            rows.append((bound, seen))
        return rows
