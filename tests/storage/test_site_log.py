"""The site log: one leaf a second, and every entry in its second."""

import asyncio
import random
from collections.abc import Awaitable, Callable
from typing import Any

import pytest
from msgspec.structs import replace

from crypto.checkpoint import parse_checkpoint
from crypto.entries import EntryType, decode_entry
from crypto.hashes import sha256
from server.decryption.pool import PART_MIN, Pool
from server.domain.refusals import Refused
from server.storage import site_log, site_tick, transaction
from server.storage.errors import JournalConflict, JournalFailed
from server.storage.journal import Append
from tests.storage.logs import KEY, ORIGIN, START_MS, a_log, assert_proves, ticks_of, types_of
from tests.storage.streams import TENDER, Stream, an_entry


async def test_the_log_begins_with_the_start_of_the_site(open_journal):
    log = a_log(open_journal())
    assert log.checkpoint is None
    checkpoint = await log.tick(START_MS + 17)
    assert checkpoint == parse_checkpoint(checkpoint.text, ORIGIN, KEY.public)
    assert checkpoint.size == log.leaf_count == 1
    assert log.last_tick_ms == START_MS
    (start,) = log.entries(None)
    assert decode_entry(start.entry).members == {
        "epoch": 1,
        "log_origin": ORIGIN,
        "server_ms": START_MS,
        "software": "kaibiao test",
    }


async def test_every_second_has_exactly_one_leaf_also_those_that_were_missed(open_journal):
    log = a_log(open_journal())
    for second in (0, 1, 2, 7, 8):
        await log.tick(START_MS + second * 1000 + 250)
    assert ticks_of(log) == [START_MS + second * 1000 for second in range(9)]
    assert types_of(log) == [(0, EntryType.SITE_START)]


async def test_a_clock_that_stands_or_steps_back_writes_nothing(open_journal):
    log = a_log(open_journal())
    heard = []
    log.subscribe(heard.append)
    first = await log.tick(START_MS + 900)
    for now_ms in (START_MS + 999, START_MS, START_MS - 5000):
        assert await log.tick(now_ms) == first
    assert heard == [first]


async def test_listeners_hear_of_what_is_durable(open_journal):
    journal = open_journal()
    log = a_log(journal)
    heard = []

    def listen(checkpoint) -> None:
        stored = journal.query("SELECT count(*) FROM leaf")
        heard.append((checkpoint.size, stored[0][0]))

    log.subscribe(listen)
    for second in range(3):
        await log.tick(START_MS + second * 1000)
    assert heard == [(1, 1), (2, 2), (3, 3)]


async def test_an_entry_appended_before_a_tick_is_in_it(open_journal):
    journal = open_journal()
    log, stream = a_log(journal), Stream("tender:a", journal.epoch)
    await log.tick(START_MS)
    for second in range(1, 6):
        now_ms = START_MS + second * 1000
        item = stream.item(entry_ms=now_ms - 1)
        append = journal.append(item)  # not awaited: the tick queues behind it
        checkpoint = await log.tick(now_ms)
        assert append.done()
        logged = log.find(sha256(item.entries[0].entry))
        assert logged is not None
        assert logged.tick_ms == now_ms
        assert log.covers(logged.sha256) == logged.covered_by == checkpoint.size
        assert_proves(log, log.proof(logged.sha256), item.entries[0].entry)


async def test_an_entry_waits_for_the_second_that_is_not_before_it(open_journal):
    journal = open_journal()
    log = a_log(journal)
    await log.tick(START_MS)
    times = (1, 999, 1000, 1001, 3500)
    entries = [an_entry(START_MS + ms) for ms in times]
    await journal.append(Append((), (), entries))
    assert log.covers(sha256(entries[0].entry)) is None
    assert log.proof(sha256(entries[0].entry)) is None
    await log.tick(START_MS + 1000)
    assert types_of(log, TENDER) == [(1, 17)] * 3
    await log.tick(START_MS + 5000)
    places = [(logged.server_ms, logged.tick_ms) for logged in log.entries(TENDER)]
    assert sorted((ms - START_MS, at - START_MS) for ms, at in places) == [
        (1, 1000),
        (999, 1000),
        (1000, 1000),
        (1001, 2000),
        (3500, 4000),
    ]


async def test_an_entry_decided_just_before_a_written_second_goes_under_the_next(open_journal):
    journal = open_journal()
    log = a_log(journal)
    await log.tick(START_MS + 1000)
    late = an_entry(START_MS + 1)
    await journal.append(Append((), (), [late]))
    await log.tick(START_MS + 2000)
    (logged,) = log.entries(TENDER)
    assert logged.tick_ms - logged.server_ms == 1999


async def test_an_entry_too_old_for_the_next_second_is_refused_alone(open_journal):
    journal = open_journal()
    log = a_log(journal)
    await log.tick(START_MS + 1000)
    old, young = an_entry(START_MS - 1), an_entry(START_MS)
    results = await asyncio.gather(
        journal.append(Append((), (), [old])),
        journal.append(Append((), (), [young])),
        return_exceptions=True,
    )
    assert [type(result) for result in results] == [JournalConflict, type(None)]
    await log.tick(START_MS + 2000)
    assert [logged.entry for logged in log.entries(TENDER)] == [young.entry]


class Meanwhile:
    """In the place of the thread that builds a second's tree: first something else happens."""

    def __init__(self, *happening: Callable[[], Awaitable[None]]) -> None:
        self.happening = list(happening)

    async def __call__(self, build: Callable[[object], object], gathered: object) -> object:
        while self.happening:
            await self.happening.pop(0)()
        return build(gathered)


@pytest.fixture
def built_beside(monkeypatch: pytest.MonkeyPatch) -> Callable[[Meanwhile], None]:
    """Every second's tree is built between two transactions."""
    monkeypatch.setattr(site_tick, "BUILT_AT_ONCE_MAX", 0)
    return lambda meanwhile: monkeypatch.setattr(site_log, "to_thread", meanwhile)


async def test_the_tree_of_a_full_second_is_built_while_others_are_made_durable(
    open_journal, monkeypatch: pytest.MonkeyPatch
):
    journal = open_journal()
    log, stream = a_log(journal), Stream("opening:a", journal.epoch)
    await log.tick(START_MS)
    entries = [an_entry(START_MS + 1) for _ in range(site_tick.BUILT_AT_ONCE_MAX + 1)]
    await journal.append(Append((), (), entries))
    made_durable = []

    async def append() -> None:
        await journal.append(stream.item(entry_ms=START_MS + 1500))
        made_durable.append(log.leaf_count)

    monkeypatch.setattr(site_log, "to_thread", Meanwhile(append))
    checkpoint = await log.tick(START_MS + 1000)
    assert made_durable == [1]
    assert checkpoint.size == 2
    assert types_of(log, TENDER) == [(1, 17)] * len(entries)
    for entry in entries:
        assert_proves(log, log.proof(sha256(entry.entry)), entry.entry)
    await log.tick(START_MS + 2000)
    assert types_of(log, TENDER) == [(1, 17)] * len(entries) + [(2, 17)]
    journal.close()
    a_log(open_journal())


async def test_the_tree_of_a_full_second_is_built_in_another_process(open_journal):
    pool = Pool(2)
    pool.prepare(range(2 * PART_MIN))
    [opener] = pool._openers
    await asyncio.wrap_future(opener.prepare([]))
    done_there = []

    async def aside(work: Any, item: Any) -> Any:
        done_there.append(opener.is_idle)
        return await pool.aside(work, item)

    log = a_log(journal := open_journal(), aside=aside)
    await log.tick(START_MS)
    entries = [an_entry(START_MS + 1) for _ in range(site_tick.BUILT_AT_ONCE_MAX + 1)]
    await journal.append(Append((), (), entries))
    await log.tick(START_MS + 1000)
    assert done_there == [True]
    assert types_of(log, TENDER) == [(1, 17)] * len(entries)
    for entry in entries:
        assert_proves(log, log.proof(sha256(entry.entry)), entry.entry)
    assert opener.is_idle  # it did not fail over it
    pool.close()


async def test_an_entry_of_a_second_whose_tree_is_being_built_goes_under_the_next(
    open_journal, built_beside
):
    journal = open_journal()
    log = a_log(journal)
    await log.tick(START_MS)

    async def late() -> None:
        await journal.append(Append((), (), [an_entry(START_MS + 999)]))

    await journal.append(Append((), (), [an_entry(START_MS + 1)]))
    built_beside(Meanwhile(late))
    await log.tick(START_MS + 1000)
    assert types_of(log, TENDER) == [(1, 17)]
    await log.tick(START_MS + 2000)
    assert types_of(log, TENDER) == [(1, 17), (2, 17)]


async def test_a_group_that_is_undone_while_a_tree_is_built_takes_nothing_along(
    open_journal, built_beside
):
    """What the writer remembers is read again; the entries are still waiting."""
    journal = open_journal()
    log, stream = a_log(journal), Stream("opening:a", journal.epoch)
    await log.tick(START_MS)
    wrong = stream.item(body=b"never")
    stream.item()

    async def undone() -> None:
        with pytest.raises(JournalConflict):
            await journal.append(Append([replace(wrong.rows[0], seq=77)]))

    await journal.append(Append((), (), [an_entry(START_MS + 1), an_entry(START_MS + 2)]))
    built_beside(Meanwhile(undone))
    await log.tick(START_MS + 1000)
    assert types_of(log, TENDER) == [(1, 17), (1, 17)]
    await log.tick(START_MS + 2000)
    assert types_of(log, TENDER) == [(1, 17), (1, 17)]


async def test_a_crash_while_a_tree_is_built_loses_and_repeats_nothing(open_journal, built_beside):
    journal = open_journal()
    log, stream = a_log(journal), Stream("opening:a", journal.epoch)
    await log.tick(START_MS)
    await journal.append(stream.item(entry_ms=START_MS + 1))

    async def crash() -> None:
        journal.close()

    built_beside(Meanwhile(crash))
    with pytest.raises(JournalFailed):
        await log.tick(START_MS + 1000)
    log = a_log(open_journal())
    assert log.leaf_count == 1
    built_beside(Meanwhile())
    await log.tick(START_MS + 9000)
    assert types_of(log, TENDER) == [(1, 17)]
    (head,) = log.stream_heads("opening:a")
    assert head.tick_ms == START_MS + 1000
    assert_proves(log, log.proof(head), head.entry)
    assert ticks_of(log) == [START_MS + second * 1000 for second in range(10)]


async def test_what_was_acknowledged_before_a_crash_goes_under_its_own_second(open_journal):
    journal = open_journal()
    log = a_log(journal)
    await log.tick(START_MS)
    entries = [an_entry(START_MS + ms) for ms in (400, 1600)]
    await journal.append(Append((), (), entries))
    journal.close()

    journal = open_journal()
    log = a_log(journal)
    await log.tick(START_MS + 60_000)
    assert types_of(log, TENDER) == [(1, 17), (2, 17)]
    # Of the other missed seconds none holds anything; the start is under the second it came in.
    assert types_of(log) == [(0, EntryType.SITE_START), (60, EntryType.SITE_START)]
    assert ticks_of(log) == [START_MS + second * 1000 for second in range(61)]


async def test_a_log_whose_first_tick_never_came_begins_with_its_first_entry(open_journal):
    journal = open_journal()
    await journal.append(Append((), (), [an_entry(START_MS - 3500)]))
    journal.close()
    log = a_log(open_journal())
    await log.tick(START_MS)
    assert ticks_of(log) == [START_MS - 3000, START_MS - 2000, START_MS - 1000, START_MS]
    assert types_of(log, TENDER) == [(-3, 17)]


async def test_a_head_entry_is_made_for_each_stream_that_moved(open_journal):
    journal = open_journal()
    log = a_log(journal)
    first, second = Stream("opening:a", journal.epoch), Stream("opening:b", journal.epoch)
    await journal.append(Append([first.row(), first.row(), second.row()]))
    await log.tick(START_MS)
    await journal.append(Append([second.row()]))
    await log.tick(START_MS + 1000)
    await log.tick(START_MS + 2000)
    heads = [decode_entry(logged.entry).members for logged in log.entries(None, types=[30])]
    told = sorted((head["server_ms"] - START_MS, head["stream"], head["seq"]) for head in heads)
    assert told == [(0, "opening:a", 2), (0, "opening:b", 1), (1000, "opening:b", 2)]
    (newest,) = log.stream_heads("opening:b")[-1:]
    assert decode_entry(newest.entry).members["hash"] == journal.head("opening:b").hash.hex()
    assert_proves(log, log.proof(newest), newest.entry)


async def test_a_head_that_a_crash_prevented_is_made_at_the_next_tick(open_journal):
    journal = open_journal()
    log = a_log(journal)
    await log.tick(START_MS)
    await journal.append(Append([Stream("opening:a", journal.epoch).row()]))
    journal.close()
    log = a_log(open_journal())
    await log.tick(START_MS + 9000)
    (head,) = log.stream_heads("opening:a")
    assert head.tick_ms == START_MS + 9000


async def test_a_long_outage_is_caught_up_in_several_transactions(open_journal, monkeypatch):
    monkeypatch.setattr(site_tick, "LEAVES_PER_TRANSACTION_MAX", 100)
    journal = open_journal()
    log = a_log(journal)
    await log.tick(START_MS)
    await journal.append(Append([Stream("opening:a", journal.epoch).row()]))
    heard = []
    log.subscribe(lambda checkpoint: heard.append(checkpoint.size))
    await log.tick(START_MS + 1000 * 1000)
    assert heard == [*range(101, 1002, 100)]
    assert ticks_of(log) == [START_MS + second * 1000 for second in range(1001)]
    (head,) = log.stream_heads("opening:a")
    assert head.tick_ms == START_MS + 1000 * 1000


async def test_too_many_waiting_entries_are_refused_until_the_next_tick(open_journal, monkeypatch):
    monkeypatch.setattr(transaction, "PENDING_ENTRIES_MAX", 10)
    journal = open_journal()
    log = a_log(journal)
    await log.tick(START_MS)
    await journal.append(Append((), (), [an_entry(START_MS + 1) for _ in range(10)]))
    with pytest.raises(Refused) as refusal:
        await journal.append(Append((), (), [an_entry(START_MS + 2)]))
    assert refusal.value.code == "room.busy"
    await log.tick(START_MS + 1000)
    await journal.append(Append((), (), [an_entry(START_MS + 1002)]))


async def test_every_entry_lies_within_two_seconds_of_its_leaf_whatever_the_order(open_journal):
    """C14's window, under random delays of ticks and of appends behind the clock."""
    journal = open_journal()
    log = a_log(journal)
    chance = random.Random(7)
    now_ms, sent, appends = START_MS, 0, []
    await log.tick(now_ms)
    for _ in range(300):
        now_ms += chance.choice((0, 3, 250, 400, 999, 2500))
        if chance.random() < 0.5:
            lag_ms = chance.randrange(0, min(900, now_ms - log.last_tick_ms + 900))
            appends.append(journal.append(Append((), (), [an_entry(now_ms - lag_ms)])))
            sent += 1
        if chance.random() < 0.5:
            await log.tick(now_ms)
    await log.tick(now_ms + 1000)
    await asyncio.gather(*appends)
    logged = log.entries(TENDER)
    assert len(logged) == sent
    assert all(0 <= each.tick_ms - each.server_ms <= 2000 for each in logged)
