"""The one UDP port of everybody (同一端口): reads in batches, sorts by first byte and by address.

RFC 7983: 0-3 is STUN, 20-63 DTLS, 128-191 SRTP and SRTCP. What comes from an address that nobody
has signed for is dropped, STUN excepted (media/ice.py).

Invariant: one socket, whatever the number of peers; one turn of the loop reads a bounded number of
datagrams, and hands media to the engine in one batch.
"""

from __future__ import annotations

import asyncio
import contextlib
import socket
import struct
import time
from collections.abc import Callable
from typing import Final

from media.engine import Address, Arrival, Engine
from media.ice import Binding, IceTable

DATAGRAM_BYTES: Final = 2048
BATCH_MAX: Final = 64
# A keyframe to everybody at once, and what comes in while it is sent.
SOCKET_BUFFER_BYTES: Final = 4 << 20
SO_TIMESTAMPNS: Final = 35  # Linux; Python has no name for it
STAMP: Final = struct.Struct("@qq")
STAMP_BYTES: Final = socket.CMSG_SPACE(STAMP.size)

OnBound = Callable[[Binding, Address], None]
OnDtls = Callable[[int, bytes], None]


def now_us() -> int:
    """Monotonic."""
    return time.monotonic_ns() // 1000


class UdpPort:
    """``dropped`` counts datagrams of nobody."""

    def __init__(self, host: str, port: int) -> None:
        family = socket.AF_INET6 if ":" in host else socket.AF_INET
        self.socket = socket.socket(family, socket.SOCK_DGRAM)
        self.socket.setblocking(False)
        for option in (socket.SO_RCVBUF, socket.SO_SNDBUF):
            self.socket.setsockopt(socket.SOL_SOCKET, option, SOCKET_BUFFER_BYTES)
        # Where the kernel has none the time of reading stands for it.
        with contextlib.suppress(OSError):
            self.socket.setsockopt(socket.SOL_SOCKET, SO_TIMESTAMPNS, 1)
        try:
            self.socket.bind((host, port))
        except OSError:
            self.socket.close()
            raise
        self.send_to = self.socket.sendto
        self.dropped = 0
        self._loop: asyncio.AbstractEventLoop | None = None

    @property
    def port(self) -> int:
        return self.socket.getsockname()[1]

    def open(self, table: IceTable, engine: Engine, on_bound: OnBound, on_dtls: OnDtls) -> None:
        """Begin to read, on the running loop."""
        self._table, self._engine = table, engine
        self._on_bound, self._on_dtls = on_bound, on_dtls
        self._loop = asyncio.get_running_loop()
        self._loop.add_reader(self.socket.fileno(), self._readable)

    def close(self) -> None:
        if self._loop is not None:
            self._loop.remove_reader(self.socket.fileno())
            self._loop = None
        self.socket.close()

    def send(self, data: bytes, address: Address) -> None:
        """One datagram; lost where the kernel does not take it."""
        try:
            self.send_to(data, address)
        except OSError:
            self.dropped += 1

    def _readable(self) -> None:
        batch: list[Arrival] = []
        at_us = now_us()
        behind_ns = time.time_ns() - at_us * 1000
        receive, peer_at = self.socket.recvmsg, self._table.peer_at
        for _ in range(BATCH_MAX):
            try:
                data, stamps, _, address = receive(DATAGRAM_BYTES, STAMP_BYTES)
            except BlockingIOError:
                break
            except OSError:
                continue  # an ICMP answer to something we sent
            first = data[0] if data else 255
            if 128 <= first <= 191:
                peer = peer_at(address)
                if peer is not None:
                    batch.append((peer, data, min(at_us, _arrival_us(stamps, behind_ns) or at_us)))
                    continue
            elif first <= 3:
                bound = self._table.request(data, address, at_us)
                if bound is not None:
                    if bound.answer is not None:
                        self.send(bound.answer, address)
                    self._on_bound(bound, address)
                    continue
            elif 20 <= first <= 63:
                peer = peer_at(address)
                if peer is not None:
                    self._on_dtls(peer, data)
                    continue
            self.dropped += 1
        if batch:
            self._engine.receive(batch)


def _arrival_us(stamps: list[tuple[int, int, bytes]], behind_ns: int) -> int:
    """When the kernel got a datagram, on the monotonic clock; 0 where it does not say."""
    for level, kind, value in stamps:
        if level == socket.SOL_SOCKET and kind == SO_TIMESTAMPNS and len(value) == STAMP.size:
            seconds, nanoseconds = STAMP.unpack(value)
            return (seconds * 1_000_000_000 + nanoseconds - behind_ns) // 1000
    return 0
