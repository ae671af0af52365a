"""Lobby, closing and the list (签到、截标、公布投标人): nobody learns anything before its time."""

from typing import Any

import pytest

from crypto.receipts import closed_list_root
from server.domain import commands as cmd
from server.domain import due, tender
from server.domain import opening_events as ev
from server.domain.model import SYSTEM
from server.domain.opening import Stage
from tests.domain.cast import (
    HOST,
    Bidder,
)
from tests.domain.journaling import DAY_MS
from tests.domain.openings import a_tender, an_opening
from tests.domain.play import Play
from tests.domain.refusal_catalogue import deadline_change
from tests.domain.refusing import assert_refused
from tests.domain.sealed_bids import a_sealed_bid
from tests.domain.tender_rules import (
    DEADLINE_MS,
    FORM,
    sample_rules,
)

HOUR = 3_600_000


# ---- the lobby


def test_the_lobby_opens_an_hour_before_the_deadline():
    play = a_tender()
    assert due.wake_ms(play.opening) == DEADLINE_MS - HOUR
    play.now_ms = DEADLINE_MS - HOUR - 1
    assert play.ask(cmd.OpeningTick(passed_ms=play.now_ms)) == []
    play.later(1).ask(cmd.OpeningTick(passed_ms=play.now_ms))
    assert play.opening.stage is Stage.SIGN_IN
    assert play.ask(cmd.OpeningTick(passed_ms=play.now_ms)) == []


def test_who_signs_in_is_told_to_nobody_before_the_deadline():
    play = an_opening(at="sign_in")
    bidder = Bidder(1)
    (signed,) = play.ask(cmd.SignIn(), bidder.actor)
    assert signed.audience() == f"party:{bidder.org}"
    assert play.ask(cmd.SignIn(), bidder.actor) == []


def test_after_the_deadline_the_staff_hear_who_was_there_and_who_comes_later():
    play = an_opening(at="sign_in")
    play.ask(cmd.SignIn(), Bidder(1).actor)
    play.bid(Bidder(1))
    play.close()
    (told,) = play.events(ev.SignedInBidders)
    assert (told.orgs, told.audience()) == ([Bidder(1).org], "staff")
    (late,) = play.ask(cmd.SignIn(), Bidder(2).actor)
    assert (type(late), late.audience()) == (ev.LatecomerSignedIn, "staff")


@pytest.mark.parametrize("at", ["scheduled", "closed", "failed"])
def test_there_is_no_lobby_before_and_after(at: str):
    assert_refused("sign_in.not_open", an_opening(at=at), cmd.SignIn(), Bidder(1).actor)


# ---- closing


def test_the_tender_closes_after_a_whole_pass_that_began_after_the_deadline():
    play = a_tender()
    play.bid(Bidder(1))
    play.now_ms = DEADLINE_MS + 30
    assert play.ask(cmd.TenderTick(passed_ms=DEADLINE_MS - 1)) == []
    (closed,) = play.ask(cmd.TenderTick(passed_ms=DEADLINE_MS))
    counting = [r.message.digest for r in play.tender.counting()]
    assert (closed.count, closed.list_root) == (1, closed_list_root(counting))
    assert (closed.deadline_ms, closed.audience()) == (DEADLINE_MS, "hall")
    assert play.ask(cmd.TenderTick(passed_ms=DEADLINE_MS)) == []
    assert tender.wake_ms(play.tender) is None


def test_a_moment_that_was_meant_for_an_old_deadline_closes_nothing():
    play = a_tender()
    play.ask(deadline_change(play, DEADLINE_MS + DAY_MS), HOST)
    play.now_ms = DEADLINE_MS + 5
    assert play.ask(cmd.TenderTick(passed_ms=DEADLINE_MS)) == []


def test_a_tender_that_is_not_published_never_closes():
    play = Play(sample_rules())
    assert play.ask(cmd.TenderTick(passed_ms=DEADLINE_MS)) == []
    assert tender.wake_ms(play.tender) is None


def test_the_stored_bytes_are_reported_once():
    play = an_opening(at="announced")
    (checked,) = play.ask(cmd.ReportStoreCheck(checked=6, damaged=[bytes(32)]))
    assert checked.audience() == "staff"
    assert play.ask(cmd.ReportStoreCheck(checked=6, damaged=[])) == []


def test_the_list_is_announced_to_all_with_every_counting_bid():
    play = a_tender()
    play.bid(Bidder(1), version=1)
    play.bid(Bidder(1), version=2)
    play.bid(Bidder(2))
    gone = play.bid(Bidder(3))
    play.withdraw(gone)
    play.close()
    (announced,) = play.events(ev.BiddersAnnounced)
    assert announced.count == 2
    assert {b.org for b in announced.bids} == {Bidder(1).org, Bidder(2).org}
    assert [b.no for b in announced.bids] == [1, 2]
    newest = a_sealed_bid(play.rules, Bidder(1), version=2)
    assert newest.bid_id() in {e.bid_id for b in announced.bids for e in b.envelopes}


def test_the_order_of_the_list_says_nothing_about_who_came_first():
    play = an_opening(bids=8, at="announced")
    digests = [r.message.digest for r in play.tender.counting()]
    assert digests == sorted(digests)
    assert [b.bidder_pk for b in play.opening.bids] == [
        r.message.bidder_pk for r in play.tender.counting()
    ]


def test_masked_names_are_in_no_event_that_others_hear():
    play = an_opening(at="release", names_masked=True)
    (announced,) = play.events(ev.BiddersAnnounced)
    assert {(b.org, b.name) for b in announced.bids} == {("", "")}
    assert {bid.org for bid in play.opening.bids} == {Bidder(n).org for n in (1, 2, 3)}


def test_the_list_told_twice_is_announced_once():
    play = an_opening(at="announced")
    assert play.ask(play.closed_list()) == []
    started = an_opening()
    assert started.ask(started.closed_list()) == []


@pytest.mark.parametrize(
    ("bids", "wanted", "fails"), [(2, 3, True), (3, 3, False), (0, 1, True), (1, 1, False)]
)
def test_an_opening_with_too_few_bidders_fails(bids: int, wanted: int, fails: bool):
    play = a_tender(min_bidders=wanted)
    for number in range(1, bids + 1):
        play.bid(Bidder(number))
    play.close()
    assert (play.opening.stage is Stage.FAILED) == fails
    assert [e.reason for e in play.events(ev.OpeningFailed)] == ["too_few_bids"] * fails
    assert play.ask(play.closed_list()) == []


def test_two_bidders_with_two_lots_are_not_three_bidders():
    play = a_tender(lots=(1, 2), min_bidders=3)
    for number in (1, 2):
        for lot in (1, 2):
            play.bid(Bidder(number), lot=lot)
    play.close()
    assert play.opening.stage is Stage.FAILED


# ---- the closing checkpoint


def test_the_first_checkpoint_over_the_closing_is_the_one_that_counts():
    play = an_opening(at="announced")
    assert due.awaited_checkpoint(play.opening) == ("closing", 0, 0)
    play.checkpoint()
    first = play.opening.closing_checkpoint
    play.checkpoint()
    assert play.opening.closing_checkpoint == first
    assert due.awaited_checkpoint(play.opening) is None
    assert len(play.events(ev.CheckpointReached)) == 1


def test_a_checkpoint_covers_the_window_that_has_ended_and_no_other():
    play = an_opening()
    assert due.awaited_checkpoint(play.opening) is None
    reach = {"checkpoint": play.opening.closing_checkpoint, "fingerprint": "AAAA"}

    def reached(w: int, session: int = 1) -> list[Any]:
        command = cmd.ReachCheckpoint(of="window_end", w=w, session=session, **reach)
        return list(play.ask(command))

    assert reached(1) == []  # it still runs
    play.end_by_time()
    assert due.awaited_checkpoint(play.opening) == ("window_end", 1, 1)
    assert reached(2) == []
    assert reached(1, session=2) == []
    assert len(reached(1)) == 1
    assert reached(1) == []


def test_an_opening_is_scheduled_by_the_system_alone_and_knows_its_envelopes():
    play = a_tender()
    assert play.opening.stage is Stage.SCHEDULED
    assert play.opening.counting(FORM) == []
    assert_refused("room.unknown", Play(play.rules), cmd.SignIn(), SYSTEM)
