"""The Python client: it comes back, it gives up when told, it knows the server's time."""

import asyncio
import datetime
import ipaddress
import ssl
import time

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from signaling.client import Client, Dismissed
from signaling.codec import ChannelKey
from signaling.feed import Feed, Heard, HeardEvent
from signaling.gateway import Answer
from tests.signaling.hall import ORIGIN, Book, a_client, a_server


@pytest.fixture
def book():
    book = Book()
    book.open("tender:1")
    return book


async def until(is_so):
    async with asyncio.timeout(10):
        while not is_so():  # noqa: ASYNC110 - plain state, nobody signals it
            await asyncio.sleep(0.005)


async def test_the_client_knows_the_servers_time(book):
    ahead_ms = 5 * 60_000

    def fast_clock():
        return time.time_ns() // 1_000_000 + ahead_ms

    async with (
        a_server(book, now_ms=fast_clock) as server,
        a_client(server, clock_samples=8) as client,
    ):
        await until(lambda: client.clock.error_ms is not None)
        before_ms, seen_ms, after_ms = fast_clock(), client.server_ms(), fast_clock()
        wrong_ms = client.clock.error_ms + 2  # Two roundings to whole ms.
        assert before_ms - wrong_ms <= seen_ms <= after_ms + wrong_ms


async def test_whom_the_server_does_not_want_does_not_come_back(book):
    async with a_server(book) as server, a_client(server, book.ticket("bidder")) as client:
        book.hold_answers = True
        asking = asyncio.ensure_future(client.command("tender:1", "say", {"value": 1}))
        await until(lambda: book.commands)
        server.drop_identity("bidder")
        with pytest.raises(Dismissed) as dismissed:
            await asking
        assert dismissed.value.loss.reason == "session.revoked"
        with pytest.raises(Dismissed):
            await client.command("tender:1", "say", {"value": 2})


async def test_who_can_still_get_a_ticket_comes_back_after_being_revoked(book):
    async def ticket():
        return book.ticket("bidder")

    async with a_server(book) as server, a_client(server, ticket) as client:
        server.drop_identity("bidder")
        assert await client.command("tender:1", "say", {"value": 1}) == {"seq": 1}
        assert (client.connects, client.last_loss.code) == (2, 4403)


async def test_fresh_tickets_are_tried_a_few_times_only(book):
    asked = []

    async def ticket():
        asked.append(1)
        return "ticket-of-nobody"

    async with a_server(book) as server:
        with pytest.raises(Dismissed):
            await a_client(server, ticket).start()
        assert len(asked) == 3


async def test_closing_leaves_no_command_waiting(book):
    book.hold_answers = True
    async with a_server(book) as server:
        client = await a_client(server, book.ticket("bidder")).start()
        asking = asyncio.ensure_future(client.command("tender:1", "say", {"value": 1}))
        feed = client.subscribe("tender:1", "hall")
        await until(lambda: book.commands)
        await client.close()
        with pytest.raises(asyncio.CancelledError):
            await asking
        assert [event async for event in feed] == []


async def test_a_client_sent_away_by_the_limiter_waits_as_told_and_gets_in(book):
    async with (
        a_server(book, accept_rate_per_s=1, accept_burst=1) as server,
        a_client(server),
        a_client(server) as second,
    ):
        assert second.connects == 1
        assert second.last_loss.reason == "http.503"
        assert second.last_loss.retry_after_s >= 1


async def test_channels_asked_for_before_the_welcome_are_not_forgotten(book):
    book.open("tender:2")
    async with a_server(book) as server:
        client = a_client(server)
        first = client.subscribe("tender:1", "hall")
        starting = asyncio.ensure_future(client.start())
        await asyncio.sleep(0)
        second = client.subscribe("tender:2", "hall")
        await starting
        book.say("tender:1")
        book.say("tender:2")
        assert [(await feed.next()).seq for feed in (first, second)] == [1, 1]
        client.unsubscribe(first)
        assert [event async for event in first] == []
        await client.close()


async def test_haste_is_obeyed_not_passed_on(book):
    book._decide = lambda command: Answer.done(command.args["value"])
    async with a_server(book) as server, a_client(server, book.ticket("bidder")) as client:
        asked = [client.command("tender:1", "say", {"value": n}) for n in range(50)]
        assert await asyncio.gather(*asked) == list(range(50))
        assert server.metrics.refusals["command.too_many"] > 0


async def test_many_subscriptions_in_haste_all_arrive(book):
    async with a_server(book) as server, a_client(server) as client:
        for n in range(60):
            book.open(f"opening:{n}")
            book.append(f"opening:{n}")
        feeds = [client.subscribe(f"opening:{n}", "hall") for n in range(60)]
        async with asyncio.timeout(20):
            assert [(await feed.next()).seq for feed in feeds] == [1] * 60


async def test_presence_reaches_the_callback(book):
    book.counts = lambda room: {"viewers": 1}
    seen = []
    async with a_server(book, presence_ms=1) as server:
        client = a_client(server, on_presence=lambda room, counts: seen.append((room, counts)))
        client.subscribe("tender:1", "hall")
        async with client:
            await until(lambda: seen)
    assert seen[0] == ("tender:1", {"viewers": 1})


async def test_an_answer_that_cannot_be_said_is_trouble_not_a_crash(book, caplog):
    book._decide = lambda command: Answer.done(object())
    async with a_server(book) as server, a_client(server, book.ticket("bidder")) as client:
        with pytest.raises(Exception, match=r"server\.trouble"):
            await client.command("tender:1", "say", {"value": 1})
    assert "signaling.answer_unsayable" in caplog.text


def heard(seq, epoch=1):
    return HeardEvent(epoch, seq, 0, "said", seq, b"")


def test_a_feed_lets_through_only_the_next_of_its_epoch():
    taken = []
    feed = Feed(ChannelKey("tender:1", "hall"), taken.append)
    verdicts = [feed.take(heard(seq)) for seq in (1, 2, 2, 1, 4, 3)]
    assert verdicts == [
        Heard.APPLIED,
        Heard.APPLIED,
        Heard.DUPLICATE,
        Heard.DUPLICATE,
        Heard.GAP,
        Heard.APPLIED,
    ]
    assert feed.take(heard(4, epoch=2)) is Heard.GAP
    feed.restart(2, 9)
    assert feed.take(heard(1, epoch=2)) is Heard.APPLIED
    feed.restart(2, 9)  # Said twice: what we have of this epoch stays.
    assert feed.position.seq == 1
    feed.restart(2, 0)  # We know more of this epoch than there is.
    assert feed.position.seq == 0
    assert [event.seq for event in taken] == [1, 2, 3, 1]


@pytest.fixture(scope="module")
def a_certificate(tmp_path_factory):
    """A self-signed certificate for 127.0.0.1: (server context, client context)."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "hall")])
    now = datetime.datetime.now(datetime.UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now - datetime.timedelta(hours=1))
        .not_valid_after(now + datetime.timedelta(hours=1))
        .add_extension(
            x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]),
            critical=False,
        )
        .sign(key, hashes.SHA256())
    )
    path = tmp_path_factory.mktemp("tls") / "hall.pem"
    pem = serialization.Encoding.PEM
    path.write_bytes(
        key.private_bytes(pem, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
        + certificate.public_bytes(pem)
    )
    ours = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    ours.load_cert_chain(path)
    theirs = ssl.create_default_context(cafile=str(path))
    return ours, theirs


async def test_over_tls_everything_is_the_same(book, a_certificate):
    ours, theirs = a_certificate
    async with a_server(book, tls=ours) as server:
        url = f"wss://127.0.0.1:{server.port}/ws"
        async with Client(
            url, origin=ORIGIN, ticket=book.ticket("bidder"), tls=theirs, clock_samples=0
        ) as client:
            feed = client.subscribe("tender:1", "hall")
            assert await client.command("tender:1", "say", {"value": "x" * 50_000}) == {"seq": 1}
            assert (await feed.next()).body == {"value": "x" * 50_000}
            server.drop_identity("bidder")
            await until(lambda: client.last_loss is not None)
            assert client.last_loss.code == 4403
