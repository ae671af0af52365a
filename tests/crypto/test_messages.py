"""Signed messages: built, parsed, and refused when anything is cut or added."""

from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crypto.errors import Rejected
from crypto.hashes import sha256
from crypto.keys import SigningKey
from crypto.messages import (
    build_ack,
    build_card_unlock,
    build_release,
    build_self_release,
    build_submit,
    build_unlock,
    parse_ack,
    parse_card_unlock,
    parse_release,
    parse_self_release,
    parse_submit,
    parse_unlock,
    signature_ok,
)
from crypto.suites import NACL_1, Suite, get_suite
from tests.crypto.sealing_examples import SUITES

KEY = SigningKey(b"k" * 32)
TENDER, NONCE, ROOT = b"T" * 32, b"N" * 32, b"R" * 32
Parse = Callable[[bytes], Any]
suites = st.sampled_from(SUITES)
bid_ids = st.lists(st.binary(min_size=32, max_size=32), min_size=1, max_size=5, unique=True)


def scalar(suite: Suite) -> bytes:
    return suite.reduce(b"\x07" * suite.wide_size)


def a_submit(suite: Suite, ids: list[bytes]):
    items = [(1 if at == 0 else 2, bid) for at, bid in enumerate(ids)]
    return build_submit(suite, tender_id=TENDER, lot=1, seq=1, prev=bytes(32), items=items, key=KEY)


def an_unlock(suite: Suite, ids: list[bytes]):
    items = [(bid, bytes(suite.bidder_half_size)) for bid in ids]
    return build_unlock(
        suite, tender_id=TENDER, opening_nonce=NONCE, envelope=1, w=1, items=items, key=KEY
    )


def a_release(suite: Suite, ids: list[bytes]):
    share = suite.share_at([scalar(suite)], 1)
    return build_release(
        suite,
        tender_id=TENDER,
        root=ROOT,
        size=7,
        opening_nonce=NONCE,
        envelope=1,
        i=1,
        mode=0,
        items=[(bid, 0, share) for bid in ids],
        key=KEY,
    )


def an_ack(_suite: Suite, ids: list[bytes]):
    return build_ack(KEY, TENDER, 1, sha256(*ids), 0, 1_700_000_000_000)


def a_card_unlock(suite: Suite, ids: list[bytes]):
    half = bytes(suite.bidder_half_size)
    return build_card_unlock(
        suite, tender_id=TENDER, opening_nonce=NONCE, bid_id=ids[0], bidder_half=half
    )


def a_self_release(suite: Suite, ids: list[bytes]):
    return build_self_release(
        suite, tender_id=TENDER, opening_nonce=NONCE, bid_id=ids[0], host_half=scalar(suite)
    )


SIGNED: dict[Any, Callable[[bytes, Suite], Any]] = {
    a_submit: parse_submit,
    an_unlock: parse_unlock,
    a_release: parse_release,
    an_ack: lambda raw, _suite: parse_ack(raw),
}
UNSIGNED: dict[Any, Callable[[bytes, Suite], Any]] = {
    a_card_unlock: parse_card_unlock,
    a_self_release: parse_self_release,
}
signed = st.sampled_from(list(SIGNED.items()))
every = st.sampled_from(list((SIGNED | UNSIGNED).items()))


@given(suites, every, bid_ids)
def test_a_message_comes_back_as_it_was_built(suite, kind, ids: list[bytes]):
    build, parse = kind
    message = build(suite, ids)
    assert parse(message.raw, suite) == message
    assert parse(bytearray(message.raw), suite) == message
    assert message.digest == sha256(message.raw)


@given(suites, signed, bid_ids)
def test_the_order_in_which_items_are_given_does_not_matter(suite, kind, ids: list[bytes]):
    build, _ = kind
    if build in (an_unlock, a_release):
        assert build(suite, ids).raw == build(suite, ids[::-1]).raw


@given(suites, every, bid_ids, st.data())
def test_every_truncation_and_extension_is_refused(suite, kind, ids, data: st.DataObject):
    build, parse = kind
    raw = build(suite, ids).raw
    cut = data.draw(st.integers(0, len(raw) - 1))
    for wrong in (raw[:cut], raw + data.draw(st.binary(min_size=1, max_size=200))):
        with pytest.raises(Rejected) as refusal:
            parse(wrong, suite)
        assert refusal.value.code.split(".")[1] in ("length", "count")


@given(suites, signed, bid_ids, st.data())
def test_a_flipped_bit_is_refused_by_the_parser_or_by_the_signature(
    suite, kind, ids, data: st.DataObject
):
    build, parse = kind
    message = build(suite, ids)
    assert signature_ok(message, KEY.public)
    raw = bytearray(message.raw)
    bit = data.draw(st.integers(0, len(raw) * 8 - 1))
    raw[bit // 8] ^= 1 << bit % 8
    try:
        changed = parse(bytes(raw), suite)
    except Rejected:
        return
    assert not signature_ok(changed, KEY.public)


@given(suites, every, st.binary(max_size=600))
def test_noise_is_refused_with_a_code(suite, kind, noise: bytes):
    build, parse = kind
    magic = build(suite, [b"b" * 32]).raw[:8]
    for raw in (noise, magic + noise):
        with pytest.raises(Rejected):
            parse(raw, suite)


@given(suites, signed)
def test_a_signature_of_one_kind_of_message_never_serves_another(suite, kind):
    """The label says which kind, so the same bytes under another label do not verify."""
    build, _ = kind
    message = build(suite, [b"b" * 32])
    for other in SIGNED:
        if other is not build:
            bytes_of_other = other(suite, [b"b" * 32]).raw
            assert bytes_of_other[-64:] != message.raw[-64:]
    assert not signature_ok(message, SigningKey(b"o" * 32).public)


@pytest.mark.parametrize("build", [a_submit, an_unlock])
def test_a_bidders_message_counts_only_under_the_key_that_it_names(build):
    message = build(get_suite(NACL_1), [b"b" * 32])
    assert message.bidder_pk == KEY.public
    assert not signature_ok(message, SigningKey(b"o" * 32).public)


def test_the_lengths_of_nacl_1_are_the_published_ones():
    suite, ids = get_suite(NACL_1), [bytes([i]) * 32 for i in range(1, 4)]
    assert len(a_submit(suite, ids).raw) == 180 + 36 * 3
    assert len(an_unlock(suite, ids).raw) == 176 + 64 * 3
    assert len(a_release(suite, ids).raw) == 188 + 65 * 3
    assert len(an_ack(suite, ids).raw) == 154
    assert len(a_card_unlock(suite, ids).raw) == 136
    assert len(a_self_release(suite, ids).raw) == 136


def test_the_offsets_of_nacl_1_are_the_published_ones():
    suite, bid = get_suite(NACL_1), b"b" * 32
    raw = a_submit(suite, [bid]).raw
    assert raw[:8] + raw[8:40] + raw[40:72] == b"KBIDSUB1" + TENDER + KEY.public
    assert raw[72:80] == b"\x00\x00\x00\x01\x00\x00\x00\x01"
    assert raw[112:152] == b"\x01\x00\x00\x01" + b"\x00\x00\x00\x01" + bid
    raw = an_unlock(suite, [bid]).raw
    assert raw[:8] + raw[8:104] == b"KBIDUNL1" + TENDER + NONCE + KEY.public
    assert raw[104:112] == b"\x00\x00\x00\x01\x00\x01\x00\x01"
    raw = a_release(suite, [bid]).raw
    assert raw[:72] + raw[72:80] == b"KBIDREL1" + TENDER + ROOT + (7).to_bytes(8, "big")
    assert raw[80:124] == NONCE + b"\x00\x00\x00\x01" + b"\x01\x00\x00\x00" + b"\x00\x00\x00\x01"
    assert raw[124:157] == bid + b"\x00"


def test_a_withdrawal_lists_nothing():
    suite = get_suite(NACL_1)
    message = build_submit(
        suite, tender_id=TENDER, lot=0, seq=2, prev=ROOT, items=[], key=KEY, kind=2
    )
    assert (message.kind, message.items, len(message.raw)) == (2, (), 180)


def test_a_release_of_a_thousand_bids_has_65_188_bytes_and_is_read():
    suite = get_suite(NACL_1)
    ids = [index.to_bytes(32, "big") for index in range(1000)]
    assert len(a_release(suite, ids).raw) == 65_188
    assert [item.bid_id for item in parse_release(a_release(suite, ids).raw, suite).items] == ids


def test_what_a_parser_would_refuse_cannot_be_built():
    suite = get_suite(NACL_1)
    with pytest.raises(Rejected, match=r"submit\.form"):
        build_submit(
            suite,
            tender_id=TENDER,
            lot=1,
            seq=1,
            prev=bytes(32),
            items=[(2, b"b" * 32)],
            key=KEY,
        )
    with pytest.raises(Rejected, match=r"unlock\.order"):
        an_unlock(suite, [b"b" * 32, b"b" * 32])


def test_an_ack_promises_two_seconds_from_its_signing():
    ack = build_ack(KEY, TENDER, 3, ROOT, 1, 1000, signed_ms=1500)
    assert (ack.server_ms, ack.integrate_by_ms) == (1000, 3500)
    assert build_ack(KEY, TENDER, 3, ROOT, 1, 1000).integrate_by_ms == 3000
    with pytest.raises(Rejected, match=r"ack\.time"):
        build_ack(KEY, TENDER, 3, ROOT, 1, 1000, signed_ms=999)


def test_halves_and_shares_do_not_show_when_a_message_is_printed():
    suite = get_suite(NACL_1)
    half = b"\xa5" * 32
    unlock = build_unlock(
        suite,
        tender_id=TENDER,
        opening_nonce=NONCE,
        envelope=1,
        w=1,
        items=[(b"b" * 32, half)],
        key=KEY,
    )
    card = build_card_unlock(
        suite, tender_id=TENDER, opening_nonce=NONCE, bid_id=b"b" * 32, bidder_half=half
    )
    assert repr(half)[2:-1] not in repr(unlock) + repr(card)
    assert repr(scalar(suite))[2:-1] not in repr(a_self_release(suite, [b"b" * 32]))
