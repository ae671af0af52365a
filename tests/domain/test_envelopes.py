"""Sealed envelopes before they count: whose they are, and that their bytes are there (C6, C10)."""

from typing import Any

import pytest

from crypto.hashes import sha256
from server.domain import commands as cmd
from tests.domain.cast import Bidder, signing
from tests.domain.forged_headers import resigned
from tests.domain.openings import a_tender
from tests.domain.play import Play
from tests.domain.refusing import assert_refused, assert_rejected
from tests.domain.sealed_bids import SealedBid, a_sealed_bid
from tests.domain.tender_rules import BODY, FORM

FIRST, SECOND = Bidder(1), Bidder(2)


def uploaded(bidder: Bidder = FIRST, **rules: Any) -> tuple[Play, SealedBid]:
    """A bidder has registered and uploaded its bid."""
    play = a_tender(**rules)
    play.register(bidder)
    bid = a_sealed_bid(play.rules, bidder)
    play.upload(bid)
    return play, bid


def storing(bid: SealedBid, envelope: int = FORM) -> cmd.StoreEnvelope:
    header = bid.envelopes[envelope].header
    return cmd.StoreEnvelope(header=header.raw, ct_root=header.ct_root)


def test_an_envelope_counts_for_nothing_by_itself():
    play, bid = uploaded()
    assert set(play.tender.stored) == {bid.bid_id(FORM), bid.bid_id(BODY)}
    assert play.tender.counting() == []


def test_the_same_envelope_again_is_the_same_envelope():
    play, bid = uploaded()
    assert play.ask(storing(bid), FIRST.actor) == []


def test_nobody_stores_for_another_or_without_registration():
    play, bid = uploaded()
    play.register(SECOND)
    assert_rejected("header.bidder", play, storing(bid), SECOND.actor)
    assert_refused("bid.not_registered", play, storing(bid), Bidder(3).actor)


def test_an_envelope_is_stored_only_with_the_bytes_its_header_names():
    play = a_tender()
    play.register(FIRST)
    header = a_sealed_bid(play.rules, FIRST).envelopes[FORM].header
    command = cmd.StoreEnvelope(header=header.raw, ct_root=sha256(b"other bytes"))
    assert_refused("bid.ct_root", play, command, FIRST.actor)


def test_two_envelopes_never_have_the_same_associated_data():
    """Equal AD means equal keys: an edited upload under the old seed (C10, F19)."""
    play, bid = uploaded()
    other = resigned(bid.envelopes[FORM], FIRST.key, c_P=sha256(b"another plaintext"))
    command = cmd.StoreEnvelope(header=other.header.raw, ct_root=other.header.ct_root)
    assert_refused("bid.ad_seen", play, command, FIRST.actor)


@pytest.mark.parametrize(
    ("key", "changes", "code"),
    [
        (signing("a stranger"), {}, "header.signature"),
        (FIRST.key, {"t": 1}, "header.threshold"),
    ],
)
def test_a_header_against_the_rules_is_rejected(key: Any, changes: dict[str, Any], code: str):
    play = a_tender()
    play.register(FIRST)
    header = resigned(a_sealed_bid(play.rules, FIRST).envelopes[FORM], key, **changes).header
    command = cmd.StoreEnvelope(header=header.raw, ct_root=header.ct_root)
    assert_rejected(code, play, command, FIRST.actor)
