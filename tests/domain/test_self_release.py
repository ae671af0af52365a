"""Lost trustees (TRUSTEES_LOST), and what a bidder can do then: show its own half (C8)."""

from typing import Any

import pytest

from crypto.ack import ACK_SELF_RELEASE
from crypto.shares import SHARE_OK, SHARE_UNREADABLE
from server.domain import commands as cmd
from server.domain import opening_events as ev
from server.domain.opening import Stage
from tests.domain.cast import (
    HOST,
    HOST_KEY,
    SUPERVISOR_KEY,
    TRUSTEES,
    signing,
)
from tests.domain.journaling import signed_act
from tests.domain.openings import a_release, an_opening
from tests.domain.play import Play
from tests.domain.refusing import assert_refused, assert_rejected
from tests.domain.tender_rules import BODY, FORM

NO_SHARE = bytes(32)


def test_host_and_supervisor_declare_the_trustees_lost():
    play = an_opening(at="release")
    play.ask(play.lost(), HOST)
    assert play.opening.stage is Stage.REPLIES
    assert play.opening.trustees_lost
    assert play.events(ev.TrusteesLost)[0].audience() == "hall"


def test_trustees_are_lost_only_while_none_has_released():
    play = an_opening(at="replies")
    assert_refused("command.stage", play, play.lost(), HOST)


def test_trustees_are_lost_only_after_the_end_is_under_a_checkpoint():
    play = an_opening()
    play.end_by_time()
    assert_refused("release.window", play, play.lost(), HOST)


@pytest.mark.parametrize(
    ("signers", "why"),
    [
        ([HOST_KEY], "no supervisor"),
        ([SUPERVISOR_KEY], "no host"),
        ([HOST_KEY, HOST_KEY], "one key twice"),
        ([HOST_KEY, SUPERVISOR_KEY, signing("a stranger")], "a stranger"),
    ],
)
def test_an_act_of_two_officers_needs_both_and_nobody_else(signers: list[Any], why: str):
    play = an_opening(at="release")
    members = {"nonce": play.opening.window.nonces[FORM].hex(), "reason": "失联"}
    pks, sigs = signed_act(15, play.rules, members, signers)
    command = play.lost(reason="失联", pks=pks, sigs=sigs)
    assert_refused("release.signature", play, command, HOST)


def test_an_act_signed_for_other_words_or_with_a_missing_signature_is_refused():
    play = an_opening(at="release")
    signed = play.lost(reason="失联")
    other = play.lost(reason="另一个理由", sigs=signed.sigs)
    assert_refused("release.signature", play, other, HOST)
    missing = play.lost(sigs=signed.sigs[:1])
    assert_refused("release.signature", play, missing, HOST)
    assert_refused("reason.missing", play, play.lost(reason="  "), HOST)


def test_a_bidder_shows_its_own_half_when_the_trustees_are_lost():
    play = a_release({}, {}, {})
    play.ask(play.lost(), HOST)
    assert_no_state_yet(play)
    for bid in play.bids[:2]:
        play.ask(play.self_releasing(bid), bid.bidder.actor)
        play.work()
    play.ask(cmd.EndReplies(), HOST)
    play.open_all()
    assert play.states() == {1: "opened", 2: "opened", 3: "unrecoverable"}


def assert_no_state_yet(play: Play) -> None:
    play.work()
    assert play.opening.found == {}


def test_a_bidder_shows_its_own_half_between_the_first_release_and_the_end_of_replies():
    play = an_opening(at="release")
    bid = play.bids[0]
    command = play.self_releasing(bid)
    assert_refused("self_release.not_open", play, command, bid.bidder.actor)
    play.release(1)
    play.ask(command, bid.bidder.actor)
    play.ask(cmd.EndReplies(), HOST)
    assert_refused("self_release.not_open", play, command, bid.bidder.actor)


def test_the_same_self_release_again_is_answered_as_the_first_time():
    play = an_opening(at="replies")
    bid = play.bids[0]
    command = play.self_releasing(bid)
    first = play.now_ms
    play.ask(command, bid.bidder.actor)
    both = cmd.ReleaseSelf(messages=command.messages + play.self_releasing(bid, BODY).messages)
    promised = play.later(3000).promised(both, bid.bidder.actor)
    assert [(p.kind, p.received_ms) for p in promised] == [
        (ACK_SELF_RELEASE, first),
        (ACK_SELF_RELEASE, first + 3000),
    ]
    assert len(play.events(ev.SelfReleaseReceived)) == 2


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"tender_id": bytes(32)}, "self_release.bid_unknown"),
        ({"opening_nonce": b"\x01" * 32}, "self_release.bid_unknown"),
        ({"bid_id": b"\x01" * 32}, "self_release.bid_unknown"),
    ],
)
def test_a_self_release_for_anything_else_is_refused(changes: dict[str, Any], code: str):
    play = an_opening(at="replies")
    bid = play.bids[0]
    assert_refused(code, play, play.self_releasing(bid, **changes), bid.bidder.actor)


def test_a_half_that_is_no_scalar_is_rejected():
    play = an_opening(at="replies")
    raw = bytearray(play.self_releasing(play.bids[0]).messages[0])
    raw[-32:] = b"\xff" * 32
    command = cmd.ReleaseSelf(messages=[bytes(raw)])
    assert_rejected("self_release.scalar", play, command, play.bids[0].bidder.actor)


def test_a_share_that_is_no_scalar_is_rejected():
    play = an_opening(at="release")
    raw = bytearray(play.release_message(1, FORM))
    raw[124 + 33 : 124 + 65] = b"\xff" * 32
    command = cmd.ReleaseShares(messages=[bytes(raw)])
    assert_rejected("release.share", play, command, TRUSTEES[0].actor)


def test_every_status_of_a_share_is_taken_with_its_signature():
    play = an_opening(at="release")
    statuses = dict.fromkeys(play.release_set(FORM), (SHARE_UNREADABLE, NO_SHARE))
    play.ask(
        cmd.ReleaseShares(
            messages=[
                play.release_message(1, FORM, shares=statuses),
                play.release_message(1, BODY),
            ]
        ),
        TRUSTEES[0].actor,
    )
    kept = {item.status for item in play.opening.releases[1][FORM].items}
    assert kept == {SHARE_UNREADABLE}
    assert SHARE_OK not in kept
