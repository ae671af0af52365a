"""When did it arrive? The rule of "in time" (及时) for frames read from sockets.

A frame is read some time after it reached the socket, and nobody can say how long after: the
bidder must not pay for it. So a frame counts as received at the last moment at which a whole pass
over the sockets is known to have begun before its read, at most 10 s back. In health that is 2 to
4 ms before the read; when the loop lags it is the beginning of the lag.

**What a pass is.** One turn of the event loop asks the kernel which sockets are readable (the
*poll*) and reads each of them once. A socket whose bytes lay in the kernel before the poll is
reported by it (epoll, level-triggered) and read in that turn. The listeners keep the kernel's
receive buffer of a socket (``RECEIVE_BUFFER_BYTES``, doubled by Linux) below what one read takes
(256 KiB on asyncio, 250 kB on libuv), so one read takes all of it; and signaling never pauses
reading. Hence: *bytes that lay in the kernel when a pass began were handled when it ended.*

**Why a timer can tell passes apart.** The heartbeat is a timer re-armed in its own callback.

- asyncio's selector loop: a turn is poll, then the ready callbacks in the order in which they were
  queued; those of readable sockets are queued by the poll, those of due timers after them. So a
  timer's callback runs when all sockets of its turn have been read, and, re-armed, it cannot run
  again in the same turn.
- uvloop/libuv: a turn is queued callbacks (``call_soon``), then the poll, inside which readable
  sockets are read and ``data_received`` is called, then due timers. A timer re-armed in its
  callback is due after the loop's cached time, so it runs in a later turn.

On both, between two heartbeats ``h[i-1] < h[i]`` lies at least one whole poll with all its reads,
and it began after ``h[i-1]``. So when ``h[i]`` has fired, ``h[i-1]`` is a moment at (or after)
which a whole, completed pass is known to have begun. That is the register ``_passed``.

**What follows.**

1. A frame read at ``r`` cannot have lain in the kernel at ``_passed``: the completed pass would
   have read it. So ``_passed`` is never later than the arrival of its last bytes.
2. In health heartbeats are 2 ms apart, so a frame is dated at most 4 ms before its read: this much
   anybody may be late. The beats of an idle loop cost 2 % of a core (at 5 ms apart: 1.8 %).
3. ``whole_pass_after(t)`` resolves at the first heartbeat whose ``_passed >= t``. Everything that
   had arrived at ``t`` has then been handled; and from then on no frame will be dated before ``t``,
   because ``_passed`` never moves back. So an end decided after it is final.

Conditions: ``now_ms`` does not run backwards, and the loop runs once (``asyncio.run``): stopped and
run again, libuv looks at timers once before it polls.

Not covered: bytes still in a proxy or on the wire, and handlers that look at their input in a later
turn than the one that read it (aiohttp's): those must wait for as many further passes.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from typing import Final

from signaling.histogram import Histogram

HEARTBEAT_MS: Final = 2
BACKDATE_MS_MAX: Final = 10_000
# What listeners must set as SO_RCVBUF (Linux doubles it), see "What a pass is".
RECEIVE_BUFFER_BYTES: Final = 64 << 10


def wall_clock_ms() -> int:
    """UTC milliseconds."""
    return time.time_ns() // 1_000_000


class PassClock:
    """One per event loop. ``now_ms`` dates frames, ``monotonic`` tells how far the loop lagged."""

    def __init__(
        self,
        loop: asyncio.AbstractEventLoop,
        now_ms: Callable[[], int] = wall_clock_ms,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._loop = loop
        self.now_ms = now_ms
        self._monotonic = monotonic
        self._timer: asyncio.TimerHandle | None = None
        # Each register is (monotonic s, dated ms) of a heartbeat.
        self._beat = self._passed = (monotonic(), now_ms())
        self._waiters: list[tuple[int, asyncio.Future[None]]] = []
        self.lag = Histogram()

    def start(self) -> None:
        """Begin to beat; idempotent."""
        if self._timer is None:
            self._beat = self._passed = (self._monotonic(), self.now_ms())
            self._arm()

    def close(self) -> None:
        """Stop beating; who waits for a pass is cancelled."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        waiters, self._waiters = self._waiters, []
        for _, future in waiters:
            future.cancel()

    def received_ms(self) -> int:
        """When a frame being read now counts as received. Call it at the read, not later."""
        now_ms = self.now_ms()
        # min: a wall clock that was set back must not date a frame into the future.
        return min(now_ms, max(self._passed[1], now_ms - BACKDATE_MS_MAX))

    def whole_pass_after(self, t_ms: int) -> asyncio.Future[None]:
        """Done when one whole pass over the sockets that began after ``t_ms`` has ended."""
        assert self._timer is not None, "the clock does not beat"
        future: asyncio.Future[None] = self._loop.create_future()
        self._waiters.append((t_ms, future))
        return future

    def _arm(self) -> None:
        self._timer = self._loop.call_later(HEARTBEAT_MS / 1000, self._on_beat)

    def _on_beat(self) -> None:
        now_s = self._monotonic()
        self.lag.observe(max(0.0, (now_s - self._beat[0]) * 1000 - HEARTBEAT_MS))
        self._passed = self._beat
        self._beat = (now_s, self.now_ms())
        if self._waiters:
            self._wake()
        self._arm()

    def _wake(self) -> None:
        passed_ms = self._passed[1]
        still: list[tuple[int, asyncio.Future[None]]] = []
        for t_ms, future in self._waiters:
            if future.done():
                continue
            if t_ms <= passed_ms:
                future.set_result(None)
            else:
                still.append((t_ms, future))
        self._waiters = still
