"""A small hall for signaling's tests: rooms kept in lists, a server, clients that misbehave."""

import asyncio
import contextlib
import hashlib

from websockets.client import ClientProtocol
from websockets.frames import BINARY, CLOSE, PING, Close, Frame
from websockets.http11 import Response
from websockets.typing import Subprotocol
from websockets.uri import parse_uri

from signaling.client import Client
from signaling.codec import pack, unpack_server_frame
from signaling.gateway import AdmissionRefused, Answer, Event, Identity
from signaling.options import SUBPROTOCOL, Options
from signaling.server import serve

ORIGIN = "https://hall.example"


class Book:
    """A gateway whose journal is a list per channel. Tickets are single-use."""

    def __init__(self):
        self.channels = {}
        self.epochs = {}
        self.tickets = {}
        self.commands = []
        self.stored = {}
        self.forbidden = set()
        self.comings = []
        self.counts = None
        self.history_calls = []
        self.history_hole = None
        self.hold_answers = False
        self.held = []
        self.server = None

    def open(self, room, audience="hall", epoch=1):
        self.channels[room, audience] = []
        self.epochs[room, audience] = epoch

    def ticket(self, who, *, is_participant=True):
        text = f"ticket-{who}-{len(self.tickets)}"
        self.tickets[text] = Identity(who, is_participant, {"name": who})
        return text

    def append(self, room="tender:1", audience="hall", value=None):
        """Make one event durable, without announcing it."""
        events = self.channels[room, audience]
        seq = len(events) + 1
        body = pack({"value": value if value is not None else seq})
        events.append(
            Event(seq, 1_700_000_000_000 + seq, "said", body, hashlib.sha256(body).digest())
        )
        return events[-1]

    def announce(self, event, room="tender:1", audience="hall"):
        self.server.publish(room, audience, self.epochs[room, audience], *event)

    def say(self, room="tender:1", audience="hall", value=None):
        """Make one event durable and announce it, as a room does."""
        event = self.append(room, audience, value)
        self.announce(event, room, audience)
        return event

    # -- Gateway

    def admit(self, ticket, peer):
        if ticket is None:
            return Identity("", False)
        if ticket not in self.tickets:
            raise AdmissionRefused("ticket.unknown")
        return self.tickets.pop(ticket)

    def may_subscribe(self, identity, room, audience):
        return (room, audience) not in self.forbidden

    def position(self, room, audience):
        if (room, audience) not in self.channels:
            return None
        return self.epochs[room, audience], len(self.channels[room, audience])

    async def history(self, room, audience, after, limit):
        self.history_calls.append((room, audience, after, limit))
        await asyncio.sleep(0)
        if self.history_hole is not None:
            return []
        return self.channels[room, audience][after : after + limit]

    def command(self, identity, command, reply):
        self.commands.append((identity, command))
        if self.hold_answers:
            self.held.append(reply)
            return
        known = self.stored.get((identity.session, command.room, command.cmd_id))
        if known is None:
            known = self._decide(command)
            self.stored[identity.session, command.room, command.cmd_id] = known
        reply(known)

    def _decide(self, command):
        if command.op == "say":
            return Answer.done({"seq": self.say(command.room, "hall", command.args["value"]).seq})
        if command.op == "fail":
            raise RuntimeError("a room that fails")
        return Answer.refused("command.unknown", op=command.op)

    def joined(self, identity, room):
        self.comings.append(("joined", identity.session, room))

    def left(self, identity, room):
        self.comings.append(("left", identity.session, room))

    def presence(self, room):
        return None if self.counts is None else self.counts(room)


@contextlib.asynccontextmanager
async def a_server(book, **changes):
    """A server on a free port, closed at the end."""
    options = Options(**({"origins": (ORIGIN,), "accept_burst": 100_000} | changes))
    server = await serve("127.0.0.1", 0, book, options)
    book.server = server
    try:
        yield server
    finally:
        await server.close(spread_ms=0)


def a_url(server):
    return f"ws://127.0.0.1:{server.port}/ws"


def a_client(server, ticket=None, **changes):
    return Client(
        a_url(server), **({"origin": ORIGIN, "ticket": ticket, "clock_samples": 0} | changes)
    )


class RawClient(asyncio.Protocol):
    """Sends whatever bytes it is told to, and keeps what the server said."""

    def __init__(self, url, origin=ORIGIN, subprotocols=(SUBPROTOCOL,)):
        self.protocol = ClientProtocol(
            parse_uri(url),
            origin=origin,
            subprotocols=[Subprotocol(each) for each in subprotocols] or None,
            max_size=None,
        )
        loop = asyncio.get_running_loop()
        self.response = loop.create_future()
        self.lost = loop.create_future()
        self.frames = []
        self.close = None
        self.arrived = asyncio.Event()
        self.pinged = asyncio.Event()
        self.asked = 0

    def connection_made(self, transport):
        self.transport = transport
        self.protocol.send_request(self.protocol.connect())
        self._flush()

    def data_received(self, data):
        self.protocol.receive_data(data)
        for event in self.protocol.events_received():
            if isinstance(event, Response):
                self.response.set_result(event)
            elif isinstance(event, Frame) and event.opcode is CLOSE:
                self.close = Close.parse(event.data)
            elif isinstance(event, Frame) and event.opcode is PING:
                self.pinged.set()
            elif isinstance(event, Frame) and event.opcode is BINARY:
                self.frames.append(unpack_server_frame(bytes(event.data)))
        self._flush()
        self.arrived.set()

    def connection_lost(self, exc):
        if not self.response.done():
            self.response.set_result(None)
        self.lost.set_result(exc)
        self.arrived.set()

    def _flush(self):
        for raw in self.protocol.data_to_send():
            if raw:
                self.transport.write(raw)
            elif not self.transport.is_closing():
                self.transport.write_eof()

    def say(self, *frame):
        self.send(pack(list(frame)))

    def send(self, payload, opcode=2, **bits):
        """One frame, masked as a client must."""
        self.raw(Frame(opcode, payload, **bits).serialize(mask=True))

    def raw(self, octets):
        self.transport.write(octets)

    async def until(self, wanted):
        """Wait until ``wanted(self.frames)``; fails when the connection is lost before."""
        async with asyncio.timeout(10):
            while not wanted(self.frames):
                assert not self.lost.done(), (self.close, self.frames)
                self.arrived.clear()
                await self.arrived.wait()

    async def round_trip(self):
        """Ask and wait for the answer: what the server did before is here now."""
        self.asked += 1
        mine = self.asked
        self.say("ping", mine)
        await self.until(lambda frames: any(frame[:2] == ["pong", mine] for frame in frames))

    async def gone(self):
        """The close frame, after the connection has gone."""
        async with asyncio.timeout(10):
            await self.lost
        return self.close

    def events(self):
        """All events heard, in the order in which they came."""
        heard = []
        for frame in self.frames:
            if frame[0] == "ev":
                heard.append(frame)
            elif frame[0] == "batch":
                heard.extend(frame[1])
        return heard

    def seqs(self):
        return [event[4] for event in self.events()]


@contextlib.asynccontextmanager
async def a_raw_client(server, path="/ws", **changes):
    loop = asyncio.get_running_loop()
    url = f"ws://127.0.0.1:{server.port}{path}"
    _, client = await loop.create_connection(
        lambda: RawClient(url, **changes), "127.0.0.1", server.port
    )
    async with asyncio.timeout(10):
        await client.response
    try:
        yield client
    finally:
        client.transport.abort()
        await client.lost


@contextlib.asynccontextmanager
async def an_admitted_client(server, ticket=None, positions=()):
    """A raw client that has said hello and was welcomed."""
    async with a_raw_client(server) as client:
        client.say("hello", 1, ticket, [list(position) for position in positions])
        await client.until(lambda frames: frames and frames[0][0] == "welcome")
        yield client
