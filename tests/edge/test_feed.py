"""An edge's feed against a bus that loses, repeats and delays: what is heard is the journal."""

import asyncio

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from server.edge.feed import Feed
from server.edge.gateway import EdgeGateway
from server.edge.positions import Positions
from server.http.edge_client import HeadsTold, OwnerAway
from signaling.codec import ChannelKey, pack
from signaling.frames import event_payload
from signaling.gateway import AdmissionRefused, Command, Event, PeerAddress

ROOM = "opening:17"
KEY = ChannelKey(ROOM, "hall")


class Bus:
    """A broker's hearing side; delivers what the test hands it, while it is followed."""

    def __init__(self):
        self.deliver = None
        self.followed = {}
        self.is_heard = True
        self.is_closed = False

    def attach(self, deliver):
        self.deliver = deliver

    def follow(self, key, epoch, seq):
        self.followed[key] = (epoch, seq)

    def unfollow(self, key):
        self.followed.pop(key, None)

    async def close(self):
        self.is_closed = True

    def bring(self, epoch, seq):
        if KEY in self.followed:
            self.deliver(KEY, epoch, seq, payload_of(epoch, seq))


class Owner:
    """A journal: how many events one channel has, of which history."""

    def __init__(self, count=0, epoch=1):
        self.count, self.epoch, self.is_away, self.asked = count, epoch, False, 0

    def told(self):
        return HeadsTold("boot", self.count, self.epoch, {ROOM: self.count})

    async def page(self, room, audience, epoch, after, limit):
        self.asked += 1
        if self.is_away or epoch != self.epoch:
            raise OwnerAway("away")
        return [event_of(seq) for seq in range(after + 1, min(self.count, after + limit) + 1)]


def event_of(seq):
    return Event(seq, 1_700_000_000_000 + seq, "said", pack({"n": seq}), bytes(32))


def payload_of(epoch, seq):
    return event_payload(KEY, epoch, event_of(seq))


class Site:
    """One edge's parts before an owner and a bus."""

    def __init__(self, count=0):
        self.owner, self.bus, self.positions = Owner(count), Bus(), Positions()
        self.feed = Feed(self.bus, self.owner, self.positions)
        self.heard = []
        self.feed.attach(lambda key, epoch, seq, payload: self.heard.append((epoch, seq, payload)))
        self.positions.take(self.owner.told())

    async def look(self):
        self.positions.take(self.owner.told())
        await self.feed.look()

    def expected(self, first, epoch=1):
        return [(epoch, n, payload_of(epoch, n)) for n in range(first, self.owner.count + 1)]


STEPS = st.lists(
    st.one_of(
        st.sampled_from(["say", "say and lose", "look", "leave", "come", "repeat", "old", "away"]),
        st.integers(1, 300),
    ),
    max_size=40,
)


@given(STEPS, st.integers(0, 5))
@settings(max_examples=150, deadline=None)
def test_whatever_the_bus_loses_two_looks_later_everything_was_heard_once(steps, before):
    async def play():
        site = Site(before)
        site.feed.follow(KEY)
        for step in steps:
            match step:
                case "say" | "say and lose":
                    site.owner.count += 1
                    if step == "say" and site.bus.is_heard:
                        site.bus.bring(1, site.owner.count)
                case int():
                    site.owner.count += step  # while nobody could hear it
                case "repeat" if site.owner.count:
                    site.bus.bring(1, max(1, site.owner.count - 1))
                case "old":
                    site.bus.bring(0, site.owner.count + 5)
                case "leave":
                    site.feed.unfollow(KEY)
                case "come":
                    site.feed.follow(KEY)
                case "away":
                    site.bus.is_heard = not site.bus.is_heard
                case "look":
                    await site.look()
        site.feed.follow(KEY)
        await site.look()
        await site.look()
        seqs = [(epoch, seq) for epoch, seq, _ in site.heard]
        assert seqs == sorted(set(seqs))
        # What a jump left out is the hub's to ask for, from the journal, as ever.
        assert not seqs or seqs[-1] == (1, site.owner.count)
        assert site.owner.count == before or seqs

    asyncio.run(play())


async def test_the_end_of_a_channel_that_was_lost_is_fetched_at_the_second_look():
    site = Site(3)
    site.feed.follow(KEY)
    site.owner.count = 6
    await site.look()
    assert site.owner.asked == 0, "it may be on its way"
    await site.look()
    assert site.heard == site.expected(4)
    assert (site.feed.from_redis, site.feed.from_journal) == (0, 3)


async def test_while_the_bus_is_silent_the_owner_is_asked_at_once():
    site = Site(3)
    site.feed.follow(KEY)
    site.bus.is_heard = False
    site.owner.count = 700
    await site.look()
    assert site.heard == site.expected(4)


async def test_an_owner_that_is_away_is_asked_again_at_the_next_look():
    site = Site(3)
    site.feed.follow(KEY)
    site.owner.count, site.owner.is_away, site.bus.is_heard = 5, True, False
    await site.look()
    assert site.heard == []
    site.owner.is_away = False
    await site.look()
    assert site.heard == site.expected(4)


async def test_what_comes_both_ways_is_heard_once():
    site = Site(3)
    site.feed.follow(KEY)
    site.owner.count, site.bus.is_heard = 5, False
    await site.look()
    site.bus.bring(1, 4)
    site.bus.bring(1, 5)
    assert site.heard == site.expected(4)


async def test_another_history_is_heard_from_its_first_event_and_the_old_one_never_again():
    site = Site(3)
    site.feed.follow(KEY)
    site.bus.bring(1, 4)
    site.owner.epoch, site.owner.count = 2, 2
    await site.look()
    await site.look()
    site.bus.bring(1, 9)
    assert [(epoch, seq) for epoch, seq, _ in site.heard] == [(1, 4), (2, 1), (2, 2)]
    assert site.feed.epoch_of(KEY) == 2


async def test_who_comes_back_to_a_channel_gets_what_was_missed_meanwhile():
    site = Site(3)
    site.feed.follow(KEY)
    site.feed.unfollow(KEY)
    assert site.bus.followed == {}
    site.owner.count = 8
    site.positions.take(site.owner.told())
    site.feed.follow(KEY)
    assert site.bus.followed == {KEY: (1, 3)}
    await site.look()
    assert site.heard == site.expected(4)


async def test_an_edge_takes_viewers_only_and_no_command():
    site = Site(3)
    gateway = EdgeGateway(site.owner, site.positions, site.feed)
    peer = PeerAddress("192.0.2.1", None)
    with pytest.raises(AdmissionRefused) as refused:
        gateway.admit("a ticket", peer)
    assert refused.value.code == "edge.viewers_only"
    viewer = gateway.admit(None, peer)
    assert not viewer.is_participant
    answers = []
    command = Command(ROOM, "card_unlock", {}, "12345678", 1, 0)
    gateway.command(viewer, command, answers.append)
    assert [(a.code, a.is_retryable) for a in answers] == [("edge.viewers_only", False)]
    assert gateway.may_subscribe(viewer, ROOM, "hall")
    assert not gateway.may_subscribe(viewer, ROOM, "staff")
    assert not gateway.may_subscribe(viewer, ROOM, "party:X")
    assert gateway.position(ROOM, "hall") == (1, 3)
    assert gateway.position("opening:other", "hall") is None


async def test_a_channel_is_followed_as_long_as_somebody_is_in_its_room():
    site = Site(3)
    gateway = EdgeGateway(site.owner, site.positions, site.feed)
    viewer = gateway.admit(None, PeerAddress("192.0.2.1", None))
    gateway.joined(viewer, ROOM)
    gateway.joined(viewer, ROOM)
    assert (gateway.members, set(site.bus.followed)) == ({ROOM: 2}, {KEY})
    gateway.left(viewer, ROOM)
    assert set(site.bus.followed) == {KEY}
    gateway.left(viewer, ROOM)
    assert (gateway.members, site.bus.followed) == ({}, {})


async def test_a_page_of_history_waits_for_an_owner_that_is_being_started_again(monkeypatch):
    monkeypatch.setattr("server.edge.gateway.AGAIN_S", 0.01)
    site = Site(3)
    gateway = EdgeGateway(site.owner, site.positions, site.feed)
    gateway.joined(gateway.admit(None, PeerAddress("192.0.2.1", None)), ROOM)
    site.owner.is_away = True
    page = asyncio.ensure_future(gateway.history(ROOM, "hall", 0, 10))
    async with asyncio.timeout(60):
        while site.owner.asked < 3:  # noqa: ASYNC110 - it tells nobody
            await asyncio.sleep(0.01)
    site.owner.is_away = False
    assert await page == [event_of(1), event_of(2), event_of(3)]


async def test_a_page_of_another_history_than_its_viewers_hear_is_not_given(monkeypatch):
    monkeypatch.setattr("server.edge.gateway.AGAIN_S", 0.01)
    monkeypatch.setattr("server.edge.gateway.HISTORY_WITHIN_S", 0.1)
    site = Site(3)
    gateway = EdgeGateway(site.owner, site.positions, site.feed)
    gateway.joined(gateway.admit(None, PeerAddress("192.0.2.1", None)), ROOM)
    site.owner.epoch = 2
    with pytest.raises(TimeoutError):
        await gateway.history(ROOM, "hall", 0, 10)
