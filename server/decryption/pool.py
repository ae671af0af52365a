"""The decryption pool: as many threads as cores for forms, and as many for large envelopes.

libsodium, OpenSSL and hashlib release the interpreter lock, so threads suffice; a slice is large
enough that the hand-overs of the lock cost less than they gain (sealing.md §1.2: about 32 forms,
or one chunk of a body). Everybody in a hall waits for its halves and forms, nobody for a large
envelope: so they never queue behind one, and give way to the loop less than bodies do.
"""

import asyncio
import os
import threading
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

from server.decryption.bodies import OPENED, SealedBody, open_body
from server.decryption.metrics import PoolMetrics

SLICE = 32
# 3: half the loop's weight, so that a reveal on a busy machine is not starved; 10: a tenth of it.
NICE_FORMS, NICE_BODIES = 3, 10

T = TypeVar("T")
R = TypeVar("R")


def _yield_to_the_hall(nice: int) -> None:
    """Linux gives threads their own priority: the hall's loop goes first."""
    os.setpriority(os.PRIO_PROCESS, threading.get_native_id(), nice)


def _threads(workers: int, name: str, nice: int) -> ThreadPoolExecutor:
    return ThreadPoolExecutor(workers, name, _yield_to_the_hall, (nice,))


class Pool:
    """Runs pure functions over many bids."""

    def __init__(self, workers: int | None = None) -> None:
        self.workers = workers or os.cpu_count() or 1
        self.metrics = PoolMetrics()
        self._forms = _threads(self.workers, "forms", NICE_FORMS)
        self._bodies = _threads(self.workers, "bodies", NICE_BODIES)

    async def map(self, work: Callable[[T], R], items: Sequence[T]) -> list[R]:
        """``[work(x) for x in items]`` in slices, in order."""
        slices = [items[k : k + SLICE] for k in range(0, len(items), SLICE)]
        done = await asyncio.gather(*(self._slice(work, part) for part in slices))
        return [result for part in done for result in part]

    async def in_turn(self, work: Callable[[T], R], items: Sequence[T]) -> list[R]:
        """The same in one thread, for work that mostly holds the interpreter lock: two threads
        would hand it to and fro (measured: 62 us a form, with two threads 71).
        """
        return await self._slice(work, items)

    async def open_body(
        self, item: SealedBody, opening: Callable[[SealedBody], str] = open_body
    ) -> str:
        """The state of one large envelope; its plaintext lies in its target. Raises OSError."""
        state, took_s = await self._run(self._bodies, lambda: opening(item))
        self.metrics.bodies += 1
        self.metrics.body_seconds += took_s
        if state == OPENED:
            self.metrics.body_bytes += item.bid.header.pt_len
        return state

    def close(self) -> None:
        for threads in (self._forms, self._bodies):
            threads.shutdown(wait=True, cancel_futures=True)

    async def _slice(self, work: Callable[[T], R], items: Sequence[T]) -> list[R]:
        done, took_s = await self._run(self._forms, lambda: [work(item) for item in items])
        self.metrics.slice_seconds += took_s
        return done

    async def _run(self, threads: ThreadPoolExecutor, work: Callable[[], R]) -> tuple[R, float]:
        """(what it gave, seconds that its thread spent)."""

        def timed() -> tuple[R, float]:
            began = time.perf_counter()
            return work(), time.perf_counter() - began

        self.metrics.waiting += 1
        try:
            return await asyncio.get_running_loop().run_in_executor(threads, timed)
        finally:
            self.metrics.waiting -= 1
