"""Suite 0x0001 "nacl-1": BLAKE2b, ChaCha20-Poly1305, X25519 sealed boxes, Ed25519 (sealing.md
4.2).

Invariant: these sizes give exactly the offsets of sealing.md 4.2, 4.3 and C8-C11. Content keys
come from the key schedule and are used for one envelope only, so the nonce may be the chunk's
number.
"""

import hashlib
from functools import partial
from typing import Final

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import ChaCha20Poly1305
from nacl import bindings
from nacl.exceptions import CryptoError

from crypto.hashes import Octets, blake2b_512, label_bytes, labelled
from crypto.keys import (
    PUBLIC_SIZE,
    SIGNATURE_SIZE,
    is_valid_box_public,
    verify,
)
from crypto.suites.scalars import Scalars
from crypto.suites.suite import Suite

_BOX_NONCE: Final = 24
_EPHEMERAL: Final = 32
_NONCE: Final = 12
_TAG: Final = 16


class _ChunkCipher:
    """ChaCha20-Poly1305-IETF; nonce = chunk number in 11 bytes ‖ 01 for the last chunk, else 00."""

    __slots__ = ("_aead",)

    def __init__(self, key: bytes) -> None:
        self._aead = ChaCha20Poly1305(key)

    @staticmethod
    def _nonce(index: int, last: bool) -> bytes:
        return (index << 8 | last).to_bytes(_NONCE, "big")

    def seal(self, index: int, last: bool, plaintext: Octets) -> bytes:
        return self._aead.encrypt(self._nonce(index, last), plaintext, None)

    def open(self, index: int, last: bool, ciphertext: Octets) -> bytes | None:
        try:
            return self._aead.decrypt(self._nonce(index, last), ciphertext, None)
        except InvalidTag:
            return None

    def open_into(self, index: int, last: bool, ciphertext: Octets, out: Octets) -> bool:
        # Straight into the caller's buffer: no copy, and the interpreter lock is released.
        try:
            self._aead.decrypt_into(self._nonce(index, last), ciphertext, None, out)
        except InvalidTag:
            return False
        return True


def _signed_message(label: str, body: Octets) -> bytes:
    return label_bytes(label) + blake2b_512(body)


def _box_seal(message: bytes, public: bytes, ephemeral: bytes) -> bytes:
    """A libsodium sealed box whose ephemeral secret is given: `dseal` of C2."""
    ephemeral_public = bindings.crypto_scalarmult_base(ephemeral)
    nonce = hashlib.blake2b(ephemeral_public + public, digest_size=_BOX_NONCE).digest()
    return ephemeral_public + bindings.crypto_box_easy(message, nonce, public, ephemeral)


def _box_open(box: bytes, public: bytes, secret: bytes) -> bytes | None:
    try:
        return bindings.crypto_box_seal_open(box, public, secret)
    except CryptoError:
        return None


_SCALARS: Final = Scalars(half_size=32, share_size=32)

SUITE: Final = Suite(
    id=0x0001,
    name="nacl-1",
    seed_size=32,
    bidder_half_size=32,
    host_half_size=32,
    share_size=32,
    ad_size=32,
    commitment_size=32,
    root_size=32,
    bid_id_size=32,
    bid_nonce_size=16,
    sign_public_size=PUBLIC_SIZE,
    signature_size=SIGNATURE_SIZE,
    box_public_size=PUBLIC_SIZE,
    box_overhead=48,
    key_size=32,
    tag_size=_TAG,
    blind_size=32,
    ephemeral_size=_EPHEMERAL,
    wide_size=64,
    card_check_size=4,
    expand=labelled,
    tree_hash=hashlib.sha256,
    plaintext_hash=partial(hashlib.blake2b, digest_size=32),
    cipher=_ChunkCipher,
    signed_message=_signed_message,
    verify=verify,
    is_box_public=is_valid_box_public,
    box_seal=_box_seal,
    box_open=_box_open,
    reduce=_SCALARS.reduce,
    is_host_half=_SCALARS.is_host_half,
    is_share=_SCALARS.is_share,
    share_at=_SCALARS.share_at,
    combine=_SCALARS.combine,
)
