"""What /metrics says about rooms, journal and signaling (指标). Nothing per tender before its
deadline.
"""

from collections.abc import Callable, Iterator

from prometheus_client import CollectorRegistry
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from server.domain.opening import Stage
from server.rooms.hall import Hall
from server.rooms.signaling_metrics import signaling_families
from signaling.server import SignalingServer

BEFORE_DEADLINE = (Stage.SCHEDULED, Stage.SIGN_IN)
QUANTILES = (0.5, 0.99)


class HallCollector(Collector):
    """Reads the counters where they are kept, when somebody asks."""

    def __init__(
        self,
        hall: Hall,
        signaling: SignalingServer,
        elsewhere: Callable[[str], int] | None = None,
    ) -> None:
        """``elsewhere``: viewers of a room that other processes serve."""
        self._hall = hall
        self._elsewhere = elsewhere or (lambda room: 0)
        self._signaling = signaling

    def collect(self) -> Iterator[Metric]:
        yield from self._journal()
        yield from self._decryption()
        yield from self._rooms()
        yield from signaling_families(self._signaling)

    def _journal(self) -> Iterator[Metric]:
        """Quantiles only: how many rows were written would tell how many bids came in."""
        journal = self._hall.journal.metrics
        fsync = GaugeMetricFamily("kaibiao_journal_fsync_seconds", "fsync", labels=["quantile"])
        size = GaugeMetricFamily("kaibiao_journal_group_size", "rows a commit", labels=["quantile"])
        for share in QUANTILES:
            fsync.add_metric([str(share)], journal.fsync_seconds.quantile(share))
            size.add_metric([str(share)], journal.group_items.quantile(share))
        yield fsync
        yield size

    def _decryption(self) -> Iterator[Metric]:
        """Of all openings together; before a tender's deadline nothing of it is decrypted."""
        pool = self._hall.worker.pool.metrics
        for name, what, value in (
            ("bodies", "large envelopes whose state is known", pool.bodies),
            ("bytes", "plaintext bytes of large envelopes", pool.body_bytes),
            ("seconds", "of threads, on large envelopes", pool.body_seconds),
            ("form_seconds", "of threads, on halves and forms", pool.slice_seconds),
        ):
            yield CounterMetricFamily(f"kaibiao_decrypt_{name}", what, value=value)
        yield GaugeMetricFamily("kaibiao_decrypt_waiting", "tasks of the pool", value=pool.waiting)

    def _rooms(self) -> Iterator[Metric]:
        """Openings past their deadline, and nothing of any other."""
        queue = GaugeMetricFamily("kaibiao_room_queue", "waiting commands", labels=["room"])
        members = GaugeMetricFamily("kaibiao_room_members", "connections", labels=["room", "kind"])
        fanout = GaugeMetricFamily(
            "kaibiao_room_fanout_seconds", "way in to last write", labels=["room", "quantile"]
        )
        for room in self._hall.rooms("opening"):
            if room.state.stage in BEFORE_DEADLINE:
                continue
            queue.add_metric([room.stream], room.queue_length)
            participants, viewers = self._signaling.members(room.stream)
            members.add_metric([room.stream, "participant"], participants)
            members.add_metric([room.stream, "viewer"], viewers + self._elsewhere(room.stream))
            took = self._signaling.metrics.fanout.get(room.stream)
            if took is None:
                continue
            for share in QUANTILES:
                fanout.add_metric([room.stream, str(share)], took.quantile(share) / 1000)
        yield queue
        yield members
        yield fanout


def register_metrics(
    registry: CollectorRegistry,
    hall: Hall,
    signaling: SignalingServer,
    elsewhere: Callable[[str], int] | None = None,
) -> None:
    registry.register(HallCollector(hall, signaling, elsewhere))
