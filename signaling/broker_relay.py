"""The broker of the rooms' own process where others serve viewers too (转发).

Invariant: what is not public never leaves this process, and delivery here waits for nothing.
"""

from __future__ import annotations

from collections.abc import Callable

from signaling.broker import Broker
from signaling.broker_memory import MemoryBroker
from signaling.codec import ChannelKey


class RelayBroker(MemoryBroker):
    """Delivers at once, and hands public channels on to ``beyond``."""

    def __init__(self, beyond: Broker, is_public: Callable[[ChannelKey], bool]) -> None:
        super().__init__()
        self._beyond = beyond
        self._is_public = is_public

    def publish(self, key: ChannelKey, epoch: int, seq: int, payload: bytes) -> None:
        super().publish(key, epoch, seq, payload)
        if self._is_public(key):
            self._beyond.publish(key, epoch, seq, payload)

    async def close(self) -> None:
        await super().close()
        await self._beyond.close()
