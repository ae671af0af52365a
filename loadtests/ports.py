"""Ports for who must be told theirs before it listens (留用端口): edges, Redis, sites that restart.

Invariant: what is given out is none that the system gives to whoever asks for any, is given out
once, and to nobody else who asks here while this process lives: it stays one's own between two
lives of a child.
"""

import contextlib
import os
import socket
from collections.abc import Iterator
from typing import Final

# Linux gives out 32768 and above by itself, also to outgoing lines; browsers refuse some below.
PORTS: Final = range(20_000, 32_000)
BLOCK: Final = 100


def free_port() -> int:
    """One that nobody listens at."""
    return free_ports(1)


def free_ports(count: int) -> int:
    """The first of so many in a row, free for TCP and UDP. A site has five. Raises OSError."""
    return _giver.give(count)


class _Giver:
    def __init__(self) -> None:
        self._blocks = _own_blocks()
        self._rest = range(0)

    def give(self, count: int) -> int:
        assert count <= BLOCK
        while True:
            while len(self._rest) < count:
                self._rest = next(self._blocks)
            row, self._rest = self._rest[:count], self._rest[count:]
            if _is_free(row):
                return row.start


def _own_blocks() -> Iterator[range]:
    """Each is ours from now on, among all processes that ask here."""
    blocks = PORTS[::BLOCK]
    # Processes begin at different places; who meets another goes on behind it.
    begin = os.getpid() % len(blocks)
    for first in (*blocks[begin:], *blocks[:begin]):
        lock = socket.socket(socket.AF_UNIX)
        try:
            # A name without a file: it goes when this process does.
            lock.bind(f"\0kaibiao-ports-{first}")
        except OSError:
            lock.close()
            continue
        lock.detach()
        yield range(first, first + BLOCK)
    raise OSError("every block of ports is somebody's")


def _is_free(row: range) -> bool:
    with contextlib.ExitStack() as probes:
        try:
            for port in row:
                for kind in (socket.SOCK_STREAM, socket.SOCK_DGRAM):
                    probe = probes.enter_context(socket.socket(type=kind))
                    probe.bind(("127.0.0.1", port))
        except OSError:
            return False
    return True


_giver = _Giver()
