"""The decryption pool: threads and opener processes for halves and forms, threads for large
envelopes.

For bodies threads suffice: libsodium, OpenSSL and hashlib give the interpreter up for a chunk at a
time. Of a form they give it up for 15 to 35 us, again and again, and two threads pay with that
hand-over for what they gain: so halves and forms are shared with other processes, one a core, each
a part as large as our own (decision 0017). Everybody in a hall waits for its halves and forms,
nobody for a large envelope: so they never queue behind one, and give way to the loop less than
bodies do.
"""

import asyncio
import itertools
import os
import threading
import time
from collections.abc import Callable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from typing import TypeVar

from server.decryption.bodies import OPENED, SealedBody, open_body
from server.decryption.metrics import PoolMetrics
from server.decryption.opener import Opener

SLICE = 32
# What an opener is asked at least: a question and its answer cost about two forms.
PART_MIN = 32
OPENERS_MAX = 7  # 30 MiB each
ASIDE_S = 1.0
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
        self._openers = [Opener(NICE_FORMS) for _ in range(min(self.workers - 1, OPENERS_MAX))]

    async def map(self, work: Callable[[T], R], items: Sequence[T]) -> list[R]:
        """``[work(x) for x in items]`` in slices, in order."""
        slices = [items[k : k + SLICE] for k in range(0, len(items), SLICE)]
        done = await asyncio.gather(*(self._slice(work, part) for part in slices))
        return [result for part in done for result in part]

    def prepare(self, items: Sequence[object]) -> None:
        """``together`` will be asked about so many; ``items``: what it will meet again and again,
        shown to the openers now, and the functions that it will be asked for: met by name in the
        first question, their modules kept a reveal waiting for 100 ms. Returns at once.
        """
        if len(items) >= 2 * PART_MIN:
            for opener in self._openers:
                opener.prepare(items)

    async def together(self, work: Callable[[T], R], items: Sequence[T]) -> list[R]:
        """``[work(x) for x in items]`` in order, by one thread here and every opener that is ready,
        each an equal part. Work is a function of a module, or a ``partial`` of one.
        """
        ready = [opener for opener in self._openers if opener.is_ready]
        ready = ready[: max(0, len(items) // PART_MIN - 1)]
        bounds = [len(items) * k // (len(ready) + 1) for k in range(len(ready) + 2)]
        own, *others = [items[a:b] for a, b in itertools.pairwise(bounds)]
        asked = [opener.run(work, part) for opener, part in zip(ready, others, strict=True)]
        # Our own part would hold the interpreter while the others' questions are still written.
        await asyncio.gather(*(asyncio.wrap_future(one.sent) for one in asked))
        done = await asyncio.gather(
            self._slice(work, own), *(self._opened_there(one.done) for one in asked)
        )
        return [result for part in done for result in part]

    async def aside(self, work: Callable[[T], R], item: T) -> R:
        """``work(item)``, where it holds up nobody: in an opener that has nothing else to do, or
        else in a thread. So also when the opener says nothing for a second: work is pure, and
        whoever waits has other promises to keep than to a process that hangs.
        """
        for opener in self._openers:
            if opener.is_idle:
                asked = asyncio.wrap_future(opener.run(work, [item]).done)
                await asyncio.wait([asked], timeout=ASIDE_S)
                if asked.done():
                    return asked.result()[0]
                break
        return await asyncio.to_thread(work, item)

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
        for opener in self._openers:
            opener.close()

    async def _slice(self, work: Callable[[T], R], items: Sequence[T]) -> list[R]:
        done, took_s = await self._run(self._forms, lambda: [work(item) for item in items])
        self.metrics.slice_seconds += took_s
        return done

    async def _opened_there(self, done: "Future[list[R]]") -> list[R]:
        began = time.perf_counter()
        self.metrics.waiting += 1
        try:
            return await asyncio.wrap_future(done)
        finally:
            self.metrics.waiting -= 1
            self.metrics.slice_seconds += time.perf_counter() - began

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
