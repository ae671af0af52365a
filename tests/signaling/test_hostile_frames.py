"""What no honest client sends, and the stable code each of it gets."""

import asyncio
import struct

import msgpack
import pytest
from websockets.frames import BINARY, CONT, PING, TEXT, Frame

from signaling.codec import pack
from tests.signaling.hall import Book, a_raw_client, a_server, an_admitted_client

ROOM = "tender:1"


def a_command(**changes):
    parts = {"n": 1, "cmd_id": "cmd-00001", "room": ROOM, "op": "say", "args": {}} | changes
    return pack(["cmd", *parts.values()])


def nested(depth):
    value = 1
    for _ in range(depth):
        value = [value]
    return value


BAD_MESSAGES = {
    "nothing": (b"", "frame.msgpack"),
    "not an array": (pack({"cmd": 1}), "frame.shape"),
    "an empty array": (pack([]), "frame.shape"),
    "a tag that is a number": (pack([1, 2]), "frame.shape"),
    "an unknown tag": (pack(["shout", 1]), "frame.unknown"),
    "too many members": (pack(["ping", 1, 2]), "frame.shape"),
    "two values": (pack(["ping", 1]) * 2, "frame.msgpack"),
    "a truncated value": (pack(["ping", 1])[:-1], "frame.msgpack"),
    "a reserved type byte": (b"\x92\xa4ping\xc1", "frame.msgpack"),
    "an extension": (b"\x92\xa4ping" + msgpack.packb(msgpack.ExtType(5, b"x")), "frame.msgpack"),
    "a timestamp": (a_command(args={"t": msgpack.Timestamp(1, 2)}), "frame.msgpack"),
    "a huge array header": (b"\xdd\xff\xff\xff\xff", "frame.msgpack"),
    "a huge map header": (b"\xdf\xff\xff\xff\xff", "frame.msgpack"),
    "a huge text header": (b"\xdb\xff\xff\xff\xff", "frame.msgpack"),
    "a huge binary header": (b"\xc6\xff\xff\xff\xff", "frame.msgpack"),
    "deep nesting": (a_command(args={"x": nested(9)}), "frame.depth"),
    "very deep nesting": (b"\x91" * 4000 + b"\xc0", "frame.depth"),
    "deep nesting in a large frame": (b"\x91" * 9000 + b"\xc0", "frame.depth"),
    "a bomb of empty arrays": (b"\xdc\x10\x00" + b"\x90" * 4096, "frame.shape"),
    "a bomb of many arrays": (
        b"\xdc\x00\x10" + (b"\xdc\x07\xd0" + b"\x90" * 2000) * 16,
        "frame.too_many",
    ),
    "invalid utf-8": (b"\x92\xa4ping\xa2\xff\xfe", "frame.utf8"),
    "a binary key": (a_command(args={b"key": 1}), "frame.key"),
    "a number as key": (b"\x96\xa3cmd\x01\xa9cmd-00001\xa1r\xa3say\x81\x01\x01", "frame.msgpack"),
    "a float": (a_command(args={"price": 1.5}), "frame.float"),
    "NaN in args": (a_command(args={"x": float("nan")}), "frame.float"),
    "NaN as a clock": (pack(["ping", float("nan")]), "frame.float"),
    "infinity as a clock": (pack(["ping", float("inf")]), "frame.float"),
    "an integer beyond 2^53": (a_command(args={"x": 1 << 60}), "frame.integer"),
    "number 0": (a_command(n=0), "frame.integer"),
    "a number that is true": (a_command(n=True), "frame.integer"),
    "a number that is text": (a_command(n="1"), "frame.integer"),
    "a short cmd_id": (a_command(cmd_id="1234567"), "frame.name"),
    "a long cmd_id": (a_command(cmd_id="x" * 65), "frame.name"),
    "a cmd_id with a newline": (a_command(cmd_id="cmd-0000\n"), "frame.name"),
    "a binary cmd_id": (a_command(cmd_id=b"cmd-00001"), "frame.name"),
    "an empty room": (a_command(room=""), "frame.name"),
    "a long room": (a_command(room="r" * 97), "frame.name"),
    "a room in Chinese": (a_command(room="开标"), "frame.name"),
    "args that are a list": (a_command(args=[1]), "frame.shape"),
    "10,000 subscriptions": (pack(["sub", [["r", "hall", 0, 0]] * 10_000]), "frame.too_many"),
    "65 subscriptions": (pack(["sub", [["r", "hall", 0, 0]] * 65]), "frame.too_many"),
    "a negative seq": (pack(["sub", [["r", "hall", 0, -1]]]), "frame.integer"),
    "a subscription of three": (pack(["sub", [["r", "hall", 0]]]), "frame.shape"),
    "subscriptions that are a map": (pack(["sub", {}]), "frame.shape"),
    "hello twice": (pack(["hello", 1, None, []]), "hello.repeated"),
}

BAD_FRAMES = {
    "text": (Frame(TEXT, b"hello").serialize(mask=True), "frame.text"),
    "a first fragment": (Frame(BINARY, b"x", fin=False).serialize(mask=True), "frame.fragmented"),
    "a stray continuation": (Frame(CONT, b"x").serialize(mask=True), "frame.protocol"),
    "a compressed frame": (
        b"\xc2" + Frame(BINARY, b"x").serialize(mask=True)[1:],
        "frame.protocol",
    ),
    "an unmasked frame": (Frame(BINARY, b"x").serialize(mask=False), "frame.protocol"),
    "an unknown opcode": (b"\x83\x80\x00\x00\x00\x00", "frame.protocol"),
    "a long ping": (
        b"\x89\xfe" + struct.pack(">H", 200) + bytes(204),
        "frame.protocol",
    ),
    "a frame said to be 2^62 bytes long": (
        b"\x82\xff" + struct.pack(">Q", 1 << 62) + bytes(4),
        "frame.too_large",
    ),
    "a frame larger than allowed": (
        b"\x82\xff" + struct.pack(">Q", (1 << 20) + 1) + bytes(4),
        "frame.too_large",
    ),
    "a close frame of one byte": (b"\x88\x81\x00\x00\x00\x00\x07", "frame.protocol"),
}


@pytest.fixture
def book():
    book = Book()
    book.open(ROOM)
    return book


@pytest.mark.parametrize("name", BAD_MESSAGES)
async def test_a_bad_message_ends_the_connection_with_4400(book, name):
    payload, code = BAD_MESSAGES[name]
    async with (
        a_server(book) as server,
        an_admitted_client(server, book.ticket("bidder")) as client,
    ):
        client.send(payload)
        close = await client.gone()
        assert (close.code, close.reason) == (4400, code)
        assert client.frames[-1] == ["bye", 4400, code, 0]
        assert book.commands == []
        assert server.metrics.endings == {code: 1}


@pytest.mark.parametrize("name", BAD_FRAMES)
async def test_a_bad_frame_ends_the_connection_with_4400(book, name):
    octets, code = BAD_FRAMES[name]
    async with (
        a_server(book) as server,
        an_admitted_client(server, book.ticket("bidder")) as client,
    ):
        client.raw(octets)
        close = await client.gone()
        assert (close.code, close.reason) == (4400, code)
        assert client.frames[-1] == ["bye", 4400, code, 0]


@pytest.mark.parametrize(
    ("payload", "code", "reason"),
    [
        (a_command(), 4401, "hello.missing"),
        (pack(["ping", 1]), 4401, "hello.missing"),
        (pack(["hello", 2, None, []]), 4400, "hello.version"),
        (pack(["hello", 1, "ticket-of-nobody", []]), 4401, "ticket.unknown"),
        (pack(["hello", 1, "", []]), 4400, "frame.name"),
        (pack(["hello", 1, None, [["r" * 90, "hall", 0, 0]] * 64]), 4400, "frame.too_large"),
    ],
)
async def test_a_bad_beginning(book, payload, code, reason):
    async with a_server(book) as server, a_raw_client(server) as client:
        client.send(payload)
        close = await client.gone()
        assert (close.code, close.reason) == (code, reason)


async def test_a_viewer_may_send_less_than_a_participant(book):
    big = a_command(args={"blob": bytes(100_000)})
    async with a_server(book) as server:
        async with an_admitted_client(server, book.ticket("bidder")) as client:
            client.send(big)
            await client.until(lambda frames: frames[-1][0] == "err")
        async with an_admitted_client(server) as client:
            client.send(big)
            close = await client.gone()
            assert (close.code, close.reason) == (4400, "frame.too_large")


async def test_a_large_command_within_the_limit_arrives_whole(book):
    blob = bytes(range(256)) * 4000
    async with (
        a_server(book) as server,
        an_admitted_client(server, book.ticket("bidder")) as client,
    ):
        client.send(a_command(args={"blob": blob}))
        await client.until(lambda frames: frames[-1][0] == "err")
        assert book.commands[0][1].args == {"blob": blob}


async def test_a_flood_of_tiny_frames_is_stopped_by_the_rate_limit(book):
    tiny = Frame(PING, b"").serialize(mask=True)
    async with (
        a_server(book) as server,
        an_admitted_client(server, book.ticket("bidder")) as client,
    ):
        client.raw(tiny * 20_000)
        close = await client.gone()
        assert (close.code, close.reason) == (4429, "frame.rate")


async def test_garbage_instead_of_http_gets_nothing(book):
    async with a_server(book, open_timeout_ms=300) as server, a_raw_client(server) as honest:
        assert (await honest.response).status_code == 101
        reader, writer = await asyncio.open_connection("127.0.0.1", server.port)
        writer.write(b"\x16\x03\x01\x02\x00 this is not http\r\n\r\n")
        async with asyncio.timeout(10):
            assert b"101" not in await reader.read()
        writer.close()
        await writer.wait_closed()


async def test_a_frame_that_is_never_finished_is_given_up(book):
    async with (
        a_server(book, partial_frame_ms_max=300) as server,
        an_admitted_client(server, book.ticket("bidder")) as client,
    ):
        client.raw(b"\x82\xfe\x10\x00" + bytes(4) + b"half")
        close = await client.gone()
        assert (close.code, close.reason) == (4400, "frame.unfinished")


async def test_more_channels_than_allowed_are_refused(book):
    async with (
        a_server(book) as server,
        an_admitted_client(
            server, positions=[(f"tender:{n}", "hall", 0, 0) for n in range(60)]
        ) as client,
    ):
        for n in range(64):
            book.open(f"tender:{n}")
        client.say("sub", [[f"tender:{n}", "hall", 0, 0] for n in range(64)])
        await client.round_trip()
        assert len(next(iter(server._desk.peers)).subscriber.subscriptions) == 64
        book.open("tender:64")
        client.say("sub", [["tender:64", "hall", 0, 0]])
        await client.until(lambda frames: frames[-1][0] == "err")
        assert client.frames[-1][3:] == ["channel.too_many", False, {"max": 64}]
