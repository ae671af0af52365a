"""The server's time seen from a client (对时): the sample with the shortest round trip. Pure.

Invariant: ``offset_ms`` is off by at most ``error_ms``, half that round trip, however lopsided the
path was.
"""

from __future__ import annotations

from collections import deque
from typing import Final, NamedTuple

SAMPLES_MAX: Final = 16


class Sample(NamedTuple):
    round_trip_ms: float
    offset_ms: float


class ClockOffset:
    """Samples of (server's UTC) - (this machine's monotonic clock)."""

    __slots__ = ("_samples",)

    def __init__(self) -> None:
        self._samples: deque[Sample] = deque(maxlen=SAMPLES_MAX)

    def add(self, asked_ms: float, server_ms: int, answered_ms: float) -> None:
        """``asked_ms``, ``answered_ms``: monotonic; ``server_ms``: in between, UTC."""
        round_trip_ms = answered_ms - asked_ms
        if round_trip_ms >= 0:
            middle_ms = (asked_ms + answered_ms) / 2
            self._samples.append(Sample(round_trip_ms, server_ms - middle_ms))

    @property
    def best(self) -> Sample | None:
        return min(self._samples, default=None)

    @property
    def error_ms(self) -> float | None:
        best = self.best
        return None if best is None else best.round_trip_ms / 2

    def server_ms(self, monotonic_ms: float) -> float | None:
        """The server's UTC ms at this machine's ``monotonic_ms``; None before the first sample."""
        best = self.best
        return None if best is None else monotonic_ms + best.offset_ms
