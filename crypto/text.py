"""Text, money, rates and days as they stand in documents (文本与数字的写法).

Invariant: what is accepted here has exactly one spelling, so two programs that read the same form
hold the same values. Texts are NFC and of the fixed set of ``code_points``; NFKC is *not* applied,
it would refuse lawful names such as 有限公司（北京）. Numbers are ASCII, matched against the whole
string, and become integers at once: money in fen (分), rates in units of their last digit.
Rules: sealing.md C18.
"""

import re
import unicodedata

from crypto.code_points import is_allowed
from crypto.errors import Rejected

MONEY_FEN_MAX = 10**15 - 1  # 13 digits of yuan and two of fen
RATE_DIGITS_MAX = 4
DAYS_MAX = 36_500

_MONEY = re.compile(r"(0|[1-9][0-9]{0,12})\.([0-9]{2})")
_RATE = re.compile(r"(0|[1-9][0-9]{0,2})\.([0-9]{1,4})")


def check_text(text: str, low: int, high: int) -> str:
    """``text`` itself, if it has ``low``..``high`` code points, all allowed, and is NFC.

    Codes: ``text.length``, ``text.code_point``, ``text.not_nfc``, decided in this order.
    """
    if not low <= len(text) <= high:
        raise Rejected("text.length", str(len(text)))
    if not text.isascii() or not text.isprintable():
        for character in text:
            if not is_allowed(character):
                raise Rejected("text.code_point", f"U+{ord(character):04X}")
        if not unicodedata.is_normalized("NFC", text):
            raise Rejected("text.not_nfc")
    return text


def parse_money(text: str) -> int:
    """Fen of an amount in yuan with two digits, "71000000.00"; else Rejected("money.form")."""
    found = _MONEY.fullmatch(text)
    if found is None:
        raise Rejected("money.form")
    return int(found[1]) * 100 + int(found[2])


def money_text(fen: int) -> str:
    """The document's spelling of ``fen``, 0..MONEY_FEN_MAX."""
    if not 0 <= fen <= MONEY_FEN_MAX:
        raise Rejected("money.range", str(fen))
    return f"{fen // 100}.{fen % 100:02d}"


def parse_rate(text: str, digits: int) -> int:
    """A percentage 0..999 with exactly ``digits`` (1..4) decimals, in units of the last one.

    "12.50" with two digits is 1250. Code: ``rate.form``.
    """
    assert 1 <= digits <= RATE_DIGITS_MAX
    found = _RATE.fullmatch(text)
    if found is None or len(found[2]) != digits:
        raise Rejected("rate.form")
    return int(found[1] + found[2])


def rate_text(units: int, digits: int) -> str:
    """The document's spelling of a percentage in units of its last digit."""
    assert 1 <= digits <= RATE_DIGITS_MAX
    scale = 10**digits
    if not 0 <= units < 1000 * scale:
        raise Rejected("rate.range", str(units))
    return f"{units // scale}.{units % scale:0{digits}d}"


def check_days(days: int, high: int) -> int:
    """``days`` itself, if 1..``high``; else Rejected("days.range")."""
    if not 1 <= days <= high:
        raise Rejected("days.range", str(days))
    return days
