"""Ed25519 by hand (RFC 8032), for making signatures that no honest library makes (C16).

Slow, not constant-time, never used outside the vector files.
"""

import hashlib

P = 2**255 - 19
L = 2**252 + 27742317777372353535851937790883648493
D = -121665 * pow(121666, -1, P) % P

Point = tuple[int, int]
IDENTITY: Point = (0, 1)


def add(a: Point, b: Point) -> Point:
    (x1, y1), (x2, y2) = a, b
    product = D * x1 * x2 * y1 * y2 % P
    x = (x1 * y2 + x2 * y1) * pow(1 + product, -1, P) % P
    y = (y1 * y2 + x1 * x2) * pow(1 - product, -1, P) % P
    return x, y


def multiply(scalar: int, point: Point) -> Point:
    total = IDENTITY
    while scalar:
        if scalar & 1:
            total = add(total, point)
        point = add(point, point)
        scalar >>= 1
    return total


def recover(y: int, sign: int) -> Point | None:
    """The point of this y and sign of x, or None."""
    square = (y * y - 1) * pow(D * y * y + 1, -1, P) % P
    x = pow(square, (P + 3) // 8, P)
    if x * x % P != square:
        x = x * pow(2, (P - 1) // 4, P) % P
    if x * x % P != square:
        return None
    return (P - x if x % 2 != sign else x), y


def encode(point: Point) -> bytes:
    x, y = point
    return (y | (x & 1) << 255).to_bytes(32, "little")


_base = recover(4 * pow(5, -1, P) % P, 0)
assert _base is not None
BASE: Point = _base


def order_eight_point() -> Point:
    """The first point, by y, whose multiple by L has order 8."""
    for y in range(2, 100):
        point = recover(y, 0)
        if point is None:
            continue
        torsion = multiply(L, point)
        if multiply(4, torsion) != IDENTITY:
            return torsion
    raise AssertionError("one of the first points has full torsion")


def challenge(R: bytes, A: bytes, message: bytes) -> int:
    """h = SHA-512(R ‖ A ‖ M) as an integer, not reduced."""
    return int.from_bytes(hashlib.sha512(R + A + message).digest(), "little")


def scalar_bytes(scalar: int) -> bytes:
    return scalar.to_bytes(32, "little")
