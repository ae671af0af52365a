"""Shamir's sharing (门限秘密共享) over the scalars of Ed25519, with the encodings that a suite
chooses.

Invariant: a scalar is little-endian, below L, and padded with zero bytes to the size of its
encoding; anything else is not canonical and is refused before it is used (sealing.md C4). Secret
arithmetic runs in libsodium; only the public coefficients of Lagrange are Python integers.
"""

from collections.abc import Sequence
from functools import lru_cache
from typing import Final

from nacl import bindings

_ORDER: Final = 2**252 + 27742317777372353535851937790883648493
_SCALAR: Final = 32


@lru_cache(maxsize=1024)
def _lagrange(positions: tuple[int, ...]) -> tuple[bytes, ...]:
    """The factors that turn shares at these positions into f(0).

    At most C(9, t) subsets exist per tender, so an opening computes each once.
    """
    factors: list[bytes] = []
    for i in positions:
        above, below = 1, 1
        for j in positions:
            if j != i:
                above = above * j % _ORDER
                below = below * (j - i) % _ORDER
        factors.append((above * pow(below, -1, _ORDER) % _ORDER).to_bytes(_SCALAR, "little"))
    return tuple(factors)


class Scalars:
    """Scalars encoded in `half_size` bytes as host halves and `share_size` bytes as shares."""

    def __init__(self, half_size: int, share_size: int) -> None:
        assert half_size >= _SCALAR
        assert share_size >= _SCALAR
        self._half_size = half_size
        self._share_size = share_size

    def reduce(self, wide: bytes) -> bytes:
        """64 uniform bytes (little-endian) mod L, as a host half."""
        return self._padded(bindings.crypto_core_ed25519_scalar_reduce(wide), self._half_size)

    def is_host_half(self, half: bytes) -> bool:
        """Canonical, of the right size and not zero."""
        return len(half) == self._half_size and 0 < int.from_bytes(half, "little") < _ORDER

    def is_share(self, share: bytes) -> bool:
        """Canonical and of the right size. Zero is a lawful value of a polynomial."""
        return len(share) == self._share_size and int.from_bytes(share, "little") < _ORDER

    def share_at(self, coefficients: Sequence[bytes], i: int) -> bytes:
        """f(i) by Horner's rule, as a share; `coefficients` are host halves from a_0 up."""
        position = i.to_bytes(_SCALAR, "little")
        value = coefficients[-1][:_SCALAR]
        for coefficient in coefficients[-2::-1]:
            product = bindings.crypto_core_ed25519_scalar_mul(value, position)
            value = bindings.crypto_core_ed25519_scalar_add(product, coefficient[:_SCALAR])
        return self._padded(value, self._share_size)

    def combine(self, positions: tuple[int, ...], shares: Sequence[bytes]) -> bytes:
        """f(0) from canonical shares at distinct positions, as a host half."""
        total = bytes(_SCALAR)
        for factor, share in zip(_lagrange(positions), shares, strict=True):
            product = bindings.crypto_core_ed25519_scalar_mul(factor, share[:_SCALAR])
            total = bindings.crypto_core_ed25519_scalar_add(total, product)
        return self._padded(total, self._half_size)

    @staticmethod
    def _padded(scalar: bytes, size: int) -> bytes:
        return scalar + bytes(size - _SCALAR)
