"""An edge's answers to signaling (边缘网关): anonymous viewers, public channels, no commands."""

# ruff: noqa: ARG002 - the questions have names, also where an edge's answer is always the same.

import asyncio
import logging
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

from server.domain.model import PUBLIC
from server.domain.roles import may_subscribe
from server.edge.feed import Feed
from server.edge.positions import Positions
from server.http.edge_client import OwnerAway, OwnerLine
from signaling.codec import ChannelKey
from signaling.gateway import (
    AdmissionRefused,
    Answer,
    Command,
    Event,
    Identity,
    PeerAddress,
    Reply,
)

HALL = "hall"
VIEWERS_ONLY = "edge.viewers_only"
# An owner that is started again is back within seconds: its viewers here need not be cut for that.
HISTORY_WITHIN_S = 5.0
AGAIN_S = 0.25

log = logging.getLogger("kaibiao.edge")


class EdgeGateway:
    """Implements ``signaling.gateway.Gateway``."""

    def __init__(self, owner: OwnerLine, positions: Positions, feed: Feed) -> None:
        self._owner = owner
        self._positions = positions
        self._feed = feed
        self._viewers = 0
        self.members: Counter[str] = Counter()
        self.counts: Mapping[str, Mapping[str, int]] = {}

    def admit(self, ticket: str | None, peer: PeerAddress) -> Identity:
        if ticket is not None:
            raise AdmissionRefused(VIEWERS_ONLY)
        self._viewers += 1
        return Identity(f"viewer-{self._viewers}", False)

    def may_subscribe(self, identity: Identity, room: str, audience: str) -> bool:
        return may_subscribe(PUBLIC, room, audience)

    def position(self, room: str, audience: str) -> tuple[int, int] | None:
        return self._positions.of(room)

    async def history(self, room: str, audience: str, after: int, limit: int) -> Sequence[Event]:
        """Raises TimeoutError when the owner stays away, or has another history than we told."""
        async with asyncio.timeout(HISTORY_WITHIN_S):
            while True:
                epoch = self._feed.epoch_of(ChannelKey(room, audience))
                try:
                    return await self._owner.page(room, audience, epoch, after, limit)
                except OwnerAway as away:
                    log.warning("edge.owner_away %s", away)
                await asyncio.sleep(AGAIN_S)

    def command(self, identity: Identity, command: Command, reply: Reply) -> None:
        reply(Answer.refused(VIEWERS_ONLY))

    def joined(self, identity: Identity, room: str) -> None:
        self.members[room] += 1
        if self.members[room] == 1:
            self._feed.follow(ChannelKey(room, HALL))

    def left(self, identity: Identity, room: str) -> None:
        self.members[room] -= 1
        if not self.members[room]:
            del self.members[room]
            self._feed.unfollow(ChannelKey(room, HALL))

    def presence(self, room: str) -> Mapping[str, Any] | None:
        return self.counts.get(room)
