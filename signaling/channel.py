"""One channel: its position, its ring, who hears it and how far each has been served (频道).

Pure. Invariant: ``Subscription.sent`` only moves forward within an epoch and only over events that
were put into a frame for that subscriber, in order; so what a subscriber was sent is always a
prefix of the channel from where it began. Read on in hub.py, which decides whose turn it is.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from signaling.codec import ChannelKey
from signaling.frames import events_frame
from signaling.ring import Ring

# One frame of a catch-up: big enough to be quick, small enough to notice a slow reader. The first
# is small, and each may be twice the one before: whoever is cut again and again still gets on.
FRAME_BYTES_MAX: Final = 64 << 10
FIRST_FRAME_BYTES_MAX: Final = 4 << 10
FRAME_EVENTS_MAX: Final = 1024
PAGE_EVENTS: Final = 256
_FRAMES_KEPT: Final = 16
# An epoch no channel ever has: the first visit will say that the epoch changed.
UNKNOWN_EPOCH: Final = -1

Sink = Callable[[bytes], None]


class Subscriber:
    """Somebody who hears channels.

    ``sink`` is where frames for it go and ``owner`` whose it is; pure code touches neither.
    """

    __slots__ = ("is_participant", "is_paused", "owner", "sink", "subscriptions")

    def __init__(self, sink: Sink, *, is_participant: bool, owner: object = None) -> None:
        self.sink = sink
        self.owner = owner
        self.is_participant = is_participant
        self.is_paused = False
        self.subscriptions: dict[ChannelKey, Subscription] = {}


class Subscription:
    """How far ``subscriber`` has been served in ``channel``; how large its next frame may be."""

    __slots__ = ("channel", "epoch", "frame_bytes_max", "is_open", "sent", "subscriber")

    def __init__(self, subscriber: Subscriber, channel: Channel, epoch: int, sent: int) -> None:
        self.subscriber = subscriber
        self.channel = channel
        self.epoch = epoch
        self.sent = sent
        self.is_open = True
        self.frame_bytes_max = FIRST_FRAME_BYTES_MAX if self.is_behind else FRAME_BYTES_MAX

    @property
    def is_behind(self) -> bool:
        return self.sent < self.channel.head or self.epoch != self.channel.epoch


class Lane:
    """The subscribers of one priority, and the lap in progress over them."""

    __slots__ = ("again", "at", "is_queued", "is_stale", "lap", "members")

    def __init__(self) -> None:
        self.members: dict[Subscription, None] = {}
        self.lap: list[Subscription] = []
        self.at = 0
        # Visited already but not yet at the head, or woken one by one.
        self.again: dict[Subscription, None] = {}
        # Something was published since the lap began: everybody needs another visit.
        self.is_stale = False
        self.is_queued = False

    @property
    def has_work(self) -> bool:
        return self.at < len(self.lap) or self.is_stale or bool(self.again)

    def take(self, count_max: int) -> list[Subscription]:
        """The next to be visited, at most ``count_max``."""
        if self.at >= len(self.lap):
            self.lap = list(self.members if self.is_stale else self.again)
            self.at = 0
            self.is_stale = False
            self.again = {}
        part = self.lap[self.at : self.at + count_max]
        self.at += len(part)
        if self.at >= len(self.lap):
            self.lap = []
            self.at = 0
        return part


class Channel:
    """``head``: the last seq anybody may be sent. Pages of the journal stand in for old events."""

    __slots__ = (
        "_made",
        "epoch",
        "head",
        "key",
        "pages",
        "participants",
        "ring",
        "viewers",
        "waiting",
    )

    def __init__(
        self, key: ChannelKey, epoch: int, head: int, *, ring_count_max: int, ring_bytes_max: int
    ) -> None:
        self.key = key
        self.epoch = epoch
        self.head = head
        self.ring = Ring(head + 1, ring_count_max, ring_bytes_max)
        self.pages: dict[int, tuple[bytes, ...]] = {}
        # Who waits for which page: asking twice for one page would help nobody.
        self.waiting: dict[int, dict[Subscription, None]] = {}
        self.participants = Lane()
        self.viewers = Lane()
        self._made: dict[tuple[int, int], tuple[bytes, int]] = {}

    def lane_of(self, subscriber: Subscriber) -> Lane:
        return self.participants if subscriber.is_participant else self.viewers

    @property
    def has_members(self) -> bool:
        return bool(self.participants.members or self.viewers.members)

    def append(self, seq: int, payload: bytes) -> None:
        """The next event. A jump means a bus lost some: the journal will serve those."""
        assert seq > self.head
        if seq != self.head + 1:
            self.ring.restart(seq)
        self.ring.append(seq, payload)
        self.head = seq
        self.mark_stale()

    def reset(self, epoch: int, head: int) -> None:
        """A new epoch: what was sent of the old one is void, everybody begins at 1."""
        assert epoch > self.epoch
        self.epoch = epoch
        self.head = head
        self.ring.restart(head + 1)
        self.pages.clear()
        self.waiting.clear()
        self.mark_stale()

    def mark_stale(self) -> None:
        self._made.clear()
        self.participants.is_stale = True
        self.viewers.is_stale = True

    def next_frame(self, subscription: Subscription) -> bytes | None:
        """What comes next for it, which from now on counts as sent; None: a page of the journal is
        needed first.
        """
        made = self._frame_after(subscription.sent, subscription.frame_bytes_max)
        if made is None:
            return None
        frame, subscription.sent = made
        # Who has come up to the others is served what they are, framed once for all of them.
        is_up = subscription.sent >= self.head
        larger = FRAME_BYTES_MAX if is_up else 2 * subscription.frame_bytes_max
        subscription.frame_bytes_max = min(larger, FRAME_BYTES_MAX)
        return frame

    def _frame_after(self, sent: int, bytes_max: int) -> tuple[bytes, int] | None:
        """(frame, last seq in it), built once for all who stand at the same place."""
        made = self._made.get((sent, bytes_max))
        if made is None:
            payloads = self.payloads_after(sent, FRAME_EVENTS_MAX, bytes_max)
            if not payloads:
                return None
            made = events_frame(payloads), sent + len(payloads)
            if len(self._made) >= _FRAMES_KEPT:
                del self._made[next(iter(self._made))]
            self._made[sent, bytes_max] = made
        return made

    def payloads_after(
        self, sent: int, count_max: int = FRAME_EVENTS_MAX, bytes_max: int = FRAME_BYTES_MAX
    ) -> list[bytes]:
        """Encoded events after ``sent`` from the ring or a page held; empty: not held here."""
        if sent + 1 >= self.ring.first:
            return self.ring.after(sent, count_max, bytes_max)
        page = self.pages.get(sent // PAGE_EVENTS, ())
        taken: list[bytes] = []
        size = 0
        for payload in page[sent % PAGE_EVENTS :]:
            size += len(payload)
            if taken and (size > bytes_max or len(taken) >= count_max):
                break
            taken.append(payload)
        return taken

    def keep_page(self, page: int, payloads: tuple[bytes, ...]) -> list[Subscription]:
        """Put a page of the journal in place. Returns the waiters it cannot help.

        Events beyond ``head`` are durable but not announced yet: their turn comes by ``append``.
        """
        self.pages[page] = payloads[: max(0, self.head - page * PAGE_EVENTS)]
        helpless: list[Subscription] = []
        for subscription in self.waiting.pop(page, {}):
            if not subscription.is_open:
                continue
            sent = subscription.sent
            is_of_page = sent < self.head and sent // PAGE_EVENTS == page
            if is_of_page and not self.payloads_after(sent):
                helpless.append(subscription)
            else:
                self.lane_of(subscription.subscriber).again[subscription] = None
        return helpless
