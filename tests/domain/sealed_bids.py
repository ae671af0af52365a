"""Real sealed bids, quickly: small envelopes, sealed once for each tender and kept."""

from dataclasses import dataclass
from types import SimpleNamespace
from typing import Any

from crypto.card import card_text
from crypto.form import encode_form, pad
from crypto.hashes import labelled, sha256
from crypto.manifest import Manifest
from crypto.messages import KIND_SUBMIT, KIND_WITHDRAW, Submit, build_submit
from crypto.sealing import Sealed, seal_bytes
from tests.domain.cast import Bidder
from tests.domain.forged_headers import Forgery
from tests.domain.tender_rules import BODY, DEADLINE_MS, FORM, SECOND_FORM

BODY_BLOCK = 65_536
SEALED_MS = DEADLINE_MS - 86_400_000


@dataclass(frozen=True)
class SealedBid:
    """One bid as its bidder keeps it: every envelope by number, for one lot."""

    bidder: Bidder
    lot: int
    envelopes: dict[int, Sealed]
    form: bytes

    def bid_id(self, envelope: int = FORM) -> bytes:
        return self.envelopes[envelope].header.bid_id

    def half(self, envelope: int = FORM) -> bytes:
        return self.envelopes[envelope].bidder_half

    def card(self, envelope: int = FORM) -> str:
        return card_text(
            self.bid_id(envelope), self.half(envelope), self.envelopes[envelope].header.suite
        )

    @property
    def items(self) -> list[tuple[int, bytes]]:
        return [(number, sealed.header.bid_id) for number, sealed in self.envelopes.items()]


_SEALED: dict[Any, SealedBid] = {}


def a_sealed_bid(
    rules: Manifest,
    bidder: Bidder,
    *,
    lot: int = 1,
    version: int = 1,
    written: str = "as it should be",
    forged: Forgery | None = None,
    forged_body: Forgery | None = None,
) -> SealedBid:
    """``written``: what the form says (see ``_form``); ``forged``: what its header does."""
    key = (rules.tender_id, bidder.number, lot, version, written, forged, forged_body)
    if key not in _SEALED:
        _SEALED[key] = _sealed(rules, bidder, lot, version, written, forged, forged_body)
    return _SEALED[key]


def _sealed(
    rules: Manifest,
    bidder: Bidder,
    lot: int,
    version: int,
    written: str,
    forged: Forgery | None,
    forged_body: Forgery | None,
) -> SealedBid:
    numbers = [e.envelope for e in rules.envelopes]
    envelopes: dict[int, Sealed] = {}

    def seal(number: int, plaintext: bytes) -> Sealed:
        draw = sha256(b"draw", bytes([number, lot, version]), bidder.org.encode(), written.encode())
        suite = rules.suite_impl
        return seal_bytes(
            rules.terms(number, bidder.key.public, bidder.box.public),
            plaintext,
            lot=lot,
            created_ms=SEALED_MS,
            bid_nonce=labelled("nonce", draw, size=suite.bid_nonce_size),
            seed=labelled("seed", draw, size=suite.seed_size),
            key=bidder.key,
        )

    if BODY in numbers:
        body = seal(BODY, pad(f"技术标 {bidder.number}".encode(), BODY_BLOCK))
        envelopes[BODY] = forged_body(body, bidder.key) if forged_body else body
    if SECOND_FORM in numbers:
        later = _form(rules, bidder, lot, version, SECOND_FORM, [], "as it should be")
        envelopes[SECOND_FORM] = seal(SECOND_FORM, pad(later))
    others = [(number, one.header.bid_id) for number, one in envelopes.items()]
    raw = _form(rules, bidder, lot, version, FORM, others, written)
    form = seal(FORM, pad(raw))
    envelopes[FORM] = forged(form, bidder.key) if forged else form
    return SealedBid(bidder, lot, dict(sorted(envelopes.items())), raw)


def _form(
    rules: Manifest,
    bidder: Bidder,
    lot: int,
    version: int,
    envelope: int,
    others: list[tuple[int, bytes]],
    written: str,
) -> bytes:
    """A form's bytes: as they should be, or with one lie that only the opening can show."""
    code = Bidder(bidder.number + 50).org if written == "under another's code" else bidder.org
    named = [(n, sha256(b)) for n, b in others] if written == "naming other envelopes" else others
    raw = encode_form(
        rules,
        SimpleNamespace(lot=lot, envelope=envelope),
        bidder=(code, bidder.name),
        fields={"price": bidder.price(lot, version), "days": 100 + bidder.number},
        others=named,
    )
    match written:
        case "with one decimal":
            return raw.replace(b'"price":"', b'"price":"1.5","x":"')
        case "with a blank":
            return raw.replace(b'{"bidder"', b'{ "bidder"')
        case "as noise":
            return b"\xff\xfe" + raw
        case _:
            return raw


def a_submit(
    rules: Manifest,
    bid: SealedBid,
    *,
    seq: int = 1,
    prev: bytes = bytes(32),
    kind: int = KIND_SUBMIT,
    **changes: Any,
) -> Submit:
    """The SUBMIT of a sealed bid, or (kind 2) a WITHDRAW of its chain."""
    facts: dict[str, Any] = {
        "tender_id": rules.tender_id,
        "lot": bid.lot,
        "seq": seq,
        "prev": prev,
        "items": [] if kind == KIND_WITHDRAW else bid.items,
        "key": bid.bidder.key,
        "kind": kind,
    }
    return build_submit(rules.suite_impl, **(facts | changes))
