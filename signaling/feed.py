"""One channel at the client's end: every event once, in order (频道订阅端).

Invariant: only ``seq == last + 1`` of the known epoch is let through; anything else is dropped,
and a gap is reported so that the client asks again from its position.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import AsyncIterator, Callable
from enum import Enum
from typing import Any, Final, NamedTuple

from signaling.codec import ChannelKey, Position

# Who does not take events from its feed for this long a time is a leak.
_UNTAKEN_MAX: Final = 100_000


class HeardEvent(NamedTuple):
    """An event as a client sees it; ``body`` is decoded."""

    epoch: int
    seq: int
    server_ms: int
    kind: str
    body: Any
    hash: bytes


class Heard(Enum):
    """What became of an event."""

    APPLIED = "applied"
    DUPLICATE = "duplicate"
    GAP = "gap"


class Feed:
    """Events of one channel, by iteration or by callback."""

    def __init__(
        self,
        key: ChannelKey,
        on_event: Callable[[HeardEvent], None] | None = None,
        epoch: int = 0,
        seq: int = 0,
    ) -> None:
        self.key = key
        self.epoch = epoch
        self.seq = seq
        # Set when the server refuses the channel; iteration ends then.
        self.refused: str | None = None
        # A gap was seen and the rest asked for: further events out of order are only dropped.
        self.is_resuming = False
        self._on_event = on_event
        self._untaken: deque[HeardEvent] = deque()
        self._waiter: asyncio.Future[None] | None = None
        self._is_closed = False

    @property
    def position(self) -> Position:
        return Position(self.key, self.epoch, self.seq)

    def take(self, event: HeardEvent) -> Heard:
        """An event from the wire."""
        if self.epoch == 0:
            self.epoch = event.epoch
        if event.epoch != self.epoch or event.seq > self.seq + 1:
            return Heard.GAP
        if event.seq <= self.seq:
            return Heard.DUPLICATE
        self.seq = event.seq
        self.is_resuming = False
        if self._on_event is not None:
            self._on_event(event)
            return Heard.APPLIED
        assert len(self._untaken) < _UNTAKEN_MAX, "nobody takes events from this feed"
        self._untaken.append(event)
        self._wake()
        return Heard.APPLIED

    def restart(self, epoch: int, head: int) -> None:
        """The server found our position void: everything comes again from 1.

        Of its own epoch, up to ``head``, what we have is still good: the word was for a position
        that we had left when it came.
        """
        if epoch != self.epoch or self.seq > head:
            self.epoch = epoch
            self.seq = 0

    def refuse(self, code: str) -> None:
        self.refused = code
        self.close()

    def close(self) -> None:
        """Iteration ends after what is there already."""
        self._is_closed = True
        self._wake()

    async def next(self) -> HeardEvent:
        """The next event; raises StopAsyncIteration after the end."""
        while not self._untaken:
            if self._is_closed:
                raise StopAsyncIteration
            self._waiter = asyncio.get_running_loop().create_future()
            await self._waiter
        return self._untaken.popleft()

    def __aiter__(self) -> AsyncIterator[HeardEvent]:
        return self

    async def __anext__(self) -> HeardEvent:
        return await self.next()

    def _wake(self) -> None:
        if self._waiter is not None and not self._waiter.done():
            self._waiter.set_result(None)
        self._waiter = None
