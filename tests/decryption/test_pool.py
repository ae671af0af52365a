"""The decryption pool: in order, in slices, off the loop, at low priority."""

import asyncio
import os
import threading
import time
from types import SimpleNamespace
from typing import Any

import pytest

from server.decryption.pool import NICE_BODIES, NICE_FORMS, SLICE, Pool


@pytest.fixture
def pool():
    pool = Pool(2)
    yield pool
    pool.close()


async def test_results_come_in_the_order_of_the_items(pool: Pool):
    items = list(range(5 * SLICE + 3))
    assert await pool.map(lambda n: n * n, items) == [n * n for n in items]


async def test_nothing_to_do_is_done_at_once(pool: Pool):
    assert await pool.map(lambda n: n, []) == []


async def test_work_runs_beside_the_loop_at_low_priority(pool: Pool):
    def where() -> tuple[int, int]:
        return threading.get_native_id(), os.getpriority(os.PRIO_PROCESS, threading.get_native_id())

    [(thread, nice)] = await pool.together(lambda _: where(), [None])
    assert thread != threading.get_native_id()
    assert 0 < nice == NICE_FORMS < NICE_BODIES


async def test_a_hall_does_not_wait_behind_large_envelopes(pool: Pool):
    release, priorities = threading.Event(), list[int]()

    def opening(_: Any) -> str:
        priorities.append(os.getpriority(os.PRIO_PROCESS, threading.get_native_id()))
        return "opened" if release.wait(10) else "never released"

    item: Any = SimpleNamespace(bid=SimpleNamespace(header=SimpleNamespace(pt_len=1)))
    bodies = [asyncio.ensure_future(pool.open_body(item, opening)) for _ in range(4)]
    assert await pool.map(lambda n: n, [1, 2, 3]) == [1, 2, 3]
    assert not any(body.done() for body in bodies)
    release.set()
    assert await asyncio.gather(*bodies) == ["opened"] * 4
    assert priorities == [NICE_BODIES] * 4


async def test_an_error_of_one_item_reaches_the_caller(pool: Pool):
    def broken(n: int) -> int:
        if n == SLICE + 1:
            raise ValueError(n)
        return n

    with pytest.raises(ValueError, match=str(SLICE + 1)):
        await pool.map(broken, list(range(2 * SLICE)))
    assert await pool.map(lambda n: n, [1]) == [1]


async def test_the_loop_goes_on_while_the_pool_works(pool: Pool):
    release = threading.Event()
    working = asyncio.ensure_future(pool.map(lambda n: release.wait(10) and n, [1, 2, 3]))
    await asyncio.sleep(0)
    assert not working.done()
    release.set()
    assert await working == [1, 2, 3]


async def test_what_threads_did_is_counted(pool: Pool):
    counted = threading.Event()

    def until_all_are_counted(_: int) -> bool:
        give_up = time.monotonic() + 10
        while pool.metrics.waiting < 3 and not counted.is_set() and time.monotonic() < give_up:
            time.sleep(0.001)
        counted.set()
        return pool.metrics.waiting <= 3

    assert all(await pool.map(until_all_are_counted, list(range(3 * SLICE))))
    assert pool.metrics.waiting == 0
    assert pool.metrics.slice_seconds > 0
    assert pool.metrics.bodies == pool.metrics.body_bytes == 0
