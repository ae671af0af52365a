"""What processes tell each other once a second (互告): one note each, in Redis, gone after seconds.

Counts only: what a room shows, who hears what, how many come from one address. Invariant: nobody
waits for a note; who cannot read any for ``NOTE_KEPT_S`` is told that there are none.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import time
from collections.abc import Callable, Mapping
from typing import Any, Final

import msgspec
from redis.exceptions import RedisError

from signaling.broker_redis import connect

log = logging.getLogger(__name__)

NAMES: Final = "kaibiao:notes"
PREFIX: Final = "kaibiao:note:"
NOTE_EVERY_S: Final = 1.0
NOTE_KEPT_S: Final = 3
NOTE_BYTES_MAX: Final = 1 << 20
_TROUBLE: Final = (RedisError, OSError, TimeoutError)


class Note(msgspec.Struct, frozen=True):
    """``counts``: what everybody in a room may see; ``counted``: rooms whose members may be told;
    ``members``: viewers of those; ``addresses``: connections by address, where there are many.
    """

    counts: dict[str, dict[str, int]] = {}
    counted: list[str] = []
    members: dict[str, int] = {}
    addresses: dict[str, int] = {}


class Notes:
    """Writes ``write()`` under ``name`` and hands all others' notes to ``read``, every second."""

    def __init__(
        self,
        url: str,
        name: str,
        *,
        write: Callable[[], Note],
        read: Callable[[Mapping[str, Note]], None],
    ) -> None:
        self._redis: Any = connect(url)
        self._name = name
        self._write = write
        self._read = read
        self._is_closed = False
        self._task = asyncio.ensure_future(self._run())

    async def close(self) -> None:
        """Leaves at once: nobody counts us any longer."""
        # The client may lose a cancellation (while it connects): then the flag ends the task.
        self._is_closed = True
        self._task.cancel()
        await asyncio.gather(self._task, return_exceptions=True)
        with contextlib.suppress(*_TROUBLE):
            await self._redis.delete(PREFIX + self._name)
        with contextlib.suppress(*_TROUBLE):
            await self._redis.aclose()

    async def _run(self) -> None:
        known_s = time.monotonic()
        while not self._is_closed:
            try:
                others = await self._exchange()
            except _TROUBLE as trouble:
                log.debug("redis.away %s", trouble)
                if time.monotonic() - known_s > NOTE_KEPT_S:
                    self._read({})
            else:
                known_s = time.monotonic()
                self._read(others)
            await asyncio.sleep(NOTE_EVERY_S)

    async def _exchange(self) -> dict[str, Note]:
        raw = msgspec.msgpack.encode(self._write())
        pipeline = self._redis.pipeline(transaction=False)
        pipeline.set(PREFIX + self._name, raw, ex=NOTE_KEPT_S)
        pipeline.sadd(NAMES, self._name)
        pipeline.smembers(NAMES)
        *_, found = await pipeline.execute()
        names = sorted({name.decode(errors="replace") for name in found} - {self._name})
        if not names:
            return {}
        raw_notes = await self._redis.mget([PREFIX + name for name in names])
        notes: dict[str, Note] = {}
        for name, note in zip(names, raw_notes, strict=True):
            if note is None:
                await self._redis.srem(NAMES, name)
            elif (read := _read_note(note)) is not None:
                notes[name] = read
        return notes


def _read_note(raw: bytes) -> Note | None:
    if len(raw) > NOTE_BYTES_MAX:
        return None
    try:
        return msgspec.msgpack.decode(raw, type=Note)
    except msgspec.DecodeError:
        return None
