"""X25519 (RFC 7748): the shared secret of a sealed box (密钥协商).

Invariant: the base-point product of the birational Edwards table equals the ladder's; it is used
only because a check of a dealing needs one per trustee and per bid.
"""

from __future__ import annotations

from .ed25519 import P, multiply_base

A24 = 121665
# The u coordinates of all points of order 1, 2, 4 and 8, on the curve and on its twist: whatever
# the secret, the shared secret with them is zero.
LOW_ORDER = frozenset(
    {
        0,
        1,
        P - 1,
        325606250916557431795983626356110631294008115727848805560023387167927233504,
        39382357235489614581723060781553021112529911719440698176882885853963445705823,
    }
)


def clamp(secret: bytes) -> int:
    """The scalar of 32 secret bytes (RFC 7748, 5)."""
    value = int.from_bytes(secret, "little")
    return (value & ~7 & (2**255 - 1)) | 2**254


def is_canonical(public: bytes) -> bool:
    """C16: u below 2^255 - 19, top bit clear."""
    return len(public) == 32 and int.from_bytes(public, "little") < P


def shared(secret: bytes, public: bytes) -> bytes:
    """X25519(secret, public), 32 bytes; all zero for a point of low order (callers refuse it)."""
    k = clamp(secret)
    x1 = (int.from_bytes(public, "little") & (2**255 - 1)) % P
    x2, z2, x3, z3, swap = 1, 0, x1, 1, 0
    for position in range(254, -1, -1):
        bit = k >> position & 1
        if swap != bit:
            x2, x3, z2, z3 = x3, x2, z3, z2
        swap = bit
        a, b = x2 + z2, x2 - z2
        aa, bb = a * a % P, b * b % P
        e = aa - bb
        da, cb = (x3 - z3) * a % P, (x3 + z3) * b % P
        x3 = (da + cb) * (da + cb) % P
        z3 = x1 * ((da - cb) * (da - cb) % P) % P
        x2 = aa * bb % P
        z2 = e * (aa + A24 * e) % P
    if swap:
        x2, z2 = x3, z3
    return (x2 * pow(z2, P - 2, P) % P).to_bytes(32, "little")


def public_of(secret: bytes) -> bytes:
    """X25519(secret, 9), by the Edwards base table: u = (Z + Y) / (Z - Y)."""
    _, y, z, _ = multiply_base(clamp(secret))
    return ((z + y) * pow(z - y, P - 2, P) % P).to_bytes(32, "little")


def is_low_order(public: bytes) -> bool:
    """Whether every shared secret with this canonical key is zero (C16 refuses such keys)."""
    return int.from_bytes(public, "little") in LOW_ORDER
