"""The deadline (截标): moved by two officers, passed by everybody at once, and what is told when.

C1, C13; 招标投标法 art. 22: before it nobody learns who bids or how many.
"""

import json
from typing import Any

import pytest

from crypto.manifest import encode_manifest, parse_manifest
from server.domain import commands as cmd
from server.domain import opening_events as ev
from server.domain import tender
from server.domain import tender_events as tv
from tests.domain.cast import (
    AGENCY_KEY,
    HOST,
    HOST_KEY,
    SUPERVISOR_KEY,
    signing,
)
from tests.domain.journaling import DAY_MS, signed_act
from tests.domain.openings import a_tender, an_opening
from tests.domain.play import Play
from tests.domain.refusing import assert_refused, assert_rejected
from tests.domain.tender_rules import (
    BODY,
    DEADLINE_MS,
    FORM,
    SECOND_FORM,
    sample_rules,
    signatures_of,
)

HOUR = 3_600_000


def change(play: Play, deadline_ms: int, reason: str = "补遗", **how: Any) -> cmd.ChangeDeadline:
    members = {"old_ms": play.tender.deadline_ms, "deadline_ms": deadline_ms, "reason": reason}
    signers = how.pop("signers", (HOST_KEY, SUPERVISOR_KEY))
    pks, sigs = signed_act(4, play.rules, members, signers)
    facts = {"deadline_ms": deadline_ms, "reason": reason, "pks": pks, "sigs": sigs}
    return cmd.ChangeDeadline(**(facts | how))


def test_the_deadline_never_moves_past_a_trustees_key():
    """Its share would be refused, and with t of n keys gone nothing could be opened at all."""
    play = a_tender(trustee_expiry_ms=DEADLINE_MS + DAY_MS)
    for ms in (DEADLINE_MS + DAY_MS, DEADLINE_MS + 2 * DAY_MS):
        assert_refused("deadline.trustee_expiry", play, change(play, ms), HOST)
    play.ask(change(play, DEADLINE_MS + DAY_MS - 1), HOST)


# ---- publishing


def test_a_tender_is_published_once_with_the_signatures_of_two_officers():
    play = a_tender()
    (published,) = play.events(tv.TenderPublished)
    assert published.audience() == "hall"
    assert play.tender.signatures == signatures_of(play.rules)
    command = cmd.PublishTender(manifest=play.rules.raw, signatures=play.tender.signatures)
    assert_refused("tender.exists", play, command)


def test_a_manifest_that_the_supervisor_did_not_sign_is_not_published():
    rules = sample_rules()
    other = signatures_of(sample_rules(mode=1))
    command = cmd.PublishTender(manifest=rules.raw, signatures=other)
    assert_rejected("manifest_signature.tender", Play(rules), command)


@pytest.mark.parametrize("first", [[FORM, SECOND_FORM], [FORM, BODY, SECOND_FORM]])
def test_a_session_without_exactly_one_form_is_not_published(first: list[int]):
    """The hall reads out one form a session; no other manifest may get as far as an opening."""
    value = json.loads(sample_rules(second_session=True).raw)
    value["sessions"][0]["envelopes"] = first
    value["sessions"][1]["envelopes"] = [BODY]
    if BODY in first:
        value["sessions"].pop()
    rules = parse_manifest(encode_manifest(value))
    command = cmd.PublishTender(manifest=rules.raw, signatures=signatures_of(rules))
    assert_rejected("manifest.sessions", Play(rules), command)


# ---- moving it


def test_host_and_supervisor_move_the_deadline_later():
    play = a_tender()
    play.ask(change(play, DEADLINE_MS + DAY_MS), HOST)
    assert play.tender.deadline_ms == DEADLINE_MS + DAY_MS
    assert play.events(tv.DeadlineChanged)[0].audience() == "hall"
    play.ask(change(play, DEADLINE_MS + 2 * DAY_MS), HOST)
    assert tender.wake_ms(play.tender) == DEADLINE_MS + 2 * DAY_MS


@pytest.mark.parametrize("deadline_ms", [0, DEADLINE_MS - 1, DEADLINE_MS])
def test_the_deadline_never_comes_earlier(deadline_ms: int):
    play = a_tender()
    assert_refused("deadline.not_later", play, change(play, deadline_ms), HOST)


def test_the_deadline_is_moved_before_it_has_passed():
    play = a_tender()
    command = change(play, DEADLINE_MS + DAY_MS)
    play.now_ms = DEADLINE_MS
    assert_refused("deadline.past", play, command, HOST, received_ms=DEADLINE_MS - 1)
    play.now_ms = DEADLINE_MS - 1
    play.ask(command, HOST)


@pytest.mark.parametrize(
    "signers",
    [
        (HOST_KEY,),
        (SUPERVISOR_KEY,),
        (HOST_KEY, AGENCY_KEY),
        (HOST_KEY, SUPERVISOR_KEY, signing("a stranger")),
        (SUPERVISOR_KEY, SUPERVISOR_KEY),
    ],
)
def test_one_officer_cannot_move_the_deadline(signers: Any):
    play = a_tender()
    command = change(play, DEADLINE_MS + DAY_MS, signers=signers)
    assert_refused("deadline.signatures", play, command, HOST)


def test_signatures_for_other_words_another_deadline_or_an_old_one_move_nothing():
    play = a_tender()
    signed = change(play, DEADLINE_MS + DAY_MS)
    for wrong in (
        change(play, DEADLINE_MS + DAY_MS, reason="另一个", sigs=signed.sigs),
        change(play, DEADLINE_MS + 2 * DAY_MS, sigs=signed.sigs),
        change(play, DEADLINE_MS + DAY_MS, sigs=signed.sigs[::-1]),
        change(play, DEADLINE_MS + DAY_MS, sigs=[b"", b""]),
        change(play, DEADLINE_MS + DAY_MS, sigs=signed.sigs[:1]),
    ):
        assert_refused("deadline.signatures", play, wrong, HOST)
    play.ask(change(play, DEADLINE_MS + HOUR), HOST)
    assert_refused("deadline.signatures", play, signed, HOST)  # it named the old deadline


def test_every_word_of_the_reason_is_signed_for():
    play = a_tender()
    assert_refused("reason.missing", play, change(play, DEADLINE_MS + DAY_MS, reason=" "), HOST)
    broken = change(play, DEADLINE_MS + DAY_MS, reason="一\n二")
    assert_rejected("text.code_point", play, broken, HOST)


def test_the_opening_follows_the_deadline_of_its_tender():
    play = an_opening(at="sign_in")
    play.ask(cmd.MoveDeadline(deadline_ms=DEADLINE_MS + DAY_MS))
    assert play.opening.deadline_ms == DEADLINE_MS + DAY_MS
    assert play.ask(cmd.MoveDeadline(deadline_ms=DEADLINE_MS + DAY_MS)) == []
    assert play.events(ev.DeadlineMoved)[0].audience() == "hall"
