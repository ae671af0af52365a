"""One timer for everybody's time limits (巡检): opening, silence, slowness, closing.

Ten thousand idle viewers have no timers of their own. Each is looked at every ``LOOK_MS``, a part
of them at each tick, so that no tick is long. Invariant: whoever stays longer than its limit in
``opening``, ``paused`` or ``closing`` is ended or aborted within two ticks.
"""

from __future__ import annotations

import asyncio
import os
from collections.abc import Iterator
from itertools import islice
from pathlib import Path
from typing import Final

from signaling.connection import Connection, Stage
from signaling.desk import Desk, monotonic_ms
from signaling.presence import Presence
from signaling.session import CloseCode

TICK_MS: Final = 250
LOOK_MS: Final = 2500
_TICKS_PER_LOOK: Final = LOOK_MS // TICK_MS
_PAGE_BYTES: Final = os.sysconf("SC_PAGE_SIZE")


class Sweep:
    """Started by the server, stopped by it."""

    def __init__(self, desk: Desk, presence: Presence, loop: asyncio.AbstractEventLoop) -> None:
        self._desk = desk
        self._presence = presence
        self._loop = loop
        self._timer: asyncio.TimerHandle | None = None
        self._round: Iterator[Connection] = iter(())
        self._per_tick = 0
        self._presence_ms = 0

    def start(self) -> None:
        self._timer = self._loop.call_later(TICK_MS / 1000, self._tick)

    def close(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _tick(self) -> None:
        # First, so that trouble with one connection cannot stop the sweep.
        self.start()
        now_ms = monotonic_ms()
        self.look_at_deadlines(now_ms)
        self.look_at_silent(now_ms)
        if now_ms - self._presence_ms >= self._desk.options.presence_ms:
            self._presence_ms = now_ms
            self._presence.show()

    def look_at_deadlines(self, now_ms: int) -> None:
        """Who does not finish opening or closing, and who does not read."""
        desk = self._desk
        for peer in _expired(desk.opening, now_ms - desk.options.open_timeout_ms):
            peer.end(CloseCode.AUTH, "hello.timeout")
        for peer in _expired(desk.closing, now_ms - desk.options.close_timeout_ms):
            desk.closing.pop(peer, None)
            peer.transport.abort()
        for peer in [peer for peer in desk.paused if peer.is_too_slow]:
            peer.end(CloseCode.SLOW, "peer.slow")

    def look_at_silent(self, now_ms: int) -> None:
        """The next part of all connections: ping the silent, end the dead."""
        part = list(islice(self._round, self._per_tick))
        for peer in part:
            self._look(peer, now_ms)
        if part:
            return
        memory_bytes_max = self._desk.options.memory_bytes_max
        self._desk.is_memory_full = 0 < memory_bytes_max < resident_bytes()
        # A copy: 80 kB for ten thousand, and connections come and go between ticks.
        everybody = list(self._desk.peers)
        self._round = iter(everybody)
        self._per_tick = -(-len(everybody) // _TICKS_PER_LOOK)

    def _look(self, peer: Connection, now_ms: int) -> None:
        if peer.stage is not Stage.OPEN:
            return
        options = self._desk.options
        silent_ms = now_ms - peer.seen_ms
        if silent_ms >= options.idle_after_ms:
            peer.end(CloseCode.IDLE, "peer.silent")
        elif (
            peer.partial_since_ms and now_ms - peer.partial_since_ms >= options.partial_frame_ms_max
        ):
            peer.end(CloseCode.BAD_FRAME, "frame.unfinished")
        elif min(silent_ms, now_ms - peer.pinged_ms) >= options.ping_after_ms:
            peer.ping(now_ms)


def resident_bytes() -> int:
    """Of this process, as the kernel says; 0 where there is no /proc."""
    try:
        return int(Path("/proc/self/statm").read_text().split()[1]) * _PAGE_BYTES
    except (OSError, IndexError, ValueError):
        return 0


def _expired(since_ms: dict[Connection, int], before_ms: int) -> list[Connection]:
    """Those who came before ``before_ms``; the dict is in order of coming."""
    expired: list[Connection] = []
    for peer, came_ms in since_ms.items():
        if came_ms > before_ms:
            break
        expired.append(peer)
    return expired
