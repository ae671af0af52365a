"""The people and terms that all sealing vectors speak of, and how they are written as JSON."""

import hashlib
from dataclasses import replace
from typing import Any

from crypto.header import EnvelopeTerms
from crypto.keys import BoxKey, SigningKey
from crypto.sealing import Sealed, seal_bytes
from crypto.suites import Suite

Recipe = list[tuple[bytes, int]]
"""A plaintext: pieces, each repeated"""

BIDDER = SigningKey(bytes(range(32)))
BIDDER_BOX = BoxKey(b"x" * 32)
OTHER_BIDDER = SigningKey(b"\x41" * 32)
OTHER_BOX = BoxKey(b"\x42" * 32)
TRUSTEES = [BoxKey(bytes([i]) * 32) for i in range(1, 11)]
TRUSTEE_SIGNERS = [SigningKey(bytes([0x10 + i]) * 32) for i in range(1, 10)]
RECEIPT_KEY = SigningKey(b"\x31" * 32)
TENDER_ID = b"T" * 32
CREATED_MS = 1_700_000_000_000


def octets(label: str, size: int) -> bytes:
    """Bytes that look random and are the same everywhere: SHAKE-256 of the label."""
    return hashlib.shake_256(label.encode()).digest(size)


def a_form(suite: Suite, **changes: Any) -> EnvelopeTerms:
    """Terms of envelope 1, a form, two of three trustees."""
    terms = EnvelopeTerms(
        suite=suite,
        tender_id=TENDER_ID,
        lots=(1,),
        envelope=1,
        kind="form",
        log2_chunk=16,
        pt_len_max=65_536,
        t=2,
        trustee_xpks=tuple(key.public for key in TRUSTEES[:3]),
        demo=False,
        bidder_pk=BIDDER.public,
        bidder_xpk=BIDDER_BOX.public,
    )
    return replace(terms, **changes)


def a_body(suite: Suite, **changes: Any) -> EnvelopeTerms:
    """Terms of envelope 2, a body."""
    return replace(a_form(suite, envelope=2, kind="body", pt_len_max=2**31), **changes)


def trustees(n: int) -> tuple[bytes, ...]:
    return tuple(key.public for key in TRUSTEES[:n])


def expanded(recipe: Recipe) -> bytes:
    return b"".join(piece * count for piece, count in recipe)


def padded(content: bytes, block: int = 4096) -> Recipe:
    """sodium_pad as a recipe."""
    zeros = block - 1 - len(content) % block
    return [(content + b"\x80", 1), (b"\x00", zeros)]


def seal(terms: EnvelopeTerms, recipe: Recipe, name: str, **inputs: Any) -> Sealed:
    """Seal with inputs that follow from the vector's name, unless given."""
    suite = terms.suite
    given = {
        "lot": 1,
        "created_ms": CREATED_MS,
        "bid_nonce": octets(f"{name} bid_nonce", suite.bid_nonce_size),
        "seed": octets(f"{name} seed", suite.seed_size),
        "key": BIDDER,
    } | inputs
    return seal_bytes(terms, expanded(recipe), **given)


def recipe_json(recipe: Recipe) -> list[dict[str, object]]:
    return [{"hex": piece.hex(), "repeat": count} for piece, count in recipe]


def terms_json(terms: EnvelopeTerms) -> dict[str, object]:
    return {
        "suite": terms.suite.id,
        "tender_id": terms.tender_id.hex(),
        "lots": list(terms.lots),
        "envelope": terms.envelope,
        "kind": terms.kind,
        "log2_chunk": terms.log2_chunk,
        "pt_len_max": terms.pt_len_max,
        "t": terms.t,
        "trustee_xpks": [key.hex() for key in terms.trustee_xpks],
        "demo": terms.demo,
        "bidder_pk": terms.bidder_pk.hex(),
        "bidder_xpk": terms.bidder_xpk.hex(),
    }


def seed_json(terms: EnvelopeTerms) -> dict[str, object]:
    """The seeds behind the keys of the terms, so that a reader can sign and open."""
    seeds = {key.public: key.seed.hex() for key in TRUSTEES}
    return {
        "sign_seed": BIDDER.seed.hex(),
        "xpk_seed": BIDDER_BOX.seed.hex(),
        "trustee_seeds": [seeds[key] for key in terms.trustee_xpks],
    }
