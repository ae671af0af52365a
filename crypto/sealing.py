"""Sealing an envelope and opening it (加密、解密): the format KBID1 from both ends.

Invariant: the content key follows from both halves and the header's core, so nothing opens with
one half; and a header, its key and its payload open to one plaintext or to none. Seed and
bid_nonce are drawn once per sealing by the caller and never used again (C10).
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from hmac import compare_digest

from crypto.errors import Rejected
from crypto.hashes import Octets
from crypto.header import (
    Core,
    EnvelopeTerms,
    Header,
    parse_core,
    parse_header,
    signed_bytes,
)
from crypto.keys import BoxKey, SigningKey
from crypto.layout import MAGIC, VERSION, layout_of
from crypto.schedule import (
    bidder_commitment,
    bidder_ephemeral,
    bidder_half,
    host_commitment,
    host_half,
    key_and_commitment,
    plaintext_blind,
    plaintext_commitment,
)
from crypto.shares import deal_boxes, deal_check, host_half_matches
from crypto.stream import (
    RootHasher,
    chunk_count,
    chunk_size,
    decrypt_chunk,
    decrypt_chunk_into,
    encrypt_chunk,
)
from crypto.suites import Cipher, Suite

__all__ = [
    "ContentKey",
    "Sealed",
    "Sealer",
    "bidder_half",
    "bidder_half_matches",
    "content_key",
    "deal_check",
    "host_half",
    "host_half_matches",
    "open_payload",
    "open_to",
    "plaintext_matches",
    "seal_bytes",
    "unseal_seed",
]


@dataclass(frozen=True, slots=True)
class Sealed:
    """What sealing gives: header and payload to upload; the halves never leave together."""

    header: Header
    payload: bytes = field(repr=False)
    bidder_half: bytes = field(repr=False)
    host_half: bytes = field(repr=False)


@dataclass(frozen=True, slots=True)
class ContentKey:
    """K and r_P of one envelope after c_K matched. Several threads may use one key."""

    suite: Suite
    K: bytes = field(repr=False)
    r_P: bytes = field(repr=False)
    cipher: Cipher = field(repr=False)


class Sealer:
    """Seal one envelope chunk by chunk: `core` can be sent first, the header comes last.

    `terms` say under which tender, envelope, trustees and keys; `pt_len` is the size after
    padding. `created_ms` is public: round it to the minute, or it tells the offset of the device's
    clock.
    """

    def __init__(
        self,
        terms: EnvelopeTerms,
        *,
        lot: int,
        pt_len: int,
        created_ms: int,
        bid_nonce: bytes,
        seed: bytes,
        key: SigningKey,
    ) -> None:
        suite = terms.suite
        assert len(seed) == suite.seed_size
        assert len(bid_nonce) == suite.bid_nonce_size
        assert key.public == terms.bidder_pk
        self._terms, self._key, self._seed = terms, key, seed
        count = chunk_count(pt_len, terms.log2_chunk)
        raw_core = layout_of(suite).core.pack(
            MAGIC,
            VERSION,
            suite.id,
            layout_of(suite).header_size(len(terms.trustee_xpks)),
            terms.tender_id,
            lot,
            terms.envelope,
            terms.bidder_pk,
            terms.bidder_xpk,
            bid_nonce,
            created_ms,
            pt_len,
            terms.log2_chunk,
            count,
        )
        self.core: Core = parse_core(raw_core, suite)
        self.bidder_half = bidder_half(suite, seed)
        self.host_half = host_half(suite, seed)
        key_bytes, self._c_K = key_and_commitment(
            suite, self.core.ad, self.bidder_half, self.host_half
        )
        self._cipher = suite.cipher(key_bytes)
        self._root = RootHasher(suite, pt_len, terms.log2_chunk)
        self._plaintext = suite.plaintext_hash()
        self._next = 0

    def seal_chunk(self, plaintext: Octets) -> bytes:
        """The next ciphertext chunk; `plaintext` is exactly the next chunk of pt_len bytes."""
        core = self.core
        expected = chunk_size(core.suite, core.pt_len, core.log2_chunk, self._next)
        assert len(plaintext) + core.suite.tag_size == expected
        ciphertext = encrypt_chunk(self._cipher, self._next, core.n_chunks, plaintext)
        self._plaintext.update(plaintext)
        self._root.update(ciphertext)
        self._next += 1
        return ciphertext

    def finish(self) -> Header:
        """The signed header, once every chunk was sealed. Raises Rejected payload.short before."""
        suite, ad, terms = self.core.suite, self.core.ad, self._terms
        blind = plaintext_blind(suite, ad, self.bidder_half, self.host_half)
        box_B = suite.box_seal(
            self._seed, terms.bidder_xpk, bidder_ephemeral(suite, ad, self._seed)
        )
        unsigned = self.core.core + layout_of(suite).fixed.pack(
            bidder_commitment(suite, ad, self.bidder_half),
            host_commitment(suite, ad, self.host_half),
            self._c_K,
            plaintext_commitment(suite, blind, self._plaintext.digest()),
            self._root.root(),
            box_B,
            terms.t,
            len(terms.trustee_xpks),
            bytes(2),
        )
        boxes = deal_boxes(suite, ad, self.host_half, terms.t, terms.trustee_xpks)
        unsigned += b"".join(xpk + box for xpk, box in zip(terms.trustee_xpks, boxes, strict=True))
        return parse_header(unsigned + self._key.sign(signed_bytes(suite, unsigned)), suite)


def seal_bytes(
    terms: EnvelopeTerms,
    plaintext: bytes,
    *,
    lot: int,
    created_ms: int,
    bid_nonce: bytes,
    seed: bytes,
    key: SigningKey,
) -> Sealed:
    """Seal a padded plaintext that is in memory; see `Sealer`."""
    sealer = Sealer(
        terms,
        lot=lot,
        pt_len=len(plaintext),
        created_ms=created_ms,
        bid_nonce=bid_nonce,
        seed=seed,
        key=key,
    )
    step = 1 << terms.log2_chunk
    starts = range(0, max(1, len(plaintext)), step)
    payload = b"".join(sealer.seal_chunk(plaintext[at : at + step]) for at in starts)
    return Sealed(sealer.finish(), payload, sealer.bidder_half, sealer.host_half)


def unseal_seed(header: Header, box_key: BoxKey) -> bytes:
    """The seed from box_B, on the bidder's own device.

    Raises Rejected seed.key (the key is not the header's bidder_xpk), seed.box (it does not open).
    The caller compares c_B before it sends anything (C7).
    """
    if box_key.public != header.bidder_xpk:
        raise Rejected("seed.key")
    seed = header.suite.box_open(header.box_B, box_key.public, box_key.secret)
    if seed is None:
        raise Rejected("seed.box")
    return seed


def bidder_half_matches(header: Header, s_B: bytes) -> bool:
    """Whether s_B is the half committed to in c_B: one hash, the check of phase A.

    Measured: a fortieth of one Ed25519 verification.
    """
    suite = header.suite
    return len(s_B) == suite.bidder_half_size and compare_digest(
        bidder_commitment(suite, header.ad, s_B), header.c_B
    )


def content_key(header: Header, s_B: bytes, s_H: bytes) -> ContentKey | None:
    """The key that both halves give, or None if it is not the one committed to in c_K.

    Measured: two hashes and a cipher object, a tenth of one Ed25519 verification.
    """
    suite = header.suite
    if len(s_B) != suite.bidder_half_size or not suite.is_host_half(s_H):
        return None
    K, c_K = key_and_commitment(suite, header.ad, s_B, s_H)
    if not compare_digest(c_K, header.c_K):
        return None
    return ContentKey(suite, K, plaintext_blind(suite, header.ad, s_B, s_H), suite.cipher(K))


def plaintext_matches(header: Header, key: ContentKey, inner: bytes) -> bool:
    """Whether the plaintext whose `suite.plaintext_hash` is `inner` is the one of c_P."""
    return compare_digest(plaintext_commitment(header.suite, key.r_P, inner), header.c_P)


def open_payload(header: Header, key: ContentKey, payload: Octets) -> bytes:
    """The plaintext, pt_len bytes with its padding.

    The caller has compared the payload with ct_root (when it was received, and at the deadline).
    Raises Rejected payload.size, chunk.tag, plaintext.commitment.

    Measured for a form of 4096 bytes: a sixth of one Ed25519 verification. For a body the hash of
    c_P takes three times as long as the cipher, and holding the plaintext as long again: large ones
    go through `open_to`.
    """
    if len(payload) != header.payload_size:
        raise Rejected("payload.size", str(len(payload)))
    if header.n_chunks == 1:
        plaintext = decrypt_chunk(key.cipher, 0, 1, payload)
    else:
        plaintext = _open_chunks(header, key, payload)
    inner = header.suite.plaintext_hash()
    inner.update(plaintext)
    if not plaintext_matches(header, key, inner.digest()):
        raise Rejected("plaintext.commitment")
    return plaintext


def open_to(
    header: Header,
    key: ContentKey,
    read_chunk: Callable[[int], Octets],
    write: Callable[[Octets], object],
) -> None:
    """Open an envelope of any size in the memory of one chunk.

    `read_chunk(index)` gives one ciphertext chunk, `write` takes the plaintext in order. What was
    written is worthless unless this returns: c_P is known only at the end. `write` must not keep
    the buffer. Raises Rejected payload.size, chunk.tag, plaintext.commitment.
    """
    suite, inner = header.suite, header.suite.plaintext_hash()
    # One buffer for all chunks: fresh memory for each would cost as much as the cipher.
    whole = chunk_size(suite, header.pt_len, header.log2_chunk, 0) - suite.tag_size
    buffer = memoryview(bytearray(whole))
    for index in range(header.n_chunks):
        ciphertext = read_chunk(index)
        size = chunk_size(suite, header.pt_len, header.log2_chunk, index)
        if len(ciphertext) != size:
            raise Rejected("payload.size", f"chunk {index}")
        out = buffer[: size - suite.tag_size]
        decrypt_chunk_into(key.cipher, index, header.n_chunks, ciphertext, out)
        inner.update(out)
        write(out)
    if not plaintext_matches(header, key, inner.digest()):
        raise Rejected("plaintext.commitment")


def _open_chunks(header: Header, key: ContentKey, payload: Octets) -> bytes:
    out = bytearray(header.pt_len)
    source, target = memoryview(payload), memoryview(out)
    step, tag = 1 << header.log2_chunk, header.suite.tag_size
    for index in range(header.n_chunks):
        size = chunk_size(header.suite, header.pt_len, header.log2_chunk, index)
        at = index * (step + tag)
        plain = target[index * step : index * step + size - tag]
        decrypt_chunk_into(key.cipher, index, header.n_chunks, source[at : at + size], plain)
    return bytes(out)
