"""Bids (投标) until the deadline: sealed envelopes, and the SUBMIT chain that makes them count
(sealing.md C6, C9, C10, C14).
"""

from typing import Any

import pytest

from crypto.ack import (
    ACK_SUBMIT,
    ACK_WITHDRAW,
    RESULT_ACCEPTED,
    RESULT_INCOMPLETE,
    RESULT_LATE,
)
from crypto.hashes import sha256
from server.domain import bidding
from server.domain import commands as cmd
from server.domain import tender_events as ev
from server.domain.bidding import REFUSED_MAX
from server.domain.refusals import Refused
from tests.domain.cast import HOST, Bidder, signing
from tests.domain.journaling import DAY_MS, signed_act
from tests.domain.openings import a_tender
from tests.domain.play import Play
from tests.domain.refusing import assert_refused, assert_rejected
from tests.domain.sealed_bids import SealedBid, a_sealed_bid, a_submit
from tests.domain.tender_rules import BODY, DEADLINE_MS, FORM

FIRST, SECOND = Bidder(1), Bidder(2)


def uploaded(bidder: Bidder = FIRST, **rules: Any) -> tuple[Play, SealedBid]:
    """A bidder has registered and uploaded its bid."""
    play = a_tender(**rules)
    play.register(bidder)
    bid = a_sealed_bid(play.rules, bidder)
    play.upload(bid)
    return play, bid


def submitting(play: Play, bid: SealedBid, **changes: Any) -> cmd.SubmitBid:
    facts = play.chain(bid) | changes
    return cmd.SubmitBid(message=a_submit(play.rules, bid, **facts).raw)


def promise_of(play: Play, command: cmd.SubmitBid, bid: SealedBid, **asked: Any) -> Any:
    """The one promise that the command earns, whether accepted or refused."""
    ctx = play.context(bid.bidder.actor, asked.get("received_ms"))
    result = RESULT_ACCEPTED
    try:
        play.ask(command, bid.bidder.actor, **asked)
    except Refused as refused:
        (result,) = [e.result for e in refused.evidence]
    (promise,) = bidding.promise_of(command, play.tender, ctx, result)
    return promise


# ---- the chain


def test_a_bid_counts_through_its_submit():
    play, bid = uploaded()
    (received,) = play.ask(submitting(play, bid), FIRST.actor)
    assert received.audience() == f"party:{FIRST.org}"
    assert [r.message.items for r in play.tender.counting()] == [tuple(sorted(bid.items))]


def test_the_newest_submit_of_a_chain_is_the_bid():
    play, first = uploaded()
    play.submit(first)
    second = play.bid(FIRST, version=2)
    (counting,) = play.tender.counting()
    assert counting.message.items == tuple(sorted(second.items))
    assert counting.message.seq == 2


def test_a_withdrawn_bid_does_not_count_and_may_be_followed_by_another():
    play, bid = uploaded()
    play.submit(bid)
    play.withdraw(bid)
    assert play.tender.counting() == []
    play.bid(FIRST, version=2)
    assert len(play.tender.counting()) == 1


def test_each_lot_has_a_chain_of_its_own():
    play = a_tender(lots=(1, 2))
    for lot in (1, 2):
        play.bid(FIRST, lot=lot)
    assert [r.message.seq for r in play.tender.counting()] == [1, 1]
    play.withdraw(play.bids[0])
    assert len(play.tender.counting()) == 1


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"seq": 2, "prev": b"\x01" * 32}, "submit.seq"),
        ({"seq": 9, "prev": b"\x01" * 32}, "submit.seq"),
        ({"lot": 2}, "submit.mismatch"),
        ({"lot": 0}, "submit.mismatch"),
        ({"tender_id": bytes(32)}, "submit.mismatch"),
    ],
)
def test_the_first_message_of_a_chain_is_number_one(changes: dict[str, Any], code: str):
    play, bid = uploaded()
    assert_refused(code, play, submitting(play, bid, **changes), FIRST.actor)


def test_each_message_names_the_one_before():
    play, bid = uploaded()
    play.submit(bid)
    second = a_sealed_bid(play.rules, FIRST, version=2)
    play.upload(second)
    good = play.chain(second)
    for changes, code in (
        ({"prev": b"\x01" * 32}, "submit.prev"),
        ({"seq": 3}, "submit.seq"),
        ({"seq": 1, "prev": bytes(32)}, "submit.seq"),
    ):
        command = submitting(play, second, **(good | changes))
        assert_refused(code, play, command, FIRST.actor)
    play.submit(second)


def test_an_envelope_is_listed_once_for_ever():
    play, bid = uploaded()
    play.submit(bid)
    assert_refused("submit.listed_before", play, submitting(play, bid), FIRST.actor)
    play.withdraw(bid)
    assert_refused("submit.listed_before", play, submitting(play, bid), FIRST.actor)


def test_a_submit_lists_the_bidders_own_envelopes():
    play, mine = uploaded()
    play.register(SECOND)
    theirs = a_sealed_bid(play.rules, SECOND)
    play.upload(theirs)
    mixed = [(FORM, mine.bid_id(FORM)), (BODY, theirs.bid_id(BODY))]
    assert_refused("bid.not_yours", play, submitting(play, mine, items=mixed), FIRST.actor)


def test_a_submit_lists_every_envelope_of_the_tender_and_no_other():
    play, bid = uploaded()
    only_form = [(FORM, bid.bid_id(FORM))]
    assert_refused("submit.envelopes", play, submitting(play, bid, items=only_form), FIRST.actor)
    swapped = [(FORM, bid.bid_id(BODY)), (BODY, bid.bid_id(FORM))]
    assert_refused("submit.mismatch", play, submitting(play, bid, items=swapped), FIRST.actor)


def test_an_envelope_of_another_lot_is_not_listed():
    play = a_tender(lots=(1, 2))
    play.register(FIRST)
    first, second = (a_sealed_bid(play.rules, FIRST, lot=lot) for lot in (1, 2))
    for bid in (first, second):
        play.upload(bid)
    command = submitting(play, first, items=second.items)
    assert_refused("submit.mismatch", play, command, FIRST.actor)


def test_a_submit_is_signed_by_the_registered_key():
    play, bid = uploaded()
    raw = submitting(play, bid).message
    tampered = cmd.SubmitBid(message=raw[:-1] + bytes([raw[-1] ^ 1]))
    assert_refused("submit.signature", play, tampered, FIRST.actor)
    stranger = submitting(play, bid, key=signing("a stranger"))
    assert_refused("bid.not_registered", play, stranger, FIRST.actor)
    assert_refused("bid.not_registered", play, submitting(play, bid), SECOND.actor)


def test_a_bidder_submits_so_often_and_may_withdraw_even_then():
    play, bid = uploaded(submissions_max=2)
    play.submit(bid)
    second = play.bid(FIRST, version=2)
    third = a_sealed_bid(play.rules, FIRST, version=3)
    play.upload(third)
    assert_refused("submit.too_many", play, submitting(play, third), FIRST.actor)
    play.withdraw(second)
    assert play.tender.counting() == []
    for command in (submitting(play, third), submitting(play, third, kind=2)):
        assert_refused("submit.too_many", play, command, FIRST.actor)


# ---- in time, complete, and what is kept otherwise


def test_in_time_is_what_was_received_before_the_deadline_whenever_it_is_decided():
    play, bid = uploaded()
    play.now_ms = DEADLINE_MS + 3000
    assert promise_of(play, submitting(play, bid), bid, received_ms=DEADLINE_MS).result == 1
    assert promise_of(play, submitting(play, bid), bid, received_ms=DEADLINE_MS - 1).result == 0
    assert len(play.tender.counting()) == 1


def test_a_late_submit_earns_a_signed_late():
    play, bid = uploaded()
    play.now_ms = DEADLINE_MS + 10
    command = submitting(play, bid)
    promise = promise_of(play, command, bid)
    assert (promise.kind, promise.result) == (ACK_SUBMIT, RESULT_LATE)
    assert (promise.digest, promise.received_ms) == (sha256(command.message), play.now_ms)
    assert play.tender.counting() == []
    withdraw = submitting(play, bid, kind=2)
    assert promise_of(play, withdraw, bid).kind == ACK_WITHDRAW


def test_after_the_closing_everything_is_late():
    play, bid = uploaded()
    play.close()
    promise = promise_of(play, submitting(play, bid), bid, received_ms=DEADLINE_MS - 1)
    assert promise.result == RESULT_LATE


def test_an_incomplete_submit_is_answered_so_and_may_come_again():
    play = a_tender()
    play.register(FIRST)
    bid = a_sealed_bid(play.rules, FIRST)
    command = submitting(play, bid)
    assert promise_of(play, command, bid).result == RESULT_INCOMPLETE
    refused = assert_refused("bid.incomplete", play, command, FIRST.actor)
    assert sorted(refused.detail["missing"]) == sorted(b.hex() for _, b in bid.items)
    play.upload(bid)
    assert promise_of(play, command, bid).result == RESULT_ACCEPTED


def test_the_same_submit_again_is_promised_the_first_moment():
    play, bid = uploaded()
    command = submitting(play, bid)
    first = promise_of(play, command, bid, received_ms=play.now_ms - 9)
    play.now_ms = DEADLINE_MS + 60_000
    again = promise_of(play, command, bid)
    assert (again.digest, again.received_ms) == (first.digest, first.received_ms)
    assert again.result == RESULT_ACCEPTED
    assert len(play.events(ev.SubmitReceived)) == 1


def test_of_one_organisation_only_so_many_refused_messages_are_kept():
    play = a_tender()
    play.register(FIRST)
    command = submitting(play, a_sealed_bid(play.rules, FIRST))
    for _ in range(REFUSED_MAX):
        assert assert_refused("bid.incomplete", play, command, FIRST.actor).evidence
    assert not assert_refused("bid.incomplete", play, command, FIRST.actor).evidence
    play.now_ms = DEADLINE_MS
    assert not assert_refused("bid.late", play, command, FIRST.actor).evidence
    assert len(play.events(ev.SubmitReceived)) == REFUSED_MAX


def test_a_key_that_expired_before_a_moved_deadline_submits_nothing_more():
    play = a_tender()
    play.ask(play.registration(FIRST, expiry_ms=DEADLINE_MS + 1000), FIRST.actor)
    bid = a_sealed_bid(play.rules, FIRST)
    play.upload(bid)
    later = DEADLINE_MS + DAY_MS
    members = {"old_ms": DEADLINE_MS, "deadline_ms": later, "reason": "补遗"}
    pks, sigs = signed_act(4, play.rules, members)
    play.ask(cmd.ChangeDeadline(deadline_ms=later, reason="补遗", pks=pks, sigs=sigs), HOST)
    play.now_ms = DEADLINE_MS + 1001
    assert_refused("registration.expiry", play, submitting(play, bid), FIRST.actor)


# ---- bytes


@pytest.mark.parametrize(
    ("raw", "code"), [(b"", "submit.length"), (b"KBIDUNL1" + bytes(300), "submit.magic")]
)
def test_bytes_that_are_no_submit_are_rejected(raw: bytes, code: str):
    play, _ = uploaded()
    assert_rejected(code, play, cmd.SubmitBid(message=raw), FIRST.actor)
