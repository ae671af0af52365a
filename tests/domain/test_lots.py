"""Lots (标段) with too few bidders: they fail by themselves, and stay sealed whoever asks.

实施条例 art. 44; the other lots of the tender go on as if the failed one were not there.
"""

import json

import pytest

from server.domain import opening_events as ev
from server.domain.opening import Stage
from tests.domain.cast import Bidder
from tests.domain.openings import a_tender
from tests.domain.play import Play
from tests.domain.refusing import assert_refused
from tests.domain.sealed_bids import SealedBid
from tests.domain.tender_rules import FORM

LIVING, FAILED = 1, 2


def two_lots(in_second: int = 1, **rules: int) -> Play:
    """Three bidders for the first lot, fewer for the second; the countdown runs."""
    play = a_tender(lots=(LIVING, FAILED), min_bidders=3, **rules)
    play.open_sign_in()
    for number in (1, 2, 3):
        play.bid(Bidder(number), lot=LIVING)
    for number in range(1, in_second + 1):
        play.bid(Bidder(number), lot=FAILED)
    play.close()
    if play.opening.stage is Stage.ANNOUNCED:
        play.later(900).checkpoint()
        play.later(1000).start()
    return play


def of_lot(play: Play, lot: int) -> list[SealedBid]:
    return [bid for bid in play.bids if bid.lot == lot]


@pytest.mark.parametrize("in_second", [0, 1, 2])
def test_a_lot_with_too_few_bidders_fails_and_the_other_goes_on(in_second: int):
    play = two_lots(in_second)
    (failed,) = play.events(ev.LotFailed)
    assert (failed.lot, failed.bidders, failed.audience()) == (FAILED, in_second, "hall")
    assert play.events(ev.OpeningFailed) == []
    assert play.opening.stage is Stage.DECRYPTION


def test_a_lot_with_just_enough_is_opened():
    play = two_lots(3)
    assert play.events(ev.LotFailed) == []
    for bid in of_lot(play, FAILED):
        play.unlock(bid)


def test_when_every_lot_fails_the_opening_does():
    play = a_tender(lots=(LIVING, FAILED), min_bidders=3)
    play.bid(Bidder(1), lot=LIVING)
    play.bid(Bidder(2), lot=FAILED)
    play.close()
    assert play.opening.stage is Stage.FAILED
    assert play.events(ev.LotFailed) == []


def test_nobody_unlocks_a_bid_of_a_failed_lot():
    play = two_lots()
    (bid,) = of_lot(play, FAILED)
    assert_refused("unlock.lot_failed", play, play.unlocking(bid), bid.bidder.actor)
    assert_refused("unlock.lot_failed", play, play.card(bid), bid.bidder.actor)
    assert play.opening.halves == {}


def test_the_window_ends_early_without_the_bids_that_stay_sealed():
    play = two_lots()
    assert play.opening.waiting == 2 * len(of_lot(play, LIVING))
    for bid in of_lot(play, LIVING):
        play.later(10).unlock(bid)
    (ended,) = play.events(ev.WindowEnded)
    assert (ended.early, len(ended.unlocked), ended.locked) == (True, 3, [])


def opened(**rules: int) -> Play:
    play = two_lots(**rules)
    for bid in of_lot(play, LIVING):
        play.later(10).unlock(bid)
    play.later(900).checkpoint("window_end")
    for place in (1, 2):
        play.later(100).release(place)
    play.work()
    play.open_all()
    return play


@pytest.mark.parametrize("mode", [0, 1])
def test_no_price_of_a_failed_lot_is_ever_read_out(mode: int):
    play = opened(mode=mode)
    (bid,) = of_lot(play, FAILED)
    (readout,) = play.opening.readouts
    assert {row["lot"] for row in json.loads(readout)["rows"]} == {LIVING}
    assert bid.bidder.price(lot=FAILED).encode() not in readout
    assert play.opening.states[bid.bid_id(FORM)] == "locked"


def test_that_it_stays_closed_is_nobodys_fault():
    play = opened()
    assert dict(play.opening.suggestions) == {}
