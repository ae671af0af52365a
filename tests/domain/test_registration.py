"""Registration (登记): keys have owners, once, by invitation (sealing.md C17)."""

from typing import Any

import pytest

from crypto.canonical import INTEGER_MAX
from server.domain import tender_events as ev
from server.domain.commands import parse_command
from server.domain.refusals import Refused
from tests.domain.cast import TRUSTEES, Bidder, box, signing
from tests.domain.openings import a_tender
from tests.domain.refusing import assert_refused
from tests.domain.tender_rules import DEADLINE_MS

FIRST, SECOND = Bidder(1), Bidder(2)


def test_a_bidder_registers_fresh_keys_with_its_own_signature():
    play = a_tender()
    (registered,) = play.ask(play.registration(FIRST), FIRST.actor)
    assert registered.audience() == f"party:{FIRST.org}"
    assert (registered.binding_kind, registered.name) == ("invitation", FIRST.name)
    assert registered.binding_pk == play.rules.host_receipt_pk
    assert play.tender.by_org[FIRST.org].certified is False


def test_the_same_keys_again_are_the_same_registration():
    play = a_tender()
    play.register(FIRST)
    assert play.ask(play.registration(FIRST), FIRST.actor) == []
    play.now_ms = DEADLINE_MS + 1
    assert play.ask(play.registration(FIRST), FIRST.actor) == []


@pytest.mark.parametrize(
    "changes",
    [{"bidder_pk": signing("other").public}, {"bidder_xpk": box("other").public}],
    ids=["another signing key", "another box key"],
)
def test_an_organisation_registers_once(changes: dict[str, Any]):
    play = a_tender()
    play.register(FIRST)
    command = play.registration(FIRST, **changes)
    assert_refused("registration.exists", play, command, FIRST.actor)


@pytest.mark.parametrize(
    "keys",
    [
        lambda: {"bidder_pk": FIRST.key.public},
        lambda: {"bidder_xpk": FIRST.box.public},
        lambda: {"bidder_xpk": TRUSTEES[0].box.public},
        lambda: {"bidder_pk": TRUSTEES[1].sign.public},
        lambda: {"bidder_xpk": TRUSTEES[2].sign.public},
    ],
    ids=["a bidder's", "a bidder's box", "a trustee's box", "a trustee's", "a trustee's as box"],
)
def test_a_key_belongs_to_one_owner(keys: Any):
    play = a_tender()
    play.register(FIRST)
    assert_refused(
        "registration.key_taken", play, play.registration(SECOND, **keys()), SECOND.actor
    )


@pytest.mark.parametrize(
    ("xpk", "why"),
    [
        (bytes(32), "zero"),
        (b"\x01" + bytes(31), "low order"),
        (b"\xff" * 32, "not canonical"),
        (b"x", "too short"),
        (b"x" * 33, "too long"),
    ],
)
def test_a_box_key_must_be_one(xpk: bytes, why: str):
    play = a_tender()
    assert_refused("registration.keys", play, play.registration(FIRST, bidder_xpk=xpk), FIRST.actor)


def test_the_signature_is_the_bidders_own_over_its_own_organisation():
    play = a_tender()
    for command in (
        play.registration(FIRST, sig=bytes(64)),
        play.registration(FIRST, sig=b""),
        play.registration(FIRST, org=SECOND.org),
        play.registration(FIRST, bidder_pk=SECOND.key.public),
        play.registration(FIRST, bidder_pk=b"\x01" + bytes(31)),
        play.registration(FIRST, bidder_pk=b"k"),
    ):
        assert_refused("registration.signature", play, command, FIRST.actor)
    assert play.tender.by_org == {}


def test_another_organisation_cannot_claim_somebodys_keys():
    play = a_tender()
    command = play.registration(FIRST)
    assert_refused("registration.signature", play, command, SECOND.actor)


@pytest.mark.parametrize("expiry_ms", [0, DEADLINE_MS - 1, DEADLINE_MS])
def test_keys_outlive_the_deadline(expiry_ms: int):
    play = a_tender()
    command = play.registration(FIRST, expiry_ms=expiry_ms)
    assert_refused("registration.expiry", play, command, FIRST.actor)


@pytest.mark.parametrize("expiry_ms", [-1, INTEGER_MAX + 1, 2**64, 10**30])
def test_an_expiry_that_no_document_can_hold_never_gets_in(expiry_ms: int):
    args = {"bidder_pk": b"k", "bidder_xpk": b"x", "expiry_ms": expiry_ms, "sig": b""}
    with pytest.raises(Refused, match=r"command\.arguments"):
        parse_command("tender", "register", args)


def test_the_latest_moment_of_all_can_be_registered_and_logged():
    play = a_tender()
    play.ask(play.registration(FIRST, expiry_ms=INTEGER_MAX), FIRST.actor)
    assert play.tender.by_org[FIRST.org].expiry_ms == INTEGER_MAX


def test_in_time_is_what_was_received_before_the_deadline():
    play = a_tender()
    play.now_ms = DEADLINE_MS + 500
    command = play.registration(FIRST)
    assert_refused("registration.closed", play, command, FIRST.actor, received_ms=DEADLINE_MS)
    play.ask(command, FIRST.actor, received_ms=DEADLINE_MS - 1)


def test_nobody_registers_after_the_closing():
    play = a_tender()
    play.close()
    command = play.registration(FIRST)
    late = {"received_ms": DEADLINE_MS - 1}
    assert_refused("registration.closed", play, command, FIRST.actor, **late)


def test_a_tender_may_refuse_uncertified_keys():
    play = a_tender(uncertified_allowed=False)
    assert_refused("registration.not_invited", play, play.registration(FIRST), FIRST.actor)


def test_a_certificate_is_logged_as_such():
    """There is no way to register by certificate yet; its events must already be readable."""
    play = a_tender()
    (event,) = play.ask(play.registration(FIRST), FIRST.actor)
    certified = ev.BidderRegistered(
        **{
            **{name: getattr(event, name) for name in event.__struct_fields__},
            "org": SECOND.org,
            "bidder_pk": SECOND.key.public,
            "binding_kind": "certificate",
            "chain_sha256": bytes(32),
        }
    )
    play.keep("tender", [certified])
    assert play.tender.by_org[SECOND.org].certified
