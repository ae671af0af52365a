"""Opener processes: the same results whatever becomes of them, and none left behind."""

import asyncio
import operator
import os
import signal
import subprocess
import sys
import textwrap
import time
from pathlib import Path
from typing import Any

import pytest

from server.decryption import opener as opener_module
from server.decryption.forms import SealedForm, open_form
from server.decryption.halves import find_one
from server.decryption.opener import Opener
from server.decryption.pool import PART_MIN, Pool
from server.domain import due
from server.rooms.work import ASKED_OF_OPENERS
from tests.domain.openings import an_opening

MANY = 4 * PART_MIN


def twice(n: int) -> int:
    return 2 * n


def process_of(_: int) -> int:
    return os.getpid()


def priority_of(_: int) -> int:
    return os.getpriority(os.PRIO_PROCESS, 0)


def broken_at_the_last(n: int) -> int:
    if n == MANY - 1:
        raise ValueError(n)
    return n


def only_here(n: tuple[int, int]) -> int:
    """Another process than ``n[0]`` ends at once, as if it were killed."""
    if os.getpid() != n[0]:
        os.kill(os.getpid(), signal.SIGKILL)
    return n[1]


def silent_elsewhere(n: tuple[int, int]) -> int:
    if os.getpid() != n[0]:
        time.sleep(60)
    return n[1]


def is_gone(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return True
    # A zombie of somebody else's has ended too.
    return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] == "Z"


@pytest.fixture
async def pool():
    pool = Pool(2)
    pool.prepare(range(MANY))
    await until_ready(pool)
    yield pool
    pool.close()


async def until_ready(pool: Pool) -> Opener:
    """What was asked before has been done when this has."""
    [opener] = pool._openers
    await asyncio.wrap_future(opener.prepare([]))
    assert opener.is_ready
    return opener


async def test_work_is_shared_and_comes_back_in_order(pool: Pool):
    assert await pool.together(twice, range(MANY + 3)) == [2 * n for n in range(MANY + 3)]
    done = await pool.together(process_of, range(MANY))
    [opener] = pool._openers
    assert done == [os.getpid()] * (MANY // 2) + [opener.pid] * (MANY // 2)


async def test_a_little_is_done_here(pool: Pool):
    assert set(await pool.together(process_of, range(2 * PART_MIN - 1))) == {os.getpid()}
    assert await pool.together(process_of, []) == []


async def test_an_opener_gives_way_as_our_own_threads_do(pool: Pool):
    assert len(set(await pool.together(priority_of, range(MANY)))) <= 2
    [opener] = pool._openers
    assert os.getpriority(os.PRIO_PROCESS, opener.pid) > 0


async def test_an_opener_has_imported_what_it_was_shown():
    """Asked for a function of no module of ours, which therefore imports nothing itself."""
    opener = Opener(0)
    await asyncio.wrap_future(opener.prepare([]))
    modules = sorted({work.__module__ for work in ASKED_OF_OPENERS})
    here = ("decryption.forms", "decryption.halves", "storage.site_tick")
    assert modules == [f"server.{name}" for name in here]
    questions = [f"{name!r} in __import__('sys').modules" for name in modules]
    assert await asyncio.wrap_future(opener.run(eval, questions).done) == [False] * 3
    await asyncio.wrap_future(opener.prepare(ASKED_OF_OPENERS))
    assert await asyncio.wrap_future(opener.run(eval, questions).done) == [True] * 3
    opener.close()


async def test_one_thing_aside_is_done_by_an_opener_that_has_nothing_else_to_do(pool: Pool):
    [opener] = pool._openers
    assert await pool.aside(process_of, 0) == opener.pid
    asked = opener.run(time.sleep, [0.2])
    assert await pool.aside(process_of, 0) == os.getpid()
    await asyncio.wrap_future(asked.done)
    assert await pool.aside(process_of, 0) == opener.pid
    with pytest.raises(ValueError, match=str(MANY - 1)):
        await pool.aside(broken_at_the_last, MANY - 1)


async def test_one_thing_aside_does_not_wait_for_an_opener_that_hangs(pool: Pool):
    """A log writes a leaf a second, whatever becomes of an opener."""
    [opener] = pool._openers
    os.kill(opener.pid, signal.SIGSTOP)
    async with asyncio.timeout(opener_module.SILENT_S / 2):
        assert await pool.aside(process_of, 0) == os.getpid()
        assert await pool.aside(process_of, 0) == os.getpid()
    os.kill(opener.pid, signal.SIGCONT)


async def test_one_thing_aside_needs_no_opener():
    pool = Pool(1)
    assert await pool.aside(process_of, 0) == os.getpid()
    pool.close()


class Noted:
    """An item that says when it is written out for another process, slowly."""

    def __init__(self, order: list[str]) -> None:
        self.order = order

    def __reduce__(self):
        time.sleep(0.01)
        self.order.append("written out")
        return (int, (0,))

    def __index__(self) -> int:
        self.order.append("done here")
        return 0


async def test_our_own_part_begins_when_the_questions_are_out(pool: Pool):
    order: list[str] = []
    await pool.together(operator.index, [Noted(order)] * MANY)
    assert order[0] == "written out"
    assert order.index("done here") == order.count("written out")


async def test_without_openers_everything_is_done_here():
    pool = Pool(1)
    pool.prepare(range(MANY))
    assert set(await pool.together(process_of, range(MANY))) == {os.getpid()}
    pool.close()


async def test_nobody_waits_for_an_opener_that_is_not_ready():
    pool = Pool(2)
    assert set(await pool.together(process_of, range(MANY))) == {os.getpid()}
    pool.close()


async def test_an_opener_that_dies_over_its_part_costs_nothing_but_time(pool: Pool):
    opener, items = pool._openers[0], [(os.getpid(), n) for n in range(MANY)]
    before = opener.pid
    assert await pool.together(only_here, items) == list(range(MANY))
    assert not opener.is_ready
    assert is_gone(before)
    pool.prepare(range(MANY))
    after = await until_ready(pool)
    assert after.pid not in (0, before)
    assert set(await pool.together(process_of, range(MANY))) == {os.getpid(), after.pid}


async def test_an_opener_killed_while_it_waits(pool: Pool):
    opener = pool._openers[0]
    os.kill(opener.pid, signal.SIGKILL)
    assert await pool.together(twice, range(MANY)) == [2 * n for n in range(MANY)]


async def test_an_opener_that_hangs_is_ended(pool: Pool, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(opener_module, "SILENT_S", 0.3)
    monkeypatch.setattr(opener_module, "END_S", 0.1)
    opener = pool._openers[0]
    before = opener.pid
    items = [(os.getpid(), n) for n in range(MANY)]
    assert await pool.together(silent_elsewhere, items) == list(range(MANY))
    assert is_gone(before)


async def test_an_opener_that_stops_reading_a_long_question_is_ended(
    monkeypatch: pytest.MonkeyPatch,
):
    """The question fills the line: the asking itself must not wait for ever."""
    monkeypatch.setattr(opener_module, "SILENT_S", 0.5)
    monkeypatch.setattr(opener_module, "END_S", 0.1)
    pool = Pool(2)
    pool.prepare([])
    before = (await until_ready(pool)).pid
    os.kill(before, signal.SIGSTOP)
    items = [bytes([n % 256]) * 20_000 for n in range(MANY)]
    async with asyncio.timeout(20):
        assert await pool.together(bytes.hex, items) == [item.hex() for item in items]
    assert is_gone(before)
    pool.close()


async def test_an_error_of_the_work_reaches_the_caller_as_if_it_were_done_here(pool: Pool):
    with pytest.raises(ValueError, match=str(MANY - 1)):
        await pool.together(broken_at_the_last, range(MANY))


async def test_what_cannot_travel_is_done_here(pool: Pool):
    assert await pool.together(lambda n: n + 1, range(MANY)) == list(range(1, MANY + 1))


async def test_closing_ends_it_over_its_work():
    pool = Pool(2)
    pool.prepare(range(MANY))
    pid = (await until_ready(pool)).pid
    working = asyncio.ensure_future(
        pool.together(silent_elsewhere, [(os.getpid(), n) for n in range(MANY)])
    )
    await asyncio.sleep(0.1)
    began = time.monotonic()
    pool.close()
    assert time.monotonic() - began < 10
    assert is_gone(pid)
    assert await working == list(range(MANY))


def test_it_goes_when_we_are_killed():
    """kill -9 of the process that began it."""
    program = """
        import asyncio, time
        from server.decryption.pool import Pool
        async def main():
            pool = Pool(2)
            pool.prepare(range(100))
            while not pool._openers[0].is_ready:
                await asyncio.sleep(0.01)
            print(pool._openers[0].pid, flush=True)
            time.sleep(60)
        asyncio.run(main())
    """
    with subprocess.Popen(
        [sys.executable, "-c", textwrap.dedent(program)], stdout=subprocess.PIPE
    ) as parent:
        assert parent.stdout is not None
        pid = int(parent.stdout.readline())
        assert not is_gone(pid)
        parent.kill()
    deadline = time.monotonic() + 20
    while not is_gone(pid):
        assert time.monotonic() < deadline
        time.sleep(0.02)


async def test_halves_and_forms_are_the_same_there(pool: Pool):
    play = an_opening(at="opening")
    state = play.opening
    replies = tuple(state.released(1))
    found = due._find_halves(state, 1, replies)
    halves = [(bid, True) for bid in found.bids] * PART_MIN
    here = [find_one(item, first=None) for item in halves]
    assert await pool.together(_first_given, halves) == here
    assert {half.found.state for half in here} == {""}
    forms: list[Any] = [
        SealedForm(form, play.store[form.header.bid_id], state.rules(), "")
        for form in due._open_forms(state, 1).forms
    ] * PART_MIN
    assert forms
    assert await pool.together(open_form, forms) == [open_form(form) for form in forms]


def _first_given(item: Any) -> Any:
    return find_one(item, first=None)


def test_a_header_travels_as_its_bytes_and_is_read_once():
    import pickle

    header = an_opening().bids[0].envelopes[1].header
    once, again = (pickle.loads(pickle.dumps(header)) for _ in range(2))
    assert once == header
    assert once is again
    assert once.suite is header.suite
