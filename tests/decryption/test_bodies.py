"""Large envelopes (技术标): opened straight into a file that appears complete or not at all."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from crypto.stream import RootHasher
from server.decryption.bodies import SealedBody, open_body, open_into, stamp_of
from server.domain import due
from tests.domain.cast import Bidder
from tests.domain.forged_headers import (
    another_key_commitment,
    another_plaintext_commitment,
    another_polynomial,
    no_padding,
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


def test_a_body_is_written_as_the_bidder_had_it(tmp_path: Path):
    item = opened_body(tmp_path)
    assert open_body(item) == "opened"
    assert files_beside(item) == [item.target.name]
    assert item.target.read_bytes() == f"技术标 {Bidder(1).number}".encode()


def test_a_body_whose_padding_is_none_is_opened_as_it_was_sealed(tmp_path: Path):
    item = opened_body(tmp_path, forged_body=no_padding)
    assert open_body(item) == "opened"
    assert item.target.read_bytes() == bytes(item.bid.header.pt_len)


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


def test_a_damaged_body_leaves_no_file(tmp_path: Path):
    item = opened_body(tmp_path)
    raw = bytearray(item.source.read_bytes())
    raw[BODY_BLOCK // 2] ^= 1
    item.source.write_bytes(bytes(raw))
    assert open_body(item) == "damaged"
    raw[BODY_BLOCK // 2] ^= 1
    for wrong in (bytes(raw) + b"\x00", bytes(raw[:-1]), b""):
        item.source.write_bytes(wrong)
        assert open_body(item) == "damaged"
    assert files_beside(item) == []


def checked(item: SealedBody) -> SealedBody:
    """As after STORE_CHECK."""
    return replace(item, checked=stamp_of(item.source))


def test_a_body_that_was_checked_is_opened_without_hashing_its_root_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    item = checked(opened_body(tmp_path))
    hashed: list[int] = []
    update = RootHasher.update
    monkeypatch.setattr(
        RootHasher, "update", lambda self, part: (hashed.append(len(part)), update(self, part))
    )
    written: list[bytes] = []
    assert open_into(item, lambda part: written.append(bytes(part))) == "opened"
    assert sum(map(len, written)) == item.bid.header.pt_len
    assert hashed == []


def test_a_body_damaged_after_its_check_is_damaged(tmp_path: Path):
    item = checked(opened_body(tmp_path))
    raw = bytearray(item.source.read_bytes())
    raw[0] ^= 1
    item.source.write_bytes(bytes(raw))
    assert open_body(item) == "damaged"


def test_rot_that_no_stamp_shows_is_damage_and_not_the_bidders_fault(tmp_path: Path):
    item = opened_body(tmp_path)
    raw = bytearray(item.source.read_bytes())
    raw[0] ^= 1
    item.source.write_bytes(bytes(raw))
    assert open_body(checked(item)) == "damaged"


def test_a_checked_body_that_never_opens_is_malformed(tmp_path: Path):
    item = checked(opened_body(tmp_path, forged_body=noise_for_ciphertext))
    assert open_body(item) == "malformed"


def test_a_plaintext_that_cannot_be_written_says_nothing_about_the_bid(tmp_path: Path):
    item = opened_body(tmp_path)

    def full(_part: object) -> None:
        raise OSError(28, "No space left on device")

    with pytest.raises(OSError, match="No space"):
        open_into(item, full)


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
