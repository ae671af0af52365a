"""Large envelopes (技术标): opened straight into a file that appears complete or not at all."""

from pathlib import Path
from typing import Any

import pytest

from crypto.form import unpad
from server.decryption.bodies import READ_BYTES, SealedBody, open_body
from server.domain import due
from tests.domain.cast import Bidder
from tests.domain.forged_headers import (
    another_key_commitment,
    another_plaintext_commitment,
    another_polynomial,
    noise_for_ciphertext,
)
from tests.domain.openings import a_release
from tests.domain.sealed_bids import BODY_BLOCK
from tests.domain.tender_rules import BODY


def opened_body(tmp_path: Path, *, places: tuple[int, ...] = (1, 2), **how: Any) -> SealedBody:
    """The body of one bid, unlocked and released, lying in a store of this test."""
    play = a_release(how)
    for place in places:
        play.release(place)
    play.work()
    if not play.opening.replies_ended_ms:
        pytest.fail("the form of this bid is honest")
    play.open_all()
    found = due.bodies(play.opening)
    assert found is not None
    (bid,) = found.bids
    source = tmp_path / "sealed"
    source.write_bytes(play.store[bid.header.bid_id])
    return SealedBody(bid, source, tmp_path / "opened" / bid.header.bid_id.hex())


def files_beside(item: SealedBody) -> list[str]:
    folder = item.target.parent
    return sorted(p.name for p in folder.iterdir()) if folder.exists() else []


def test_a_body_is_written_whole_and_durable(tmp_path: Path):
    item = opened_body(tmp_path)
    assert open_body(item) == "opened"
    assert files_beside(item) == [item.target.name]
    plain = item.target.read_bytes()
    assert len(plain) == item.bid.header.pt_len
    assert unpad(plain, BODY_BLOCK) == f"技术标 {Bidder(1).number}".encode()


def test_a_body_that_is_opened_again_is_the_same_file(tmp_path: Path):
    item = opened_body(tmp_path)
    open_body(item)
    first = item.target.read_bytes()
    assert open_body(item) == "opened"
    assert item.target.read_bytes() == first


@pytest.mark.parametrize(
    "forged",
    [
        another_polynomial,
        another_key_commitment,
        noise_for_ciphertext,
        another_plaintext_commitment,
    ],
)
def test_a_malformed_body_leaves_no_file(tmp_path: Path, forged: Any):
    item = opened_body(tmp_path, forged_body=forged)
    assert open_body(item) == "malformed"
    assert files_beside(item) == []


def test_a_damaged_body_is_found_before_anything_is_decrypted(tmp_path: Path):
    item = opened_body(tmp_path)
    raw = bytearray(item.source.read_bytes())
    raw[BODY_BLOCK // 2] ^= 1
    item.source.write_bytes(bytes(raw))
    assert open_body(item) == "damaged"
    item.source.write_bytes(bytes(raw) + b"\x00")
    assert open_body(item) == "damaged"
    assert files_beside(item) == []
    assert len(raw) < READ_BYTES


def test_a_body_that_is_gone_is_damaged(tmp_path: Path):
    item = opened_body(tmp_path)
    item.source.unlink()
    assert open_body(item) == "damaged"
    assert files_beside(item) == []


def test_a_body_without_enough_shares_is_unrecoverable(tmp_path: Path):
    item = opened_body(tmp_path)
    few = due.BidHalves(
        header=item.bid.header,
        bidder_half=item.bid.bidder_half,
        shares=dict(list(item.bid.shares.items())[:1]),
        unreadable=frozenset(),
        self_half=None,
    )
    assert item.bid.header.envelope == BODY
    assert open_body(SealedBody(few, item.source, item.target)) == "unrecoverable"
