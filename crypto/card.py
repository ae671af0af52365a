"""The unlock card (解密卡): one bid's s_B on paper, in characters that people can type (C8).

Invariant: a card carries the bidder half and never the seed, so with the card alone nobody can
read. Bytes: 01 ‖ first 8 bytes of bid_id ‖ s_B ‖ checksum. Text: RFC 4648 Base32 in groups of
four.
"""

import base64
import re
from dataclasses import dataclass, field
from hmac import compare_digest
from typing import Final

from crypto.errors import Rejected
from crypto.schedule import card_check
from crypto.suites import Suite

_VERSION: Final = 1
BID_ID_START_SIZE: Final = 8
_GROUP: Final = 4
_TEXT_MAX: Final = 1024
_LETTERS: Final = re.compile("[A-Za-z2-7]+")
_SEPARATORS: Final = str.maketrans("", "", " \t\r\n-")


@dataclass(frozen=True, slots=True)
class Card:
    """What a card says. `bid_id_start` is to be compared with bid_ids, not trusted."""

    bid_id_start: bytes
    bidder_half: bytes = field(repr=False)


def card_text(bid_id: bytes, s_B: bytes, suite: Suite) -> str:
    """The card's text: for nacl-1 72 characters in 18 groups."""
    assert len(s_B) == suite.bidder_half_size
    body = bytes([_VERSION]) + bid_id[:BID_ID_START_SIZE] + s_B
    text = base64.b32encode(body + card_check(suite, body)).decode("ascii")
    assert "=" not in text, "a suite chooses its checksum so that cards need no padding"
    return " ".join(text[at : at + _GROUP] for at in range(0, len(text), _GROUP))


def parse_card(text: str, suite: Suite) -> Card:
    """Read a typed or scanned card; case, blanks and hyphens do not matter.

    Raises Rejected card. length, alphabet, checksum (a typing error), version, in this order.
    """
    if len(text) > _TEXT_MAX:
        raise Rejected("card.length")
    letters = text.translate(_SEPARATORS)
    body_size = 1 + BID_ID_START_SIZE + suite.bidder_half_size
    if len(letters) * 5 != (body_size + suite.card_check_size) * 8:
        raise Rejected("card.length", str(len(letters)))
    # Before upper(), which folds some foreign letters into ASCII; and no "=" for the decoder.
    if not _LETTERS.fullmatch(letters):
        raise Rejected("card.alphabet")
    raw = base64.b32decode(letters.upper())
    body, check = raw[:body_size], raw[body_size:]
    if not compare_digest(check, card_check(suite, body)):
        raise Rejected("card.checksum")
    if body[0] != _VERSION:
        raise Rejected("card.version", str(body[0]))
    return Card(body[1 : 1 + BID_ID_START_SIZE], body[1 + BID_ID_START_SIZE :])
