"""Answers (回答): one for each command, kept, and the same after a restart."""

from collections import Counter
from typing import Any

import pytest

from crypto.ack import RESULT_LATE, parse_ack
from server.domain import commands as cmd
from server.domain import opening_events as ev
from server.domain.model import Actor
from tests.domain.cast import HOST, Bidder
from tests.domain.openings import an_opening


def bidder(number: int) -> Actor:
    return Bidder(number).actor


async def test_the_same_command_again_gets_the_same_answer_and_does_nothing(open_room: Any):
    site = await open_room(an_opening())
    bid = an_opening().bids[0]
    command = an_opening().unlocking(bid)
    async with site.running():
        first = await site.ask(command, bid.bidder.actor, "unlock-001", ago_ms=30)
        rows = len(site.rows())
        site.clock.at_ms += 5000
        again = await site.ask(command, bid.bidder.actor, "unlock-001")
        assert len(site.rows()) == rows
    assert again == first
    acks = [parse_ack(raw) for raw in first.result["acks"]]
    assert [ack.server_ms for ack in acks] == [site.clock.at_ms - 5030] * 2


@pytest.mark.parametrize("at", ["decryption", "release"])
async def test_an_answer_outlives_a_restart_refused_or_not(open_room: Any, at: str):
    """The clock of the new process has gone on: a new judgement would say something else."""
    site = await open_room(an_opening(at=at))
    bid = an_opening().bids[2]
    command = an_opening(at=at).unlocking(bid)
    async with site.running():
        first = await site.ask(command, bid.bidder.actor, "unlock-001")
    rows = len(site.rows())
    again = await open_room()
    again.clock.at_ms = site.clock.at_ms + 60_000
    async with again.running():
        assert await again.ask(command, bid.bidder.actor, "unlock-001") == first
    assert len(again.rows()) == rows
    assert first.ok == (at == "decryption")
    if not first.ok:
        (form, body) = (parse_ack(raw) for raw in first.detail["acks"])
        assert form.result == body.result == RESULT_LATE


async def test_a_refusal_without_evidence_may_be_asked_again(open_room: Any):
    site = await open_room(an_opening(at="announced"))
    start = cmd.StartWindow(session=1)
    async with site.running():
        refused = await site.ask(start, HOST, "start-0001")
        assert (refused.code, refused.retryable) == ("window.not_closing_checkpoint", True)
        play = an_opening(at="announced")
        play.checkpoint()
        reached = play.events(ev.CheckpointReached)[0]
        fields = {name: getattr(reached, name) for name in reached.__struct_fields__}
        assert (await site.ask(cmd.ReachCheckpoint(**fields))).ok
        assert (await site.ask(start, HOST, "start-0001")).ok


async def test_a_refusal_with_evidence_is_journaled_and_told_to_its_party(open_room: Any):
    site = await open_room(an_opening(at="release"))
    bid = an_opening().bids[2]
    async with site.running():
        answer = await site.ask(an_opening().unlocking(bid), bid.bidder.actor, "unlock-001")
    assert answer.code == "unlock.window_closed"
    assert Counter(event.type for event in site.published) == {
        "attempt_failed": 2,
        "attempt_seen": 1,
    }
    failed = [row for row in site.rows() if row.type == "attempt_failed"]
    assert {row.audience for row in failed} == {f"party:{bid.bidder.org}"}
    assert {(row.actor, row.cmd_id) for row in failed} == {(bid.bidder.actor.person, "unlock-001")}


async def test_one_persons_command_id_is_not_anothers(open_room: Any):
    site = await open_room(an_opening(at="sign_in"))
    async with site.running():
        for number in (1, 2):
            assert (await site.ask(cmd.SignIn(), bidder(number), "the-same-id")).ok
    assert len(site.state.signed_in) == 2


async def test_the_same_command_twice_in_one_batch_is_done_once(open_room: Any):
    site = await open_room(an_opening())
    extend = cmd.Extend(extra_ms=60_000, reason="延长")
    end_ms = site.state.window.end_ms
    for _ in range(3):
        site.put(extend, HOST, "extend-001")
    async with site.running():
        await site.answered("extend-001")
        await site.ask(cmd.SignIn(), bidder(1))
    assert site.state.window.end_ms == end_ms + 60_000
    assert site.left.count(("answered", "extend-001")) == 3


async def test_answers_beyond_memory_are_asked_of_the_journal(
    open_room: Any, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr("server.rooms.room.ANSWERS_MAX", 3)
    site = await open_room(an_opening())
    async with site.running():
        asked = [
            (cmd.Extend(extra_ms=1000 + n, reason="延长"), f"extend-{n:03d}") for n in range(8)
        ]
        first = [await site.ask(command, HOST, cmd_id) for command, cmd_id in asked]
        end_ms = site.state.window.end_ms
        again = [await site.ask(command, HOST, cmd_id) for command, cmd_id in asked]
    assert first == again
    assert site.state.window.end_ms == end_ms


async def test_an_answer_tells_nothing_of_the_streams_own_numbers(open_room: Any):
    """Before the deadline they would say how many bids there are."""
    site = await open_room(an_opening(at="sign_in"))
    async with site.running():
        answer = await site.ask(cmd.SignIn(), bidder(1), "sign-in-001")
    assert answer.ok
    assert answer.result == {}
