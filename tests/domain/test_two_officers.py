"""Deadline and lost trustees by two officers at two desks: proposed by the host, countersigned.

Wrong office, one signature, one person twice, stale, altered, replayed, too late: each is refused.
"""

from typing import Any

import pytest

from server.domain import act_events as av
from server.domain import commands as cmd
from server.domain import opening_events as ev
from server.domain import tender_events as tv
from server.domain.opening import Stage
from tests.domain.cast import (
    HOST,
    HOST_KEY,
    PURCHASER_PERSON,
    SUPERVISOR_KEY,
    SUPERVISOR_PERSON,
    TRUSTEES,
    WITNESS,
    Bidder,
)
from tests.domain.journaling import DAY_MS
from tests.domain.openings import a_tender, an_opening
from tests.domain.play import Play
from tests.domain.refusing import assert_refused
from tests.domain.tender_rules import DEADLINE_MS
from tests.domain.two_officers import countersigning, proposed_deadline, proposed_loss

LATER = DEADLINE_MS + DAY_MS
OTHERS = (PURCHASER_PERSON, WITNESS, TRUSTEES[0].actor, Bidder(1).actor)


def a_proposed_deadline() -> tuple[Play, tv.DeadlineProposed]:
    play = a_tender()
    play.ask(proposed_deadline(play, LATER), HOST)
    (proposal,) = play.events(tv.DeadlineProposed)
    return play, proposal


def a_proposed_loss() -> tuple[Play, av.TrusteesLostProposed]:
    play = an_opening(at="release")
    play.ask(proposed_loss(play), HOST)
    (proposal,) = play.events(av.TrusteesLostProposed)
    return play, proposal


# ---- the deadline


def test_the_deadline_moves_when_the_second_officer_has_signed():
    play, proposal = a_proposed_deadline()
    assert proposal.audience() == "staff"
    assert play.tender.deadline_ms == DEADLINE_MS
    play.later(1000).ask(countersigning(play, proposal), SUPERVISOR_PERSON)
    assert play.tender.deadline_ms == LATER
    (changed,) = play.events(tv.DeadlineChanged)
    assert changed.pks == [HOST_KEY.public, SUPERVISOR_KEY.public]


def test_the_same_proposal_again_is_the_same_proposal():
    play, _ = a_proposed_deadline()
    assert play.ask(proposed_deadline(play, LATER), HOST) == []


@pytest.mark.parametrize("actor", [SUPERVISOR_PERSON, *OTHERS])
def test_only_the_host_proposes_another_deadline(actor: Any):
    play = a_tender()
    for key in (HOST_KEY, SUPERVISOR_KEY):
        command = proposed_deadline(play, LATER, key=key)
        assert_refused("auth.role", play, command, actor)


@pytest.mark.parametrize("actor", [HOST, *OTHERS])
def test_only_the_supervisor_countersigns_it(actor: Any):
    play, proposal = a_proposed_deadline()
    assert_refused("auth.role", play, countersigning(play, proposal), actor)


@pytest.mark.parametrize("actor", OTHERS)
def test_only_the_two_officers_decline_it(actor: Any):
    play, proposal = a_proposed_deadline()
    command = cmd.DeclineDeadline(act=proposal.act, reason="不同意")
    assert_refused("auth.role", play, command, actor)


@pytest.mark.parametrize("actor", [HOST, SUPERVISOR_PERSON])
def test_what_was_declined_cannot_be_countersigned(actor: Any):
    play, proposal = a_proposed_deadline()
    play.ask(cmd.DeclineDeadline(act=proposal.act, reason="公告未发"), actor)
    assert_refused("act.unknown", play, countersigning(play, proposal), SUPERVISOR_PERSON)
    again = cmd.DeclineDeadline(act=proposal.act, reason="公告未发")
    assert_refused("act.unknown", play, again, actor)


def test_a_proposal_is_stale_once_the_deadline_is_another():
    play, proposal = a_proposed_deadline()
    play.ask(countersigning(play, proposal), SUPERVISOR_PERSON)
    replay = countersigning(play, proposal)
    assert_refused("act.stale", play, replay, SUPERVISOR_PERSON)


def test_a_newer_proposal_takes_the_place_of_the_older():
    play, first = a_proposed_deadline()
    play.ask(proposed_deadline(play, LATER + DAY_MS), HOST)
    assert_refused("act.unknown", play, countersigning(play, first), SUPERVISOR_PERSON)


def test_after_the_deadline_nothing_moves_it():
    play, proposal = a_proposed_deadline()
    command = countersigning(play, proposal)
    play.now_ms = DEADLINE_MS
    assert_refused("deadline.past", play, command, SUPERVISOR_PERSON)
    play.close()
    assert_refused("deadline.past", play, command, SUPERVISOR_PERSON)
    late = proposed_deadline(play, LATER + 1)
    assert_refused("deadline.past", play, late, HOST)


def test_a_deadline_that_is_not_later_is_not_even_proposed():
    play = a_tender()
    assert_refused("deadline.not_later", play, proposed_deadline(play, DEADLINE_MS), HOST)


def test_an_altered_proposal_is_refused():
    play = a_tender()
    signed = proposed_deadline(play, LATER)
    for altered in (
        proposed_deadline(play, LATER + 1, sig=signed.sig),
        proposed_deadline(play, LATER, "另一个", sig=signed.sig),
        proposed_deadline(play, LATER, sig=bytes(64)),
    ):
        assert_refused("act.signature", play, altered, HOST)


def test_a_countersignature_of_another_act_is_refused():
    play, proposal = a_proposed_deadline()
    other = proposed_deadline(play, LATER + 1, key=SUPERVISOR_KEY)
    for sig in (other.sig, proposal.sig, bytes(64)):
        command = countersigning(play, proposal, sig=sig)
        assert_refused("act.signature", play, command, SUPERVISOR_PERSON)
    stranger = countersigning(play, proposal, HOST_KEY)
    assert_refused("act.officer", play, stranger, SUPERVISOR_PERSON)
    unknown = countersigning(play, proposal, act=bytes(32))
    assert_refused("act.unknown", play, unknown, SUPERVISOR_PERSON)


# ---- lost trustees


def test_the_trustees_are_lost_when_the_second_officer_has_signed():
    play, proposal = a_proposed_loss()
    assert not play.opening.trustees_lost
    play.ask(countersigning(play, proposal), SUPERVISOR_PERSON)
    assert play.opening.stage is Stage.REPLIES
    (lost,) = play.events(ev.TrusteesLost)
    assert lost.reason == proposal.reason
    replay = countersigning(play, proposal)
    assert_refused("release.window", play, replay, SUPERVISOR_PERSON)


@pytest.mark.parametrize("actor", [SUPERVISOR_PERSON, *OTHERS])
def test_only_the_host_proposes_that_they_are_lost(actor: Any):
    play = an_opening(at="release")
    assert_refused("auth.role", play, proposed_loss(play), actor)


@pytest.mark.parametrize("actor", OTHERS)
def test_nobody_else_countersigns_or_declines(actor: Any):
    play, proposal = a_proposed_loss()
    assert_refused("auth.role", play, countersigning(play, proposal), actor)
    declined = cmd.DeclineAct(act=proposal.act, reason="不同意")
    assert_refused("auth.role", play, declined, actor)


def test_the_host_cannot_be_both():
    play, proposal = a_proposed_loss()
    for key in (HOST_KEY, SUPERVISOR_KEY):
        command = countersigning(play, proposal, key)
        assert_refused("act.same_officer", play, command, HOST)


def test_a_share_that_arrives_ends_the_question():
    play, proposal = a_proposed_loss()
    play.release(1)
    command = countersigning(play, proposal)
    assert_refused("release.window", play, command, SUPERVISOR_PERSON)
    assert not play.opening.trustees_lost


def test_a_restart_makes_the_proposal_stale():
    """It named the nonce of a window that is over."""
    play, proposal = a_proposed_loss()
    play.later(1000).start(reason="重新开始")
    play.end_by_time()
    play.later(900).checkpoint("window_end")
    command = countersigning(play, proposal)
    assert_refused("act.stale", play, command, SUPERVISOR_PERSON)
    play.ask(proposed_loss(play), HOST)
    fresh = play.events(av.TrusteesLostProposed)[-1]
    play.ask(countersigning(play, fresh), SUPERVISOR_PERSON)
    assert play.opening.trustees_lost


def test_a_declined_loss_is_off_the_table():
    play, proposal = a_proposed_loss()
    play.ask(cmd.DeclineAct(act=proposal.act, reason="再等一刻钟"), SUPERVISOR_PERSON)
    assert_refused("act.unknown", play, countersigning(play, proposal), SUPERVISOR_PERSON)


def test_before_the_end_is_under_a_checkpoint_nothing_is_proposed():
    play = an_opening()
    play.end_by_time()
    assert_refused("release.window", play, proposed_loss(play), HOST)
