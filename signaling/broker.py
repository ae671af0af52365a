"""Where published events go from here (消息总线): to this process's hub, and to others'.

A broker may lose, repeat or delay; it must not reorder one channel. The hub sees a loss by ``seq``
and serves the missing events from the journal. Invariant: ``publish`` never waits.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

from signaling.codec import ChannelKey

Deliver = Callable[[ChannelKey, int, int, bytes], None]


class Broker(Protocol):
    """Fan-out between processes; never the book of record."""

    def attach(self, deliver: Deliver) -> None:
        """``deliver(key, epoch, seq, payload)`` is called for every event, on the loop's thread."""
        ...

    def publish(self, key: ChannelKey, epoch: int, seq: int, payload: bytes) -> None:
        """Announce a durable event; ``payload`` is its encoded ``ev``."""
        ...

    async def close(self) -> None: ...
