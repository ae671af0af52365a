"""Every limit of the server, reached over real sockets: who is refused is told why, by a code."""

import asyncio
import contextlib

import pytest

from loadtests.wire import handshake
from signaling import connection, sweep
from signaling.door import Door
from tests.signaling.hall import ORIGIN, Book, a_raw_client, a_server, an_admitted_client

HALL = ("tender:1", "hall", 0, 0)


@pytest.fixture
def book():
    book = Book()
    book.open("tender:1")
    return book


async def refusal(server):
    """(status, code, seconds) of a handshake that is not let in; None: it is."""
    async with a_raw_client(server) as client:
        response = await client.response
        if response.status_code == 101:
            return None
        retry_after_s = int(response.headers["Retry-After"])
        return response.status_code, response.body.decode().strip(), retry_after_s


async def until(is_so):
    for _ in range(1000):
        if is_so():
            return
        await asyncio.sleep(0.01)
    pytest.fail("it never came to that")


async def test_a_full_server_says_so_and_lets_the_next_in_when_one_has_gone(book):
    async with a_server(book, connections_max=2) as server, an_admitted_client(server):
        async with an_admitted_client(server):
            assert await refusal(server) == (503, "server.full", connection.FULL_RETRY_S)
        await until(lambda: server.metrics.connections == 1)
        async with an_admitted_client(server):
            assert server.metrics.turned_away["full"] == 1


async def test_far_above_the_limit_lines_are_cut_before_they_speak(book, monkeypatch):
    monkeypatch.setattr(connection, "FULL_SLACK", 0)
    async with a_server(book, connections_max=1) as server, an_admitted_client(server):
        reader, writer = await asyncio.open_connection("127.0.0.1", server.port)
        with contextlib.suppress(ConnectionError):
            assert await reader.read() == b""
        writer.close()
        assert server.metrics.turned_away["full"] == 1


async def test_an_address_with_too_many_connections_is_told_so(book):
    async with a_server(book, per_address_max=1) as server, an_admitted_client(server):
        status, code, retry_after_s = await refusal(server)
        assert (status, code) == (429, "address.crowded")
        assert retry_after_s > 0


async def test_a_crowd_is_told_that_the_server_is_busy(book):
    async with a_server(book, accept_rate_per_s=1, accept_burst=1) as server:
        async with an_admitted_client(server):
            status, code, retry_after_s = await refusal(server)
        assert (status, code) == (503, "server.busy")
        assert retry_after_s > 0


async def test_who_looks_logged_in_is_not_shut_out_by_a_crowd(book):
    async with (
        a_server(book, accept_rate_per_s=1, accept_burst=1, login_hint=b"sid=") as server,
        an_admitted_client(server),
    ):
        assert await refusal(server) is not None
        reader, writer = await asyncio.open_connection("127.0.0.1", server.port)
        writer.write(handshake("127.0.0.1", server.port, ORIGIN, is_logged_in=True))
        assert (await reader.readline()).startswith(b"HTTP/1.1 101")
        writer.close()
        # And they among themselves no faster than anybody else.
        reader, writer = await asyncio.open_connection("127.0.0.1", server.port)
        writer.write(handshake("127.0.0.1", server.port, ORIGIN, is_logged_in=True))
        assert (await reader.readline()).startswith(b"HTTP/1.1 503")
        writer.close()


async def test_who_looks_logged_in_goes_through_the_door_first():
    let_in = []

    class Waiting:
        def __init__(self, name):
            self.name = name

        def let_in(self, *, is_first):
            let_in.append((self.name, is_first))

    door = Door(2)
    for n in range(3):
        door.knock(Waiting(f"viewer {n}"), is_first=False)
    door.knock(Waiting("bidder"), is_first=True)
    await until(lambda: len(let_in) == 4)
    assert let_in == [
        ("bidder", True),
        ("viewer 0", False),
        ("viewer 1", False),
        ("viewer 2", False),
    ]


async def test_a_login_has_so_many_connections_and_no_more(book):
    async with a_server(book, per_session_max=2) as server:
        async with (
            an_admitted_client(server, book.ticket("bidder")) as first,
            an_admitted_client(server, book.ticket("bidder")),
            an_admitted_client(server, book.ticket("other")),
        ):
            async with a_raw_client(server) as third:
                third.say("hello", 1, book.ticket("bidder"), [])
                close = await third.gone()
                assert (close.code, close.reason) == (4429, "session.crowded")
            await first.round_trip()
        # Anonymous viewers have no login.
        async with contextlib.AsyncExitStack() as stack:
            for _ in range(3):
                await stack.enter_async_context(an_admitted_client(server))


async def test_a_connection_hears_so_many_rooms_and_no_more(book):
    for number in range(70):
        book.open(f"tender:{number}")
    async with a_server(book) as server, an_admitted_client(server) as client:
        client.say("sub", [[f"tender:{n}", "hall", 0, 0] for n in range(40)])
        client.say("sub", [[f"tender:{n}", "hall", 0, 0] for n in range(40, 70)])
        await client.until(lambda frames: frames[-1][0] == "err")
        assert client.frames[-1][3:] == ["channel.too_many", False, {"max": 64}]
        assert server.members("tender:39") == (0, 1)
        assert server.members("tender:40") == (0, 0)


async def test_so_many_commands_wait_and_no_more(book):
    book.hold_answers = True
    async with a_server(book) as server, an_admitted_client(server) as client:
        for n in range(1, 34):
            client.say("cmd", n, f"command-{n:04d}", "tender:1", "say", {"value": n})
        await client.until(lambda frames: frames[-1][0] == "err")
        assert client.frames[-1][1:5] == [33, "command-0033", "command.too_many", True]
        assert len(book.commands) == 32


async def test_a_process_that_holds_as_much_as_it_may_lets_nobody_new_in(book, monkeypatch):
    monkeypatch.setattr(sweep, "TICK_MS", 10)
    async with a_server(book, memory_bytes_max=1) as server, an_admitted_client(server) as inside:
        await until(lambda: server._desk.is_memory_full)
        assert await refusal(server) == (503, "server.memory", connection.FULL_RETRY_S)
        await inside.round_trip()
        monkeypatch.setattr(sweep, "resident_bytes", lambda: 0)
        await until(lambda: not server._desk.is_memory_full)
        assert await refusal(server) is None


def test_what_is_resident_is_what_the_kernel_says():
    assert 1 << 20 < sweep.resident_bytes() < 1 << 40


async def test_the_time_of_a_fan_out_is_known_by_room(book):
    async with a_server(book) as server, an_admitted_client(server, None, [HALL]) as client:
        assert server.metrics.fanout == {}
        book.say()
        await client.until(lambda frames: frames[-1][0] == "ev")
        await client.round_trip()
        (histogram,) = server.metrics.fanout.values()
        assert server.metrics.fanout.keys() == {"tender:1"}
        assert histogram.total == 1
        assert 0 <= histogram.quantile(0.5) <= histogram.max_ms
