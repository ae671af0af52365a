"""The line between two processes, over a real socketpair in one."""

import asyncio
import socket
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

import pytest

from server.live import link
from server.live.link import Line, LineRefused, open_line


class Ends:
    """Two ends; the far one answers and hears as the test says."""

    def __init__(self) -> None:
        self.heard: list[tuple[str, Any]] = []
        self.answer: Callable[[str, Any], Any] = lambda name, value: [name, value]

    @asynccontextmanager
    async def open(self) -> AsyncIterator[tuple[Line, Line]]:
        ours, theirs = socket.socketpair()
        near = await open_line(ours, lambda name, value: None, lambda name, value: None)
        far = await open_line(
            theirs,
            lambda name, value: self.answer(name, value),
            lambda name, value: self.heard.append((name, value)),
        )
        reading = [asyncio.ensure_future(line.run()) for line in (near, far)]
        try:
            yield near, far
        finally:
            near.close()
            far.close()
            await asyncio.gather(*reading)


async def refused(asked: Any) -> str:
    with pytest.raises(LineRefused) as raised:
        await asked
    return raised.value.code


async def test_what_is_asked_is_answered_also_with_bytes_and_out_of_order() -> None:
    ends = Ends()
    gate = asyncio.Event()

    async def late(value: Any) -> Any:
        await gate.wait()
        return value

    ends.answer = lambda name, value: late(value) if name == "late" else {"got": value}
    async with ends.open() as (near, _):
        waiting = asyncio.ensure_future(near.ask("late", 1))
        assert await near.ask("now", b"\x00\xff") == {"got": b"\x00\xff"}
        assert not waiting.done()
        gate.set()
        assert await waiting == 1


async def test_notes_and_questions_are_taken_in_the_order_in_which_they_were_said() -> None:
    ends = Ends()
    ends.answer = lambda name, value: list(ends.heard)
    async with ends.open() as (near, _):
        near.note("a", 1)
        near.note("b", 2)
        assert await near.ask("what") == [["a", 1], ["b", 2]]


async def test_a_refusal_comes_back_with_its_code_and_a_mistake_with_none_of_its_text() -> None:
    class Full(Exception):
        code = "media.full"
        detail = "rooms"

    def answer(name: str, value: Any) -> Any:
        raise Full if name == "full" else ValueError("a secret")

    ends = Ends()
    ends.answer = answer
    async with ends.open() as (near, _):
        assert await refused(near.ask("full")) == "media.full"
        assert await refused(near.ask("mistake")) == "server.trouble"
        near.note("still", "there")
        assert await refused(near.ask("full")) == "media.full"
        assert ends.heard == [("still", "there")]


async def test_who_waits_when_the_line_is_lost_is_refused_at_once() -> None:
    ends = Ends()
    never = asyncio.get_running_loop().create_future()
    ends.answer = lambda name, value: never
    async with ends.open() as (near, far):
        waiting = [asyncio.ensure_future(near.ask("never")) for _ in range(3)]
        await asyncio.sleep(0)
        far.close()
        assert [await refused(one) for one in waiting] == ["media.away"] * 3
        assert await refused(near.ask("more")) == "media.away"
        near.note("nothing", "happens")


async def test_an_answer_that_comes_too_late_is_nobodys() -> None:
    ends = Ends()
    gate = asyncio.Event()

    async def late() -> str:
        await gate.wait()
        return "late"

    ends.answer = lambda name, value: late() if name == "late" else "now"
    async with ends.open() as (near, _):
        assert await refused(near.ask("late", within_s=0.01)) == "media.away"
        gate.set()
        assert await near.ask("now") == "now"


async def test_more_questions_than_there_is_room_for_are_refused(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(link, "ASKED_MAX", 2)
    ends = Ends()
    never = asyncio.get_running_loop().create_future()
    ends.answer = lambda name, value: never
    async with ends.open() as (near, _):
        waiting = [asyncio.ensure_future(near.ask("never")) for _ in range(2)]
        await asyncio.sleep(0)
        assert await refused(near.ask("never")) == "media.away"
        near.close()
        await asyncio.gather(*waiting, return_exceptions=True)


async def test_a_frame_that_claims_more_than_is_allowed_ends_the_line() -> None:
    ours, theirs = socket.socketpair()
    line = await open_line(ours, lambda name, value: None, lambda name, value: None)
    theirs.sendall((link.FRAME_BYTES_MAX + 1).to_bytes(4, "big"))
    await line.run()
    assert line.is_lost
    theirs.close()


async def test_an_end_that_does_not_read_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(link, "UNWRITTEN_BYTES_MAX", 1 << 16)
    ours, theirs = socket.socketpair()
    line = await open_line(ours, lambda name, value: None, lambda name, value: None)
    for _ in range(100):
        line.note("much", bytes(1 << 16))
    assert line.is_lost
    theirs.close()
