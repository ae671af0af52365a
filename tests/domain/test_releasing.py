"""Release (招标人解密): exactly the set the rules name, once, by the trustee itself, for the ended
window (sealing.md C1.5, C5, C8, C11).
"""

from collections.abc import Callable
from typing import Any

import pytest

from crypto.ack import ACK_RELEASE, ACK_SELF_RELEASE, RESULT_ACCEPTED
from crypto.hashes import sha256
from crypto.shares import SHARE_OK, SHARE_REFUSED, SHARE_UNREADABLE
from server.domain import commands as cmd
from server.domain import opening_events as ev
from server.domain.model import Actor, Role
from server.domain.opening import Stage
from tests.domain.cast import (
    HOST,
    HOST_KEY,
    PURCHASER_PERSON,
    SUPERVISOR_KEY,
    TRUSTEES,
    signing,
)
from tests.domain.openings import a_release, an_opening
from tests.domain.play import Play, signed_act
from tests.domain.refusing import assert_refused, assert_rejected
from tests.domain.tender_rules import BODY, EXPIRY_MS, FORM, SECOND_FORM

NO_SHARE = bytes(32)


def faults_of(play: Play) -> list[tuple[int, int, str]]:
    return [(e.envelope, e.i, e.fault) for e in play.events(ev.TrusteeFaultFound)]


# ---- one release


def test_a_trustee_releases_form_and_body_in_one_command():
    play = an_opening(at="release")
    play.release(1)
    assert play.opening.stage is Stage.REPLIES
    assert set(play.opening.releases[1]) == {FORM, BODY}
    (told,) = play.events(ev.TrusteeReleased)
    assert (told.i, told.needed, told.released, told.audience()) == (1, 2, 1, "hall")


def test_shares_stay_sealed():
    play = an_opening(at="release")
    received, told = play.release(1)
    assert (received.audience(), told.audience()) == ("sealed", "hall")


def test_no_release_before_the_window_has_ended_under_a_checkpoint():
    released = an_opening(at="release").releasing(1)
    play = an_opening()
    assert_refused("release.window", play, released, TRUSTEES[0].actor)
    for bid in play.bids[:2]:
        play.unlock(bid)
    play.end_by_time()
    assert_refused("release.window", play, released, TRUSTEES[0].actor)


def test_a_trustee_acts_for_its_own_organisation_only():
    play = an_opening(at="release")
    command = play.releasing(2)
    for actor in (TRUSTEES[0].actor, Actor("x", Role.PURCHASER, "91360800MA00000099")):
        assert_refused("release.trustee", play, command, actor)
    play.ask(command, PURCHASER_PERSON)


def test_messages_of_two_trustees_are_not_one_release():
    play = an_opening(at="release")
    mixed = [play.release_message(1, FORM), play.release_message(2, BODY)]
    assert_refused("release.trustee", play, cmd.ReleaseShares(messages=mixed), TRUSTEES[0].actor)


def test_a_position_that_the_envelope_does_not_have_is_refused():
    play = an_opening(at="release")
    assert_refused("release.trustee", play, play.releasing(1, i=9), TRUSTEES[0].actor)
    assert_rejected("release.position", play, unparsed(play, i=10), TRUSTEES[0].actor)


def unparsed(play: Play, i: int) -> cmd.ReleaseShares:
    raw = bytearray(play.release_message(1, FORM))
    raw[116] = i
    return cmd.ReleaseShares(messages=[bytes(raw)])


def test_another_trustees_position_needs_its_signature():
    play = an_opening(at="release")
    assert_refused("release.signature", play, play.releasing(1, i=2), TRUSTEES[0].actor)


def test_a_trustee_whose_key_has_expired_releases_nothing():
    play = an_opening(at="release")
    late = {"received_ms": EXPIRY_MS + 1}
    assert_refused("release.trustee", play, play.releasing(1), TRUSTEES[0].actor, **late)
    play.ask(play.releasing(1), TRUSTEES[0].actor, received_ms=EXPIRY_MS)


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"tender_id": bytes(32)}, "release.envelopes"),
        ({"opening_nonce": bytes(32)}, "release.nonce"),
        ({"root": bytes(32)}, "release.checkpoint"),
        ({"size": 17}, "release.checkpoint"),
        ({"mode": 1}, "release.mode"),
        ({"key": signing("a stranger")}, "release.signature"),
    ],
)
def test_a_release_for_anything_else_is_refused(changes: dict[str, Any], code: str):
    play = an_opening(at="release")
    assert_refused(code, play, play.releasing(1, **changes), TRUSTEES[0].actor)
    assert play.opening.stage is Stage.RELEASE


def test_a_release_needs_every_envelope_that_the_trustee_serves():
    play = an_opening(at="release")
    for numbers in ((FORM,), (BODY,)):
        command = play.releasing(1, *numbers)
        assert_refused("release.envelopes", play, command, TRUSTEES[0].actor)
    twice = play.releasing(1, FORM).messages * 2 + play.releasing(1, BODY).messages
    assert_refused("release.envelopes", play, cmd.ReleaseShares(messages=twice), TRUSTEES[0].actor)


def test_an_envelope_of_a_later_session_is_not_released():
    """F8: nobody may use a trustee of this window as an oracle for the next."""
    play = an_opening(at="release", second_session=True)
    later = play.releasing(1, SECOND_FORM, opening_nonce=play.opening.window.nonces[FORM])
    assert_refused("release.envelopes", play, later, TRUSTEES[0].actor)


@pytest.mark.parametrize(
    "listed",
    [
        lambda play: [],
        lambda play: play.release_set(FORM)[:1],
        lambda play: play.opening.counting(FORM),
        lambda play: play.opening.counting(BODY)[:2],
    ],
    ids=["none", "one too few", "a locked one too", "bodies"],
)
def test_the_list_is_exactly_the_unlocked_bids(listed: Callable[[Play], list[bytes]]):
    play = an_opening(at="release")
    form = play.release_message(1, FORM, **_listing(play, listed(play)))
    messages = [form, play.release_message(1, BODY)]
    assert_refused("release.set", play, cmd.ReleaseShares(messages=messages), TRUSTEES[0].actor)


def _listing(play: Play, bid_ids: list[bytes]) -> dict[str, Any]:
    """Items for these bid_ids, with refused shares: only the list matters."""
    return {"items": [(bid_id, SHARE_REFUSED, NO_SHARE) for bid_id in sorted(bid_ids)]}


def test_with_mode_all_the_list_is_every_counting_bid_locked_or_not():
    play = an_opening(at="release", mode=1)
    assert len(play.opening.halves) == 4
    unlocked_only = {
        "items": [(b, SHARE_REFUSED, NO_SHARE) for b in play.opening.counting(FORM)[:2]]
    }
    short = [play.release_message(1, FORM, **unlocked_only), play.release_message(1, BODY)]
    assert_refused("release.set", play, cmd.ReleaseShares(messages=short), TRUSTEES[0].actor)
    play.release(1)
    assert len(play.opening.releases[1][FORM].items) == 3


def test_when_nobody_unlocked_the_trustees_release_nothing_and_the_hall_goes_on():
    play = an_opening()
    play.end_by_time()
    play.checkpoint("window_end")
    play.release(1)
    play.release(2)
    play.work()
    assert play.opening.stage is Stage.OPENING
    play.open_all()
    assert set(play.states().values()) == {"locked"}


def test_a_trustee_of_the_body_alone_is_not_counted_for_the_form():
    play = an_opening(at="release", form_trustees=(1, 2), body_trustees=(1, 2, 3))
    play.release(3)
    assert [e.released for e in play.events(ev.TrusteeReleased)] == [0]
    play.release(1)
    play.work()
    assert play.opening.stage is Stage.REPLIES
    play.release(2)
    play.work()
    assert [e.released for e in play.events(ev.TrusteeReleased)] == [0, 1, 2]
    assert play.opening.stage is Stage.OPENING


# ---- again


def test_the_same_release_again_is_answered_as_the_first_time():
    play = an_opening(at="release")
    command = play.releasing(1)
    first = play.promised(command, TRUSTEES[0].actor, received_ms=play.now_ms - 11)
    again = play.later(4000).promised(command, TRUSTEES[0].actor)
    assert [(p.kind, p.result, p.received_ms) for p in again] == [
        (ACK_RELEASE, RESULT_ACCEPTED, play.now_ms - 4011)
    ] * 2
    assert [p.digest for p in again] == [p.digest for p in first]
    assert len(play.events(ev.ReleaseReceived)) == 1


@pytest.mark.parametrize("order", [[1, 0], [0], [1]])
def test_the_same_messages_in_another_order_are_no_second_release(order: list[int]):
    play = an_opening(at="release")
    command = play.releasing(1)
    play.ask(command, TRUSTEES[0].actor)
    messages = [command.messages[k] for k in order]
    assert play.ask(cmd.ReleaseShares(messages=messages), TRUSTEES[0].actor) == []
    assert faults_of(play) == []


def test_a_second_different_release_is_refused_and_the_trustee_is_named_once():
    play = an_opening(at="replies")
    refusing = dict.fromkeys(play.release_set(FORM), (SHARE_REFUSED, NO_SHARE))
    second = [play.release_message(1, FORM, shares=refusing), play.release_message(1, BODY)]
    for _ in range(3):
        command = cmd.ReleaseShares(messages=second)
        assert_refused("release.second", play, command, TRUSTEES[0].actor)
    (fault,) = play.events(ev.TrusteeFaultFound)
    assert (fault.i, fault.envelope, fault.fault) == (1, FORM, "second")
    assert (fault.bid_id, fault.sha256) == (b"", sha256(second[0]))
    assert play.opening.releases[1][FORM].raw != second[0]


def test_a_fault_names_the_position_in_the_envelopes_own_list():
    play = an_opening(at="release", form_trustees=(3, 1, 2), body=False)
    play.release(3)
    refusing = dict.fromkeys(play.release_set(FORM), (SHARE_REFUSED, NO_SHARE))
    command = play.releasing(3, shares=refusing)
    assert_refused("release.second", play, command, TRUSTEES[2].actor)
    assert faults_of(play) == [(FORM, 1, "second")]


def test_an_old_message_of_another_window_is_not_a_second_release():
    """It speaks of another nonce, so it is evidence of nothing."""
    play = an_opening(at="release")
    old = play.releasing(1)
    play.start(reason="停电")
    play.end_by_time()
    play.checkpoint("window_end")
    play.release(1)
    assert_refused("release.nonce", play, old, TRUSTEES[0].actor)
    assert faults_of(play) == []


def test_a_message_for_another_tender_is_not_a_second_release():
    play = an_opening(at="replies")
    foreign = play.releasing(1, tender_id=bytes(32))
    assert_refused("release.envelopes", play, foreign, TRUSTEES[0].actor)
    assert faults_of(play) == []


@pytest.mark.parametrize("at", ["opening", "read_out"])
def test_a_third_release_is_taken_after_the_replies_have_ended(at: str):
    play = an_opening(at=at)
    states = play.opening.states
    play.release(3)
    play.work()
    assert play.opening.late == {3}
    assert play.opening.states == states
    if at == "opening":
        play.open_all()
        assert play.states() == {1: "opened", 2: "opened", 3: "locked"}


def test_after_the_opening_is_closed_nothing_is_released():
    play = an_opening(at="closed")
    assert_refused("release.window", play, play.releasing(3), TRUSTEES[2].actor)


# ---- lost trustees, and what a bidder can do


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
