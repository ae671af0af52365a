"""Ed25519 verification exactly as sealing C16 (验签), in extended twisted Edwards coordinates.

A signature is valid iff S < L, A and R are canonical encodings of points of the prime-order
subgroup other than the identity, and S*B = R + SHA-512(R, A, M)*A exactly, without a cofactor.

How that is done here: A is decoded and its order checked once per key. Then the point S*B - h*A is
computed and *encoded*; the signature is valid iff those 32 bytes are the bytes of R and the point
is not the identity. B and A being in the subgroup, so is that point, and an encoding made here is
canonical: comparing bytes therefore checks all that C16 asks of R, without decoding R.
"""

from __future__ import annotations

from functools import lru_cache

from .hashes import sha512

P = 2**255 - 19
L = 2**252 + 27742317777372353535851937790883648493
D = -121665 * pow(121666, -1, P) % P
D2 = 2 * D % P
ROOT_OF_MINUS_ONE = pow(2, (P - 1) // 4, P)
KEYS_CACHED_MAX = 65_536

Point = tuple[int, int, int, int]  # X, Y, Z, T with x = X/Z, y = Y/Z, T = XY/Z
IDENTITY: Point = (0, 1, 1, 0)


def add(a: Point, b: Point) -> Point:
    """The complete addition law for a = -1 (RFC 8032, 5.1.4)."""
    x1, y1, z1, t1 = a
    x2, y2, z2, t2 = b
    m = (y1 - x1) * (y2 - x2) % P
    n = (y1 + x1) * (y2 + x2) % P
    c = t1 * D2 % P * t2 % P
    d = 2 * z1 * z2 % P
    e, f, g, h = n - m, d - c, d + c, n + m
    return e * f % P, g * h % P, f * g % P, e * h % P


def double(a: Point) -> Point:
    """2a (RFC 8032, 5.1.4)."""
    x, y, z, _ = a
    xx, yy = x * x % P, y * y % P
    h = xx + yy
    e = h - (x + y) * (x + y) % P
    g = xx - yy
    f = 2 * z * z % P + g
    return e * f % P, g * h % P, f * g % P, e * h % P


def encode(point: Point) -> bytes:
    """The canonical 32 bytes of a point."""
    x, y, z, _ = point
    inverse = pow(z, -1, P)
    x, y = x * inverse % P, y * inverse % P
    return (y | (x & 1) << 255).to_bytes(32, "little")


def decode(raw: bytes) -> Point | None:
    """The point of a canonical encoding (y < p, no negative zero), or None."""
    if len(raw) != 32:
        return None
    y = int.from_bytes(raw, "little")
    sign, y = y >> 255, y & (2**255 - 1)
    if y >= P:
        return None
    u, v = (y * y - 1) % P, (D * y * y + 1) % P
    x = u * pow(v, 3, P) % P * pow(u * pow(v, 7, P) % P, (P - 5) // 8, P) % P
    if (v * x * x - u) % P:
        x = x * ROOT_OF_MINUS_ONE % P
        if (v * x * x - u) % P:
            return None
    if x == 0 and sign:
        return None
    if x & 1 != sign:
        x = P - x
    return x, y, 1, x * y % P


def _digits(scalar: int) -> list[tuple[int, int]]:
    """Signed sliding window of width 5: (position, odd digit), highest first."""
    found: list[tuple[int, int]] = []
    position = 0
    while scalar:
        if scalar & 1:
            digit = scalar & 31
            if digit > 16:
                digit -= 32
            scalar -= digit
            found.append((position, digit))
        # Skip all zero bits at once: most steps of a window are doublings only.
        zeros = (scalar & -scalar).bit_length() - 1 if scalar else 0
        scalar >>= zeros
        position += zeros
    return found[::-1]


def multiply(scalar: int, point: Point) -> Point:
    """scalar * point for scalar >= 0."""
    twice = double(point)
    odd = [point]
    for _ in range(7):
        odd.append(add(odd[-1], twice))
    result, at = IDENTITY, None
    for position, digit in _digits(scalar):
        if at is not None:
            for _ in range(at - position):
                result = double(result)
        x, y, z, t = odd[abs(digit) >> 1]
        result = add(result, (x, y, z, t) if digit > 0 else (P - x, y, z, P - t))
        at = position
    for _ in range(at or 0):
        result = double(result)
    return result


def _base_table() -> list[list[Point]]:
    """For each of 64 four-bit places, the 16 multiples of that place's base."""
    base = decode(bytes.fromhex("58" + "66" * 31))
    assert base is not None
    table: list[list[Point]] = []
    for _ in range(64):
        row = [IDENTITY]
        for _ in range(15):
            row.append(add(row[-1], base))
        table.append(row)
        base = add(row[15], base)
    return table


@lru_cache(maxsize=1)
def _base() -> list[list[Point]]:
    return _base_table()


def multiply_base(scalar: int) -> Point:
    """scalar * B for 0 <= scalar < 2^256: one addition per four bits, no doubling."""
    result = IDENTITY
    for row in _base():
        result = add(result, row[scalar & 15])
        scalar >>= 4
    return result


def _is_identity(point: Point) -> bool:
    x, y, z, _ = point
    return x % P == 0 and (y - z) % P == 0


@lru_cache(maxsize=KEYS_CACHED_MAX)
def _public_point(public: bytes) -> Point | None:
    """The key's point if canonical, of prime order and not the identity."""
    point = decode(public)
    if point is None or _is_identity(point) or not _is_identity(multiply(L, point)):
        return None
    return point


def is_valid_public(public: bytes) -> bool:
    """Whether C16 lets these bytes be a signing key at all."""
    return _public_point(public) is not None


def verify(public: bytes, message: bytes, signature: bytes) -> bool:
    """C16 for a 32-byte key and a 64-byte signature; False for any other length."""
    if len(public) != 32 or len(signature) != 64:
        return False
    scalar = int.from_bytes(signature[32:], "little")
    point = _public_point(public)
    if point is None or scalar >= L:
        return False
    h = int.from_bytes(sha512(signature[:32], public, message), "little") % L
    x, y, z, t = point
    expected = add(multiply_base(scalar), multiply(h, (P - x, y, z, P - t)))
    return not _is_identity(expected) and encode(expected) == signature[:32]
