"""Who is let in, how many at once, and how connections end."""

import asyncio
import contextlib
import gc
import itertools
import socket

import pytest

from signaling.client import Dismissed
from signaling.handshake import StrictProtocol
from signaling.peer import Peer
from tests.signaling.hall import ORIGIN, Book, a_client, a_raw_client, a_server, an_admitted_client

HALL = ("tender:1", "hall", 0, 0)


@pytest.fixture
def book():
    book = Book()
    book.open("tender:1")
    return book


async def test_dropping_an_identity_ends_its_connections_only(book):
    async with (
        a_server(book) as server,
        an_admitted_client(server, book.ticket("host")) as first,
        an_admitted_client(server, book.ticket("host")) as second,
        an_admitted_client(server, book.ticket("bidder")) as other,
    ):
        assert server.drop_identity("host") == 2
        for client in (first, second):
            close = await client.gone()
            assert (close.code, close.reason) == (4403, "session.revoked")
        other.say("ping", 1)
        await other.until(lambda frames: frames[-1][0] == "pong")


async def test_a_stale_ticket_is_refused(book):
    ticket = book.ticket("bidder")
    async with a_server(book) as server:
        async with a_client(server, ticket):
            pass
        with pytest.raises(Dismissed) as dismissed:
            await a_client(server, ticket).start()
        assert dismissed.value.loss.code == 4401
        assert dismissed.value.loss.reason == "ticket.unknown"


async def test_closing_says_when_to_come_back(book):
    async with a_server(book) as server:
        async with an_admitted_client(server) as first, an_admitted_client(server) as second:
            await server.close("server.restart", spread_ms=4000)
            for client in (first, second):
                close = await client.gone()
                assert (close.code, close.reason) == (1012, "server.restart")
                kind, code, reason, after_ms = client.frames[-1]
                assert (kind, code, reason) == ("bye", 1012, "server.restart")
                assert 0 <= after_ms <= 4000
        assert server.metrics.connections == 0


async def test_a_wrong_origin_a_wrong_path_and_a_missing_subprotocol_stay_outside(book):
    async with a_server(book) as server:
        for changes, status in (
            ({"origin": "https://evil.example"}, 403),
            ({"origin": None}, 403),
            ({"subprotocols": ()}, 400),
            ({"subprotocols": ("kaibiao.v9+msgpack",)}, 400),
            ({"path": "/ws?ticket=secret"}, 404),
            ({"path": "/"}, 404),
        ):
            async with a_raw_client(server, **changes) as client:
                assert (await client.response).status_code == status, changes
                await client.gone()
        assert server.metrics.turned_away["request"] == 6


async def test_an_origin_that_may_be_missing_lets_programs_in(book):
    async with (
        a_server(book, origins=(ORIGIN, None)) as server,
        a_client(server, origin=None) as client,
    ):
        assert client.connects == 1


async def test_the_accept_limiter_sends_the_crowd_away_spread_out(book):
    async with a_server(book, accept_rate_per_s=1, accept_burst=3) as server:
        waits = []
        for at in range(30):
            async with a_raw_client(server) as client:
                response = await client.response
                assert response.status_code == (101 if at < 3 else 503)
                if at >= 3:
                    waits.append(int(response.headers["Retry-After"]))
        assert min(waits) >= 1
        assert max(waits) > 5
        assert server.metrics.turned_away["busy"] == 27


async def test_too_many_from_one_address_are_told_so(book):
    async with a_server(book, per_address_max=2) as server:
        async with (
            an_admitted_client(server),
            an_admitted_client(server),
            a_raw_client(server) as third,
        ):
            response = await third.response
            assert response.status_code == 429
            assert int(response.headers["Retry-After"]) > 0
        async with an_admitted_client(server):
            assert server.metrics.turned_away["address"] == 1


async def test_who_never_says_hello_is_sent_away(book):
    async with a_server(book, open_timeout_ms=300) as server, a_raw_client(server) as client:
        close = await client.gone()
        assert (close.code, close.reason) == (4401, "hello.timeout")


async def test_the_silent_are_pinged(book):
    async with a_server(book, ping_after_ms=200) as server, an_admitted_client(server) as client:
        async with asyncio.timeout(10):
            await client.pinged.wait()
        assert client.close is None


async def test_the_dead_are_closed(book):
    async with (
        a_server(book, ping_after_ms=20_000, idle_after_ms=400) as server,
        an_admitted_client(server) as client,
    ):
        close = await client.gone()
        assert (close.code, close.reason) == (4408, "peer.silent")


async def test_sockets_inherit_the_listeners_options(book):
    async with a_server(book) as server, an_admitted_client(server):
        peer = next(iter(server._desk.peers))
        sock = peer.transport.get_extra_info("socket")
        assert sock.getsockopt(socket.IPPROTO_TCP, socket.TCP_NOTSENT_LOWAT) == 16 << 10
        assert sock.getsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT) == 20_000
        assert sock.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY) == 1
        assert sock.getsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF) == 2 * (64 << 10)
        assert sock.getsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF) == 2 * (64 << 10)


async def test_a_crowd_at_the_door_is_let_in_a_few_per_turn(book):
    loop = asyncio.get_running_loop()
    async with a_server(book, handshakes_per_turn=2) as server:
        let_in = []

        def count_each_turn():
            let_in.append(server.metrics.handshakes)
            if let_in[-1] < 20:
                loop.call_soon(count_each_turn)

        async with contextlib.AsyncExitStack() as crowd:
            loop.call_soon(count_each_turn)
            await asyncio.gather(
                *(crowd.enter_async_context(a_raw_client(server)) for _ in range(20))
            )
        assert max(now - before for before, now in itertools.pairwise(let_in)) <= 2


async def test_a_request_in_pieces_is_understood_and_an_endless_one_is_not(book):
    async with a_server(book) as server:
        reader, writer = await asyncio.open_connection("127.0.0.1", server.port)
        for piece in (b"GET /nowhere HT", b"TP/1.1\r\nHo", b"st: x\r\n\r\n"):
            writer.write(piece)
            await asyncio.sleep(0.01)
        async with asyncio.timeout(10):
            assert (await reader.read()).startswith(b"HTTP/1.1 404")
        writer.close()
        reader, writer = await asyncio.open_connection("127.0.0.1", server.port)
        writer.write(b"GET /ws HTTP/1.1\r\n" + b"X: y\r\n" * 20_000)
        async with asyncio.timeout(10):
            with contextlib.suppress(ConnectionError):
                assert b"101" not in await reader.read()
        writer.close()


MADE = (Peer, StrictProtocol)


async def test_connections_that_ended_leave_nothing_to_the_collector(book):
    """Its pauses are everybody's lag, and connections come and go by the thousand."""
    async with a_server(book) as server:
        gc.collect()
        gc.disable()
        # Sites of other tests may still be held by whoever keeps their results.
        others = {id(each) for each in gc.get_objects() if isinstance(each, MADE)}
        try:
            async with an_admitted_client(server, book.ticket("bidder"), [HALL]) as client:
                client.say("cmd", 1, "cmd-00001", "tender:1", "say", {"value": 1})
                await client.until(lambda _: len(client.seqs()) == 1)
            async with an_admitted_client(server, positions=[HALL]) as client:
                client.say("nonsense")
                await client.gone()
            while server.metrics.connections:  # noqa: ASYNC110 - the aborted one is lost soon
                await asyncio.sleep(0.005)
            await asyncio.sleep(0)
            found = [each for each in gc.get_objects() if isinstance(each, MADE)]
            assert [each for each in found if id(each) not in others] == []
        finally:
            gc.enable()
