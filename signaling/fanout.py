"""Carrying the hub's plan out (扇出): slices of writes with a yield between, pages of the journal.

Invariant: between two slices the loop polls its sockets, so commands are read while ten thousand
viewers are being written to. Events that come in one burst are gathered for a few milliseconds and
leave as one batch, framed once for everybody who stands at the same place.

Measured (`python -m loadtests.fanout`, 1,000 viewers, 2026-11-22): 13.1 us of CPU an event
and viewer, decision and journal included, where a bare loop of ``send`` takes 9.9.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections import deque

from signaling import frames
from signaling.channel import PAGE_EVENTS, Subscriber
from signaling.codec import ChannelKey
from signaling.connection import Connection
from signaling.desk import Desk
from signaling.hub import JournalRead
from signaling.session import CloseCode

log = logging.getLogger(__name__)


class FanOut:
    """The only one who writes events to sockets."""

    def __init__(self, desk: Desk, loop: asyncio.AbstractEventLoop) -> None:
        self._desk = desk
        self._loop = loop
        self._handle: asyncio.Handle | None = None
        self._fresh = 0
        self._since_s: dict[str, float] = {}  # rooms with events under way, since when
        self._reads: deque[JournalRead] = deque()
        self._readers: set[asyncio.Task[None]] = set()
        desk.schedule = self.schedule

    def deliver(self, key: ChannelKey, epoch: int, seq: int, payload: bytes) -> None:
        """A durable event, from the broker."""
        if self._desk.hub.publish(key, epoch, seq, payload):
            self._desk.metrics.published += 1
            self._fresh += 1
            self._since_s.setdefault(key.room, time.monotonic())
            self.schedule()

    def schedule(self) -> None:
        """See to it that the hub is asked for its plan soon."""
        if self._handle is None and self._desk.hub.has_work:
            self._handle = self._loop.call_soon(self._begin)

    async def close(self) -> None:
        """Stop sending and reading."""
        if self._handle is not None:
            self._handle.cancel()
            self._handle = None
        self._reads.clear()
        for task in self._readers:
            task.cancel()
        await asyncio.gather(*self._readers, return_exceptions=True)

    # -- sending ----------------------------------------------------------------------------

    def _begin(self) -> None:
        is_burst = self._fresh > 1
        self._fresh = 0
        if is_burst:
            gather_s = self._desk.options.gather_ms / 1000
            self._handle = self._loop.call_later(gather_s, self._step)
        else:
            self._step()

    def _step(self) -> None:
        desk, options = self._desk, self._desk.options
        size = options.slice_writes_beside if options.is_writing() else options.slice_writes
        plan = desk.hub.next_slice(size)
        for sink, frame in plan.writes:
            try:
                sink(frame)
            except Exception:
                # A transport on its way out; everybody else's frames must go on.
                log.exception("signaling.write_failed")
        desk.metrics.slices += 1
        desk.metrics.deliveries += len(plan.writes)
        if plan.reads:
            self._reads.extend(plan.reads)
            self._read_more()
        self._fresh = 0
        if desk.hub.has_work:
            self._handle = self._loop.call_soon(self._step)
            return
        self._handle = None
        if self._since_s:
            self._note_times()

    def _note_times(self) -> None:
        """Nothing is left to write: everybody who can take it has what came in since."""
        now_s, since_s, self._since_s = time.monotonic(), self._since_s, {}
        for room, came_s in since_s.items():
            self._desk.metrics.fanned_out(room, (now_s - came_s) * 1000)

    # -- the journal ------------------------------------------------------------------------

    def _read_more(self) -> None:
        while self._reads and len(self._readers) < self._desk.options.journal_reads_at_once:
            task = self._loop.create_task(self._read(self._reads.popleft()))
            self._readers.add(task)
            task.add_done_callback(self._readers.discard)

    async def _read(self, read: JournalRead) -> None:
        desk = self._desk
        desk.metrics.journal_reads += 1
        payloads: list[bytes] = []
        try:
            events = await desk.gateway.history(
                read.key.room, read.key.audience, read.after, read.limit
            )
            for seq, event in enumerate(events[:PAGE_EVENTS], read.after + 1):
                assert event.seq == seq, "the journal is dense"
                payloads.append(frames.event_payload(read.key, read.epoch, event))
        except Exception:
            log.exception("signaling.history_failed")
            payloads = []
        helpless = desk.hub.supply(read, payloads)
        if helpless:
            desk.metrics.journal_failures += 1
            self._give_up(helpless)
        self.schedule()
        # Not from the done callback: that comes a turn later, and many may wait for a page.
        if self._reads:
            self._loop.call_soon(self._read_more)

    def _give_up(self, helpless: list[Subscriber]) -> None:
        """Better cut than partial: they come back and ask again."""
        for subscriber in helpless:
            # One that waits for two pages is gone after the first.
            if isinstance(subscriber.owner, Connection):
                subscriber.owner.end(CloseCode.RESTART, "channel.unavailable")
