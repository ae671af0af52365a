"""Signatures on which libraries disagree, with the verdict that C16 demands of all of ours."""

import hashlib

from edwards import (
    BASE,
    IDENTITY,
    L,
    P,
    Point,
    add,
    challenge,
    encode,
    multiply,
    order_eight_point,
    recover,
    scalar_bytes,
)

from crypto.keys import SigningKey, is_valid_box_public, is_valid_public, verify

A_SCALAR = 0x1234567890ABCDEF1234567890ABCDEF1234567890ABCDEF1234567890ABCDE % L
R_SCALAR = 0xFEDCBA0987654321FEDCBA0987654321FEDCBA0987654321FEDCBA098765432 % L
MESSAGE = b"KBID1 vector"


def _case(
    name: str, public: bytes, message: bytes, signature: bytes, valid: bool
) -> dict[str, object]:
    assert verify(public, message, signature) is valid, name
    return {
        "name": name,
        "public": public.hex(),
        "message": message.hex(),
        "signature": signature.hex(),
        "valid": valid,
        "public_valid": is_valid_public(public),
    }


def _signature(R: Point, A: Point, message: bytes, r: int, a: int) -> bytes:
    """S = r + h·a, whatever the points are."""
    h = challenge(encode(R), encode(A), message)
    return encode(R) + scalar_bytes((r + h * a) % L)


def _torsion_message(A: Point, divisible: bool) -> bytes:
    """A message for which 8 divides h (or does not): the owner of the key can search for it."""
    R = encode(multiply(R_SCALAR, BASE))
    for counter in range(1000):
        message = MESSAGE + counter.to_bytes(2, "big")
        if (challenge(R, encode(A), message) % L % 8 == 0) is divisible:
            return message
    raise AssertionError("one message in eight fits")


def _table() -> list[dict[str, object]]:
    """The six cases of the review table, in its order."""
    torsion = order_eight_point()
    A, R = multiply(A_SCALAR, BASE), multiply(R_SCALAR, BASE)
    R_torsion, A_torsion = add(R, torsion), add(A, torsion)
    good = _signature(R, A, MESSAGE, R_SCALAR, A_SCALAR)
    S = int.from_bytes(good[32:], "little")
    odd, even = (_torsion_message(A_torsion, divisible) for divisible in (False, True))
    return [
        _case("valid", encode(A), MESSAGE, good, True),
        _case(
            "R + order-8 point",
            encode(A),
            MESSAGE,
            _signature(R_torsion, A, MESSAGE, R_SCALAR, A_SCALAR),
            False,
        ),
        _case(
            "A has torsion, 8 does not divide h",
            encode(A_torsion),
            odd,
            _signature(R, A_torsion, odd, R_SCALAR, A_SCALAR),
            False,
        ),
        _case(
            "A has torsion, 8 divides h",
            encode(A_torsion),
            even,
            _signature(R, A_torsion, even, R_SCALAR, A_SCALAR),
            False,
        ),
        _case(
            "A = identity",
            encode(IDENTITY),
            MESSAGE,
            encode(R) + scalar_bytes(R_SCALAR),
            False,
        ),
        _case(
            "R = identity", encode(A), MESSAGE, _signature(IDENTITY, A, MESSAGE, 0, A_SCALAR), False
        ),
        _case("S + L", encode(A), MESSAGE, good[:32] + scalar_bytes(S + L), False),
    ]


def _more() -> list[dict[str, object]]:
    key = SigningKey(hashlib.sha256(b"KBID1 vector key").digest())
    good = key.sign(MESSAGE)
    flipped = bytes([good[0] ^ 1]) + good[1:]
    # y = 1 + p encodes the identity a second time; x = 0 with the sign set is "negative zero".
    again = (1 + P).to_bytes(32, "little")
    negative_zero = (1 | 1 << 255).to_bytes(32, "little")
    r_only = encode(multiply(R_SCALAR, BASE)) + scalar_bytes(R_SCALAR)
    A = multiply(A_SCALAR, BASE)
    off_curve = next(y for y in range(2, 100) if recover(y, 0) is None)
    h = challenge(again, encode(A), MESSAGE)
    return [
        _case("valid, from a seed", key.public, MESSAGE, good, True),
        _case("empty message", key.public, b"", key.sign(b""), True),
        _case("R flipped", key.public, MESSAGE, flipped, False),
        _case("other message", key.public, MESSAGE + b".", good, False),
        _case("signature one byte short", key.public, MESSAGE, good[:-1], False),
        _case("signature one byte long", key.public, MESSAGE, good + b"\x00", False),
        _case("A = identity, not canonical", again, MESSAGE, r_only, False),
        _case("A = identity, negative zero", negative_zero, MESSAGE, r_only, False),
        _case("A of order 8", encode(order_eight_point()), MESSAGE, r_only, False),
        _case("A of order 2", encode((0, P - 1)), MESSAGE, r_only, False),
        _case("A not on the curve", scalar_bytes(off_curve), MESSAGE, r_only, False),
        _case(
            "R = identity, not canonical",
            encode(A),
            MESSAGE,
            again + scalar_bytes(h * A_SCALAR % L),
            False,
        ),
    ]


def _box_publics() -> list[dict[str, object]]:
    """X25519 keys: canonical, and the shared secret must not be zero."""
    low = [
        0,
        1,
        325606250916557431795983626356110631294008115727848805560023387167927233504,
        39382357235489614581723060781553021112529911719440698176882885853963445705823,
        P - 1,
    ]
    cases = [(f"low order {index}", u, False) for index, u in enumerate(low)]
    cases += [
        ("2^255-19, zero again", P, False),
        ("2^255-18, one again", P + 1, False),
        ("nine, not canonical", P + 9, False),
        ("nine with the top bit", 9 | 1 << 255, False),
        ("nine", 9, True),
        ("largest canonical but one", P - 2, True),
    ]
    for name, u, valid in cases:
        assert is_valid_box_public(u.to_bytes(32, "little")) is valid, name
    return [
        {"name": name, "public": u.to_bytes(32, "little").hex(), "valid": valid}
        for name, u, valid in cases
    ]


def ed25519_json() -> dict[str, object]:
    """The whole file."""
    return {
        "about": "Ed25519 verdicts of C16 and X25519 keys; shape in README.md",
        "signatures": _table() + _more(),
        "box_publics": _box_publics(),
    }
