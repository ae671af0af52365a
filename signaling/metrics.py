"""Counters of the signaling server (指标).

Before the deadline nobody, the administrator included, may learn how many people wait or upload
(design §3). So ``exported`` names only overload, faults and lag; how many connections there are is
told in tenths of what fits. ``fanout`` is by room, for whoever knows which rooms may be spoken of.
The exact counters are for tests and load tests: after a restart, for example, each party's channel
that somebody hears costs one read of the journal.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable

from signaling.histogram import Histogram


class Metrics:
    """Plain integers, changed on the loop's thread."""

    def __init__(self, lag: Histogram, connections_max: int) -> None:
        self.lag = lag
        self.connections_max = connections_max
        self.connections = 0
        self.handshakes = 0
        self.commands = 0
        self.published = 0
        self.deliveries = 0
        self.slices = 0
        self.resyncs = 0
        self.journal_reads = 0
        self.journal_failures = 0
        # Who cannot take more right now.
        self.slow: Callable[[], int] = lambda: 0
        # From an event's way in until all who can take it have been written to, by room.
        self.fanout: dict[str, Histogram] = {}
        # Why handshakes were turned away: busy, full, memory, address, request.
        self.turned_away: Counter[str] = Counter()
        # Connections the server ended, by stable reason.
        self.endings: Counter[str] = Counter()
        # Commands answered by signaling itself, by code.
        self.refusals: Counter[str] = Counter()

    def fanned_out(self, room: str, took_ms: float) -> None:
        """Rooms are few, and each was asked for by an event of ours."""
        histogram = self.fanout.get(room)
        if histogram is None:
            histogram = self.fanout[room] = Histogram()
        histogram.observe(took_ms)

    def exported(self) -> dict[str, float]:
        """What an operator may see at any time; names as Prometheus wants them."""
        rows: dict[str, float] = {
            "signaling_connections_tenths": -(-self.connections * 10 // self.connections_max),
            "signaling_resyncs_total": self.resyncs,
            "signaling_journal_failures_total": self.journal_failures,
            "signaling_slow_connections": self.slow(),
            "signaling_loop_lag_ms_sum": self.lag.sum_ms,
            "signaling_loop_lag_ms_count": self.lag.total,
        }
        for reason, count in self.turned_away.items():
            rows[f'signaling_turned_away_total{{reason="{reason}"}}'] = count
        for reason, count in self.endings.items():
            rows[f'signaling_endings_total{{reason="{reason}"}}'] = count
        for bound, count in self.lag.cumulative():
            label = "+Inf" if bound == float("inf") else f"{bound:g}"
            rows[f'signaling_loop_lag_ms_bucket{{le="{label}"}}'] = count
        return rows
