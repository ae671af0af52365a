"""What /metrics says about rooms, journal and signaling (指标). Nothing per tender before its
deadline.
"""

from collections.abc import Callable, Iterator

from prometheus_client import CollectorRegistry
from prometheus_client.core import GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from server.domain.opening import Stage
from server.rooms.hall import Hall
from server.rooms.signaling_metrics import signaling_families
from signaling.server import SignalingServer

BEFORE_DEADLINE = (Stage.SCHEDULED, Stage.SIGN_IN)


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
        journal = self._hall.journal.metrics
        # Quantiles only: how many rows were written would tell how many bids came in.
        fsync = GaugeMetricFamily("kaibiao_journal.fsync_seconds", "fsync", labels=["quantile"])
        size = GaugeMetricFamily("kaibiao_journal_group_size", "rows a commit", labels=["quantile"])
        for share in (0.5, 0.99):
            fsync.add_metric([str(share)], journal.fsync_seconds.quantile(share))
            size.add_metric([str(share)], journal.group_items.quantile(share))
        yield fsync
        yield size
        rooms = GaugeMetricFamily("kaibiao_room_queue", "waiting commands", labels=["room"])
        members = GaugeMetricFamily("kaibiao_room_members", "connections", labels=["room", "kind"])
        for room in self._hall.rooms("opening"):
            if room.state.stage in BEFORE_DEADLINE:
                continue
            rooms.add_metric([room.stream], room.queue_length)
            participants, viewers = self._signaling.members(room.stream)
            members.add_metric([room.stream, "participant"], participants)
            members.add_metric([room.stream, "viewer"], viewers + self._elsewhere(room.stream))
        yield rooms
        yield members
        yield from signaling_families(self._signaling)


def register_metrics(
    registry: CollectorRegistry,
    hall: Hall,
    signaling: SignalingServer,
    elsewhere: Callable[[str], int] | None = None,
) -> None:
    registry.register(HallCollector(hall, signaling, elsewhere))
