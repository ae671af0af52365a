"""Shamir shares over the Ed25519 group order (门限份额), sealing C2 and C5.

Invariant: a scalar is 32 bytes little-endian and below L; anything else is refused, never reduced.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from .ed25519 import L


def scalar(raw: bytes) -> int | None:
    """The integer of a canonical scalar, or None."""
    value = int.from_bytes(raw, "little")
    return value if len(raw) == 32 and value < L else None


def reduce(raw64: bytes) -> int:
    """scalar_reduce: 64 bytes little-endian modulo L."""
    return int.from_bytes(raw64, "little") % L


def scalar_bytes(value: int) -> bytes:
    """32 bytes little-endian."""
    return value.to_bytes(32, "little")


def evaluate(coefficients: Sequence[int], at: int) -> int:
    """The polynomial's value at a position, modulo L."""
    total = 0
    for coefficient in reversed(coefficients):
        total = (total * at + coefficient) % L
    return total


def combine(shares: Mapping[int, int]) -> int:
    """f(0) of the polynomial through the given (position, share) points."""
    total = 0
    for i, share in shares.items():
        over, under = 1, 1
        for j in shares:
            if j != i:
                over, under = over * j % L, under * (j - i) % L
        total = (total + share * over * pow(under, -1, L)) % L
    return total
