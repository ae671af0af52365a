"""Identities: Ed25519 signing keys and X25519 box keys (签名密钥、加密密钥), and the only draw of
OS randomness.

Invariant (sealing.md C16): a signature counts only under a key that is a canonical encoding of a
point of the prime-order subgroup other than the identity; under such a key libsodium's own
decision (S < L, R canonical and not of small order, no cofactor) is the rule. A box key counts
only if canonical and not of low order. So every implementation of ours gives the same verdict on
the same bytes.
"""

import os
from functools import lru_cache
from typing import Final

from nacl import bindings
from nacl.exceptions import BadSignatureError

SEED_SIZE: Final = 32
PUBLIC_SIZE: Final = 32
SIGNATURE_SIZE: Final = 64

_FIELD: Final = 2**255 - 19
# The u coordinates of every point of order 1, 2, 4 or 8, on the curve and on its twist: they give
# the zero secret.
_LOW_ORDER: Final = frozenset(
    {
        0,
        1,
        0x00B8495F16056286FDB1329CEB8D09DA6AC49FF1FAE35616AEB8413B7C7AEBE0,
        0x57119FD0DD4E22D8868E1C58C45C44045BEF839C55B1D0B1248C50A3BC959C5F,
        _FIELD - 1,
    }
)


def random_bytes(size: int) -> bytes:
    """`size` bytes from the operating system."""
    return os.urandom(size)


class SigningKey:
    """An Ed25519 key made from its 32-byte seed. The seed never shows in `repr`."""

    __slots__ = ("_secret", "public", "seed")

    def __init__(self, seed: bytes) -> None:
        assert len(seed) == SEED_SIZE
        self.seed = bytes(seed)
        self.public, self._secret = bindings.crypto_sign_seed_keypair(self.seed)

    @classmethod
    def generate(cls) -> "SigningKey":
        """A new key from OS randomness."""
        return cls(random_bytes(SEED_SIZE))

    def sign(self, message: bytes) -> bytes:
        """64 bytes, deterministic (RFC 8032)."""
        return bindings.crypto_sign(bytes(message), self._secret)[:SIGNATURE_SIZE]

    def __repr__(self) -> str:
        return f"SigningKey(public={self.public.hex()})"


class BoxKey:
    """An X25519 key made from its 32-byte seed (libsodium's `seed_keypair`). Secrets never show in
    `repr`.
    """

    __slots__ = ("public", "secret", "seed")

    def __init__(self, seed: bytes) -> None:
        assert len(seed) == SEED_SIZE
        self.seed = bytes(seed)
        self.public, self.secret = bindings.crypto_box_seed_keypair(self.seed)

    @classmethod
    def generate(cls) -> "BoxKey":
        """A new key from OS randomness."""
        return cls(random_bytes(SEED_SIZE))

    def __repr__(self) -> str:
        return f"BoxKey(public={self.public.hex()})"


@lru_cache(maxsize=8192)
def is_valid_public(public: bytes) -> bool:
    """Whether these bytes are an Ed25519 key that may be registered (C16): canonical, prime order,
    not the identity.

    The point check costs about as much as one verification, so the verdict on a key is remembered.
    """
    return len(public) == PUBLIC_SIZE and bindings.crypto_core_ed25519_is_valid_point(public)


def verify(public: bytes, message: bytes, signature: bytes) -> bool:
    """Whether `signature` is valid as C16 defines it; False also for a key that may not be
    registered.
    """
    if len(signature) != SIGNATURE_SIZE or not is_valid_public(bytes(public)):
        return False
    try:
        bindings.crypto_sign_open(bytes(signature) + bytes(message), bytes(public))
    except BadSignatureError:
        return False
    return True


def is_valid_box_public(public: bytes) -> bool:
    """Whether these bytes are an X25519 key that may be used: below 2^255-19 and not of low order
    (C16).
    """
    if len(public) != PUBLIC_SIZE:
        return False
    u = int.from_bytes(public, "little")
    return u < _FIELD and u not in _LOW_ORDER
