"""The decryption pool: as many threads as cores, at low priority, fed in slices.

libsodium, OpenSSL and hashlib release the interpreter lock, so threads suffice; a slice is large
enough that the hand-overs of the lock cost less than they gain (sealing.md §1.2: about 32 forms,
or one chunk of a body).
"""

import asyncio
import os
import threading
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

SLICE = 32
NICE = 10

T = TypeVar("T")
R = TypeVar("R")


def _yield_to_the_hall() -> None:
    """Linux gives threads their own priority: the hall's loop goes first."""
    os.setpriority(os.PRIO_PROCESS, threading.get_native_id(), NICE)


class Pool:
    """Runs pure functions over many bids."""

    def __init__(self, workers: int | None = None) -> None:
        self.workers = workers or os.cpu_count() or 1
        self._threads = ThreadPoolExecutor(self.workers, "decrypt", _yield_to_the_hall)

    async def map(self, work: Callable[[T], R], items: Sequence[T]) -> list[R]:
        """``[work(x) for x in items]`` in slices, in order."""
        loop = asyncio.get_running_loop()
        slices = [items[k : k + SLICE] for k in range(0, len(items), SLICE)]
        done = await asyncio.gather(
            *(loop.run_in_executor(self._threads, _each, work, part) for part in slices)
        )
        return [result for part in done for result in part]

    async def in_turn(self, work: Callable[[T], R], items: Sequence[T]) -> list[R]:
        """The same in one thread, for work that mostly holds the interpreter lock: two threads
        would hand it to and fro (measured: 62 us a form, with two threads 71).
        """
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(self._threads, _each, work, items)

    async def run(self, work: Callable[[T], R], item: T) -> R:
        return await asyncio.get_running_loop().run_in_executor(self._threads, work, item)

    def close(self) -> None:
        self._threads.shutdown(wait=True, cancel_futures=True)


def _each(work: Callable[[T], R], items: Sequence[T]) -> list[R]:
    return [work(item) for item in items]
