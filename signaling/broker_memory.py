"""The broker of a single process: everything published is delivered at once."""

from __future__ import annotations

from signaling.broker import Deliver
from signaling.codec import ChannelKey


class MemoryBroker:
    """Delivers to every hub attached, in the order of publishing."""

    def __init__(self) -> None:
        self._deliver: list[Deliver] = []

    def attach(self, deliver: Deliver) -> None:
        self._deliver.append(deliver)

    def publish(self, key: ChannelKey, epoch: int, seq: int, payload: bytes) -> None:
        for deliver in self._deliver:
            deliver(key, epoch, seq, payload)

    async def close(self) -> None:
        self._deliver.clear()
