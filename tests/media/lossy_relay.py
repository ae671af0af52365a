"""A bad network in a box: a UDP relay with seeded loss, delay, reordering and a rate cap.

It stands between clients and one server. Each client gets a socket of its own towards the server,
so that the server sees as many addresses as there are.
"""

import asyncio
import random
import socket
from dataclasses import dataclass, field

Address = tuple[str, int]


@dataclass
class Weather:
    """Of one direction. ``cap_bits_s`` 0: none; a queue of ``queue_s`` stands before it."""

    loss: float = 0.0
    delay_s: float = 0.0
    jitter_s: float = 0.0
    cap_bits_s: int = 0
    queue_s: float = 0.2
    passed: int = 0
    lost: int = 0
    _free_at: float = 0.0

    def leaves_at(self, now: float, size: int, dice: random.Random) -> float | None:
        """When a datagram comes out at the other end; None: never."""
        start = max(now, self._free_at)
        if dice.random() < self.loss or start - now > self.queue_s:
            self.lost += 1
            return None
        self.passed += 1
        if self.cap_bits_s:
            self._free_at = start = start + size * 8 / self.cap_bits_s
        return start + self.delay_s + dice.random() * self.jitter_s


class _End(asyncio.DatagramProtocol):
    def __init__(self, relay: "LossyRelay", client: Address | None) -> None:
        self.relay, self.client = relay, client

    def datagram_received(self, data: bytes, addr: Address) -> None:
        if self.client is None:
            self.relay.to_server(data, addr)
        else:
            self.relay.to_client(data, self.client)


@dataclass
class LossyRelay:
    server: Address
    seed: int = 7
    up: Weather = field(default_factory=Weather)  # towards the server
    down: Weather = field(default_factory=Weather)

    async def open(self) -> None:
        self._dice = random.Random(self.seed)
        self._loop = asyncio.get_running_loop()
        self._ends: dict[Address, asyncio.DatagramTransport] = {}
        self._opening: set[asyncio.Task[None]] = set()
        self._front, _ = await self._loop.create_datagram_endpoint(
            lambda: _End(self, None), local_addr=("127.0.0.1", 0)
        )
        for option in (socket.SO_RCVBUF, socket.SO_SNDBUF):
            self._front.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, option, 1 << 20)

    @property
    def port(self) -> int:
        return self._front.get_extra_info("sockname")[1]

    def close(self) -> None:
        for end in (self._front, *self._ends.values()):
            end.close()

    def forget_clients(self) -> None:
        """As a NAT that was restarted: each client gets another port with its next datagram."""
        for end in self._ends.values():
            end.close()
        self._ends.clear()

    def to_server(self, data: bytes, client: Address) -> None:
        end = self._ends.get(client)
        if end is not None:
            self._later(self.up, data, end, self.server)
            return
        task = asyncio.ensure_future(self._meet(data, client))
        self._opening.add(task)
        task.add_done_callback(self._opening.discard)

    async def _meet(self, data: bytes, client: Address) -> None:
        end, _ = await self._loop.create_datagram_endpoint(
            lambda: _End(self, client), local_addr=("127.0.0.1", 0)
        )
        # Its next datagram may have come while this was being opened, or the end of the test.
        kept = self._ends.setdefault(client, end)
        if kept is not end or self._front.is_closing():
            end.close()
        self._later(self.up, data, kept, self.server)

    def to_client(self, data: bytes, client: Address) -> None:
        self._later(self.down, data, self._front, client)

    def _later(
        self, weather: Weather, data: bytes, end: asyncio.DatagramTransport, to: Address
    ) -> None:
        now = self._loop.time()
        at = weather.leaves_at(now, len(data), self._dice)
        if at is None:
            return
        if at <= now:
            self._send(end, data, to)
        else:
            self._loop.call_at(at, self._send, end, data, to)

    @staticmethod
    def _send(end: asyncio.DatagramTransport, data: bytes, to: Address) -> None:
        if not end.is_closing():
            end.sendto(data, to)
