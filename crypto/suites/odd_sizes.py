"""Suite 0xFF01 "odd-sizes": for tests only; every size that may differ from nacl-1 does differ.

It exists so that whoever hard-codes an offset, a key length or a primitive is caught. It is sound,
but nobody reviewed it as a whole: it is registered only on request and no tender may name it.
Everything in it is in the Python libraries we pin, in libsodium.js (sumo), and short in pure
Python:

- expand: HMAC-SHA-512 blocks, T_i = HMAC(key, u8 i ‖ u16 size ‖ label ‖ 00 ‖ data), i = 1, 2, ...
  joined and cut to `size`; signed body and inner hash of c_P: SHA-512; ct_root: SHA-512 cut to 32.
- chunk cipher: XChaCha20-Poly1305 under key[0:32], nonce = chunk number in 23 bytes ‖ last flag;
  then a further tag BLAKE2b-128(nonce ‖ ciphertext and first tag), key = key[32:64].
- box: epk 32 ‖ nonce 24 ‖ crypto_box_easy, nonce = SHA-512(epk ‖ pk)[0:24] and checked on opening.
- scalars: as nacl-1, padded with zero bytes to 40 (halves) and 44 (shares).
"""

import hashlib
import hmac
from typing import Final

from nacl import bindings
from nacl.exceptions import CryptoError

from crypto.hashes import Octets, label_bytes
from crypto.keys import (
    PUBLIC_SIZE,
    SIGNATURE_SIZE,
    is_valid_box_public,
    verify,
)
from crypto.suites.scalars import Scalars
from crypto.suites.suite import Suite

_BLOCK: Final = 64
_BOX_NONCE: Final = 24
_NONCE: Final = 24
_SECOND_TAG: Final = 16


def _expand(label: str, *parts: Octets, key: bytes = b"", size: int) -> bytes:
    blocks: list[bytes] = []
    for counter in range(1, -(-size // _BLOCK) + 1):
        state = hmac.new(key, counter.to_bytes(1, "big") + size.to_bytes(2, "big"), hashlib.sha512)
        state.update(label_bytes(label))
        for part in parts:
            state.update(part)
        blocks.append(state.digest())
    return b"".join(blocks)[:size]


class _CutHash:
    """SHA-512 cut to 32 bytes."""

    __slots__ = ("_state",)

    def __init__(self) -> None:
        self._state = hashlib.sha512()

    def update(self, part: Octets, /) -> None:
        self._state.update(part)

    def digest(self) -> bytes:
        return self._state.digest()[:32]


class _ChunkCipher:
    """XChaCha20-Poly1305 with a second, keyed tag behind the first."""

    __slots__ = ("_first", "_second")

    def __init__(self, key: bytes) -> None:
        self._first, self._second = key[:32], key[32:]

    @staticmethod
    def _nonce(index: int, last: bool) -> bytes:
        return (index << 8 | last).to_bytes(_NONCE, "big")

    def _tag(self, nonce: bytes, sealed: bytes) -> bytes:
        return hashlib.blake2b(nonce + sealed, key=self._second, digest_size=_SECOND_TAG).digest()

    def seal(self, index: int, last: bool, plaintext: Octets) -> bytes:
        nonce = self._nonce(index, last)
        sealed = bindings.crypto_aead_xchacha20poly1305_ietf_encrypt(
            bytes(plaintext), None, nonce, self._first
        )
        return sealed + self._tag(nonce, sealed)

    def open(self, index: int, last: bool, ciphertext: Octets) -> bytes | None:
        nonce = self._nonce(index, last)
        whole = bytes(ciphertext)
        sealed, tag = whole[:-_SECOND_TAG], whole[-_SECOND_TAG:]
        if not hmac.compare_digest(tag, self._tag(nonce, sealed)):
            return None
        try:
            return bindings.crypto_aead_xchacha20poly1305_ietf_decrypt(
                sealed, None, nonce, self._first
            )
        except CryptoError:
            return None

    def open_into(self, index: int, last: bool, ciphertext: Octets, out: Octets) -> bool:
        plaintext = self.open(index, last, ciphertext)
        if plaintext is None:
            return False
        memoryview(out)[:] = plaintext
        return True


def _signed_message(label: str, body: Octets) -> bytes:
    return label_bytes(label) + hashlib.sha512(body).digest()


def _box_nonce(ephemeral_public: bytes, public: bytes) -> bytes:
    return hashlib.sha512(ephemeral_public + public).digest()[:_BOX_NONCE]


def _box_seal(message: bytes, public: bytes, ephemeral: bytes) -> bytes:
    ephemeral_public = bindings.crypto_scalarmult_base(ephemeral)
    nonce = _box_nonce(ephemeral_public, public)
    return ephemeral_public + nonce + bindings.crypto_box_easy(message, nonce, public, ephemeral)


def _box_open(box: bytes, public: bytes, secret: bytes) -> bytes | None:
    ephemeral_public, nonce = box[:PUBLIC_SIZE], box[PUBLIC_SIZE : PUBLIC_SIZE + _BOX_NONCE]
    if nonce != _box_nonce(ephemeral_public, public):
        return None
    try:
        return bindings.crypto_box_open_easy(
            box[PUBLIC_SIZE + _BOX_NONCE :], nonce, ephemeral_public, secret
        )
    except CryptoError:
        return None


_SCALARS: Final = Scalars(half_size=40, share_size=44)

SUITE: Final = Suite(
    id=0xFF01,
    name="odd-sizes",
    seed_size=48,
    bidder_half_size=48,
    host_half_size=40,
    share_size=44,
    ad_size=40,
    commitment_size=40,
    root_size=32,
    bid_id_size=32,
    bid_nonce_size=24,
    sign_public_size=PUBLIC_SIZE,
    signature_size=SIGNATURE_SIZE,
    box_public_size=PUBLIC_SIZE,
    box_overhead=72,
    key_size=64,
    tag_size=32,
    blind_size=48,
    ephemeral_size=32,
    wide_size=64,
    card_check_size=8,
    expand=_expand,
    tree_hash=_CutHash,
    plaintext_hash=hashlib.sha512,
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
