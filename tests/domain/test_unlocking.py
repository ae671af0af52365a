"""Unlocking (投标人解密): by key and by card, all or nothing, in time by ``received_ms``.

And what is kept of a try that failed (sealing.md C7, C8, C11).
"""

import pytest

from crypto.ack import ACK_UNLOCK, RESULT_ACCEPTED
from crypto.errors import Rejected
from crypto.hashes import sha256
from server.domain import commands as cmd
from server.domain import opening_events as ev
from server.domain.refusals import Refused
from tests.domain.cast import HOST, Bidder
from tests.domain.openings import a_tender, an_opening
from tests.domain.refusing import assert_refused, assert_rejected
from tests.domain.tender_rules import BODY, FORM, SECOND_FORM

# ---- by key


def test_one_press_opens_form_and_body_together():
    play = an_opening()
    bid = play.bids[0]
    events = play.unlock(bid)
    assert [type(event) for event in events] == [
        ev.UnlockReceived,
        ev.BidUnlocked,
        ev.OwnBidUnlocked,
    ]
    assert play.opening.halves[bid.bid_id(FORM)].half == bid.half(FORM)
    assert play.opening.halves[bid.bid_id(BODY)].half == bid.half(BODY)
    assert play.opening.waiting == 4


def test_only_the_staff_and_the_bidder_itself_hear_of_an_unlock_before_the_end():
    play = an_opening()
    events = play.unlock(play.bids[0])
    assert [event.audience() for event in events] == [
        "sealed",
        "staff",
        f"party:{play.bids[0].bidder.org}",
    ]


def test_in_time_is_what_was_received_before_the_end_whenever_it_is_decided():
    play = an_opening()
    end_ms = play.opening.window.end_ms
    play.now_ms = end_ms + 4000
    late, in_time = play.bids[:2]
    assert_refused(
        "unlock.window_closed",
        play,
        play.unlocking(late),
        late.bidder.actor,
        received_ms=end_ms,
    )
    play.unlock(in_time, received_ms=end_ms - 1)
    assert in_time.bid_id() in play.opening.halves


def test_a_pause_does_not_keep_anybody_from_unlocking():
    play = an_opening()
    play.ask(cmd.Pause(reason="停"), HOST)
    play.later(10 * 3_600_000).unlock(play.bids[0])
    assert play.bids[0].bid_id() in play.opening.halves


def test_the_bids_of_two_lots_go_into_one_message_or_two():
    play = an_opening(lots=(1, 2))
    first, second = play.bids[:2]
    assert first.bidder == second.bidder
    items = [(b.bid_id(FORM), b.half(FORM)) for b in (first, second)]
    play.ask(play.unlocking(first, FORM, items=items), first.bidder.actor)
    assert {b.bid_id(FORM) for b in (first, second)} == set(play.opening.halves)
    seen = play.events(ev.BidUnlocked)
    assert sorted(e.no for e in seen) == sorted(
        bid.no for bid in play.opening.bids if bid.bidder_pk == first.bidder.key.public
    )


def test_an_unlock_of_mixed_envelopes_opens_nothing():
    play = an_opening()
    bid = play.bids[0]
    mixed = [(bid.bid_id(FORM), bid.half(FORM)), (bid.bid_id(BODY), bid.half(BODY))]
    for envelope in (FORM, BODY):
        command = play.unlocking(bid, envelope, items=mixed)
        assert_refused("unlock.envelope", play, command, bid.bidder.actor)
    assert play.opening.halves == {}


def test_what_is_not_of_this_session_is_refused():
    play = an_opening(second_session=True)
    bid = play.bids[0]
    nonce = play.opening.window.nonces[FORM]
    command = play.unlocking(bid, SECOND_FORM, opening_nonce=nonce)
    assert_refused("unlock.envelope", play, command, bid.bidder.actor)


def test_nobody_unlocks_for_another():
    play = an_opening()
    mine, theirs = play.bids[:2]
    stolen = play.unlocking(theirs)
    assert_refused("unlock.not_yours", play, stolen, mine.bidder.actor)
    assert_refused("unlock.not_yours", play, play.unlocking(theirs), HOST_AS_BIDDER)
    # Signed with the own key, about another's bid.
    command = play.unlocking(theirs, FORM, key=mine.bidder.key)
    assert_refused("unlock.not_yours", play, command, mine.bidder.actor)
    assert play.opening.halves == {}


HOST_AS_BIDDER = Bidder(99).actor


@pytest.mark.parametrize("w", [2, 7, 65_535])
def test_a_message_for_another_number_of_the_window_is_refused(w: int):
    play = an_opening()
    bid = play.bids[0]
    assert_refused("unlock.nonce", play, play.unlocking(bid, w=w), bid.bidder.actor)


def test_a_message_for_another_tender_is_refused():
    play = an_opening()
    bid = play.bids[0]
    command = play.unlocking(bid, tender_id=bytes(32))
    assert_refused("unlock.envelope", play, command, bid.bidder.actor)


def test_a_restarted_window_takes_no_message_of_the_old_one():
    play = an_opening()
    bid = play.bids[2]
    old = play.unlocking(bid)
    play.end_by_time()
    play.checkpoint("window_end")
    play.start(reason="停电")
    assert_refused("unlock.nonce", play, old, bid.bidder.actor)
    play.unlock(bid)


def test_a_withdrawn_or_replaced_bid_cannot_be_unlocked():
    play = a_tender()
    old = play.bid(Bidder(1), version=1)
    new = play.bid(Bidder(1), version=2)
    gone = play.bid(Bidder(2))
    play.withdraw(gone)
    play.bid(Bidder(3))
    play.close()
    play.checkpoint()
    play.start()
    for bid in (old, gone):
        assert_refused("unlock.bid_unknown", play, play.unlocking(bid), bid.bidder.actor)
    play.unlock(new)


@pytest.mark.parametrize("at", ["scheduled", "sign_in"])
def test_before_the_list_is_announced_no_bid_is_known(at: str):
    play = an_opening(at=at)
    opened = an_opening()
    command = opened.unlocking(opened.bids[0])
    assert_refused("unlock.bid_unknown", play, command, opened.bids[0].bidder.actor)
    assert play.events(ev.AttemptFailed) == []


# ---- repeats


def test_the_same_message_again_is_answered_as_the_first_time():
    play = an_opening()
    bid = play.bids[0]
    command = play.unlocking(bid)
    first = play.promised(command, bid.bidder.actor, received_ms=play.now_ms - 7)
    halves = play.opening.halves
    play.later(5000)
    again = play.promised(command, bid.bidder.actor)
    assert play.opening.halves == halves
    assert [(p.kind, p.digest, p.result, p.received_ms) for p in again] == [
        (ACK_UNLOCK, sha256(raw), RESULT_ACCEPTED, play.now_ms - 5007) for raw in command.messages
    ]
    assert [p.digest for p in first] == [p.digest for p in again]


@pytest.mark.parametrize("when", ["the window has ended", "the window was restarted", "read out"])
def test_the_same_message_is_answered_at_any_later_time(when: str):
    play = an_opening()
    bid = play.bids[0]
    command = play.unlocking(bid)
    at = play.now_ms
    play.ask(command, bid.bidder.actor)
    play.end_by_time()
    play.checkpoint("window_end")
    if when == "the window was restarted":
        play.start(reason="停电")
    if when == "read out":
        play.release(1)
        play.release(2)
        play.work()
        play.open_all()
    (promise, _) = play.promised(command, bid.bidder.actor)
    assert promise.received_ms == at
    assert play.events(ev.AttemptFailed) == []


def test_another_message_for_a_bid_that_is_unlocked_is_refused():
    play = an_opening()
    bid = play.bids[0]
    play.unlock(bid, FORM)
    together = play.unlocking(bid, FORM, BODY)
    assert_refused("unlock.already", play, together, bid.bidder.actor)
    play.unlock(bid, BODY)


def test_somebody_elses_message_is_not_answered_for():
    play = an_opening()
    first, second = play.bids[:2]
    command = play.unlocking(first)
    play.ask(command, first.bidder.actor)
    assert_refused("unlock.not_yours", play, command, second.bidder.actor)


# ---- bytes


@pytest.mark.parametrize(
    ("raw", "code"),
    [(b"", "unlock.length"), (b"KBIDREL1" + bytes(300), "unlock.magic")],
)
def test_bytes_that_are_no_unlock_are_rejected(raw: bytes, code: str):
    play = an_opening()
    assert_rejected(code, play, cmd.UnlockBid(messages=[raw]), play.bids[0].bidder.actor)


def test_a_signature_over_other_bytes_is_refused_at_any_place():
    play = an_opening()
    bid = play.bids[0]
    (raw,) = play.unlock_messages(bid, FORM)
    for place in range(0, len(raw), 7):
        flipped = raw[:place] + bytes([raw[place] ^ 0x10]) + raw[place + 1 :]
        with pytest.raises((Refused, Rejected)) as caught:
            play.ask(cmd.UnlockBid(messages=[flipped]), bid.bidder.actor)
        assert caught.value.code.startswith("unlock."), place
    assert play.opening.halves == {}
    assert all(not isinstance(e.event, ev.AttemptFailed) for e in play.journal)
