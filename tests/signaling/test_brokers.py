"""What every broker promises, of the one in memory and of the one on a real Redis."""

import asyncio
from contextlib import asynccontextmanager

import pytest

from loadtests.redis_process import RedisProcess
from signaling.broker_memory import MemoryBroker
from signaling.broker_redis import RedisBroker
from signaling.broker_relay import RelayBroker
from signaling.codec import ChannelKey, pack
from signaling.frames import event_payload
from signaling.gateway import Event
from signaling.hub import Hub

HALL = ChannelKey("opening:17", "hall")
OTHER = ChannelKey("tender:17", "hall")


@pytest.fixture(scope="module")
def redis():
    with RedisProcess() as redis:
        yield redis


@pytest.fixture
async def emptied(redis):
    """The same server, as after a start; nobody reads while it is emptied."""
    broker = RedisBroker(redis.url)
    await broker._redis.flushall()
    await broker.close()
    return redis


def payload_of(key, epoch, seq, text="said"):
    return event_payload(key, epoch, Event(seq, 1_700_000_000_000, text, pack({}), bytes(32)))


class Heard:
    """What a broker delivered."""

    def __init__(self):
        self.events = []
        self.changed = asyncio.Event()

    def __call__(self, key, epoch, seq, payload):
        self.events.append((key, epoch, seq, payload))
        self.changed.set()

    def of(self, key):
        return [(epoch, seq) for heard, epoch, seq, _ in self.events if heard == key]

    async def until(self, is_so):
        async with asyncio.timeout(10):
            while not is_so(self.events):
                self.changed.clear()
                await self.changed.wait()


@asynccontextmanager
async def brokers(kind, redis):
    """(who publishes, who hears); in memory they are one."""
    if kind == "memory":
        speaker = hearer = MemoryBroker()
    else:
        speaker, hearer = RedisBroker(redis.url), RedisBroker(redis.url)
        for key in (HALL, OTHER):
            hearer.follow(key, 0, 0)
    try:
        yield speaker, hearer
    finally:
        await speaker.close()
        await hearer.close()


async def written(broker):
    """Until Redis has answered for all that waited."""
    async with asyncio.timeout(10):
        while broker.queue_length:  # noqa: ASYNC110 - it tells nobody
            await asyncio.sleep(0.01)


KINDS = pytest.mark.parametrize("kind", ["memory", "redis"])


@KINDS
async def test_what_is_published_is_delivered_unchanged_and_in_order(kind, emptied):
    heard = Heard()
    async with brokers(kind, emptied) as (speaker, hearer):
        hearer.attach(heard)
        said = []
        for seq in range(1, 301):
            for key in (HALL, OTHER):
                said.append((key, 1, seq, payload_of(key, 1, seq)))
                speaker.publish(*said[-1])
        await heard.until(lambda events: len(events) >= 600)
    for key in (HALL, OTHER):
        mine = [event for event in heard.events if event[0] == key]
        assert mine == [event for event in said if event[0] == key]


@KINDS
async def test_everybody_attached_hears(kind, emptied):
    first, second = Heard(), Heard()
    async with brokers(kind, emptied) as (speaker, hearer):
        hearer.attach(first)
        hearer.attach(second)
        speaker.publish(HALL, 1, 1, payload_of(HALL, 1, 1))
        await second.until(len)
    assert first.events == second.events


@KINDS
async def test_publishing_returns_before_anybody_can_have_read(kind, emptied):
    async with brokers(kind, emptied) as (speaker, hearer):
        hearer.attach(heard := Heard())
        for seq in range(1, 11):
            assert speaker.publish(HALL, 1, seq, payload_of(HALL, 1, seq)) is None
        await heard.until(lambda events: len(events) == 10)


@KINDS
async def test_a_hub_takes_each_event_once_and_none_of_an_older_epoch(kind, emptied):
    hub, taken = Hub(), []
    async with brokers(kind, emptied) as (speaker, hearer):
        hearer.attach(
            lambda key, epoch, seq, payload: (
                hub.publish(key, epoch, seq, payload) and taken.append((epoch, seq))
            )
        )
        hearer.attach(heard := Heard())
        for epoch, seq in [(1, 1), (1, 1), (1, 2), (2, 1), (1, 3), (2, 1), (2, 2)]:
            speaker.publish(HALL, epoch, seq, payload_of(HALL, epoch, seq))
        await heard.until(lambda events: events[-1:] and events[-1][1:3] == (2, 2))
    assert taken == [(1, 1), (1, 2), (2, 1), (2, 2)]


@KINDS
async def test_after_the_end_nothing_is_delivered(kind, emptied):
    heard = Heard()
    async with brokers(kind, emptied) as (speaker, hearer):
        hearer.attach(heard)
    speaker.publish(HALL, 1, 1, payload_of(HALL, 1, 1))
    await asyncio.sleep(0)
    assert heard.events == []


# ---- of the one on Redis alone


async def test_redis_itself_refuses_an_older_epoch_and_a_repeat(emptied):
    async with brokers("redis", emptied) as (speaker, hearer):
        hearer.attach(heard := Heard())
        for epoch, seq in [(2, 7), (1, 8), (2, 7), (2, 6), (2, 8)]:
            speaker.publish(HALL, epoch, seq, payload_of(HALL, epoch, seq))
        await heard.until(lambda events: len(events) == 2)
        assert heard.of(HALL) == [(2, 7), (2, 8)]
        await written(speaker)
        assert (speaker.published, speaker.refused) == (2, 3)
        ids = [raw for raw, _ in await speaker._redis.xrange("kaibiao:frames:opening:17/hall")]
        assert ids == [b"2-7", b"2-8"]


async def test_a_reader_refuses_what_redis_should_not_have_taken(emptied):
    async with brokers("redis", emptied) as (_, hearer):
        hearer.attach(heard := Heard())
        hearer.follow(HALL, 2, 5)
        hearer._take(b"kaibiao:frames:opening:17/hall", b"1-9", {b"ev": payload_of(HALL, 1, 9)})
        hearer._take(b"kaibiao:frames:opening:17/hall", b"2-5", {b"ev": payload_of(HALL, 2, 5)})
        hearer._take(b"kaibiao:frames:opening:17/hall", b"2-6", {b"ev": payload_of(HALL, 2, 6)})
        assert heard.of(HALL) == [(2, 6)]
        assert hearer.refused == 2


@pytest.mark.parametrize(
    "fields",
    [
        {},
        {b"ev": b""},
        {b"ev": b"\x99"},
        {b"ev": b"\xff" * 64},
        {b"ev": b"\x99" + b"\xc1" * 9},
        {b"ev": payload_of(OTHER, 1, 1)},
        {b"ev": payload_of(HALL, 2, 1)},
        {b"ev": payload_of(HALL, 1, 2)},
        {b"ev": payload_of(HALL, 1, 1) + b"\xc0"},
        {b"ev": b"\x98" + payload_of(HALL, 1, 1)[1:]},
        {b"ev": pack(["ev", *HALL, 1, 1, 0, "x", {}, b""])[:-1]},
        {b"ev": b"\x99" + b"\xdf\xff\xff\xff\xff" * 9},
        {b"other": payload_of(HALL, 1, 1)},
    ],
    ids=range(13),
)
async def test_an_entry_that_does_not_say_what_its_place_says_is_passed_over(emptied, fields):
    async with brokers("redis", emptied) as (speaker, hearer):
        hearer.attach(heard := Heard())
        await speaker._redis.xadd("kaibiao:frames:opening:17/hall", fields or {b"x": b""}, id="1-1")
        speaker.publish(HALL, 1, 2, payload_of(HALL, 1, 2))
        await heard.until(len)
        assert heard.of(HALL) == [(1, 2)]
        assert hearer.malformed == 1


async def test_a_stream_is_bounded_and_ends_when_nobody_speaks(emptied):
    broker = RedisBroker(emptied.url, stream_length_max=10)
    for seq in range(1, 101):
        broker.publish(HALL, 1, seq, payload_of(HALL, 1, seq))
    await written(broker)
    assert await broker._redis.xlen("kaibiao:frames:opening:17/hall") == 10
    assert 0 < await broker._redis.ttl("kaibiao:frames:opening:17/hall") <= 86_400
    await broker.close()


async def test_a_channel_followed_from_a_position_brings_what_comes_after_it(emptied):
    async with brokers("redis", emptied) as (speaker, hearer):
        hearer.unfollow(HALL)
        hearer.attach(heard := Heard())
        for seq in range(1, 21):
            speaker.publish(HALL, 1, seq, payload_of(HALL, 1, seq))
        hearer.follow(HALL, 1, 15)
        await heard.until(lambda events: len(events) == 5)
        assert heard.of(HALL) == [(1, seq) for seq in range(16, 21)]


async def test_while_redis_is_away_publishing_only_fills_a_bounded_queue(monkeypatch):
    monkeypatch.setattr("signaling.broker_redis.QUEUE_COUNT_MAX", 100)
    with RedisProcess() as redis:
        async with brokers("redis", redis) as (speaker, hearer):
            hearer.attach(heard := Heard())
            speaker.publish(HALL, 1, 1, payload_of(HALL, 1, 1))
            await heard.until(len)
            await written(speaker)
            redis.kill()
            for seq in range(2, 302):
                speaker.publish(HALL, 1, seq, payload_of(HALL, 1, seq))
            assert (speaker.queue_length, speaker.dropped) == (100, 200)
            redis.start()
            await heard.until(lambda events: events[-1][2] == 301)
            assert heard.of(HALL) == [(1, 1), *((1, seq) for seq in range(202, 302))]


async def test_a_relay_delivers_here_at_once_and_hands_on_only_what_is_public():
    class Beyond(MemoryBroker):
        pass

    beyond, here, there = Beyond(), Heard(), Heard()
    beyond.attach(there)
    relay = RelayBroker(beyond, lambda key: key.audience == "hall")
    relay.attach(here)
    staff = ChannelKey("opening:17", "staff")
    relay.publish(staff, 1, 1, b"a")
    relay.publish(HALL, 1, 1, b"b")
    assert here.events == [(staff, 1, 1, b"a"), (HALL, 1, 1, b"b")]
    assert there.events == [(HALL, 1, 1, b"b")]
    await relay.close()
    relay.publish(HALL, 1, 2, b"c")
    assert len(here.events) == 2
