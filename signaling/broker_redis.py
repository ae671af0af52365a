"""The broker between processes: Redis Streams (Redis 流), one bounded stream per channel.

Never the book of record: what Redis loses, refuses or never gets is served from the journal by
whoever reads here. Invariants: ``publish`` only appends to a bounded queue, so nobody who commits
ever waits for Redis; what is delivered is in order per channel, each position once; a frame of an
older epoch passes neither Redis (its id is too small) nor the reader.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import time
from collections import deque
from itertools import islice
from typing import Any, Final, NamedTuple, cast

from redis.asyncio import Redis
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff
from redis.exceptions import RedisError, ResponseError

from signaling.broker import Deliver
from signaling.broker_streams import FIELD, entry_id, read_entry, read_id, stream_of
from signaling.codec import ChannelKey

log = logging.getLogger(__name__)

STREAM_LENGTH_MAX: Final = 1024
STREAM_KEPT_S: Final = 86_400
QUEUE_COUNT_MAX: Final = 4096
QUEUE_BYTES_MAX: Final = 16 << 20
_BATCH_MAX: Final = 64
_READ_COUNT: Final = 64
# How long one read waits for news: a channel followed meanwhile is read after this long at most.
_BLOCK_MS: Final = 200
_RETRY_S: Final = 0.25
# An answer that takes longer is none: the line may be half dead and never say so.
ANSWER_S_MAX: Final = 2.0
_TROUBLE: Final = (RedisError, OSError, TimeoutError)


def connect(url: str) -> Redis:
    """A client that fails soon: whoever uses it tries again by itself."""
    client: Any = Redis
    return client.from_url(
        url,
        protocol=2,
        socket_timeout=ANSWER_S_MAX,
        socket_connect_timeout=ANSWER_S_MAX,
        retry=Retry(NoBackoff(), 0),
    )


class _Waiting(NamedTuple):
    key: ChannelKey
    epoch: int
    seq: int
    payload: bytes


class RedisBroker:
    """Publishes to Redis, and delivers the channels that are followed. Made in a running loop."""

    def __init__(self, url: str, *, stream_length_max: int = STREAM_LENGTH_MAX) -> None:
        self._redis: Any = connect(url)
        self._stream_length_max = stream_length_max
        self._deliver: list[Deliver] = []
        self._queue: deque[_Waiting] = deque()
        self._queue_bytes = 0
        self._some = asyncio.Event()
        # Followed channels by stream, with the last position taken of each.
        self._followed: dict[bytes, tuple[ChannelKey, int, int]] = {}
        self._any = asyncio.Event()
        self._is_closed = False
        self._tasks = [asyncio.ensure_future(work()) for work in (self._write, self._read)]
        self._answered_s = float("-inf")
        self.published = 0
        # Pushed out of a full queue while Redis was away: the journal serves them.
        self.dropped = 0
        # Of an older epoch, or there already; said by Redis, or found at reading.
        self.refused = 0
        self.failed = 0
        self.malformed = 0

    # -- Broker -----------------------------------------------------------------------------

    def attach(self, deliver: Deliver) -> None:
        self._deliver.append(deliver)

    def publish(self, key: ChannelKey, epoch: int, seq: int, payload: bytes) -> None:
        self._queue.append(_Waiting(key, epoch, seq, payload))
        self._queue_bytes += len(payload)
        while len(self._queue) > QUEUE_COUNT_MAX or self._queue_bytes > QUEUE_BYTES_MAX:
            self._take_first()
            self.dropped += 1
        self._some.set()

    async def close(self) -> None:
        """What waits is not written any more; the journal has it."""
        self._deliver.clear()
        # The client may lose a cancellation (while it connects): then the flag ends the task.
        self._is_closed = True
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        with contextlib.suppress(*_TROUBLE):
            await self._redis.aclose()

    # -- what is heard ----------------------------------------------------------------------

    def follow(self, key: ChannelKey, epoch: int, seq: int) -> None:
        """From now on deliver what comes after this position."""
        self._followed[stream_of(key).encode()] = key, epoch, seq
        self._any.set()

    def unfollow(self, key: ChannelKey) -> None:
        self._followed.pop(stream_of(key).encode(), None)
        if not self._followed:
            self._any.clear()

    @property
    def is_heard(self) -> bool:
        """Whether Redis has answered a read of late."""
        return time.monotonic() - self._answered_s < ANSWER_S_MAX

    @property
    def queue_length(self) -> int:
        return len(self._queue)

    # -- writing ----------------------------------------------------------------------------

    async def _write(self) -> None:
        while not self._is_closed:
            await self._some.wait()
            batch = list(islice(self._queue, _BATCH_MAX))
            if not batch:
                self._some.clear()
                continue
            try:
                await self._send(batch)
            except _TROUBLE as trouble:
                log.debug("redis.away %s", trouble)
                await asyncio.sleep(_RETRY_S)
                continue
            for sent in batch:
                # A full queue may have dropped some of them meanwhile.
                if self._queue and self._queue[0] is sent:
                    self._take_first()

    async def _send(self, batch: list[_Waiting]) -> None:
        """One round trip. Sent again after a cut line, what had arrived is refused by its id."""
        pipeline = self._redis.pipeline(transaction=False)
        for waiting in batch:
            stream = stream_of(waiting.key)
            pipeline.xadd(
                stream,
                {FIELD: waiting.payload},
                id=entry_id(waiting.epoch, waiting.seq),
                maxlen=self._stream_length_max,
                approximate=False,
            )
            pipeline.expire(stream, STREAM_KEPT_S)
        answers = await pipeline.execute(raise_on_error=False)
        for answer in answers[::2]:
            if not isinstance(answer, Exception):
                self.published += 1
            elif isinstance(answer, ResponseError) and "equal or smaller" in str(answer):
                self.refused += 1
            else:
                self.failed += 1
                log.warning("redis.refuses %s", answer)

    def _take_first(self) -> None:
        self._queue_bytes -= len(self._queue.popleft().payload)

    # -- reading ----------------------------------------------------------------------------

    async def _read(self) -> None:
        while not self._is_closed:
            await self._any.wait()
            asked = {
                stream: entry_id(epoch, seq) for stream, (_, epoch, seq) in self._followed.items()
            }
            try:
                found = await self._redis.xread(asked, count=_READ_COUNT, block=_BLOCK_MS)
            except _TROUBLE as trouble:
                log.debug("redis.away %s", trouble)
                await asyncio.sleep(_RETRY_S)
                continue
            self._answered_s = time.monotonic()
            for stream, entries in cast(list[tuple[bytes, list[Any]]], found or []):
                for raw_id, fields in entries:
                    self._take(stream, raw_id, fields or {})

    def _take(self, stream: bytes, raw_id: bytes, fields: dict[bytes, bytes]) -> None:
        followed = self._followed.get(stream)
        if followed is None:
            return
        key, *last = followed
        position = read_id(raw_id)
        if position is None or position <= tuple(last):
            self.refused += 1
            return
        # Also over what cannot be used: it must not be read again and again.
        self._followed[stream] = (key, *position)
        payload = read_entry(key, raw_id, fields)
        if payload is None:
            self.malformed += 1
            return
        for deliver in self._deliver:
            deliver(key, *position, payload)
