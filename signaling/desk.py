"""What all connections of one server share (前台): options, hub, limits, and who is in which state.

Invariant: every connection is in ``peers`` from ``connection_made`` to ``connection_lost``; in
``opening`` until it is admitted, in ``closing`` from its end on, in ``paused`` while its transport
is full. The sweep (sweep.py) is the only reader of those with a clock.
"""

from __future__ import annotations

import asyncio
import random
import time
from collections.abc import Callable
from typing import TYPE_CHECKING

from signaling.accept import AcceptLimiter, AddressCounter
from signaling.channel import Subscriber
from signaling.door import Door
from signaling.gateway import Gateway
from signaling.hub import Hub
from signaling.metrics import Metrics
from signaling.options import Options
from signaling.pass_clock import PassClock

if TYPE_CHECKING:
    from signaling.connection import Connection


def monotonic_ms() -> int:
    return time.monotonic_ns() // 1_000_000


class Desk:
    """Shared state of one server; changed on the loop's thread only."""

    def __init__(self, options: Options, gateway: Gateway, clock: PassClock) -> None:
        self.options = options
        self.gateway = gateway
        self.clock = clock
        self.hub = Hub(options.hub)
        self.metrics = Metrics(clock.lag, options.connections_max)
        self.metrics.slow = lambda: len(self.paused)
        self.limiter = AcceptLimiter(
            options.accept_rate_per_s, options.accept_burst, monotonic_ms()
        )
        # Of those who look logged in: a crowd of viewers must not shut them out.
        self.first_limiter = AcceptLimiter(
            options.accept_rate_per_s, options.accept_burst, monotonic_ms()
        )
        self.door = Door(options.handshakes_per_turn)
        self.addresses = AddressCounter(options.per_address_max)
        # Dicts as ordered sets: the oldest comes first, and that is who times out first.
        self.peers: dict[Connection, None] = {}
        self.opening: dict[Connection, int] = {}
        self.paused: dict[Connection, int] = {}
        self.closing: dict[Connection, int] = {}
        self.sessions: dict[str, dict[Connection, None]] = {}
        # Rooms whose members changed since presence was last shown, and who is new in them.
        self.changed_rooms: dict[str, list[Subscriber]] = {}
        # More is resident than allowed; looked at by the sweep.
        self.is_memory_full = False
        self.is_closing = False
        # Set when the last connection is lost while closing.
        self.emptied = asyncio.Event()
        # Set by the fan-out: there is something to send.
        self.schedule: Callable[[], None] = lambda: None

    def retry_after_s(self, now_ms: int, *, is_first: bool) -> int:
        """0: this handshake may go on; else when to come back."""
        if self.is_closing:
            return 1 + int(random.random() * 5)  # noqa: S311 - spreads, guards nothing
        limiter = self.first_limiter if is_first else self.limiter
        return limiter.admit(now_ms, random.random())  # noqa: S311
