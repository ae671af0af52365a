"""Release (招标人解密): exactly the set the rules name, once, by the trustee itself, for the ended
window (sealing.md C1.5, C5, C8, C11).
"""

from collections.abc import Callable
from typing import Any

import pytest

from crypto.ack import ACK_RELEASE, RESULT_ACCEPTED
from crypto.hashes import sha256
from crypto.shares import SHARE_REFUSED
from server.domain import commands as cmd
from server.domain import due, releasing
from server.domain import opening_events as ev
from server.domain.model import Actor, Role
from server.domain.opening import Stage
from tests.domain.cast import (
    PURCHASER_PERSON,
    TRUSTEES,
    signing,
)
from tests.domain.openings import an_opening
from tests.domain.play import Play
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


def test_a_trustee_that_is_wrong_about_thousands_of_bids_is_named_a_thousand_at_a_time():
    """One append holds so many rows; the work stays due until every fault is named."""
    play = an_opening(at="release")
    play.release(1)
    play.release(2)
    bids = [sha256(n.to_bytes(4, "big")) for n in range(2 * releasing.FAULTS_AT_ONCE + 1)]
    command = cmd.ReportHalves(
        envelope=FORM,
        releases=(1, 2),
        repairs=0,
        found=[],
        faults=[cmd.FaultFound(i=1, bid_id=bid_id, fault="share") for bid_id in bids],
    )
    rounds: list[list[Any]] = []
    while not play.events(ev.HalvesFound):
        assert due.work(play.opening) is not None
        rounds.append(play.ask(command))
    assert [len(events) for events in rounds[:2]] == [releasing.FAULTS_AT_ONCE] * 2
    assert [e.bid_id for e in play.events(ev.TrusteeFaultFound)] == bids
    assert play.opening.found_with == (1, 2)
