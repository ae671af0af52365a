"""Why a bid did not open (责任认定): what the evidence proposes, and what two officers may decide.

C3; 电子招标投标办法 art. 31. Each attack is refused with its own code and changes nothing.
"""

from typing import Any

import pytest
from msgspec.structs import replace

from crypto.entries import decode_entry
from server.domain import act_events as av
from server.domain import commands as cmd
from server.domain import grounds
from server.domain import opening_events as ev
from server.domain.events import encode
from server.domain.log_entries import STATE_DECIDED
from tests.domain import many_bids
from tests.domain.cast import (
    AGENCY_KEY,
    HOST,
    HOST_KEY,
    PURCHASER_PERSON,
    SUPERVISOR_KEY,
    SUPERVISOR_PERSON,
    TRUSTEES,
    WITNESS,
    Bidder,
    signing,
)
from tests.domain.journaling import entry_bytes
from tests.domain.openings import an_opening
from tests.domain.play import Play
from tests.domain.refusing import assert_refused, assert_rejected
from tests.domain.tender_rules import FORM
from tests.domain.two_officers import (
    SECOND_HOST,
    WORDS,
    countersigning,
    decided,
    proposed_ground,
)

LOCKED = 2  # the third of three bids: the one that did not unlock


def finished(play: Play) -> Play:
    """From a running countdown to the read-out."""
    if not (play.opening.window and play.opening.window.ended):
        play.end_by_time()
    play.later(900).checkpoint("window_end")
    play.later(2000).release(1)
    play.later(1000).release(2)
    play.work()
    play.open_all()
    return play


def read_out() -> tuple[Play, bytes]:
    play = an_opening(at="read_out")
    return play, play.bids[LOCKED].bid_id()


def suggestion(play: Play) -> av.Suggestion:
    (told,) = play.events(av.GroundsSuggested)
    assert told.audience() == "staff"
    (found,) = told.bids
    return found


# ---- what the system proposes


def test_a_bid_without_any_try_is_proposed_as_revoked():
    play, bid_id = read_out()
    found = suggestion(play)
    assert (found.bid_id, found.state, found.ground) == (bid_id, "locked", "revoked")
    assert (found.why, found.tries) == ("no_try", 0)
    assert found.no == play.opening.envelopes[bid_id][0].no


def test_a_wrong_key_is_the_bidders_own_and_is_counted_once_a_press():
    play = an_opening(unlocked=2)
    bid = play.bids[LOCKED]
    for other in play.bids[:2]:
        play.unlock(other)
    wrong = {n: bytes(31) + b"\x01" for n in bid.envelopes}
    for _ in range(2):
        command = cmd.UnlockBid(messages=play.later(10).unlock_messages(bid, halves=wrong))
        assert_refused("unlock.key_mismatch", play, command, bid.bidder.actor)
    found = suggestion(finished(play))
    assert (found.ground, found.why, found.tries) == ("revoked", "wrong_key", 2)
    assert found.last_code == "unlock.key_mismatch"


def test_a_try_after_the_end_is_late():
    play = an_opening()
    bid = play.bids[LOCKED]
    for other in play.bids[:2]:
        play.unlock(other)
    messages = play.unlock_messages(bid)
    play.end_by_time()
    late = cmd.UnlockBid(messages=messages)
    assert_refused("unlock.window_closed", play, late, bid.bidder.actor)
    found = suggestion(finished(play))
    assert (found.ground, found.why, found.last_ms) == ("revoked", "late", play_end(play))


def play_end(play: Play) -> int:
    assert play.opening.window is not None
    return play.opening.window.end_ms + 3


@pytest.mark.parametrize(
    ("rules", "lost_ms"), [({"outage": "keep"}, 90_000), ({"outage_ms_max": 60_000}, 30_000)]
)
def test_time_that_the_server_took_away_speaks_for_the_bidder(rules: Any, lost_ms: int):
    play = an_opening(**rules)
    alive = play.later(1000).now_ms
    play.later(90_000).ask(cmd.ResumeAfterOutage(last_alive_ms=alive))
    (seen,) = play.events(ev.OutageSeen)
    assert (seen.lost_ms, seen.audience()) == (lost_ms, "hall")
    for other in play.bids[:2]:
        play.unlock(other)
    found = suggestion(finished(play))
    assert (found.ground, found.why, found.lost_ms) == ("excused", "outage", lost_ms)


def test_an_outage_that_was_made_good_changes_nothing():
    play = an_opening()
    alive = play.now_ms
    play.later(30_000).ask(cmd.ResumeAfterOutage(last_alive_ms=alive))
    assert play.events(ev.OutageSeen) == []
    for other in play.bids[:2]:
        play.unlock(other)
    assert suggestion(finished(play)).ground == "revoked"


def test_an_outage_of_an_earlier_window_was_made_good_by_the_restart():
    play = an_opening(outage="keep")
    alive = play.now_ms
    play.later(5000).ask(cmd.ResumeAfterOutage(last_alive_ms=alive))
    play.end_by_time()
    play.later(900).checkpoint("window_end")
    play.later(1000).start(reason="断网，重新开始")
    for other in play.bids[:2]:
        play.unlock(other)
    assert suggestion(finished(play)).why == "no_try"


def test_what_a_device_says_of_itself_never_excuses_it():
    """Anybody could report a broken log of the server's in order to keep its deposit."""
    play = an_opening()
    bid = play.bids[LOCKED]
    for other in play.bids[:2]:
        play.unlock(other)
    report = cmd.ReportAttempt(bid_id=bid.bid_id(), code="closing.consistency")
    play.ask(report, bid.bidder.actor)
    found = suggestion(finished(play))
    assert (found.ground, found.why, found.last_code) == (
        "revoked",
        "failed",
        "closing.consistency",
    )


def test_damaged_bytes_are_never_the_bidders_fault():
    play = an_opening(unlocked=3)
    broken = play.bids[0].bid_id()
    play.store[broken] = bytes(len(play.store[broken]))
    for bid in play.bids:
        play.unlock(bid)
    play.later(900).checkpoint("window_end")
    play.release(1)
    play.release(2)
    play.work()
    play.ask(cmd.EndReplies(), HOST)
    play.open_all()
    found = suggestion(play)
    assert (found.state, found.ground, found.why) == ("damaged", "excused", "storage")
    blamed = proposed_ground(play, broken, "revoked")
    assert_refused("ground.unlawful", play, blamed, HOST)
    decided(play, broken, "excused", "存储损坏")
    assert play.opening.grounds == {broken: "excused"}
    assert play.opening.states[broken] == "damaged"


# ---- two keys


def test_host_and_supervisor_confirm_and_it_stands_in_the_log():
    play, bid_id = read_out()
    states = play.opening.states
    play.ask(proposed_ground(play, bid_id), HOST)
    (proposal,) = play.events(av.GroundProposed)
    assert proposal.audience() == "staff"
    assert play.opening.grounds == {}
    play.later(5000).ask(countersigning(play, proposal), SUPERVISOR_PERSON)
    (decision,) = play.events(av.GroundDecided)
    assert decision.audience() == "hall"
    assert (decision.ground, decision.suggested) == ("revoked", "revoked")
    assert decision.pks == [HOST_KEY.public, SUPERVISOR_KEY.public]
    assert play.opening.states == states
    (raw,) = entry_bytes(decision, play.rules, play.now_ms)
    entry = decode_entry(raw)
    assert entry.type == STATE_DECIDED
    assert len(entry.members["sigs"]) == 2


def test_the_supervisor_differs_with_a_reason_and_the_host_signs_that():
    play, bid_id = read_out()
    play.ask(proposed_ground(play, bid_id), HOST)
    other = proposed_ground(play, bid_id, "excused", "大厅当日断网", key=SUPERVISOR_KEY)
    play.ask(other, SUPERVISOR_PERSON)
    first, second = play.events(av.GroundProposed)
    gone = countersigning(play, first)
    assert_refused("act.unknown", play, gone, SUPERVISOR_PERSON)
    play.ask(countersigning(play, second, HOST_KEY), HOST)
    assert play.opening.grounds == {bid_id: "excused"}


def test_the_same_words_from_both_are_a_decision():
    play, bid_id = read_out()
    play.ask(proposed_ground(play, bid_id), HOST)
    play.ask(proposed_ground(play, bid_id, key=SUPERVISOR_KEY), SUPERVISOR_PERSON)
    assert play.opening.grounds == {bid_id: "revoked"}


def test_the_same_proposal_again_changes_nothing():
    play, bid_id = read_out()
    play.ask(proposed_ground(play, bid_id), HOST)
    assert play.ask(proposed_ground(play, bid_id), HOST) == []


def test_a_proposal_is_declined_or_taken_back_with_a_reason():
    for actor in (SUPERVISOR_PERSON, HOST):
        play, bid_id = read_out()
        play.ask(proposed_ground(play, bid_id), HOST)
        (proposal,) = play.events(av.GroundProposed)
        bare = cmd.DeclineAct(act=proposal.act, reason=" ")
        assert_refused("reason.missing", play, bare, actor)
        play.ask(cmd.DeclineAct(act=proposal.act, reason="先看证据"), actor)
        assert play.events(av.ActDeclined)[0].by == str(actor.role)
        late = countersigning(play, proposal)
        assert_refused("act.unknown", play, late, SUPERVISOR_PERSON)
        play.ask(proposed_ground(play, bid_id), HOST)


def test_a_decision_may_still_be_made_after_the_hall_has_closed_but_never_twice():
    play = an_opening(at="closed")
    bid_id = play.bids[LOCKED].bid_id()
    decided(play, bid_id)
    assert play.opening.grounds == {bid_id: "revoked"}
    again = proposed_ground(play, bid_id, "excused")
    assert_refused("ground.decided", play, again, HOST)
    (proposal,) = play.events(av.GroundProposed)
    replay = countersigning(play, proposal)
    assert_refused("ground.decided", play, replay, SUPERVISOR_PERSON)


# ---- attacks


@pytest.mark.parametrize(
    ("key", "actor", "code"),
    [
        (SUPERVISOR_KEY, HOST, "act.officer"),  # the host with the supervisor's key
        (HOST_KEY, SUPERVISOR_PERSON, "act.officer"),
        (AGENCY_KEY, HOST, "act.officer"),
        (signing("a stranger"), HOST, "act.officer"),
        (HOST_KEY, PURCHASER_PERSON, "auth.role"),
        (HOST_KEY, TRUSTEES[0].actor, "auth.role"),
        (HOST_KEY, WITNESS, "auth.role"),
        (HOST_KEY, Bidder(3).actor, "auth.role"),
    ],
)
def test_nobody_proposes_with_another_office_or_key(key: Any, actor: Any, code: str):
    play, bid_id = read_out()
    assert_refused(code, play, proposed_ground(play, bid_id, key=key), actor)


@pytest.mark.parametrize("actor", [HOST, SECOND_HOST])
def test_one_office_cannot_sign_twice(actor: Any):
    play, bid_id = read_out()
    play.ask(proposed_ground(play, bid_id), HOST)
    (proposal,) = play.events(av.GroundProposed)
    for key in (HOST_KEY, SUPERVISOR_KEY):
        assert_refused("act.same_officer", play, countersigning(play, proposal, key), actor)


def test_a_supervisor_who_holds_the_hosts_key_cannot_sign_with_it():
    play, bid_id = read_out()
    play.ask(proposed_ground(play, bid_id), HOST)
    (proposal,) = play.events(av.GroundProposed)
    stolen = countersigning(play, proposal, HOST_KEY)
    assert_refused("act.officer", play, stolen, SUPERVISOR_PERSON)


@pytest.mark.parametrize(
    "changes", [{"ground": "excused"}, {"reason": "另一个理由"}, {"sig": bytes(64)}]
)
def test_words_that_were_not_signed_are_not_taken(changes: dict[str, Any]):
    play, bid_id = read_out()
    altered = proposed_ground(play, bid_id, **changes)
    if "ground" in changes or "reason" in changes:
        signed = proposed_ground(play, bid_id)
        altered = proposed_ground(play, bid_id, **changes, sig=signed.sig)
    assert_refused("act.signature", play, altered, HOST)


def test_a_signature_for_another_suggestion_or_another_bid_is_not_taken():
    play, bid_id = read_out()
    other = proposed_ground(play, bid_id, suggested="excused")
    assert_refused("act.signature", play, other, HOST)
    play.ask(proposed_ground(play, bid_id), HOST)
    (proposal,) = play.events(av.GroundProposed)
    for wrong in ({"sig": bytes(64)}, {"sig": proposal.sig}):
        command = countersigning(play, proposal, **wrong)
        assert_refused("act.signature", play, command, SUPERVISOR_PERSON)


@pytest.mark.parametrize("ground", ["withdrawn", "malformed", "opened", "", "撤销"])
def test_no_other_ground_exists_for_a_locked_bid(ground: str):
    play, bid_id = read_out()
    assert_refused("ground.unlawful", play, proposed_ground(play, bid_id, ground), HOST)


def test_an_opened_bid_a_body_and_an_unknown_one_have_no_ground():
    play, _ = read_out()
    for bid_id in (play.bids[0].bid_id(), play.bids[LOCKED].bid_id(2), bytes(32)):
        assert_refused("ground.unknown", play, proposed_ground(play, bid_id), HOST)


@pytest.mark.parametrize("at", ["ready", "decryption", "release", "replies", "opening"])
def test_nothing_is_decided_before_the_states_are_frozen(at: str):
    play = an_opening(at=at)
    bid_id = play.bids[LOCKED].bid_id()
    assert_refused("ground.unknown", play, proposed_ground(play, bid_id), HOST)


@pytest.mark.parametrize("at", ["scheduled", "sign_in", "failed"])
def test_before_the_deadline_the_stage_refuses(at: str):
    play = an_opening(at=at)
    command = proposed_ground(play, bytes(32))
    assert_refused("command.stage", play, command, HOST)


def test_every_word_of_the_reason_is_signed_for():
    play, bid_id = read_out()
    assert_refused("reason.missing", play, proposed_ground(play, bid_id, reason=" "), HOST)
    broken = proposed_ground(play, bid_id, reason="一\n二")
    assert_rejected("text.code_point", play, broken, HOST)
    long = proposed_ground(play, bid_id, reason="因" * 501)
    assert_rejected("text.length", play, long, HOST)
    assert WORDS not in play.opening.grounds.values()


def test_thousands_of_closed_bids_are_a_few_events():
    """An append holds 4,096 rows: a hall whose trustees are all lost must not stop at it."""
    play = an_opening(at="sign_in", body=False)
    play.ask(many_bids.closed_list(play.rules, 2100))
    state = many_bids.about_to_open(play.opening)
    states = dict.fromkeys(state.counting(FORM), "unrecoverable")
    told = grounds.suggested(replace(state, states=states))
    assert [len(event.bids) for event in told] == [1000, 1000, 100]
    assert {bid.ground for event in told for bid in event.bids} == {"excused"}
    assert max(len(encode(event)) for event in told) < 900 * 1024
