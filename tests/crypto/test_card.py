"""The unlock card: what people type, and every way in which they mistype it."""

import base64

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crypto.card import card_text, parse_card
from crypto.errors import Rejected
from crypto.suites import NACL_1, get_suite
from tests.crypto.sealing_examples import SUITES

ALPHABET = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567"
suites = st.sampled_from(SUITES)


def a_card(suite, fill: bytes = b"\xa5") -> str:
    return card_text(b"b" * 32, fill * suite.bidder_half_size, suite)


@given(suites, st.data())
def test_a_card_gives_back_the_half_and_the_beginning_of_the_bid(suite, data: st.DataObject):
    size = suite.bidder_half_size
    half = data.draw(st.binary(min_size=size, max_size=size))
    bid_id = data.draw(st.binary(min_size=32, max_size=32))
    card = parse_card(card_text(bid_id, half, suite), suite)
    assert (card.bid_id_start, card.bidder_half) == (bid_id[:8], half)


@given(suites, st.data())
def test_one_mistyped_letter_is_noticed(suite, data: st.DataObject):
    text = a_card(suite)
    at = data.draw(st.integers(0, len(text) - 1).filter(lambda at: text[at] != " "))
    letter = data.draw(st.sampled_from(ALPHABET).filter(lambda letter: letter != text[at]))
    with pytest.raises(Rejected, match=r"card\.checksum"):
        parse_card(text[:at] + letter + text[at + 1 :], suite)


@given(suites, st.text(max_size=200))
def test_any_text_is_refused_with_a_code(suite, text: str):
    with pytest.raises(Rejected) as refusal:
        parse_card(text, suite)
    assert refusal.value.code.startswith("card.")


def test_a_card_of_nacl_1_is_72_letters_in_18_groups_and_45_bytes():
    text = a_card(get_suite(NACL_1))
    assert [len(group) for group in text.split(" ")] == [4] * 18
    raw = base64.b32decode(text.replace(" ", ""))
    assert len(raw) == 45
    assert raw[:9] == b"\x01" + b"b" * 8


def test_a_card_of_one_suite_is_none_of_another():
    with pytest.raises(Rejected, match=r"card\.length"):
        parse_card(a_card(SUITES[0]), SUITES[1])


def test_the_half_does_not_show_when_a_card_is_printed():
    card = parse_card(a_card(SUITES[0]), SUITES[0])
    assert repr(card.bidder_half)[2:-1] not in repr(card)
