"""Counts leave in portions, between whatever is urgent, and reach everybody who reads."""

import asyncio
from collections import Counter

import pytest

from signaling.channel import Subscriber
from signaling.codec import ChannelKey, Position
from signaling.desk import Desk
from signaling.fanout import FanOut
from signaling.frames import event_payload, presence
from signaling.gateway import Event
from signaling.options import Options
from signaling.pass_clock import PassClock
from signaling.presence import PORTION_MIN, PORTIONS, Presence

ROOM = "tender:1"
KEY = ChannelKey(ROOM, "hall")
MANY = 12 * PORTIONS
COUNTS = {"viewers": MANY}


class Counting:
    """A gateway that can count, and nothing else."""

    def presence(self, room):
        assert room == ROOM
        return COUNTS


@pytest.fixture
async def desk():
    return Desk(Options(origins=(None,)), Counting(), PassClock(asyncio.get_running_loop()))


@pytest.fixture
async def shown(desk):
    made = Presence(desk, asyncio.get_running_loop())
    yield made
    made.close()


def listeners(desk, count, told):
    desk.hub.open(KEY, 1, 0)
    return [a_listener(desk, n, lambda frame, n=n: told.append((n, frame))) for n in range(count)]


def a_listener(desk, name, sink):
    subscriber = Subscriber(sink, is_participant=False)
    subscriber.owner = name
    desk.hub.subscribe(subscriber, Position(KEY, 0, 0), 0)
    return subscriber


async def until_still(told):
    """Nobody was told anything for a while."""
    before = -1
    while before != len(told):
        before = len(told)
        await asyncio.sleep(0.1)


async def test_everybody_is_told_once_and_few_at_a_time(desk, shown):
    told = []
    everybody = listeners(desk, MANY, told)
    desk.changed_rooms[ROOM] = []
    shown.show()
    assert len(told) == MANY // PORTIONS
    everybody[MANY - 1].is_paused = True
    desk.hub.unsubscribe(everybody[MANY - 2], KEY)
    await until_still(told)
    assert Counter(told) == Counter((n, presence(ROOM, COUNTS)) for n in range(MANY - 2))


async def test_the_same_counts_are_told_only_to_who_came(desk, shown):
    told = []
    listeners(desk, 3, told)
    for newcomers in ([], []):
        desk.changed_rooms[ROOM] = newcomers
        shown.show()
        await until_still(told)
    assert [name for name, _ in told] == [0, 1, 2]
    desk.changed_rooms[ROOM] = [a_listener(desk, 3, lambda frame: told.append((3, frame)))]
    shown.show()
    await until_still(told)
    assert [name for name, _ in told] == [0, 1, 2, 3]


async def test_an_event_does_not_wait_for_the_counts(desk, shown):
    told = []
    listeners(desk, MANY, told)
    fanout = FanOut(desk, asyncio.get_running_loop())
    desk.changed_rooms[ROOM] = []
    shown.show()
    fanout.deliver(KEY, 1, 1, event_payload(KEY, 1, Event(1, 1, "said", b"\xc0", bytes(32))))
    await until_still(told)
    counts = presence(ROOM, COUNTS)
    places = [n for n, (_, frame) in enumerate(told) if frame == counts]
    assert len(places) == MANY
    assert len(told) == 2 * MANY
    assert places[MANY // 2] > MANY
    await fanout.close()


async def test_a_transport_on_its_way_out_keeps_nobody_from_the_counts(desk, shown):
    told = []

    def broken(frame):
        raise RuntimeError("gone")

    desk.hub.open(KEY, 1, 0)
    a_listener(desk, "broken", broken)
    listeners(desk, PORTION_MIN, told)
    desk.changed_rooms[ROOM] = []
    shown.show()
    await until_still(told)
    assert len(told) == PORTION_MIN


async def test_after_its_end_nobody_is_told(desk, shown):
    told = []
    listeners(desk, MANY, told)
    desk.changed_rooms[ROOM] = []
    shown.show()
    shown.close()
    await until_still(told)
    assert len(told) == MANY // PORTIONS
