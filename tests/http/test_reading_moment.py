"""When a command that comes by HTTP counts as received, on a loop that gets stuck."""

import asyncio
import socket
import time
from contextlib import nullcontext

import pytest

from server.http.reading_moment import TURNS_AFTER_READ
from signaling.pass_clock import PassClock, wall_clock_ms
from tests.http.site import Site
from tests.http.small_hall import TENDER

OPENING = f"opening:{TENDER}"
BODY = b'{"cmd_id":"cccccccc","op":"card_unlock","args":{"message":"00"}}'


@pytest.fixture
async def dated_site(open_a_site):
    """The small hall under the real pass clock."""
    clock = PassClock(asyncio.get_running_loop())
    clock.start()
    yield await open_a_site(pass_clock=clock)
    clock.close()


@pytest.fixture
async def line(dated_site):
    """A connection on which sending is a system call and nothing else."""
    with socket.create_connection(("127.0.0.1", dated_site.port)) as connected:
        await asyncio.sleep(0.05)
        yield connected


def request_of(site: Site) -> bytes:
    head = (
        f"POST /rooms/{OPENING}/commands HTTP/1.1",
        f"Host: 127.0.0.1:{site.port}",
        "Content-Type: application/json",
        f"Content-Length: {len(BODY)}",
    )
    return "\r\n".join(head).encode() + b"\r\n\r\n" + BODY


def stuck_turns(times: int) -> None:
    """Makes each of the next turns of the loop longer than two heartbeats."""
    time.sleep(0.012)
    if times:
        asyncio.get_running_loop().call_soon(stuck_turns, times - 1)


@pytest.mark.parametrize(
    "head_start", [0, 60, -1], ids=["whole", "cut in its head", "cut in its body"]
)
async def test_a_command_that_came_while_the_loop_was_stuck_is_dated_before(
    dated_site: Site, line: socket.socket, head_start: int
):
    request = request_of(dated_site)
    line.sendall(request[:head_start])
    await asyncio.sleep(0.05)
    line.sendall(request[head_start:])
    sent_ms = wall_clock_ms()
    time.sleep(0.3)  # noqa: ASYNC251 (that is the point)
    stuck_turns(8)
    asked = dated_site.hall.rooms[OPENING].asked
    async with asyncio.timeout(10):
        while not asked:  # noqa: ASYNC110 (it has no event of its own)
            await asyncio.sleep(0.005)
    assert asked[0][3] <= sent_ms
    assert wall_clock_ms() - sent_ms >= 300


@pytest.mark.parametrize("is_fresh", [False, True], ids=["an old line", "a fresh line"])
async def test_what_had_arrived_is_in_its_room_before_an_end_is_decided(
    dated_site: Site, line: socket.socket, is_fresh: bool
):
    asked = dated_site.hall.rooms[OPENING].asked
    request = request_of(dated_site)
    for count in range(1, 6):
        fresh = socket.create_connection(line.getpeername()) if is_fresh else nullcontext(line)
        with fresh as used:
            used.sendall(request)
            end_ms = wall_clock_ms()
            stuck_turns(20)  # so that a pass is one turn, and no more
            await dated_site.hall.pass_clock.whole_pass_after(end_ms)
            for _ in range(TURNS_AFTER_READ):
                await asyncio.sleep(0)
            assert len(asked) == count
            assert asked[-1][3] <= wall_clock_ms()
            await asyncio.sleep(0.01)  # its answer goes out; the next request is a new one
