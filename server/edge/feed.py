"""Where an edge's events come from (事件来源): Redis as they happen, the owner's journal for what
is missing.

It stands before signaling as its broker. Invariant: whatever Redis loses, a channel that somebody
hears here is complete within two looks at the owner's positions; nothing is delivered twice, and
nothing of an older epoch.
"""

import logging

from server.edge.positions import Positions
from server.http.edge_client import OwnerAway, OwnerLine
from signaling import frames
from signaling.broker import Deliver
from signaling.broker_redis import RedisBroker
from signaling.channel import PAGE_EVENTS
from signaling.codec import ChannelKey
from signaling.gateway import Event

log = logging.getLogger("kaibiao.edge")


class Feed:
    """A broker that hears and never publishes."""

    def __init__(self, redis: RedisBroker, owner: OwnerLine, positions: Positions) -> None:
        self._redis = redis
        self._owner = owner
        self._positions = positions
        self._deliver: list[Deliver] = []
        # The last position delivered of each channel that was ever followed.
        self._last: dict[ChannelKey, tuple[int, int]] = {}
        self._followed: set[ChannelKey] = set()
        # Behind at the last look already: then it is lost, not on its way.
        self._behind: set[ChannelKey] = set()
        self.from_redis = 0
        self.from_journal = 0
        redis.attach(self._hear)

    # ---- signaling's broker

    def attach(self, deliver: Deliver) -> None:
        self._deliver.append(deliver)

    def publish(self, key: ChannelKey, epoch: int, seq: int, payload: bytes) -> None:
        raise AssertionError(f"an edge publishes nothing: {key} {epoch}-{seq} {len(payload)}")

    async def close(self) -> None:
        self._deliver.clear()
        await self._redis.close()

    # ---- which channels

    def follow(self, key: ChannelKey) -> None:
        """Somebody here hears it now; from where it stood, or from what the owner told."""
        position = self._positions.of(key.room)
        assert position is not None, "nobody hears a channel that is not known"
        self._followed.add(key)
        last = self._last.setdefault(key, position)
        if last < position:
            self._behind.add(key)
        self._redis.follow(key, *last)

    def unfollow(self, key: ChannelKey) -> None:
        self._followed.discard(key)
        self._behind.discard(key)
        self._redis.unfollow(key)

    def epoch_of(self, key: ChannelKey) -> int:
        """Of which history viewers here hear it."""
        return self._last[key][0]

    # ---- the journal's part

    async def look(self) -> None:
        """After the owner told its positions: what Redis should have brought and has not."""
        late = {key for key in self._followed if self._is_behind(key)}
        lost = late if not self._redis.is_heard else late & self._behind
        self._behind = late - lost
        for key in lost:
            await self._fetch(key)

    def _is_behind(self, key: ChannelKey) -> bool:
        position = self._positions.of(key.room)
        return position is not None and self._last[key] < position

    async def _fetch(self, key: ChannelKey) -> None:
        while key in self._followed and self._is_behind(key):
            epoch = self._positions.epoch
            known_epoch, seq = self._last[key]
            after = seq if known_epoch == epoch else 0
            try:
                events = await self._owner.page(*key, epoch, after, PAGE_EVENTS)
            except OwnerAway as away:
                log.warning("edge.owner_away %s", away)
                self._behind.add(key)
                return
            if not events:
                return
            for event in events:
                self._hear_of_owner(key, epoch, event)

    def _hear_of_owner(self, key: ChannelKey, epoch: int, event: Event) -> None:
        before = self._last[key]
        self._hand_on(key, epoch, event.seq, frames.event_payload(key, epoch, event))
        self.from_journal += self._last[key] != before

    def _hear(self, key: ChannelKey, epoch: int, seq: int, payload: bytes) -> None:
        self.from_redis += 1
        self._positions.moved(key.room, epoch, seq)
        self._hand_on(key, epoch, seq, payload)

    def _hand_on(self, key: ChannelKey, epoch: int, seq: int, payload: bytes) -> None:
        if (epoch, seq) <= self._last[key]:
            return
        self._last[key] = epoch, seq
        for deliver in self._deliver:
            deliver(key, epoch, seq, payload)
