"""The owner's side of edges (源站侧): hands public frames on, tells positions and counts.

Invariant: nothing here is on a participant's way. Frames go into a bounded queue, counts are told
once a second, positions when they are asked for; Redis may be away for all of it.
"""

import secrets
from collections.abc import Iterator, Mapping
from typing import Any

from prometheus_client import CollectorRegistry
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from server.config import Edges
from server.domain.model import PUBLIC
from server.domain.opening import Stage
from server.domain.roles import may_subscribe
from server.edge.shared import OWNER_NOTE, check
from server.http.edge_door import EdgeDoor
from server.rooms.hall import Hall
from server.rooms.heads import Heads
from server.rooms.metrics import BEFORE_DEADLINE
from signaling.broker_notes import Note, Notes
from signaling.broker_redis import RedisBroker
from signaling.broker_relay import RelayBroker
from signaling.codec import ChannelKey

HALL = "hall"
UNCOUNTED = (*BEFORE_DEADLINE, Stage.CLOSED, Stage.FAILED)


class OwnerSide:
    """One per site with edges. Made in a running loop."""

    def __init__(self, edges: Edges, hall: Hall) -> None:
        """Raises Rejected config.invalid."""
        check(edges)
        self._hall = hall
        self._url = edges.redis
        self._heads = Heads(secrets.token_hex(8))
        self._notes: Notes | None = None
        self._others: Mapping[str, Note] = {}
        self.redis = RedisBroker(edges.redis)
        self.broker = RelayBroker(self.redis, is_public)
        self.broker.attach(self._moved)
        self.door = EdgeDoor(edges.secret, self._told)

    def start(self, registry: CollectorRegistry) -> None:
        """From now on every event is published here; what was before is looked up once."""
        for room in (*self._hall.rooms("tender"), *self._hall.rooms("opening")):
            self._heads.moved(room.stream, room.durable_position(HALL))
        self._notes = Notes(self._url, OWNER_NOTE, write=self._note, read=self._read)
        registry.register(OwnerCollector(self))

    async def close(self) -> None:
        """Frames that wait are not written any more; edges ask for them."""
        if self._notes is not None:
            await self._notes.close()
        await self.broker.close()

    @property
    def edges(self) -> int:
        """How many edges have told of themselves within seconds."""
        return len(self._others)

    def members(self, room: str) -> int:
        """Viewers of ``room`` on all edges."""
        return sum(note.members.get(room, 0) for note in self._others.values())

    def _moved(self, key: ChannelKey, _epoch: int, seq: int, _payload: bytes) -> None:
        if is_public(key):
            self._heads.moved(key.room, seq)

    def _told(self, boot: str, version: int) -> Mapping[str, Any]:
        return {
            "boot": self._heads.boot,
            "version": self._heads.version,
            "epoch": self._hall.history_epoch,
            "heads": self._heads.since(boot, version),
        }

    def _note(self) -> Note:
        """Nothing of an opening before its deadline: who waits is nobody's to know."""
        rooms = [r for r in self._hall.rooms("opening") if r.state.stage not in UNCOUNTED]
        counts = {r.stream: shown for r in rooms if (shown := self._hall.counts(r.stream))}
        return Note(counts=counts, counted=[r.stream for r in rooms])

    def _read(self, others: Mapping[str, Note]) -> None:
        self._others = others


class OwnerCollector(Collector):
    """How frames leave."""

    def __init__(self, side: OwnerSide) -> None:
        self._side = side

    def collect(self) -> Iterator[Metric]:
        redis = self._side.redis
        yield GaugeMetricFamily("kaibiao_edge_processes", "edges heard of", value=self._side.edges)
        yield GaugeMetricFamily("kaibiao_edge_queue", "frames waiting", value=redis.queue_length)
        frames = CounterMetricFamily("kaibiao_edge_frames", "to Redis", labels=["outcome"])
        for outcome in ("published", "dropped", "refused", "failed"):
            frames.add_metric([outcome], getattr(redis, outcome))
        yield frames


def is_public(key: ChannelKey) -> bool:
    """Whether anybody may hear it: the rule of the subscription table itself."""
    return may_subscribe(PUBLIC, key.room, key.audience)
