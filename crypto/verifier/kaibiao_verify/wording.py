"""Text and numbers of a bid, as written (文字与数字的写法, sealing C18).

Invariant: a text that passes shows what it is: normalised (NFC), no character that is invisible,
turns the reading direction, or has no agreed meaning. NFKC is not applied: it would refuse lawful
names such as 有限公司（北京）. A number has one spelling, in ASCII, matched as a whole.
"""

from __future__ import annotations

import re
import unicodedata

from .characters import is_lawful

MONEY = re.compile(r"(0|[1-9][0-9]{0,12})\.[0-9]{2}", re.ASCII)
RATE = re.compile(r"(0|[1-9][0-9]{0,2})\.([0-9]{1,4})", re.ASCII)


def is_text(value: str, low: int, high: int) -> bool:
    """Whether the text has `low` to `high` characters (code points) and only lawful ones."""
    if not low <= len(value) <= high or not all(map(is_lawful, value)):
        return False
    return unicodedata.is_normalized("NFC", value)


def is_money(value: str) -> bool:
    """Whether the whole text is an amount in yuan with two digits."""
    return MONEY.fullmatch(value) is not None


def is_rate(value: str, digits: int) -> bool:
    """Whether the whole text is a percentage 0..999 with exactly `digits` decimals."""
    found = RATE.fullmatch(value)
    return found is not None and len(found[2]) == digits
