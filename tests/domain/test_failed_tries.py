"""What is kept of a try that failed: the evidence of whose fault a closed bid is (C3)."""

from typing import Any

from crypto.ack import ACK_UNLOCK, RESULT_LATE
from crypto.hashes import sha256
from server.domain import commands as cmd
from server.domain import opening_events as ev
from server.domain.unlocking import TRIES_MAX
from tests.domain.openings import an_opening
from tests.domain.play import Play
from tests.domain.refusing import assert_refused
from tests.domain.sealed_bids import SealedBid
from tests.domain.tender_rules import BODY, FORM


def refused_try(play: Play, code: str, command: Any, bid: SealedBid, **asked: Any) -> list[Any]:
    """The evidence that a refused try of this bidder left."""
    before = len(play.events(ev.AttemptFailed))
    assert_refused(code, play, command, bid.bidder.actor, **asked)
    return play.events(ev.AttemptFailed)[before:]


def test_a_wrong_half_leaves_evidence_and_opens_nothing():
    play = an_opening()
    bid = play.bids[0]
    command = play.unlocking(bid, halves={BODY: bid.half(FORM)})
    (failed,) = refused_try(play, "unlock.key_mismatch", command, bid, received_ms=play.now_ms - 3)
    assert failed.bid_id == bid.bid_id(BODY)
    assert failed.sha256 == sha256(command.messages[1])
    assert failed.nonce == play.opening.window.nonces[BODY]
    assert (failed.code, failed.received_ms) == ("unlock.key_mismatch", play.now_ms - 3)
    assert failed.audience() == f"party:{bid.bidder.org}"
    assert play.opening.halves == {}


def test_a_late_try_leaves_evidence_and_earns_a_signed_late_for_each_message():
    play = an_opening()
    bid = play.bids[0]
    end_ms = play.opening.window.end_ms
    play.now_ms = end_ms + 100
    command = play.unlocking(bid)
    promised = play.promised(command, bid.bidder.actor, received_ms=end_ms)
    assert [(p.kind, p.digest, p.result, p.received_ms) for p in promised] == [
        (ACK_UNLOCK, sha256(raw), RESULT_LATE, end_ms) for raw in command.messages
    ]
    failed = play.events(ev.AttemptFailed)
    assert {e.bid_id for e in failed} == {bid.bid_id(FORM), bid.bid_id(BODY)}
    assert [e.no for e in play.events(ev.AttemptSeen)] == [failed[0].no]


def test_a_try_before_the_window_leaves_evidence_without_a_promise():
    play = an_opening(at="ready")
    opened = an_opening()
    bid = opened.bids[0]
    command = opened.unlocking(bid)
    assert play.promised(command, bid.bidder.actor) == []
    assert {e.code for e in play.events(ev.AttemptFailed)} == {"unlock.before_window"}
    assert {e.nonce for e in play.events(ev.AttemptFailed)} == {b""}


def test_a_refusal_says_when_the_window_ended():
    play = an_opening(at="release")
    bid = play.bids[2]
    refused = assert_refused("unlock.window_closed", play, play.unlocking(bid), bid.bidder.actor)
    assert refused.detail["end_ms"] == play.opening.window.end_ms
    assert refused.detail["received_ms"] == play.now_ms


def test_a_stranger_leaves_no_evidence_against_a_bidder():
    play = an_opening(at="release")
    mine, theirs = play.bids[:2]
    assert_refused("unlock.not_yours", play, play.unlocking(theirs), mine.bidder.actor)
    forged = play.unlocking(theirs, FORM, key=mine.bidder.key)
    assert_refused("unlock.not_yours", play, forged, mine.bidder.actor)
    assert play.events(ev.AttemptFailed) == []


def test_of_one_bidder_only_so_many_failed_tries_are_kept():
    play = an_opening(at="release")
    bid = play.bids[2]
    report = cmd.ReportAttempt(bid_id=bid.bid_id(), code="key.wrong_password")
    for _ in range(TRIES_MAX):
        play.ask(report, bid.bidder.actor)
    assert play.ask(report, bid.bidder.actor) == []
    assert refused_try(play, "unlock.window_closed", play.unlocking(bid), bid) == []
    assert play.opening.tries == {bid.bidder.org: TRIES_MAX}
    other = play.bids[1]
    assert play.ask(cmd.ReportAttempt(bid_id=other.bid_id(), code="a.b"), other.bidder.actor)


def test_a_device_reports_its_own_bid_only():
    play = an_opening()
    mine, theirs = play.bids[:2]
    for bid_id in (theirs.bid_id(), bytes(32)):
        command = cmd.ReportAttempt(bid_id=bid_id, code="unlock.key_mismatch")
        assert_refused("unlock.bid_unknown", play, command, mine.bidder.actor)
    play.ask(cmd.ReportAttempt(bid_id=mine.bid_id(), code="unlock.key_mismatch"), mine.bidder.actor)
    (failed,) = play.events(ev.AttemptFailed)
    assert (failed.kind, failed.sha256) == (0, bytes(32))
