"""How many are here (在场人数): once a second, to whoever hears a room whose counts changed.

Invariant: nobody's answer and no event waits for it. It has a second's time, so it leaves in small
portions over half of one; a frame to a thousand bidders at once is 12 ms in which their halves
would lie in their sockets. Who is paused does not get it: the next one says it all again.
"""

from __future__ import annotations

import asyncio
import logging
from collections import deque
from typing import Any, Final

from signaling import frames
from signaling.channel import Subscriber
from signaling.desk import Desk

PAUSE_S: Final = 0.005
PORTIONS: Final = 100
PORTION_MIN: Final = 8

log = logging.getLogger(__name__)


class Presence:
    """Asked by the sweep; has a timer of its own while anybody is still to be told."""

    def __init__(self, desk: Desk, loop: asyncio.AbstractEventLoop) -> None:
        self._desk = desk
        self._loop = loop
        self._shown: dict[str, dict[str, Any]] = {}
        self._waiting: deque[tuple[Subscriber, bytes]] = deque()
        self._portion = PORTION_MIN
        self._timer: asyncio.TimerHandle | None = None

    def show(self) -> None:
        """Rooms whose members changed get their counts, where they may be shown."""
        desk = self._desk
        changed, desk.changed_rooms = desk.changed_rooms, {}
        for room, newcomers in changed.items():
            counts = desk.gateway.presence(room)
            if counts is None or desk.hub.members(room) == (0, 0):
                self._shown.pop(room, None)
                continue
            receivers = newcomers
            if counts != self._shown.get(room):
                self._shown[room] = dict(counts)
                receivers = desk.hub.everybody(room)
            frame = frames.presence(room, counts)
            self._waiting.extend((subscriber, frame) for subscriber in receivers)
        self._portion = max(PORTION_MIN, -(-len(self._waiting) // PORTIONS))
        if self._timer is None:
            self._tell()

    def close(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        self._waiting.clear()

    def _tell(self) -> None:
        self._timer = None
        for _ in range(min(self._portion, len(self._waiting))):
            subscriber, frame = self._waiting.popleft()
            if subscriber.is_paused or not subscriber.subscriptions:
                continue
            try:
                subscriber.sink(frame)
            except Exception:
                # A transport on its way out; everybody else's frames must go on.
                log.exception("signaling.write_failed")
        if self._waiting:
            self._timer = self._loop.call_later(PAUSE_S, self._tell)
