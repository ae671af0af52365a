"""In time is judged by when bytes arrived, as far as the loop can know: on both loops."""

import array
import asyncio
import fcntl
import os
import socket
import termios
import time

import pytest
from websockets.frames import BINARY, Frame

from signaling.codec import pack
from signaling.pass_clock import (
    BACKDATE_MS_MAX,
    HEARTBEAT_MS,
    RECEIVE_BUFFER_BYTES,
    PassClock,
    wall_clock_ms,
)
from tests.signaling.hall import Book, a_server, an_admitted_client

STALL_S = 0.08


class HandDriven:
    """A pass clock whose heartbeats happen when the test says so."""

    def __init__(self):
        self.ms = 1_000_000.0
        self.beat = None
        self.clock = PassClock(self, lambda: int(self.ms), lambda: self.ms / 1000)
        self.clock.start()

    def call_later(self, delay_s, callback):
        self.beat = callback
        return self

    def cancel(self):
        self.beat = None

    def pass_time(self, ms):
        self.ms += ms

    def beat_after(self, ms):
        self.ms += ms
        self.beat()


def test_a_frame_is_dated_when_the_last_completed_pass_began():
    hand = HandDriven()
    hand.beat_after(HEARTBEAT_MS)
    began_ms = hand.clock.now_ms()
    hand.beat_after(HEARTBEAT_MS)
    hand.pass_time(HEARTBEAT_MS - 1)
    assert hand.clock.received_ms() == began_ms


def test_in_health_that_is_less_than_two_heartbeats_before_the_read():
    hand = HandDriven()
    for _ in range(5):
        hand.beat_after(HEARTBEAT_MS)
        hand.pass_time(HEARTBEAT_MS - 1)
        assert 0 < hand.clock.now_ms() - hand.clock.received_ms() < 2 * HEARTBEAT_MS
        hand.ms -= HEARTBEAT_MS - 1


def test_a_lag_between_the_heartbeats_counts_although_the_last_beat_is_fresh():
    hand = HandDriven()
    hand.beat_after(HEARTBEAT_MS)
    began_ms = hand.clock.now_ms()
    hand.beat_after(500)
    assert hand.clock.received_ms() == began_ms
    after_ms = hand.clock.now_ms()
    hand.beat_after(HEARTBEAT_MS)
    assert hand.clock.received_ms() == after_ms


def test_nobody_is_dated_more_than_ten_seconds_back():
    hand = HandDriven()
    hand.beat_after(60_000)
    assert hand.clock.received_ms() == int(hand.ms) - BACKDATE_MS_MAX


def test_a_wall_clock_set_back_dates_nothing_into_the_future():
    hand = HandDriven()
    wall = {"ms": 5_000_000}
    clock = PassClock(hand, lambda: wall["ms"], lambda: hand.ms / 1000)
    clock.start()
    hand.beat_after(HEARTBEAT_MS)
    hand.pass_time(1000)
    wall["ms"] -= 60_000
    assert clock.received_ms() == wall["ms"]


def test_the_lag_histogram_counts_how_late_each_beat_was():
    hand = HandDriven()
    for late_ms in (0, 1, 30, 700):
        hand.beat_after(HEARTBEAT_MS + late_ms)
    assert hand.clock.lag.total == 4
    assert hand.clock.lag.max_ms == pytest.approx(700)
    assert dict(hand.clock.lag.cumulative())[50] == 3
    assert hand.clock.lag.cumulative()[-1] == (float("inf"), 4)


class Reader(asyncio.Protocol):
    """Dates what it reads, at the read."""

    def __init__(self, clock, dated, work=lambda text: None):
        self.clock = clock
        self.dated = dated
        self.work = work

    def connection_made(self, transport):
        self.transport = transport
        self.socket = transport.get_extra_info("socket")
        self.lost = asyncio.Event()

    def connection_lost(self, _):
        self.lost.set()

    def bytes_in_kernel(self):
        count = array.array("i", [0])
        fcntl.ioctl(self.socket.fileno(), termios.FIONREAD, count)
        return count[0]

    def data_received(self, data):
        self.dated.append((self.clock.received_ms(), bytes(data)))
        self.work(bytes(data))


def block_the_loop(seconds):
    """A blocking call where none should be."""
    time.sleep(seconds)


class Line:
    """A blocking client socket, so that a stalled loop can be sent to."""

    def __init__(self, port):
        self.socket = socket.create_connection(("127.0.0.1", port))

    def send(self, octets):
        """Returns a moment at which the bytes had not yet arrived."""
        before_ms = wall_clock_ms()
        self.socket.sendall(octets)
        return before_ms


class Desk:
    """A listener of readers, a pass clock, and lines into it."""

    async def __aenter__(self):
        loop = asyncio.get_running_loop()
        self.clock = PassClock(loop)
        self.clock.start()
        self.dated = []
        self.work = lambda text: None
        listening = socket.create_server(("127.0.0.1", 0))
        listening.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, RECEIVE_BUFFER_BYTES)
        self.readers = []
        self.changed = asyncio.Event()
        self.listener = await loop.create_server(self._reader, sock=listening)
        self.port = listening.getsockname()[1]
        self.lines = []
        return self

    def _reader(self):
        self.readers.append(Reader(self.clock, self.dated, self._work))
        self.changed.set()
        return self.readers[-1]

    def _work(self, text):
        self.work(text)
        self.changed.set()

    async def until(self, is_so):
        async with asyncio.timeout(10):
            while not is_so():
                self.changed.clear()
                await self.changed.wait()

    async def line(self):
        wanted = len(self.readers) + 1
        self.lines.append(Line(self.port))
        await self.until(lambda: len(self.readers) == wanted)
        await self.clock.whole_pass_after(wall_clock_ms())
        return self.lines[-1]

    async def until_dated(self, count):
        await self.until(lambda: len(self.dated) >= count)

    async def __aexit__(self, *_):
        for line in self.lines:
            line.socket.close()
        self.listener.close()
        for reader in self.readers:
            reader.transport.abort()
            await reader.lost.wait()
        self.clock.close()


def stall_and_send(line, octets):
    """What a blocking call in the loop does, with a bidder sending in the middle of it."""
    time.sleep(STALL_S)
    sent_ms = line.send(octets)
    time.sleep(STALL_S)
    return sent_ms


def fill_the_kernel(sender):
    """Until neither side's kernel takes more; the loop does not run meanwhile."""
    sender.setblocking(False)
    for _ in range(50):
        try:
            while sender.send(b"x" * 65536):
                pass
        except BlockingIOError:
            time.sleep(0.002)


@pytest.mark.parametrize("where", ["soon", "timer", "late timer", "same pass"])
async def test_what_arrives_in_a_stall_is_dated_no_later_than_it_arrived(where):
    loop = asyncio.get_running_loop()
    async with Desk() as desk:
        line, other = await desk.line(), await desk.line()
        sent = []

        def stall(*_):
            sent.append(stall_and_send(line, b"bidder"))

        if where == "soon":
            loop.call_soon(stall)
        elif where == "timer":
            loop.call_later(0.001, stall)
        elif where == "late timer":
            # Two timers fall due in one turn: this one may run before or after the heartbeat.
            loop.call_later(HEARTBEAT_MS / 1000, stall)
            block_the_loop(0.05)
        else:
            desk.work = lambda text: stall() if text == b"other" else None
            other.send(b"other")
        await desk.until_dated(2 if where == "same pass" else 1)
        [received_ms] = [ms for ms, text in desk.dated if text == b"bidder"]
        assert received_ms <= sent[0]
        assert received_ms >= sent[0] - BACKDATE_MS_MAX


async def test_after_a_whole_pass_nothing_is_dated_before_the_end():
    loop = asyncio.get_running_loop()
    async with Desk() as desk:
        line = await desk.line()
        end_ms = wall_clock_ms()
        await desk.clock.whole_pass_after(end_ms)
        for at in range(4):
            if at % 2:
                loop.call_soon(stall_and_send, line, b"late")
            else:
                line.send(b"late")
            await desk.until_dated(at + 1)
        assert min(ms for ms, _ in desk.dated) >= end_ms


async def test_the_end_waits_for_everybody_who_had_arrived():
    """200 sockets with bytes in the kernel, each slow to handle: the pass takes many heartbeats."""
    async with Desk() as desk:
        lines = [await desk.line() for _ in range(200)]
        desk.work = lambda text: time.sleep(0.001)
        for line in lines:
            line.send(b"unlock")
        end_ms = wall_clock_ms() + 1
        block_the_loop(0.002)
        await desk.clock.whole_pass_after(end_ms)
        assert len(desk.dated) == 200
        # Those read after much lag are not late for it.
        assert all(ms <= end_ms for ms, _ in desk.dated[-100:])


async def test_a_heartbeat_right_after_the_end_is_not_yet_a_pass():
    """Bytes that come between the poll and the heartbeat of one turn are read in the next."""
    loop = asyncio.get_running_loop()
    async with Desk() as desk:
        line = await desk.line()
        passes = []

        def at_the_end():
            line.send(b"unlock")
            passes.append(desk.clock.whole_pass_after(wall_clock_ms()))

        # Both timers fall due while the loop is blocked, this one before the heartbeat.
        loop.call_later(0.001, at_the_end)
        block_the_loop(0.02)
        while not passes:  # noqa: ASYNC110 - nothing else may run in between
            await asyncio.sleep(0)
        await passes[0]
        assert [text for _, text in desk.dated] == [b"unlock"]


async def test_one_read_empties_what_the_kernel_can_hold():
    """Else a command behind other bytes of the same client would miss its pass."""
    async with Desk() as desk:
        line = await desk.line()
        fill_the_kernel(line.socket)
        in_kernel = desk.readers[-1].bytes_in_kernel()
        await desk.clock.whole_pass_after(wall_clock_ms())
        assert RECEIVE_BUFFER_BYTES < in_kernel < 250_000
        assert len(desk.dated[0][1]) >= in_kernel


async def test_waiting_for_a_pass_ends_when_the_clock_is_closed():
    async with Desk() as desk:
        waiting = asyncio.ensure_future(desk.clock.whole_pass_after(wall_clock_ms() + 60_000))
        await asyncio.sleep(0)
        desk.clock.close()
        with pytest.raises(asyncio.CancelledError):
            await waiting


async def test_a_command_that_arrives_while_the_server_stalls_is_in_time():
    book = Book()
    book.open("tender:1")
    async with (
        a_server(book) as server,
        an_admitted_client(server, book.ticket("bidder")) as client,
    ):
        command = pack(["cmd", 1, "cmd-00001", "tender:1", "say", {"value": 1}])
        octets = Frame(BINARY, command).serialize(mask=True)
        await server.pass_clock.whole_pass_after(server.pass_clock.now_ms())
        block_the_loop(STALL_S)
        end_ms = wall_clock_ms() + 1
        os.write(client.transport.get_extra_info("socket").fileno(), octets)
        block_the_loop(STALL_S)
        await server.pass_clock.whole_pass_after(end_ms)
        [(_, heard)] = book.commands
        assert heard.received_ms < end_ms
