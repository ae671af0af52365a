"""Terms, keys and sealed envelopes for the tests of the sealing format, for any suite."""

from dataclasses import replace
from functools import lru_cache

from crypto.errors import Rejected
from crypto.header import EnvelopeTerms
from crypto.keys import BoxKey, SigningKey
from crypto.sealing import Sealed, seal_bytes
from crypto.suites import NACL_1, ODD_SIZES, Suite, get_suite

BIDDER = SigningKey(bytes(range(32)))
BIDDER_BOX = BoxKey(b"x" * 32)
TRUSTEES = [BoxKey(bytes([i]) * 32) for i in range(1, 10)]
SUITES = [get_suite(NACL_1), get_suite(ODD_SIZES, allow_test=True)]
FORM = b'{"price":"71000000.00"}\x80'.ljust(4096, b"\x00")


def a_form(suite: Suite, **changes: object) -> EnvelopeTerms:
    terms = EnvelopeTerms(
        suite=suite,
        tender_id=b"T" * 32,
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


def a_body(suite: Suite, **changes: object) -> EnvelopeTerms:
    return replace(a_form(suite), envelope=2, kind="body", pt_len_max=2**31, **changes)


def sealed_with(terms: EnvelopeTerms, plaintext: bytes = FORM, fill: bytes = b"s") -> Sealed:
    suite = terms.suite
    return seal_bytes(
        terms,
        plaintext,
        lot=1,
        created_ms=1_700_000_040_000,
        bid_nonce=fill * suite.bid_nonce_size,
        seed=fill * suite.seed_size,
        key=BIDDER,
    )


@lru_cache(maxsize=4)
def a_sealed_form(suite: Suite) -> Sealed:
    return sealed_with(a_form(suite))


@lru_cache(maxsize=4)
def a_sealed_body(suite: Suite) -> Sealed:
    """Three chunks."""
    return sealed_with(a_body(suite), b"kaibiao " * 24_576)


def code_of(refusal: Rejected | None) -> str:
    return refusal.code if refusal else "ok"
