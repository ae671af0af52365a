"""Waiting for the next event without a socket of one's own (长轮询): the fallback behind HTTP.

Invariant: what a waiter gets is a dense run right after the position it gave, from the ring or the
journal; it never sees an event before subscribers may be sent it.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

from signaling.channel import PAGE_EVENTS
from signaling.codec import ChannelKey
from signaling.desk import Desk
from signaling.frames import split_event
from signaling.gateway import Event


class UnknownChannel(LookupError):
    """The gateway knows no such channel."""


class TooManyWaiting(RuntimeError):
    """More long polls than ``long_polls_max``; come back later."""


class LongPoll:
    """All waiters of one server."""

    def __init__(self, desk: Desk, loop: asyncio.AbstractEventLoop) -> None:
        self._desk = desk
        self._loop = loop
        self._waiters: dict[ChannelKey, set[asyncio.Future[None]]] = {}
        self._waiting = 0

    def wake(self, key: ChannelKey) -> None:
        """Something was published in ``key``."""
        for future in self._waiters.pop(key, ()):
            if not future.done():
                future.set_result(None)

    def close(self) -> None:
        """Everybody gets what is there, that is nothing."""
        for key in list(self._waiters):
            self.wake(key)

    async def wait(
        self, key: ChannelKey, epoch: int, after: int, timeout_s: float, limit: int
    ) -> tuple[int, Sequence[Event]]:
        """See ``SignalingServer.wait``."""
        known = self._desk.gateway.position(key.room, key.audience)
        if known is None:
            raise UnknownChannel(key)
        channel = self._desk.hub.open(key, *known)
        if epoch not in (0, channel.epoch):
            return channel.epoch, ()
        if channel.head <= after and timeout_s > 0 and not self._desk.is_closing:
            await self._sleep(key, timeout_s)
            channel = self._desk.hub.open(key, *known)
        limit = min(limit, PAGE_EVENTS)
        epoch, head = channel.epoch, channel.head
        if head <= after:
            return epoch, ()
        if after + 1 >= channel.ring.first:
            payloads = channel.payloads_after(after, limit)
            return epoch, [split_event(payload) for payload in payloads]
        history = await self._desk.gateway.history(key.room, key.audience, after, limit)
        return epoch, [event for event in history[:limit] if event.seq <= head]

    async def _sleep(self, key: ChannelKey, timeout_s: float) -> None:
        if self._waiting >= self._desk.options.long_polls_max:
            raise TooManyWaiting
        future: asyncio.Future[None] = self._loop.create_future()
        self._waiters.setdefault(key, set()).add(future)
        self._waiting += 1
        try:
            async with asyncio.timeout(timeout_s):
                await future
        except TimeoutError:
            pass
        finally:
            self._waiting -= 1
            waiting = self._waiters.get(key)
            if waiting is not None:
                waiting.discard(future)
                if not waiting:
                    del self._waiters[key]
