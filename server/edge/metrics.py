"""What /metrics of an edge says (指标): how events come, and how its viewers fare."""

from collections.abc import Iterator

from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from server.edge.feed import Feed
from server.edge.positions import Positions
from server.rooms.signaling_metrics import signaling_families
from signaling.broker_redis import RedisBroker
from signaling.server import SignalingServer


class EdgeCollector(Collector):
    """Reads the counters where they are kept, when somebody asks."""

    def __init__(
        self, positions: Positions, redis: RedisBroker, feed: Feed, signaling: SignalingServer
    ) -> None:
        self._positions = positions
        self._redis = redis
        self._feed = feed
        self._signaling = signaling

    def collect(self) -> Iterator[Metric]:
        rooms = len(self._positions.seqs)
        yield GaugeMetricFamily("kaibiao_edge_rooms", "public channels known", value=rooms)
        yield GaugeMetricFamily(
            "kaibiao_edge_hears_redis", "0: away, or nobody here", value=self._redis.is_heard
        )
        events = CounterMetricFamily("kaibiao_edge_events", "heard", labels=["way"])
        events.add_metric(["redis"], self._feed.from_redis)
        events.add_metric(["journal"], self._feed.from_journal)
        events.add_metric(["refused"], self._redis.refused + self._redis.malformed)
        yield events
        yield from signaling_families(self._signaling)
