"""Our own mistakes: what the rules did not foresee costs only itself, an impossible state stops the
room, and nobody in its queue is forgotten.
"""

import asyncio
from typing import Any

import pytest

from server.domain import commands as cmd
from server.domain.commands import Command
from server.domain.model import Actor, Context, Role
from server.rooms.room import Stopped
from server.storage.chain import verify_stream
from tests.domain.cast import HOST, Bidder
from tests.domain.openings import an_opening
from tests.rooms.open_room import OpenRoom


def bidder(number: int) -> Actor:
    return Bidder(number).actor


def failing(site: OpenRoom, with_: Exception, on: type[Command]) -> None:
    """The rules meet something impossible whenever this command is judged."""
    decide = site.room.kind.decide

    def broken(state: Any, command: Command, ctx: Context) -> list[Any]:
        if isinstance(command, on):
            raise with_
        return decide(state, command, ctx)

    site.instead(decide=broken)


async def test_a_failed_assert_stops_the_room_and_leaves_the_others_unanswered(open_room: Any):
    site = await open_room(an_opening(at="sign_in"))
    failing(site, AssertionError("impossible"), cmd.ReadRow)
    site.put(cmd.SignIn(), bidder(1), "sign-in-001")
    site.put(cmd.ReadRow(no=1), HOST, "poison-001")
    site.put(cmd.SignIn(), bidder(2), "sign-in-002")
    with pytest.raises(Stopped):
        async with asyncio.timeout(20):
            await site.room.run()
    assert site.left == [("answered", "poison-001")]
    assert site.answers["poison-001"].code == "server.trouble"
    assert site.answers["poison-001"].retryable
    assert [r.cmd_id for r in site.room.unanswered()] == ["sign-in-001", "sign-in-002"]
    assert len(site.rows()) == len(
        [j for j in an_opening(at="sign_in").journal if j.stream == "opening"]
    )


async def test_what_the_rules_did_not_foresee_costs_only_itself(open_room: Any):
    site = await open_room(an_opening(at="sign_in"))
    failing(site, KeyError("unforeseen"), cmd.ReadRow)
    site.put(cmd.SignIn(), bidder(1), "sign-in-001")
    site.put(cmd.ReadRow(no=1), HOST, "broken-001")
    site.put(cmd.SignIn(), bidder(2), "sign-in-002")
    async with site.running():
        await site.answered("sign-in-002")
    assert site.answers["broken-001"].code == "server.trouble"
    assert site.answers["sign-in-001"].ok
    assert site.answers["sign-in-002"].ok
    verify_stream(lambda stream, after: site.journal.read(stream, after), site.room.stream)


async def test_a_command_that_fails_halfway_leaves_no_trace(open_room: Any):
    site = await open_room(an_opening(at="sign_in"))
    evolve = site.room.kind.evolve
    told: list[str] = []

    def broken(state: Any, event: Any, ts_ms: int) -> Any:
        told.append(event.TYPE)
        if len(told) == 3:
            raise ValueError("halfway")
        return evolve(state, event, ts_ms)

    state, head = site.state, site.journal.head(site.room.stream)
    play = an_opening(at="sign_in")
    for number in (1, 2, 3):
        play.bid(Bidder(number))
    play.now_ms = play.tender.deadline_ms + 5
    play.ask(cmd.TenderTick(passed_ms=play.tender.deadline_ms))
    closed = play.closed_list()
    site.instead(evolve=broken)
    async with site.running():
        assert (await site.ask(closed)).code == "server.trouble"
        assert site.state == state
        assert site.published == []
        assert (await site.ask(closed)).ok  # the third event was met once only
    assert [row.seq for row in site.rows()] == list(range(1, head.seq + 5 - 1))
    assert told[:3] == told[3:6]


async def test_bytes_of_no_format_are_refused_with_their_code(open_room: Any):
    site = await open_room(an_opening())
    async with site.running():
        answer = await site.ask(cmd.UnlockBid(messages=[b"x" * 300]), bidder(1), "unlock-001")
    assert (answer.ok, answer.code) == (False, "unlock.magic")


async def test_roles_are_checked_before_anything_else(open_room: Any):
    site = await open_room(an_opening())
    async with site.running():
        viewer = Actor("somebody", Role.WITNESS)
        assert (await site.ask(cmd.Pause(reason="停"), viewer)).code == "auth.role"
