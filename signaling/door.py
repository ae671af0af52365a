"""Who came in and waits for the handshake (门口): a few per turn of the loop, participants first,
else in order of arrival.

After a restart ten thousand sockets become readable in one poll. Worked through there, the pass
would last half a second and everybody's commands with it. Invariant: one turn does at most
``handshakes_per_turn`` handshakes, and between two turns all sockets are polled.
"""

from __future__ import annotations

import asyncio
from collections import deque
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from signaling.connection import Connection


class Door:
    """One per server."""

    def __init__(self, handshakes_per_turn: int) -> None:
        self._first: deque[Connection] = deque()
        self._queue: deque[Connection] = deque()
        self._handshakes_per_turn = handshakes_per_turn
        self._loop = asyncio.get_running_loop()
        self._is_open = False

    def knock(self, connection: Connection, *, is_first: bool) -> None:
        """Its request, or the beginning of it, has been read."""
        (self._first if is_first else self._queue).append(connection)
        if not self._is_open:
            self._is_open = True
            self._loop.call_soon(self._let_in)

    def _let_in(self) -> None:
        for _ in range(min(len(self._first) + len(self._queue), self._handshakes_per_turn)):
            if self._first:
                self._first.popleft().let_in(is_first=True)
            else:
                self._queue.popleft().let_in(is_first=False)
        if self._first or self._queue:
            self._loop.call_soon(self._let_in)
        else:
            self._is_open = False
