"""Texts and amounts: allowed characters, money in fen, rates, days."""

import unicodedata
from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crypto import code_points
from crypto.code_points import is_allowed
from crypto.errors import Rejected
from crypto.text import (
    MONEY_FEN_MAX,
    check_days,
    check_text,
    money_text,
    parse_money,
    parse_rate,
    rate_text,
)

INVISIBLE = {*range(0x200B, 0x2010), *range(0x202A, 0x202F), *range(0x2060, 0x2070), 0xFEFF}
LATER = {*range(0x2EBF0, 0x2EE5E), *range(0x31350, 0x323B0)}  # CJK extensions I and H


def code_of(read: Callable[[], object]) -> str:
    """The refusal's code, or nothing."""
    try:
        read()
    except Rejected as refusal:
        return refusal.code
    return ""


def test_the_allowed_code_points_are_those_of_the_fixed_unicode_version() -> None:
    """Exact where Python has that version; later versions only add characters."""
    same_version = unicodedata.unidata_version == code_points.UNICODE_VERSION
    for point in range(0x110000):
        character = chr(point)
        refused = unicodedata.category(character) in ("Cc", "Cn", "Co", "Cs")
        lawful = (not refused or point in LATER) and point not in INVISIBLE
        if same_version:
            assert is_allowed(character) == lawful, hex(point)
        elif is_allowed(character):
            assert lawful, hex(point)


@given(st.text(max_size=12))
def test_an_accepted_text_is_nfc_and_visible(text: str) -> None:
    code = code_of(lambda: check_text(text, 0, 12))
    assert code in ("", "text.code_point", "text.not_nfc")
    if not code:
        assert unicodedata.normalize("NFC", text) == text
        assert not any(unicodedata.category(character) == "Cc" for character in text)
        text.encode("utf-8")


@given(st.integers(0, MONEY_FEN_MAX))
def test_money_is_written_and_read_back(fen: int) -> None:
    assert parse_money(money_text(fen)) == fen


@given(st.text(alphabet="0123456789.,-+eE \n１．", max_size=17))
def test_an_accepted_amount_has_one_spelling(text: str) -> None:
    code = code_of(lambda: parse_money(text))
    assert code in ("", "money.form")
    if not code:
        assert money_text(parse_money(text)) == text


@given(st.integers(1, 4), st.data())
def test_rates_are_written_and_read_back(digits: int, data: st.DataObject) -> None:
    units = data.draw(st.integers(0, 1000 * 10**digits - 1))
    assert parse_rate(rate_text(units, digits), digits) == units


def test_amounts_and_rates_beyond_their_range_are_not_written() -> None:
    for fen in (-1, MONEY_FEN_MAX + 1):
        with pytest.raises(Rejected, match=r"money\.range"):
            money_text(fen)
    for units in (-1, 100_000):
        with pytest.raises(Rejected, match=r"rate\.range"):
            rate_text(units, 2)


def test_days_begin_at_one() -> None:
    assert check_days(1, 30) == 1
    assert check_days(30, 30) == 30
    for days in (0, -1, 31):
        with pytest.raises(Rejected, match=r"days\.range"):
            check_days(days, 30)
