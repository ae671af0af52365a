"""The actor of a stream: order, group commit, and nobody hears of what is not durable."""

import asyncio
from collections import defaultdict
from typing import Any

import pytest

from server.domain import commands as cmd
from server.domain import opening_events as ev
from server.domain.commands import Command
from server.domain.events import SEALED
from server.domain.model import Actor, Context
from server.domain.refusals import Refused
from server.rooms.room import BATCH_MAX, QUEUE_MAX, ROWS_ENOUGH
from server.storage.chain import verify_stream
from tests.domain.cast import HOST, Bidder
from tests.domain.openings import an_opening


def bidder(number: int) -> Actor:
    return Bidder(number).actor


# ---- order and group commit


async def test_commands_are_judged_in_the_order_in_which_they_were_put(open_room: Any):
    site = await open_room(an_opening())
    for n, command in enumerate(
        [cmd.Pause(reason="一"), cmd.Pause(reason="二"), cmd.Resume(), cmd.Pause(reason="三")]
    ):
        site.put(command, HOST, f"command-{n}")
    async with site.running():
        await site.answered("command-3")
    assert [site.answers[f"command-{n}"].code for n in range(4)] == ["", "window.paused", "", ""]
    assert [cmd_id for what, cmd_id in site.left if what == "answered"] == [
        f"command-{n}" for n in range(4)
    ]


async def test_what_was_put_together_is_one_append(open_room: Any):
    site = await open_room(an_opening(at="sign_in"))
    before = site.journal.metrics.commits
    for number in range(1, 101):
        site.put(cmd.SignIn(), bidder(number), f"sign-in-{number:03d}")
    async with site.running():
        await site.answered("sign-in-100")
    assert site.journal.metrics.commits == before + 1
    assert len(site.published) == 100
    assert len(site.state.signed_in) == 100


async def test_while_the_disk_works_the_next_append_gathers(open_room: Any):
    site = await open_room(an_opening(at="sign_in"))
    async with site.running():
        before = site.journal.metrics.commits
        with site.stalled_disk():
            site.put(cmd.SignIn(), bidder(1), "sign-in-001")
            for _ in range(5):
                await asyncio.sleep(0)
            assert site.room.queue_length == 0
            for number in range(2, 61):
                site.put(cmd.SignIn(), bidder(number), f"sign-in-{number:03d}")
            assert site.room.queue_length == 59
        await site.answered("sign-in-060")
    # One for the stall itself, one for the first, one for all that had gathered.
    assert site.journal.metrics.commits <= before + 3


async def test_a_batch_has_a_largest_size(open_room: Any):
    site = await open_room(an_opening(at="sign_in"))
    before = site.journal.metrics.commits
    for number in range(1, BATCH_MAX + 2):
        site.put(cmd.SignIn(), bidder(number), f"sign-in-{number:03d}")
    async with site.running():
        await site.answered(f"sign-in-{BATCH_MAX + 1:03d}")
    assert site.journal.metrics.commits == before + 2


async def test_commands_that_make_many_rows_share_no_append_that_is_too_large(open_room: Any):
    site = await open_room(an_opening(at="read_out"))
    rows_each = ROWS_ENOUGH // 2

    def many(state: Any, command: Command, ctx: Context) -> list[Any]:
        return [ev.RowRead(no=1)] * rows_each

    site.instead(decide=many)
    for n in range(12):
        site.put(cmd.ReadRow(no=1), HOST, f"read-row-{n:02d}")
    async with site.running():
        await site.answered("read-row-11")
    assert all(answer.ok for answer in site.answers.values())
    assert len(site.published) == 12 * rows_each
    assert [cmd_id for what, cmd_id in site.left if what == "answered"] == sorted(site.answers)


async def test_a_queue_that_is_full_says_so_and_takes_more_later(open_room: Any):
    site = await open_room(an_opening(at="sign_in"))
    for number in range(QUEUE_MAX):
        site.put(cmd.SignIn(), bidder(number % 10), f"n-{number:06d}")
    with pytest.raises(Refused, match=r"room\.busy"):
        site.put(cmd.SignIn(), bidder(1), "one-too-many")
    async with site.running():
        await site.answered(f"n-{QUEUE_MAX - 1:06d}")
        assert (await site.ask(cmd.SignIn(), bidder(11), "later-001")).ok
    assert len(site.state.signed_in) == 11


# ---- durable first


async def test_nothing_is_told_or_answered_while_the_disk_stalls(open_room: Any):
    site = await open_room(an_opening())
    bid = an_opening().bids[0]
    position = site.room.durable_position("staff")
    async with site.running():
        with site.stalled_disk():
            site.put(an_opening().unlocking(bid), bid.bidder.actor, "unlock-001")
            site.put(cmd.Pause(reason="停"), HOST, "pause-0001")
            for _ in range(50):
                await asyncio.sleep(0.002)
            assert site.left == []
            assert site.room.durable_position("staff") == position
        await site.answered("unlock-001", "pause-0001")
    assert site.left == [
        ("published", "bid_unlocked"),
        ("published", "window_changed"),
        ("published", "own_bid_unlocked"),
        ("answered", "unlock-001"),
        ("answered", "pause-0001"),
    ]
    assert site.room.durable_position("staff") == position + 1


async def test_the_hall_hears_first_and_a_party_right_before_its_own_answer(open_room: Any):
    site = await open_room(an_opening(at="sign_in"))
    for number in (1, 2, 3):
        site.put(cmd.SignIn(), bidder(number), f"sign-in-{number:03d}")
    async with site.running():
        await site.answered("sign-in-003")
    assert site.left == [
        each
        for number in (1, 2, 3)
        for each in (("published", "bidder_signed_in"), ("answered", f"sign-in-{number:03d}"))
    ]


async def test_what_is_told_can_be_read_back_at_once(open_room: Any):
    site = await open_room(an_opening())
    read: list[int] = []
    publish = site.room._publish

    def look(room: Any, events: list[Any]) -> None:
        for event in events:
            rows = site.journal.read_channel(room.stream, event.audience, event.seq - 1)
            read.append(rows[0].audience_seq - event.seq)
        publish(room, events)

    site.room._publish = look
    async with site.running():
        for bid in an_opening().bids:
            assert (await site.ask(an_opening().unlocking(bid), bid.bidder.actor, "")).ok
    assert read == [0] * len(site.published)
    assert read


async def test_no_sealed_event_is_ever_published(open_room: Any):
    site = await open_room(an_opening())
    bid = an_opening().bids[0]
    async with site.running():
        await site.ask(an_opening().unlocking(bid), bid.bidder.actor, "unlock-001")
    assert {row.type for row in site.rows() if row.audience == SEALED} >= {"unlock_received"}
    assert "unlock_received" not in {event.type for event in site.published}


async def test_every_channel_is_dense_and_the_chain_verifies(open_room: Any):
    site = await open_room(an_opening(bids=5))
    play = an_opening(bids=5)
    async with site.running():
        for n, bid in enumerate(play.bids):
            command = play.unlocking(bid)
            assert (await site.ask(command, bid.bidder.actor, f"unlock-{n:03d}")).ok
    seqs = defaultdict[str, list[int]](list)
    for row in site.rows():
        seqs[row.audience].append(row.audience_seq)
    assert set(seqs.pop(SEALED)) == {0}
    assert all(found == list(range(1, len(found) + 1)) for found in seqs.values())
    head = verify_stream(lambda stream, after: site.journal.read(stream, after), site.room.stream)
    assert head == site.journal.head(site.room.stream)
    assert [row.seq for row in site.rows()] == list(range(1, head.seq + 1))


async def test_a_room_that_is_opened_again_has_the_same_state(open_room: Any):
    site = await open_room(an_opening())
    play = an_opening()
    async with site.running():
        for bid in play.bids[:2]:
            await site.ask(play.unlocking(bid), bid.bidder.actor, f"unlock-{bid.bidder.number}xx")
    state = site.state
    again = await open_room()
    assert again.state == state
    assert again.room.durable_position("hall") == site.room.durable_position("hall")


# ---- what is received and decided when


async def test_two_changes_of_a_window_never_have_the_same_moment(open_room: Any):
    """The log knows no other order within a second, and a verifier has to replay it."""
    site = await open_room(an_opening())
    commands = [cmd.Pause(reason="一"), cmd.Extend(extra_ms=1000, reason="二"), cmd.Resume()]
    async with site.running():
        for n, command in enumerate(commands):
            assert (await site.ask(command, HOST, f"change-{n:03d}")).ok
        bid = an_opening().bids[0]
        assert (await site.ask(an_opening().unlocking(bid), bid.bidder.actor, "unlock-001")).ok
    rows = site.rows()[-6:]
    moments = [row.ts_ms for row in rows if row.type == "window_changed"]
    assert moments == [moments[0], moments[0] + 1, moments[0] + 2]
    assert {row.ts_ms for row in rows[3:]} == {moments[-1]}


async def test_what_was_read_in_time_is_in_time_however_long_the_queue(open_room: Any):
    site = await open_room(an_opening())
    bid = an_opening().bids[0]
    end_ms = site.state.window.end_ms
    site.clock.at_ms = end_ms + 7000
    async with site.running():
        command = an_opening().unlocking(bid)
        assert (await site.ask(command, bid.bidder.actor, "in-time-01", ago_ms=7001)).ok
        late = an_opening().bids[1]
        command = an_opening().unlocking(late)
        refused = await site.ask(command, late.bidder.actor, "too-late-1", ago_ms=7000)
        assert refused.code == "unlock.window_closed"
        assert refused.detail["received_ms"] == end_ms
