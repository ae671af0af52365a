"""What /metrics says about live video (音视频指标).

People of openings before their deadline are not counted: how many would say how many mean to bid.
"""

from collections.abc import Iterator

from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from server.live.video import Video

COUNTED = {
    "received": "packets of publishers",
    "forwarded": "packets to viewers",
    "forwarded_bytes": "payload to viewers",
    "refused": "packets that failed authentication, came twice or make no sense",
}


class VideoCollector(Collector):
    """Reads the counters where they are kept, when somebody asks."""

    def __init__(self, video: Video) -> None:
        self._video = video

    def collect(self) -> Iterator[Metric]:
        desk = self._video.desk
        child, counts = desk.child, desk.counts
        yield GaugeMetricFamily("kaibiao_media_up", "its process is there", value=child.is_up)
        restarts = max(0, child.boots - 1)
        yield CounterMetricFamily("kaibiao_media_restarts", "of its process", value=restarts)
        for name, what in COUNTED.items():
            yield CounterMetricFamily(f"kaibiao_media_{name}", what, value=counts.get(name, 0))
        tracks = counts.get("tracks", 0)
        yield GaugeMetricFamily("kaibiao_media_tracks", "being published", value=tracks)
        cut = counts.get("fragmented", 0)
        yield GaugeMetricFamily("kaibiao_media_fragmented", "tracks cut for members", value=cut)
        members, told = desk.counted()
        yield GaugeMetricFamily("kaibiao_media_members", "past the deadline", value=members)
        yield GaugeMetricFamily("kaibiao_media_told_streams", "past the deadline", value=told)
