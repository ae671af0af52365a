"""Everybody cut off at once, and back (重连); or a few, again and again: the generator's part of
`reconnect_storm` and of `soak`.

A seat that is cut does what our clients do: it waits as `signaling.backoff` says, asks again, obeys
a 503's Retry-After, and says hello with the epoch and seq that it has. Invariant: a seat keeps the
seq of the last event that it has read, through the cut, so a gap or a repeat cannot go unnoticed.
"""

import heapq
import random
import select
import socket
import struct
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

from loadtests.seats import READ_BYTES, Row, Seat
from loadtests.wire import handshake, hello
from signaling.backoff import retry_delay_s

POLL_S_MAX = 0.004
RESET = struct.pack("ii", 1, 0)  # SO_LINGER: the line is cut, nobody says goodbye
QUIET_NS = 1_500_000_000

Seqs = Callable[[bytes], tuple[tuple[int, int], ...]]  # (epoch, seq) of a frame's events


@dataclass(slots=True)
class Story:
    """What befell one row; lists by seat, ns on the machine's clock, 0: never."""

    tried_ns: list[int]  # its first try after the cut
    welcome_ns: list[int]
    caught_up_ns: list[int]  # its first event after the cut
    newest: list[int]  # the seq that it has
    missed: int = 0  # seqs left out
    twice: int = 0  # seqs read again
    refused: int = 0  # answers 503
    failed: int = 0  # connects and lines that broke
    left: int = 0  # seats that were left of their own accord
    events: int = 0
    cpu_s: float = 0.0
    due: list[tuple[float, int]] = field(default_factory=list)  # (when to try again, seat)


def through_the_cut(rows: "Sequence[Comeback]", cut_ns: int, within_s: float) -> list[Story]:
    """All rows of one process, side by side. Their CPU is told with the first."""
    cpu_ns = time.process_time_ns()
    while (left_ns := cut_ns - time.perf_counter_ns()) > 0:
        for row in rows:
            row.poll(min(POLL_S_MAX, left_ns / 1e9))
    for row in rows:
        row.cut()
    give_up = time.monotonic() + within_s
    while time.monotonic() < give_up and not all(row.is_quiet for row in rows):
        for row in rows:
            row.connect_due()
            row.poll(POLL_S_MAX / len(rows))
    rows[0].story.cpu_s = (time.process_time_ns() - cpu_ns) / 1e9
    for row in rows:
        row.story.due.clear()
    return [row.story for row in rows]


class Comeback:
    """One row through a cut."""

    def __init__(
        self,
        row: Row,
        origin: str,
        streams: Sequence[str],
        tickets: Sequence[str | None],
        seqs: Seqs,
    ) -> None:
        """``streams``: whose hall each seat hears; ``tickets``: with which it comes back."""
        self._row = row
        self._requests = [
            handshake(*row.address, origin, is_logged_in=ticket is not None) for ticket in tickets
        ]
        self._streams = streams
        self._tickets = tickets
        self._seqs = seqs
        self._epochs = [0] * len(row.seats)
        self._failures = [0] * len(row.seats)
        self._sources = [seat.sock.getsockname()[0] for seat in row.seats]
        self._seats: dict[int, Seat] = {seat.fd: seat for seat in row.seats}
        self._epoll = row.epoll
        self._back = 0
        self.heard_ns = 0
        count = len(row.seats)
        self.story = Story([0] * count, [0] * count, [0] * count, [0] * count)

    def live(self, seconds: float, leaves_per_s: float) -> Story:
        """Seats hear their halls; now and then one leaves and takes a seat again, by turns with
        what it has and as if it had never been there.
        """
        cpu_ns, began, left = time.process_time_ns(), time.monotonic(), 0
        while (passed_s := time.monotonic() - began) < seconds:
            self.connect_due()
            self.poll(POLL_S_MAX)
            while left < passed_s * leaves_per_s:
                left += 1
                self._leave(forget=bool(left % 2))
        self.story.cpu_s = (time.process_time_ns() - cpu_ns) / 1e9
        self.story.due.clear()
        return self.story

    def _leave(self, *, forget: bool) -> None:
        seat = random.choice(self._row.seats)
        if seat.stage != "ready" or seat.fd not in self._seats:
            return
        seat.stage = "away"
        self._hang_up(seat)
        self.story.left += 1
        if forget:
            self._epochs[seat.number] = self.story.newest[seat.number] = 0
        self._later(seat.number, random.random())

    # ---- away

    def cut(self) -> None:
        """The line breaks."""
        assert all(self.story.newest), "somebody had heard nothing when the line was cut"
        for seat in list(self._seats.values()):
            self._hang_up(seat)
            self._later(seat.number, retry_delay_s(1, random.random()))

    def _hang_up(self, seat: Seat) -> None:
        seat.sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET)
        self._epoll.unregister(seat.fd)
        del self._seats[seat.fd]
        seat.sock.close()

    def _later(self, number: int, delay_s: float) -> None:
        heapq.heappush(self.story.due, (time.monotonic() + delay_s, number))

    def _failed(self, seat: Seat) -> None:
        self.story.failed += 1
        self._hang_up(seat)
        self._failures[seat.number] += 1
        self._later(seat.number, retry_delay_s(1 + self._failures[seat.number], random.random()))

    # ---- back

    @property
    def is_quiet(self) -> bool:
        """Whether everybody is back and nothing has come for a while."""
        is_back = self._back == len(self._sources)
        return is_back and time.perf_counter_ns() - self.heard_ns > QUIET_NS

    def connect_due(self) -> None:
        """Tries again where it is time."""
        due, now = self.story.due, time.monotonic()
        while due and due[0][0] <= now:
            _, number = heapq.heappop(due)
            self.story.tried_ns[number] = self.story.tried_ns[number] or time.perf_counter_ns()
            sock = self._row.connecting(self._sources[number])
            seat = Seat(number, sock, "connect")
            self._row.seats[number] = self._seats[seat.fd] = seat
            self._epoll.register(seat.fd, select.EPOLLIN | select.EPOLLOUT)

    def poll(self, timeout_s: float) -> None:
        """Reads what is there."""
        for fd, _ in self._epoll.poll(max(0.0, timeout_s)):
            seat = self._seats.get(fd)
            if seat is not None:
                self._serve(seat)

    def _serve(self, seat: Seat) -> None:
        if seat.stage == "connect":
            if seat.sock.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR):
                self._failed(seat)
                return
            self._epoll.modify(seat.fd, select.EPOLLIN)
            seat.sock.send(self._requests[seat.number])
            seat.stage = "upgrade"
            return
        try:
            data = seat.sock.recv(READ_BYTES)
        except BlockingIOError:
            return
        except OSError:
            data = b""
        if not data:
            self._failed(seat)
            return
        seat.buffer += data
        if seat.stage == "upgrade":
            self._upgraded(seat)
        if seat.stage in ("hello", "ready"):
            self._row.cut_frames(seat, time.perf_counter_ns(), self._take)
        if seat.is_lost:  # told to go
            del self._seats[seat.fd]
            self.story.failed += 1
            self._later(seat.number, retry_delay_s(1, random.random()))

    def _upgraded(self, seat: Seat) -> None:
        end = seat.buffer.find(b"\r\n\r\n")
        if end < 0:
            return
        head = bytes(seat.buffer[:end])
        del seat.buffer[: end + 4]
        if head.startswith(b"HTTP/1.1 503"):
            self.story.refused += 1
            after_s = float(head.split(b"Retry-After: ")[1].split(b"\r\n")[0])
            self._hang_up(seat)
            seat.stage = "away"
            self._later(seat.number, after_s)
            return
        assert head.startswith(b"HTTP/1.1 101"), head
        number = seat.number
        position: list[Any] = [
            self._streams[number],
            "hall",
            self._epochs[number],
            self.story.newest[number],
        ]
        seat.sock.send(hello(self._tickets[number], [position]))
        seat.stage = "hello"

    def _take(self, seat: Seat, payload: bytes, ns: int) -> None:
        number, story = seat.number, self.story
        if seat.stage == "hello":
            assert payload[1:9] == b"\xa7welcome", payload[:80]
            seat.stage = "ready"
            story.welcome_ns[number] = ns
            return
        self.heard_ns = ns
        for epoch, seq in self._seqs(payload):
            self._epochs[number] = epoch
            newest = story.newest[number]
            if newest and seq <= newest:
                story.twice += 1
                continue
            story.missed += seq - newest - 1 if newest else 0
            story.newest[number] = seq
            story.events += 1
            if story.welcome_ns[number] and not story.caught_up_ns[number]:
                story.caught_up_ns[number] = ns
                self._back += 1
