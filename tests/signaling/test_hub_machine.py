"""Whatever happens to lines, readers, buses, epochs: a client hears exactly the prefix, in order.

The hub and the client's feed are the real ones; between them is a list of frames per client.
"""

from collections import Counter

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from signaling.channel import PAGE_EVENTS, Subscriber
from signaling.codec import ChannelKey, Position, pack, unpack_server_frame
from signaling.feed import Feed, Heard, HeardEvent
from signaling.frames import event_payload
from signaling.gateway import Event
from signaling.hub import Hub, HubLimits

KEYS = [ChannelKey("tender:1", "hall"), ChannelKey("tender:1", "staff")]
CLIENTS = range(4)
clients = st.sampled_from(CLIENTS)
keys = st.sampled_from(KEYS)


def payload_of(frame):
    """The msgpack inside a server's WebSocket frame."""
    length = frame[1]
    return frame[{126: 4, 127: 10}.get(length, 2) :]


class ModelClient:
    """What a client knows: its feeds, and every (epoch, seq, value) they let through."""

    def __init__(self, is_participant):
        self.is_participant = is_participant
        self.subscriber = None
        self.has_left = False
        self.wire = []
        self.heard = {key: [] for key in KEYS}
        self.feeds = {key: Feed(key, self.heard[key].append) for key in KEYS}

    def connect(self):
        self.wire = []
        self.subscriber = Subscriber(self.wire.append, is_participant=self.is_participant)

    def read(self):
        """Take the oldest frame off the wire. Returns the channel to be asked for again."""
        frame = unpack_server_frame(payload_of(self.wire.pop(0)))
        if frame[0] == "err":
            key = ChannelKey(frame[5]["room"], frame[5]["audience"])
            assert frame[3] == "channel.epoch_changed"
            self.feeds[key].restart(frame[5]["epoch"], frame[5]["seq"])
            return None
        for _, room, audience, *rest in frame[1] if frame[0] == "batch" else [frame]:
            feed = self.feeds[ChannelKey(room, audience)]
            event = HeardEvent(*rest)
            if feed.take(event) is Heard.GAP:
                # Only for who left, and came back without a position, across a new epoch.
                assert event.epoch != feed.epoch
                assert self.has_left
                return feed.key
        return None


class HubMachine(RuleBasedStateMachine):
    """Small rings and few pages, so that the journal is needed often."""

    @initialize(ring=st.integers(1, 8), pages=st.integers(1, 3), before=st.integers(0, 600))
    def begin(self, ring, pages, before):
        self.hub = Hub(HubLimits(ring_count_max=ring, rings_bytes_max=600, pages_max=pages))
        self.epoch = dict.fromkeys(KEYS, 1)
        self.journal = {key: [f"{key.audience}-{n}" for n in range(before)] for key in KEYS}
        self.all_journals = {(key, 1): self.journal[key] for key in KEYS}
        self.clients = [ModelClient(is_participant=n < 2) for n in CLIENTS]
        for client in self.clients:
            client.connect()
        self.reads = []
        self.said = 0

    def event(self, key, seq):
        body = pack(self.journal[key][seq - 1])
        return Event(seq, seq, "said", body, b"h")

    def announce(self, key, seq):
        payload = event_payload(key, self.epoch[key], self.event(key, seq))
        self.hub.publish(key, self.epoch[key], seq, payload)

    def append(self, key):
        self.said += 1
        self.journal[key].append(f"{key.audience}-said-{self.said}")
        return len(self.journal[key])

    # -- what rooms and buses do

    @rule(key=keys, count=st.integers(1, 12))
    def say(self, key, count):
        for _ in range(count):
            self.announce(key, self.append(key))

    @rule(key=keys)
    def say_but_lose_the_announcement(self, key):
        self.append(key)

    @rule(key=keys, back=st.integers(1, 5))
    def announce_again(self, key, back):
        if len(self.journal[key]) >= back:
            self.announce(key, len(self.journal[key]) - back + 1)

    @rule(key=keys)
    def announce_of_an_older_epoch(self, key):
        if self.hub.channel(key) is not None and self.journal[key]:
            payload = event_payload(key, 0, self.event(key, len(self.journal[key])))
            assert not self.hub.publish(key, 0, len(self.journal[key]) + 1, payload)

    @rule(key=keys, lost=st.integers(0, 20))
    def restore_from_a_backup(self, key, lost):
        kept = self.journal[key][: max(0, len(self.journal[key]) - lost)]
        self.epoch[key] += 1
        self.journal[key] = list(kept)
        self.all_journals[key, self.epoch[key]] = self.journal[key]
        self.announce(key, self.append(key))

    # -- what clients and their lines do

    @rule(client=clients, key=keys)
    def subscribe(self, client, key):
        client = self.clients[client]
        feed = client.feeds[key]
        self.hub.open(key, self.epoch[key], len(self.journal[key]))
        position = Position(key, feed.epoch, feed.seq)
        self.hub.subscribe(client.subscriber, position, len(self.journal[key]))

    @rule(client=clients, key=keys)
    def unsubscribe(self, client, key):
        client = self.clients[client]
        client.has_left = True
        # What is on the wire still arrives.
        self.hub.unsubscribe(client.subscriber, key)

    @rule(client=clients)
    def cut(self, client):
        client = self.clients[client]
        for key in list(client.subscriber.subscriptions):
            self.hub.unsubscribe(client.subscriber, key)
        client.connect()

    @rule(client=clients)
    def stop_reading(self, client):
        self.hub.pause(self.clients[client].subscriber)

    @rule(client=clients)
    def read_on(self, client):
        self.hub.resume(self.clients[client].subscriber)

    @rule(client=clients, count=st.integers(1, 10))
    def frames_arrive(self, client, count):
        for _ in range(min(count, len(self.clients[client].wire))):
            self.arrive(client)

    def arrive(self, client):
        gap = self.clients[client].read()
        if gap is not None:
            self.subscribe(client, gap)

    # -- what the shell does

    @rule(count_max=st.integers(1, 6))
    def step(self, count_max):
        plan = self.hub.next_slice(count_max)
        paused = {c.subscriber.sink for c in self.clients if c.subscriber.is_paused}
        per_sink = Counter(id(sink) for sink, _ in plan.writes)
        # Per channel one event frame, and perhaps the word that its epoch changed.
        assert all(count <= 2 * len(KEYS) for count in per_sink.values())
        current = {client.subscriber.sink: client.subscriber for client in self.clients}
        for sink, frame in plan.writes:
            assert sink not in paused
            # Whoever is written to is still there, and still hears that channel.
            parts = unpack_server_frame(payload_of(frame))
            if parts[0] == "err":
                key = ChannelKey(parts[5]["room"], parts[5]["audience"])
            else:
                key = ChannelKey(*(parts[1][0] if parts[0] == "batch" else parts)[1:3])
            assert key in current[sink].subscriptions
            sink(frame)
        self.reads.extend(plan.reads)

    @precondition(lambda self: self.reads)
    @rule(at=st.integers(0, 10))
    def a_page_comes(self, at):
        read = self.reads.pop(at % len(self.reads))
        self.supply(read)

    def supply(self, read):
        assert read.limit == PAGE_EVENTS
        journal = self.journal[read.key]
        payloads = [
            event_payload(read.key, read.epoch, self.event(read.key, seq))
            for seq in range(read.after + 1, min(len(journal), read.after + read.limit) + 1)
        ]
        assert self.hub.supply(read, payloads) == []

    # -- what must hold

    @invariant()
    def everybody_heard_exactly_a_prefix(self):
        for client in getattr(self, "clients", ()):
            for key in KEYS:
                heard = client.heard[key]
                for event, before in zip(heard, [None, *heard], strict=False):
                    begins = before is None or event.epoch > before.epoch
                    assert event.seq == (1 if begins else before.seq + 1)
                    assert event.body == self.all_journals[key, event.epoch][event.seq - 1]

    @invariant()
    def nobody_is_sent_what_was_not_announced(self):
        for client in getattr(self, "clients", ()):
            for key, subscription in client.subscriber.subscriptions.items():
                channel = self.hub.channel(key)
                if subscription.epoch == channel.epoch:
                    assert subscription.sent <= max(channel.head, client.feeds[key].seq)

    def teardown(self):
        """In the end, with everybody reading, everybody has everything."""
        if not hasattr(self, "clients"):
            return
        for key in KEYS:
            self.announce(key, self.append(key))
        self.settle()
        for client in self.clients:
            self.hub.resume(client.subscriber)
        self.settle()
        for client in self.clients:
            for key, subscription in client.subscriber.subscriptions.items():
                assert subscription.sent == len(self.journal[key])
                last = [event for event in client.heard[key] if event.epoch == self.epoch[key]]
                assert [event.body for event in last] == self.journal[key]
        self.everybody_heard_exactly_a_prefix()

    def settle(self):
        """Until the hub has nothing more to say."""
        for _ in range(10_000):
            if not (self.hub.has_work or self.reads):
                return
            self.step(50)
            while self.reads:
                self.supply(self.reads.pop())
            for client in CLIENTS:
                while self.clients[client].wire:
                    self.arrive(client)
        raise AssertionError("the hub never rests")


HubMachine.TestCase.settings = settings(
    max_examples=300,
    stateful_step_count=60,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much],
)
test_whatever_happens_everybody_hears_exactly_the_prefix = HubMachine.TestCase


@pytest.mark.slow
def test_whatever_happens_at_length():
    state = settings(HubMachine.TestCase.settings, max_examples=500, stateful_step_count=100)
    run_state_machine_as_test(HubMachine, settings=state)
