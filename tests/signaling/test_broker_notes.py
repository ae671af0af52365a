"""Notes on a real Redis, and the limits at the door that several processes share."""

import asyncio

import pytest

from loadtests.redis_process import RedisProcess
from signaling.accept import AcceptLimiter, AddressCounter
from signaling.broker_notes import Note, Notes
from signaling.broker_redis import connect


@pytest.fixture(autouse=True)
def quick(monkeypatch):
    monkeypatch.setattr("signaling.broker_notes.NOTE_EVERY_S", 0.02)
    monkeypatch.setattr("signaling.broker_notes.NOTE_KEPT_S", 1)


class Reader:
    """What one process knows of the others."""

    def __init__(self):
        self.others = None
        self.changed = asyncio.Event()

    def __call__(self, others):
        self.others = dict(others)
        self.changed.set()

    async def until(self, wanted):
        async with asyncio.timeout(15):
            while self.others != wanted:
                self.changed.clear()
                await self.changed.wait()


async def test_everybody_knows_the_others_notes_until_they_leave_or_fall_silent():
    mine, theirs = Note(members={"a": 2}), Note(counts={"a": {"unlocked": 1}}, counted=["a"])
    with RedisProcess() as redis:
        here, there = Reader(), Reader()
        first = Notes(redis.url, "edge-1", write=lambda: mine, read=here)
        second = Notes(redis.url, "owner", write=lambda: theirs, read=there)
        await here.until({"owner": theirs})
        await there.until({"edge-1": mine})
        await first.close()
        await there.until({})
        first = Notes(redis.url, "edge-1", write=lambda: mine, read=here)
        await there.until({"edge-1": mine})
        redis.kill()
        await here.until({})
        redis.start()
        await here.until({"owner": theirs})
        await first.close()
        await second.close()


async def test_a_note_that_is_none_is_passed_over():
    with RedisProcess() as redis:
        by_hand = connect(redis.url)
        for name, raw in (("a", b"\xc1"), ("b", b"x" * ((1 << 20) + 1)), ("c", b"\x90")):
            await by_hand.set(f"kaibiao:note:{name}", raw)
            await by_hand.sadd("kaibiao:notes", name)
        await by_hand.sadd("kaibiao:notes", "gone")
        reader = Reader()
        notes = Notes(redis.url, "edge-1", write=Note, read=reader)
        await reader.until({})
        await notes.close()
        assert await by_hand.smembers("kaibiao:notes") == {b"a", b"b", b"c", b"edge-1"}
        await by_hand.aclose()


def test_connections_of_an_address_elsewhere_count_here():
    counter = AddressCounter(3)
    counter.elsewhere = lambda key: {"192.0.2.1": 2}.get(key, 0)
    assert counter.enter("192.0.2.1") == "192.0.2.1"
    assert counter.enter("192.0.2.1") is None
    assert counter.enter("192.0.2.2") == "192.0.2.2"
    assert counter.crowded(1) == {"192.0.2.1": 1, "192.0.2.2": 1}
    assert counter.crowded(2) == {}


def test_a_smaller_share_lets_fewer_in():
    limiter = AcceptLimiter(100, 100, 0)
    limiter.set_rate(10)
    for now_ms in (0, 1000, 2000):
        assert sum(limiter.admit(now_ms, 0.0) == 0 for _ in range(50)) == 10
