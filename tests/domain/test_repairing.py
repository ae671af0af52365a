"""Repair of damaged storage (修复存储): the same bytes, before REPLY_END, nothing else (C3)."""

from typing import Any

import pytest

from server.domain import act_events as av
from server.domain import commands as cmd
from server.domain import due
from server.domain.opening import Stage
from tests.domain.cast import HOST, SUPERVISOR_PERSON, WITNESS, Bidder
from tests.domain.openings import an_opening
from tests.domain.play import Play
from tests.domain.refusing import assert_refused
from tests.domain.sealed_bids import SealedBid
from tests.domain.tender_rules import BODY


def a_damaged_opening() -> tuple[Play, SealedBid]:
    """Everybody unlocked, the shares are here, and one form's bytes are not what they were."""
    play = an_opening(unlocked=3)
    bid = play.bids[0]
    play.store[bid.bid_id()] = bytes(len(play.store[bid.bid_id()]))
    for one in play.bids:
        play.unlock(one)
    play.later(900).checkpoint("window_end")
    play.later(2000).release(1)
    play.later(1000).release(2)
    play.work()
    return play, bid


def repair(bid: SealedBid, envelope: int = 1, **changes: Any) -> cmd.ReportRepair:
    header = bid.envelopes[envelope].header
    return cmd.ReportRepair(**({"bid_id": header.bid_id, "ct_root": header.ct_root} | changes))


def test_the_staff_hears_of_the_damage_while_it_can_be_mended():
    play, bid = a_damaged_opening()
    assert play.opening.stage is Stage.REPLIES
    (found,) = play.events(av.DamageFound)
    assert (found.bid_ids, found.audience()) == ([bid.bid_id()], "staff")


def test_the_same_bytes_open_the_bid_after_all():
    play, bid = a_damaged_opening()
    play.store[bid.bid_id()] = bid.envelopes[1].payload
    play.ask(repair(bid), HOST)
    (repaired,) = play.events(av.BidRepaired)
    assert repaired.audience() == "hall"
    play.work()
    assert play.opening.stage is Stage.OPENING  # nothing is missing any more
    play.open_all()
    assert play.states() == {1: "opened", 2: "opened", 3: "opened"}
    assert play.events(av.GroundsSuggested) == []


def test_a_disk_that_fails_again_is_told_again_and_asked_once():
    play, bid = a_damaged_opening()
    play.ask(repair(bid), HOST)
    play.work()  # still damaged; the same work is not asked for again and again
    assert len(play.events(av.DamageFound)) == 2
    assert due.work(play.opening) is None


def test_bytes_read_before_the_repair_do_not_decide():
    """A worker that was reading while the repair came in reports the damage; it is asked again."""
    play, bid = a_damaged_opening()
    play.ask(repair(bid), HOST)
    asked = due.work(play.opening)
    assert isinstance(asked, due.FindHalves)
    stale = play.halves_report(asked)
    late = cmd.ReportHalves(
        envelope=stale.envelope,
        releases=stale.releases,
        found=stale.found,
        faults=stale.faults,
        repairs=0,
    )
    play.ask(late)
    play.store[bid.bid_id()] = bid.envelopes[1].payload
    play.work()
    assert play.opening.found[bid.bid_id()].state == ""


def test_other_bytes_are_no_repair():
    play, bid = a_damaged_opening()
    other = play.bids[1].envelopes[1].header.ct_root
    assert_refused("repair.ct_root", play, repair(bid, ct_root=other), HOST)
    assert_refused("bid.unknown", play, repair(bid, bid_id=bytes(32)), HOST)


def test_after_the_end_of_replies_nothing_is_repaired():
    play, bid = a_damaged_opening()
    play.ask(cmd.EndReplies(), HOST)
    assert_refused("repair.not_open", play, repair(bid), HOST)
    play.open_all()
    assert_refused("repair.not_open", play, repair(bid), HOST)
    assert_refused("repair.not_open", play, repair(bid, BODY), HOST)
    play.ask(cmd.CloseOpening(), HOST)
    assert_refused("command.stage", play, repair(bid), HOST)


@pytest.mark.parametrize("actor", [SUPERVISOR_PERSON, WITNESS, Bidder(1).actor])
def test_only_the_host_repairs(actor: Any):
    play, bid = a_damaged_opening()
    assert_refused("auth.role", play, repair(bid), actor)


@pytest.mark.parametrize("at", ["scheduled", "sign_in"])
def test_before_the_deadline_nobody_may_ask_about_a_bid(at: str):
    play = an_opening(at=at)
    command = cmd.ReportRepair(bid_id=bytes(32), ct_root=bytes(32))
    assert_refused("command.stage", play, command, HOST)


def test_a_body_may_be_repaired_from_the_deadline_on():
    play = an_opening(at="ready")
    play.ask(repair(play.bids[0], BODY), HOST)
    assert play.events(av.BidRepaired)[0].envelope == BODY
