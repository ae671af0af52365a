"""Cut lines, new epochs, slow readers: everything arrives exactly once and in order."""

import asyncio

import pytest

from signaling.channel import FRAME_BYTES_MAX
from signaling.gateway import Answer
from signaling.options import Options
from signaling.server import serve
from signaling.session import SlowLimits
from tests.signaling.hall import ORIGIN, Book, a_client, a_server, an_admitted_client

HALL = ("tender:1", "hall", 0, 0)


@pytest.fixture
def book():
    book = Book()
    book.open("tender:1")
    return book


class Heard:
    """Keeps what a feed's callback is told, and wakes who waits for it."""

    def __init__(self):
        self.values = []
        self.changed = asyncio.Event()

    def __call__(self, event):
        self.values.append((event.epoch, event.seq, event.body["value"]))
        self.changed.set()

    async def until(self, count):
        async with asyncio.timeout(20):
            while len(self.values) < count:
                self.changed.clear()
                await self.changed.wait()


async def test_cut_again_and_again_a_client_hears_everything_exactly_once(book):
    heard = Heard()
    async with a_server(book) as server, a_client(server) as client:
        client.subscribe("tender:1", "hall", heard)
        for cut in range(6):
            for _ in range(50):
                book.say()
            if cut % 2:
                await heard.until(cut * 50 + 1)
            client.cut()
            book.say()
        await heard.until(6 * 51)
        assert heard.values == [(1, seq, seq) for seq in range(1, 6 * 51 + 1)]
        assert client.connects >= 2


async def test_a_server_that_went_away_is_found_again_and_resumed(book):
    heard = Heard()
    async with a_server(book) as first:
        client = a_client(first)
        await client.start()
        client.subscribe("tender:1", "hall", heard)
        for _ in range(10):
            book.say()
        await heard.until(10)
        port = first.port
    for _ in range(10):
        book.append()  # Durable while nobody was connected, or nearly announced.
    second = await serve("127.0.0.1", port, book, Options(origins=(ORIGIN,)))
    book.server = second
    book.say()
    await heard.until(21)
    assert heard.values == [(1, seq, seq) for seq in range(1, 22)]
    await client.close()
    await second.close(spread_ms=0)


async def test_a_command_cut_before_its_answer_is_asked_again_under_the_same_id(book):
    book.hold_answers = True
    async with (
        a_server(book) as server,
        a_client(server, fresh_tickets(book)) as client,
    ):
        asking = asyncio.ensure_future(client.command("tender:1", "say", {"value": 1}))
        while not book.commands:  # noqa: ASYNC110 - the book tells nobody
            await asyncio.sleep(0)
        client.cut()
        book.hold_answers = False
        assert await asking == {"seq": 1}
        first, second = (command for _, command in book.commands)
        assert first.cmd_id == second.cmd_id
        assert len(book.channels["tender:1", "hall"]) == 1
        # The room answers the first one too, after its connection has gone: nothing happens.
        book.held[0](book.stored["bidder", "tender:1", first.cmd_id])
        assert await client.command("tender:1", "say", {"value": 2}) == {"seq": 2}


def fresh_tickets(book):
    async def ticket():
        return book.ticket("bidder")

    return ticket


async def test_a_new_epoch_is_told_and_everything_comes_from_the_start(book):
    heard = Heard()
    async with a_server(book) as server, a_client(server) as client:
        client.subscribe("tender:1", "hall", heard)
        for _ in range(5):
            book.say()
        await heard.until(5)
        # Restored from a backup that lacks the last two.
        del book.channels["tender:1", "hall"][3:]
        book.epochs["tender:1", "hall"] = 2
        book.say(value="after")
        await heard.until(9)
        old = [(1, seq, seq) for seq in range(1, 6)]
        assert heard.values == [*old, (2, 1, 1), (2, 2, 2), (2, 3, 3), (2, 4, "after")]


@pytest.mark.parametrize(("epoch", "seq"), [(9, 2), (1, 99), (0, 3)])
async def test_a_position_that_cannot_be_ours_is_void(book, epoch, seq):
    for _ in range(3):
        book.append()
    async with (
        a_server(book) as server,
        an_admitted_client(server, positions=[("tender:1", "hall", epoch, seq)]) as client,
    ):
        await client.until(lambda _: len(client.seqs()) == 3)
        detail = {"room": "tender:1", "audience": "hall", "epoch": 1, "seq": 3}
        assert client.frames[1] == ["err", 0, "", "channel.epoch_changed", False, detail]
        assert client.seqs() == [1, 2, 3]


async def test_asking_again_moves_the_position(book):
    async with (
        a_server(book) as server,
        an_admitted_client(server, positions=[HALL]) as client,
    ):
        for _ in range(4):
            book.say()
        await client.until(lambda _: len(client.seqs()) == 4)
        client.say("sub", [["tender:1", "hall", 1, 2]])
        await client.until(lambda _: len(client.seqs()) == 6)
        book.say()
        await client.until(lambda _: len(client.seqs()) == 7)
        assert client.seqs() == [1, 2, 3, 4, 3, 4, 5]


async def test_a_loss_on_the_bus_is_filled_from_the_journal(book):
    async with (
        a_server(book) as server,
        an_admitted_client(server, positions=[HALL]) as client,
    ):
        book.say()
        for _ in range(3):
            book.append()  # Durable, but the announcement was lost.
        book.say()
        await client.until(lambda _: len(client.seqs()) == 5)
        assert client.seqs() == [1, 2, 3, 4, 5]


async def test_an_announcement_heard_twice_is_sent_once(book):
    async with (
        a_server(book) as server,
        an_admitted_client(server, positions=[HALL]) as client,
    ):
        event = book.say()
        book.announce(event)
        book.say()
        await client.until(lambda _: 2 in client.seqs())
        assert client.seqs() == [1, 2]


async def publish_until_the_first_is_paused(book, server, count_max=4000):
    """The first connection is the one that does not read."""
    peer = next(iter(server._desk.peers))
    blob = "x" * 30_000
    for _ in range(count_max):
        book.say(value=blob)
        await asyncio.sleep(0)
        if peer in server._desk.paused:
            return peer
    raise AssertionError("the transport never filled up")


async def until_somebody_is_ended(server, meanwhile=lambda: None):
    async with asyncio.timeout(10):
        while not server.metrics.endings:
            meanwhile()
            await asyncio.sleep(0.005)
    assert server.metrics.endings == {"peer.slow": 1}


async def test_a_slow_viewer_is_left_alone_then_resynchronised(book):
    async with (
        a_server(book) as server,
        an_admitted_client(server, positions=[HALL]) as slow,
        an_admitted_client(server, positions=[HALL]) as quick,
    ):
        slow.transport.pause_reading()
        peer = await publish_until_the_first_is_paused(book, server)
        for _ in range(300):
            book.say(value="y" * 4000)
        total = len(book.channels["tender:1", "hall"])
        await quick.until(lambda _: len(quick.seqs()) == total)
        # Of the 1.2 MB meanwhile, at most one frame waits above the high-water mark.
        assert peer.transport.get_write_buffer_size() <= (64 << 10) + FRAME_BYTES_MAX + 5000
        slow.transport.resume_reading()
        await slow.until(lambda _: len(slow.seqs()) == total)
        assert slow.seqs() == quick.seqs() == list(range(1, total + 1))
        assert server.metrics.resyncs >= 1
        assert server.metrics.endings == {}


async def test_a_viewer_that_never_reads_is_closed_and_holds_up_nobody(book):
    limits = SlowLimits(1 << 20, 300)
    async with (
        a_server(book, viewer_slow=limits, close_timeout_ms=200) as server,
        an_admitted_client(server, positions=[HALL]) as slow,
        an_admitted_client(server, positions=[HALL]) as quick,
    ):
        slow.transport.pause_reading()
        await publish_until_the_first_is_paused(book, server)
        await until_somebody_is_ended(server, book.say)
        total = len(book.channels["tender:1", "hall"])
        await quick.until(lambda _: len(quick.seqs()) == total)
        slow.transport.resume_reading()
        close = await slow.gone()
        assert close is None or close.code == 4008
        assert slow.seqs() == list(range(1, len(slow.seqs()) + 1))


async def test_participants_have_more_patience(book):
    async with (
        a_server(
            book, viewer_slow=SlowLimits(1 << 20, 100), participant_slow=SlowLimits(4 << 20, 60_000)
        ) as server,
        an_admitted_client(server, book.ticket("bidder"), positions=[HALL]) as bidder,
        an_admitted_client(server, positions=[HALL]) as viewer,
    ):
        for client in (bidder, viewer):
            client.transport.pause_reading()
        await until_somebody_is_ended(server, lambda: book.say(value="x" * 4000))
        bidder.transport.resume_reading()
        total = len(book.channels["tender:1", "hall"])
        await bidder.until(lambda _: len(bidder.seqs()) == total)
        assert bidder.seqs() == list(range(1, total + 1))


async def test_answers_to_one_who_does_not_read_are_bounded_too(book):
    book._decide = lambda command: Answer.done("z" * 200_000)
    async with (
        a_server(
            book, participant_slow=SlowLimits(1 << 20, 60_000), close_timeout_ms=200
        ) as server,
        an_admitted_client(server, book.ticket("bidder")) as client,
    ):
        client.transport.pause_reading()
        for n in range(1, 31):
            client.say("cmd", n, f"cmd-{n:05}", "tender:1", "say", {})
        await until_somebody_is_ended(server)
