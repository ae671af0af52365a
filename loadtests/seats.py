"""Many sockets in one process (座席): opened, drained, and cut into frames; no meaning yet.

A plain epoll loop with blocking-free sockets: no task, no timer and no parsing that is not needed,
so that the generator stays cheaper than the server. Who asks what of the frames: crowd.py.
"""

import errno
import select
import socket
import time
from collections.abc import Callable, Sequence

from loadtests.alarm import Alarm
from loadtests.wire import CLOSE, PING, PONG, client_frame, frame_span

READ_BYTES = 1 << 18
OPENING_AT_ONCE = 64
OPEN_WITHIN_S = 120.0
OTHERS_EVERY_S = 2.0

Taken = Callable[["Seat", bytes, int], None]


class Seat:
    """One connection. ``stage``: what it still waits for before it is ready."""

    __slots__ = ("buffer", "fd", "is_lost", "number", "sock", "stage")

    def __init__(self, number: int, sock: socket.socket, stage: str) -> None:
        self.number = number
        self.sock = sock
        self.fd = sock.fileno()
        self.stage = stage
        self.buffer = bytearray()
        self.is_lost = False


class Row:
    """All seats that one server serves. ``take`` is called with every binary payload read."""

    def __init__(self, host: str, port: int) -> None:
        self.address = (host, port)
        self.seats: list[Seat] = []
        self._by_fd: dict[int, Seat] = {}
        self.epoll = select.epoll()
        self._alarm: Alarm | None = None

    # ---- opening

    def open(
        self,
        sources: Sequence[str],
        requests: Sequence[bytes],
        hellos: Sequence[bytes],
        *,
        is_ours: bool = True,
        meanwhile: Callable[[], None] = lambda: None,
    ) -> None:
        """One seat per source address. ``requests``: the upgrade of each (empty: raw sockets),
        ``hellos``: the first frame of each (empty: none). Returns when all are ready; until then
        ``meanwhile`` is done now and then.
        """
        opening = 0
        deadline = time.monotonic() + OPEN_WITHIN_S
        others_at = time.monotonic() + OTHERS_EVERY_S
        waiting = list(enumerate(sources))[::-1]
        ready = [0]

        def take(seat: Seat, payload: bytes, _ns: int) -> None:
            # The first frame is the welcome; peers have their own.
            if seat.stage == "hello":
                assert not is_ours or payload[1:9] == b"\xa7welcome", payload[:40]
                seat.stage = "ready"
                ready[0] += 1

        while ready[0] < len(sources):
            assert time.monotonic() < deadline, f"only {ready[0]} of {len(sources)} got in"
            if time.monotonic() >= others_at:
                others_at = time.monotonic() + OTHERS_EVERY_S
                meanwhile()
            opening = len(self.seats) - ready[0]
            while waiting and opening < OPENING_AT_ONCE:
                number, source = waiting.pop()
                self._connect(number, source)
                opening += 1
            for fd, _ in self.epoll.poll(0.05):
                seat = self._by_fd[fd]
                if seat.stage == "connect":
                    ready[0] += self._connected(seat, requests)
                elif seat.stage == "upgrade":
                    ready[0] += self._upgraded(seat, hellos, take)
                else:
                    self.read(seat, take)

    def connecting(self, source: str) -> socket.socket:
        """A socket on its way to the server."""
        sock = socket.socket()
        sock.setblocking(False)
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        # The port is chosen at connect, per destination: more than 28,000 in all.
        sock.setsockopt(socket.SOL_IP, 24, 1)  # IP_BIND_ADDRESS_NO_PORT
        sock.bind((source, 0))
        failed = sock.connect_ex(self.address)
        assert failed in (0, errno.EINPROGRESS), errno.errorcode[failed]
        return sock

    def _connect(self, number: int, source: str) -> None:
        seat = Seat(number, self.connecting(source), "connect")
        self.seats.append(seat)
        self._by_fd[seat.fd] = seat
        self.epoll.register(seat.fd, select.EPOLLIN | select.EPOLLOUT)

    def _connected(self, seat: Seat, requests: Sequence[bytes]) -> int:
        failed = seat.sock.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR)
        assert not failed, errno.errorcode[failed]
        self.epoll.modify(seat.fd, select.EPOLLIN)
        if not requests:
            seat.stage = "ready"
            return 1
        seat.sock.send(requests[seat.number])
        seat.stage = "upgrade"
        return 0

    def _upgraded(self, seat: Seat, hellos: Sequence[bytes], take: Taken) -> int:
        seat.buffer += seat.sock.recv(READ_BYTES)
        end = seat.buffer.find(b"\r\n\r\n")
        if end < 0:
            return 0
        assert seat.buffer.startswith(b"HTTP/1.1 101"), bytes(seat.buffer[:end])
        del seat.buffer[: end + 4]
        if not hellos:
            seat.stage = "ready"
            return 1
        seat.sock.send(hellos[seat.number])
        seat.stage = "hello"
        self.cut_frames(seat, time.perf_counter_ns(), take)
        return 0

    # ---- reading

    def wake_at(self, at_ns: int) -> None:
        """``poll`` waits until then at most, to some us; by `time.perf_counter_ns`."""
        if self._alarm is None:
            self._alarm = Alarm()
            self.epoll.register(self._alarm.fd, select.EPOLLIN)
        self._alarm.set(at_ns)

    def poll(self, timeout_s: float, take: Taken) -> int:
        """Reads what is there; how many seats had something, or were waited for."""
        found = self.epoll.poll(timeout_s)
        for fd, _ in found:
            seat = self._by_fd.get(fd)
            if seat is not None:
                self.read(seat, take)
            elif self._alarm is not None:
                self._alarm.clear()
        return len(found)

    def drain(self, quiet_s: float, take: Taken) -> None:
        """Reads until nobody was sent anything for ``quiet_s``."""
        while self.poll(quiet_s, take):
            pass

    def read(self, seat: Seat, take: Taken) -> None:
        try:
            data = seat.sock.recv(READ_BYTES)
        except BlockingIOError:
            return
        except OSError:
            data = b""
        ns = time.perf_counter_ns()
        if not data:
            self._lost(seat)
            return
        buffer = seat.buffer
        if buffer:
            buffer += data
            self.cut_frames(seat, ns, take)
            return
        # The usual case: exactly one small frame, nothing kept.
        if data[0] == 0x82 and data[1] < 126 and len(data) == data[1] + 2:
            take(seat, data[2:], ns)
        elif data[0] == 0x82 and data[1] == 126 and len(data) == (data[2] << 8 | data[3]) + 4:
            take(seat, data[4:], ns)
        else:
            buffer += data
            self.cut_frames(seat, ns, take)

    def cut_frames(self, seat: Seat, ns: int, take: Taken) -> None:
        buffer, at = seat.buffer, 0
        while (span := frame_span(buffer, at)) is not None:
            opcode, begin, at = span
            if opcode == PING:
                try:
                    seat.sock.send(client_frame(bytes(buffer[begin:at]), PONG))
                except OSError:  # it was not patient enough for us
                    self._lost(seat)
                    return
            elif opcode == CLOSE:
                self._lost(seat)
                return
            else:
                take(seat, bytes(buffer[begin:at]), ns)
        del buffer[:at]

    def _lost(self, seat: Seat) -> None:
        if not seat.is_lost:
            seat.is_lost = True
            self.epoll.unregister(seat.fd)
            seat.sock.close()

    def close(self) -> None:
        for seat in self.seats:
            if not seat.is_lost:
                seat.sock.close()
        if self._alarm is not None:
            self._alarm.close()
        self.epoll.close()
