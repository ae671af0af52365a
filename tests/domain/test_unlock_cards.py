"""The unlock card (解密卡): who knows s_B needs no key and no session (sealing.md C8)."""

import pytest

from crypto.ack import ACK_CARD_UNLOCK, RESULT_ACCEPTED, RESULT_LATE
from crypto.card import parse_card
from server.domain import opening_events as ev
from server.domain.model import PUBLIC
from tests.domain.cast import Bidder
from tests.domain.openings import an_opening
from tests.domain.refusing import assert_refused
from tests.domain.sealed_bids import a_sealed_bid
from tests.domain.tender_rules import BODY, FORM, SECOND_FORM


def test_whoever_holds_the_card_unlocks_without_any_key():
    play = an_opening()
    bid = play.bids[0]
    card = parse_card(bid.card(FORM), play.rules.suite_impl)
    assert bid.bid_id(FORM).startswith(card.bid_id_start)
    play.ask(play.card(bid, FORM, bidder_half=card.bidder_half), PUBLIC)
    unlocked = play.opening.halves[bid.bid_id(FORM)]
    assert unlocked.half == bid.half(FORM)
    assert play.events(ev.UnlockReceived)[0].by == "card"
    assert play.events(ev.OwnBidUnlocked)[0].org == bid.bidder.org


def test_the_last_card_ends_the_window():
    play = an_opening()
    for bid in play.bids:
        for envelope in (FORM, BODY):
            play.ask(play.card(bid, envelope), PUBLIC)
    assert play.opening.window.early


def test_a_card_of_a_wrong_half_leaves_no_evidence():
    """Anybody could otherwise fill somebody's record."""
    play = an_opening()
    command = play.card(play.bids[0], bidder_half=play.bids[1].half())
    assert_refused("unlock.key_mismatch", play, command, PUBLIC)
    assert play.events(ev.AttemptFailed) == []


def test_a_card_too_late_leaves_evidence_and_earns_a_signed_late():
    play = an_opening(at="release")
    bid = play.bids[2]
    command = play.card(bid)
    (promise,) = play.promised(command, PUBLIC)
    assert (promise.kind, promise.result) == (ACK_CARD_UNLOCK, RESULT_LATE)
    (failed,) = play.events(ev.AttemptFailed)
    assert (failed.org, failed.code) == (bid.bidder.org, "unlock.window_closed")


def test_the_same_card_again_is_promised_the_first_moment():
    play = an_opening()
    command = play.card(play.bids[0])
    first = play.now_ms
    play.ask(command, PUBLIC)
    (again,) = play.later(60_000).promised(command, PUBLIC)
    assert (again.kind, again.result, again.received_ms) == (
        ACK_CARD_UNLOCK,
        RESULT_ACCEPTED,
        first,
    )


def test_card_and_key_do_not_unlock_twice():
    play = an_opening()
    bid = play.bids[0]
    play.unlock(bid, FORM)
    assert_refused("unlock.already", play, play.card(bid, FORM), PUBLIC)
    play.ask(play.card(bid, BODY), PUBLIC)
    assert_refused("unlock.already", play, play.unlocking(bid, BODY), bid.bidder.actor)


@pytest.mark.parametrize("wrong", ["nonce", "tender", "envelope of another session"])
def test_a_card_for_another_window_is_refused(wrong: str):
    play = an_opening(second_session=True)
    bid = play.bids[0]
    command = {
        "nonce": lambda: play.card(bid, opening_nonce=bytes(32)),
        "tender": lambda: play.card(bid, tender_id=bytes(32)),
        "envelope of another session": lambda: play.card(bid, SECOND_FORM),
    }[wrong]()
    assert_refused("unlock.nonce", play, command, PUBLIC)


def test_a_card_of_an_unknown_bid_is_refused():
    play = an_opening()
    stranger = a_sealed_bid(play.rules, Bidder(9))
    assert_refused("unlock.bid_unknown", play, play.card(stranger), PUBLIC)
