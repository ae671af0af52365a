"""The server on real sockets: hello, channels, commands."""

import asyncio

import pytest

from signaling.client import CommandRefused
from tests.signaling.hall import Book, a_client, a_raw_client, a_server, an_admitted_client

HALL = ("tender:1", "hall", 0, 0)


@pytest.fixture
def book():
    book = Book()
    book.open("tender:1")
    return book


async def test_hello_is_answered_with_welcome_and_who_one_is(book):
    async with (
        a_server(book) as server,
        an_admitted_client(server, book.ticket("bidder-7")) as client,
    ):
        kind, session, server_ms, ping_s, limits, me = client.frames[0]
        assert (kind, ping_s, me) == ("welcome", 20, {"name": "bidder-7"})
        assert len(session) == 16
        assert server_ms > 1_700_000_000_000
        assert limits["frame_bytes_max"] == 1 << 20


async def test_events_before_and_after_hello_arrive_once_and_in_order(book):
    async with a_server(book) as server:
        for _ in range(5):
            book.say()
        async with an_admitted_client(server, positions=[HALL]) as client:
            await client.until(lambda _: len(client.seqs()) == 5)
            for _ in range(5):
                book.say()
            await client.until(lambda _: len(client.seqs()) == 10)
            assert client.seqs() == list(range(1, 11))
            first = client.events()[0]
            assert first[:5] == ["ev", "tender:1", "hall", 1, 1]
            assert first[6:8] == ["said", {"value": 1}]
            assert first[8] == book.channels["tender:1", "hall"][0].hash


async def test_a_burst_is_one_batch(book):
    async with (
        a_server(book) as server,
        an_admitted_client(server, positions=[HALL]) as client,
    ):
        for _ in range(200):
            book.say()
        await client.until(lambda _: len(client.seqs()) == 200)
        assert [frame[0] for frame in client.frames[1:]] == ["batch"]


async def test_what_was_said_before_the_process_started_comes_from_the_journal(book):
    for _ in range(700):
        book.append()
    async with a_server(book) as server:
        async with an_admitted_client(server, positions=[HALL]) as client:
            await client.until(lambda _: len(client.seqs()) == 700)
            book.say()
            await client.until(lambda _: len(client.seqs()) == 701)
            assert client.seqs() == list(range(1, 702))
        # Whoever comes next is served from the pages held.
        asked = len(book.history_calls)
        async with an_admitted_client(server, positions=[("tender:1", "hall", 1, 300)]) as client:
            await client.until(lambda _: len(client.seqs()) == 401)
            assert client.seqs() == list(range(301, 702))
        assert len(book.history_calls) == asked


async def test_a_hole_in_the_journal_cuts_rather_than_skips(book, caplog):
    for _ in range(3):
        book.append()
    book.history_hole = 1
    async with a_server(book) as server, a_raw_client(server) as client:
        client.say("hello", 1, None, [list(HALL)])
        close = await client.gone()
        assert (close.code, close.reason) == (1012, "channel.unavailable")
        assert client.seqs() == []


async def test_a_command_is_received_answered_and_seen(book):
    async with a_server(book) as server, a_client(server, book.ticket("bidder-1")) as client:
        feed = client.subscribe("tender:1", "hall")
        assert await client.command("tender:1", "say", {"value": "price"}) == {"seq": 1}
        event = await feed.next()
        assert (event.seq, event.body) == (1, {"value": "price"})
        identity, command = book.commands[0]
        assert identity.session == "bidder-1"
        assert abs(command.received_ms - server.pass_clock.now_ms()) < 60_000


async def test_a_refusal_carries_its_stable_code(book):
    async with a_server(book) as server, a_client(server, book.ticket("bidder-1")) as client:
        with pytest.raises(CommandRefused) as refused:
            await client.command("tender:1", "dance")
        assert refused.value.code == "command.unknown"
        assert refused.value.detail == {"op": "dance"}
        assert not refused.value.is_retryable


async def test_a_room_that_fails_is_trouble_not_silence(book, caplog):
    async with a_server(book) as server, a_client(server, book.ticket("bidder-1")) as client:
        with pytest.raises(CommandRefused) as refused:
            await client.command("tender:1", "fail")
        assert (refused.value.code, refused.value.is_retryable) == ("server.trouble", True)
    assert "signaling.command_failed" in caplog.text


async def test_a_command_sent_just_before_closing_is_still_heard(book):
    async with (
        a_server(book) as server,
        an_admitted_client(server, book.ticket("bidder-1")) as client,
    ):
        client.say("cmd", 1, "cmd-00001", "tender:1", "say", {"value": 1})
        client.protocol.send_close(1000)
        client._flush()
        assert (await client.gone()).code == 1000
        assert [command.op for _, command in book.commands] == ["say"]


async def test_unanswered_commands_are_limited(book):
    book.hold_answers = True
    async with (
        a_server(book) as server,
        an_admitted_client(server, book.ticket("bidder-1")) as client,
    ):
        for n in range(1, 34):
            client.say("cmd", n, f"cmd-{n:05}", "tender:1", "say", {"value": n})
        await client.until(lambda frames: frames[-1][0] == "err")
        assert client.frames[-1][1:5] == [33, "cmd-00033", "command.too_many", True]
        assert len(book.commands) == 32
        book.held[0](book._decide(book.commands[0][1]))
        await client.until(lambda frames: frames[-1][0] == "ok")
        client.say("cmd", 34, "cmd-00034", "tender:1", "say", {"value": 34})
        await client.round_trip()
        assert len(book.commands) == 33


async def test_a_number_in_use_is_not_used_twice(book):
    book.hold_answers = True
    async with (
        a_server(book) as server,
        an_admitted_client(server, book.ticket("bidder-1")) as client,
    ):
        client.say("cmd", 1, "cmd-00001", "tender:1", "say", {"value": 1})
        client.say("cmd", 1, "cmd-00001", "tender:1", "say", {"value": 1})
        await client.until(lambda frames: frames[-1][0] == "err")
        assert client.frames[-1] == ["err", 0, "cmd-00001", "command.duplicate", False, {"n": 1}]
        assert len(book.commands) == 1


async def test_who_asks_too_often_is_refused_then_closed(book):
    async with (
        a_server(book) as server,
        an_admitted_client(server, book.ticket("bidder-1")) as client,
    ):
        for n in range(1, 200):
            client.say("ping", n)
        close = await client.gone()
        assert (close.code, close.reason) == (4429, "frame.rate")
        kinds = [frame[0] for frame in client.frames]
        assert kinds.count("pong") >= 40
        refusals = [frame for frame in client.frames if frame[0] == "err"]
        assert refusals[0][3:5] == ["frame.rate", True]
        assert refusals[0][5]["retry_after_ms"] > 0


async def test_a_channel_one_may_not_hear_is_refused(book):
    book.open("tender:1", "staff")
    book.forbidden.add(("tender:1", "staff"))
    async with a_server(book) as server, a_client(server) as client:
        staff = client.subscribe("tender:1", "staff")
        nowhere = client.subscribe("tender:9", "hall")
        with pytest.raises(StopAsyncIteration):
            await staff.next()
        with pytest.raises(StopAsyncIteration):
            await nowhere.next()
        assert (staff.refused, nowhere.refused) == ("channel.not_yours", "room.unknown")


async def test_unsubscribing_ends_the_events(book):
    book.open("tender:2")
    async with (
        a_server(book) as server,
        an_admitted_client(server, positions=[HALL, ("tender:2", "hall", 0, 0)]) as client,
    ):
        client.say("unsub", [["tender:1", "hall"]])
        client.say("ping", 1)
        await client.until(lambda frames: frames[-1][0] == "pong")
        book.say("tender:1")
        book.say("tender:2")
        await client.until(lambda _: bool(client.events()))
        assert [event[1] for event in client.events()] == ["tender:2"]


async def test_joined_and_left_are_told_once_per_connection_and_room(book):
    book.open("tender:1", "staff")
    async with a_server(book) as server:
        positions = [HALL, ("tender:1", "staff", 0, 0), HALL]
        async with an_admitted_client(server, book.ticket("host"), positions):
            assert server.members("tender:1") == (1, 0)
            assert book.comings == [("joined", "host", "tender:1")]
    assert book.comings == [("joined", "host", "tender:1"), ("left", "host", "tender:1")]


async def test_presence_is_shown_only_where_it_may_be(book):
    asked = asyncio.Event()
    book.counts = lambda room: asked.set()
    async with (
        a_server(book, presence_ms=1) as server,
        an_admitted_client(server, positions=[HALL]) as first,
    ):
        async with asyncio.timeout(10):
            await asked.wait()
        await first.round_trip()
        assert {frame[0] for frame in first.frames} == {"welcome", "pong"}
        book.counts = lambda room: {"viewers": server.members(room)[1]}
        async with an_admitted_client(server, positions=[HALL]) as second:
            for client in (first, second):
                await client.until(lambda frames: frames[-1][0] == "presence")
                assert client.frames[-1] == ["presence", "tender:1", {"viewers": 2}]
        await first.until(lambda frames: frames[-1][2] == {"viewers": 1})


async def test_the_long_poll_waits_for_the_next_event(book):
    for _ in range(3):
        book.append()
    async with a_server(book) as server:
        epoch, events = await server.wait("tender:1", "hall", 1, 5)
        assert epoch == 1
        assert list(events) == book.channels["tender:1", "hall"][1:]
        waiting = asyncio.ensure_future(server.wait("tender:1", "hall", 3, 5))
        await asyncio.sleep(0)
        book.say()
        epoch, events = await waiting
        assert list(events) == book.channels["tender:1", "hall"][3:]
        assert await server.wait("tender:1", "hall", 4, 0.01) == (1, ())
        assert await server.wait("tender:1", "hall", 4, 5, epoch=9) == (1, ())


async def test_metrics_tell_no_numbers_of_people(book):
    async with a_server(book) as server, an_admitted_client(server, positions=[HALL]):
        exported = server.metrics.exported()
        assert exported["signaling_connections_tenths"] == 1
        assert not [name for name in exported if "command" in name or "deliver" in name]
