"""Who is to be sent what, in which order (扇出计划). Says "send x to y", sends nothing.

Pure: no clock, no sockets. The shell publishes into the hub, asks ``next_slice`` for at most N
writes, performs them, yields to the loop and asks again. Invariants: participants are served
before viewers; a subscriber gets at most one event frame per channel and slice, so that a
transport which fills up is noticed; nothing is ever queued per subscriber. What a channel keeps:
channel.py.

Measured (`python -m loadtests.costs`, 2026-11-22): 0.35 us of CPU a viewer and event; the write
itself is fanout.py's.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from typing import Final, NamedTuple

from signaling.channel import PAGE_EVENTS, UNKNOWN_EPOCH, Channel, Lane, Sink, Subscriber
from signaling.channel import Subscription as Subscription
from signaling.codec import ChannelKey, Position
from signaling.frames import channel_err
from signaling.membership import Membership

# A frame above it is the last one that an answer takes along.
REST_BYTES_MAX: Final = 16 << 10
# Viewers get the first word in one slice of four, or a busy opening would starve them.
_TURNS_PER_VIEWERS_FIRST: Final = 4


class HubLimits(NamedTuple):
    """How much of the channels is held in memory; the rest is the journal's."""

    ring_count_max: int = 4096
    ring_bytes_max: int = 8 << 20
    rings_bytes_max: int = 64 << 20
    channels_max: int = 20_000
    pages_max: int = 64


class JournalRead(NamedTuple):
    """A page that somebody waits for: up to ``limit`` events with seq > ``after``."""

    key: ChannelKey
    epoch: int
    after: int
    limit: int


class Slice(NamedTuple):
    """Frames to write now, in this order, and pages to read."""

    writes: list[tuple[Sink, bytes]]
    reads: list[JournalRead]


class Hub:
    """All channels of this process."""

    def __init__(self, limits: HubLimits | None = None) -> None:
        self._limits = limits or HubLimits()
        # Least recently published first: those rings are given up first.
        self._channels: dict[ChannelKey, Channel] = {}
        self._membership = Membership()
        self._urgent: deque[tuple[Channel, Lane]] = deque()
        self._relaxed: deque[tuple[Channel, Lane]] = deque()
        self._pages: dict[tuple[ChannelKey, int], None] = {}
        self._rings_bytes = 0
        self._turn = 0

    # -- channels ---------------------------------------------------------------------------

    def channel(self, key: ChannelKey) -> Channel | None:
        return self._channels.get(key)

    def open(self, key: ChannelKey, epoch: int, head: int) -> Channel:
        """The channel as the journal knows it: created, or brought to a newer epoch."""
        channel = self._channels.get(key)
        if channel is None:
            if len(self._channels) >= self._limits.channels_max:
                self._give_up_channel()
            channel = self._channels[key] = Channel(
                key,
                epoch,
                head,
                ring_count_max=self._limits.ring_count_max,
                ring_bytes_max=self._limits.ring_bytes_max,
            )
        elif epoch > channel.epoch:
            self._rings_bytes -= channel.ring.size_bytes
            channel.reset(epoch, head)
            self._enqueue_all(channel)
        return channel

    def publish(self, key: ChannelKey, epoch: int, seq: int, payload: bytes) -> bool:
        """Take a durable event in. False: it is of an older epoch, or known already."""
        assert seq >= 1
        channel = self.open(key, epoch, seq - 1)
        if epoch < channel.epoch or seq <= channel.head:
            return False
        before = channel.ring.size_bytes
        channel.append(seq, payload)
        self._rings_bytes += channel.ring.size_bytes - before
        self._channels[key] = self._channels.pop(key)
        self._enqueue_all(channel)
        if self._rings_bytes > self._limits.rings_bytes_max:
            self._give_up_rings(channel)
        return True

    # -- subscribers ------------------------------------------------------------------------

    def subscribe(self, subscriber: Subscriber, position: Position, durable_seq: int) -> bool:
        """Serve ``subscriber`` from ``position`` on. True: it is new to the room.

        The channel must be open. Who hears it already is served again from ``position``. A
        position of another epoch, or beyond what the journal holds (``durable_seq``), is void: the
        subscriber is told and served from 1.
        """
        channel = self._channels[position.key]
        before = subscriber.subscriptions.get(position.key)
        if before is not None:
            self._close(before)
        epoch, sent = position.epoch, position.seq
        if epoch == 0 and sent == 0:
            epoch = channel.epoch
        elif epoch != channel.epoch or sent > max(channel.head, durable_seq):
            epoch, sent = UNKNOWN_EPOCH, 0
        if before is not None and before.epoch != channel.epoch:
            # Events of the old epoch may be on their way to it: the word must come after them.
            epoch = UNKNOWN_EPOCH
        subscription = Subscription(subscriber, channel, epoch, sent)
        subscriber.subscriptions[position.key] = subscription
        channel.lane_of(subscriber).members[subscription] = None
        self._wake(subscription)
        if before is not None:
            return False
        return self._membership.enter(subscriber, position.key.room)

    def unsubscribe(self, subscriber: Subscriber, key: ChannelKey) -> bool:
        """Stop. True: it now hears nothing of the room."""
        subscription = subscriber.subscriptions.pop(key, None)
        if subscription is None:
            return False
        self._close(subscription)
        return self._membership.leave(subscriber, key.room)

    def pause(self, subscriber: Subscriber) -> None:
        """Its transport is full: nothing more is pushed to it."""
        subscriber.is_paused = True

    def resume(self, subscriber: Subscriber) -> None:
        """Its transport has drained: it is served again from where it stands."""
        subscriber.is_paused = False
        for subscription in subscriber.subscriptions.values():
            if subscription.is_behind:
                self._wake(subscription)

    def members(self, room: str) -> tuple[int, int]:
        """(participants, viewers): connections that hear ``room``."""
        return self._membership.counts(room)

    def everybody(self, room: str) -> list[Subscriber]:
        """All who hear anything of ``room``."""
        return self._membership.everybody(room)

    def rest_of(self, subscriber: Subscriber) -> list[bytes]:
        """Frames with what its channels hold for it now, to leave in one write with its answer. A
        lap that comes by later finds it served.
        """
        rest: list[bytes] = []
        if subscriber.is_paused:
            return rest
        for subscription in subscriber.subscriptions.values():
            channel = subscription.channel
            if subscription.sent >= channel.head or subscription.epoch != channel.epoch:
                continue
            frame = channel.next_frame(subscription)
            if frame is None:
                continue  # the journal's; it comes with the lap
            rest.append(frame)
            if len(frame) > REST_BYTES_MAX:
                break  # so that a transport which fills up is noticed
        return rest

    # -- the plan ---------------------------------------------------------------------------

    @property
    def has_work(self) -> bool:
        return bool(self._urgent or self._relaxed)

    def next_slice(self, count_max: int) -> Slice:
        """At most about ``count_max`` writes, the most urgent first."""
        plan = Slice([], [])
        self._turn += 1
        queues = [self._urgent, self._relaxed]
        if self._turn % _TURNS_PER_VIEWERS_FIRST == 0:
            queues.reverse()
        for queue in queues:
            for _ in range(len(queue)):
                if len(plan.writes) >= count_max:
                    return plan
                channel, lane = queue[0]
                part = lane.take(count_max - len(plan.writes))
                self._serve(channel, lane, part, plan)
                if lane.has_work:
                    queue.rotate(-1)
                else:
                    lane.is_queued = False
                    queue.popleft()
        return plan

    def supply(self, read: JournalRead, payloads: Sequence[bytes]) -> list[Subscriber]:
        """Hand in a page asked for. Returns those it cannot serve: the journal has a hole."""
        channel = self._channels.get(read.key)
        if channel is None or channel.epoch != read.epoch:
            return []
        page = read.after // PAGE_EVENTS
        helpless = channel.keep_page(page, tuple(payloads))
        self._pages.pop((read.key, page), None)
        self._pages[read.key, page] = None
        if len(self._pages) > self._limits.pages_max:
            oldest_key, oldest_page = next(iter(self._pages))
            del self._pages[oldest_key, oldest_page]
            if (oldest_channel := self._channels.get(oldest_key)) is not None:
                oldest_channel.pages.pop(oldest_page, None)
        self._enqueue_all(channel)
        return [subscription.subscriber for subscription in helpless]

    def _serve(
        self, channel: Channel, lane: Lane, part: Sequence[Subscription], plan: Slice
    ) -> None:
        writes = plan.writes
        for subscription in part:
            subscriber = subscription.subscriber
            if subscriber.is_paused or not subscription.is_open:
                continue
            if subscription.epoch != channel.epoch:
                # ``seq`` tells a client that knows this epoch whether it knows too much of it.
                frame = channel_err(
                    channel.key, "channel.epoch_changed", epoch=channel.epoch, seq=channel.head
                )
                writes.append((subscriber.sink, frame))
                subscription.epoch = channel.epoch
                subscription.sent = 0
            if subscription.sent >= channel.head:
                continue
            frame = channel.next_frame(subscription)
            if frame is None:
                self._await_page(subscription, channel, plan)
                continue
            writes.append((subscriber.sink, frame))
            if subscription.sent < channel.head:
                lane.again[subscription] = None

    def _await_page(self, subscription: Subscription, channel: Channel, plan: Slice) -> None:
        page = subscription.sent // PAGE_EVENTS
        if page not in channel.waiting:
            channel.waiting[page] = {}
            plan.reads.append(
                JournalRead(channel.key, channel.epoch, page * PAGE_EVENTS, PAGE_EVENTS)
            )
        channel.waiting[page][subscription] = None

    def _close(self, subscription: Subscription) -> None:
        subscription.is_open = False
        lane = subscription.channel.lane_of(subscription.subscriber)
        lane.members.pop(subscription, None)
        lane.again.pop(subscription, None)

    def _wake(self, subscription: Subscription) -> None:
        lane = subscription.channel.lane_of(subscription.subscriber)
        lane.again[subscription] = None
        self._enqueue(subscription.channel, lane)

    def _enqueue_all(self, channel: Channel) -> None:
        self._enqueue(channel, channel.participants)
        self._enqueue(channel, channel.viewers)

    def _enqueue(self, channel: Channel, lane: Lane) -> None:
        if lane.is_queued or not lane.has_work:
            return
        if not lane.members:
            lane.is_stale = False
            return
        lane.is_queued = True
        (self._urgent if lane is channel.participants else self._relaxed).append((channel, lane))

    def _give_up_rings(self, newest: Channel) -> None:
        """Free the rings that were published to longest ago; the journal can serve them all."""
        for channel in list(self._channels.values()):
            if self._rings_bytes <= self._limits.rings_bytes_max or channel is newest:
                return
            self._rings_bytes -= channel.ring.size_bytes
            channel.ring.restart(channel.head + 1)

    def _give_up_channel(self) -> None:
        """Forget the channel without listeners that was published to longest ago."""
        for key, channel in self._channels.items():
            if not channel.has_members:
                self._rings_bytes -= channel.ring.size_bytes
                del self._channels[key]
                return
