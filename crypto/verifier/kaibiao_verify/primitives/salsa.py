"""XSalsa20-Poly1305 and crypto_box, the encrypting direction (盒加密).

A dealing is checked by sealing every trustee's box again and comparing bytes (sealing C2), so only
encryption is needed.
"""

from __future__ import annotations

import struct

from .chacha import xor
from .hashes import blake2b
from .poly1305 import poly1305
from .x25519 import public_of, shared

SIGMA = struct.unpack("<4I", b"expand 32-byte k")
MASK = 0xFFFFFFFF
QUARTERS = (
    (0, 4, 8, 12),
    (5, 9, 13, 1),
    (10, 14, 2, 6),
    (15, 3, 7, 11),
    (0, 1, 2, 3),
    (5, 6, 7, 4),
    (10, 11, 8, 9),
    (15, 12, 13, 14),
)


def _state(key: bytes, block: bytes) -> list[int]:
    k = struct.unpack("<8I", key)
    n = struct.unpack("<4I", block)
    s = SIGMA
    return [s[0], *k[:4], s[1], *n, s[2], *k[4:], s[3]]


def _rounds(words: list[int]) -> list[int]:
    """Ten double rounds of Salsa20."""
    v = list(words)
    for _ in range(10):
        for a, b, c, d in QUARTERS:
            x = v[a] + v[d] & MASK
            v[b] ^= (x << 7 | x >> 25) & MASK
            x = v[b] + v[a] & MASK
            v[c] ^= (x << 9 | x >> 23) & MASK
            x = v[c] + v[b] & MASK
            v[d] ^= (x << 13 | x >> 19) & MASK
            x = v[d] + v[c] & MASK
            v[a] ^= (x << 18 | x >> 14) & MASK
    return v


def hsalsa20(key: bytes, block: bytes) -> bytes:
    """The 32-byte subkey of a 32-byte key and 16 bytes."""
    v = _rounds(_state(key, block))
    return struct.pack("<8I", v[0], v[5], v[10], v[15], v[6], v[7], v[8], v[9])


def _xsalsa20(key: bytes, nonce: bytes, size: int) -> bytes:
    subkey = hsalsa20(key, nonce[:16])
    out = b""
    for counter in range((size + 63) // 64):
        words = _state(subkey, nonce[16:] + counter.to_bytes(8, "little"))
        mixed = _rounds(words)
        out += struct.pack("<16I", *((a + b) & MASK for a, b in zip(words, mixed, strict=True)))
    return out[:size]


def secretbox(key: bytes, nonce: bytes, message: bytes) -> bytes:
    """XSalsa20-Poly1305: 16-byte tag ‖ ciphertext, nonce of 24 bytes."""
    stream = _xsalsa20(key, nonce, 32 + len(message))
    text = xor(message, stream[32:])
    return poly1305(stream[:32], text) + text


def box(secret: bytes, public: bytes, nonce: bytes, message: bytes) -> bytes:
    """crypto_box_easy for an X25519 secret and another's public key."""
    key = hsalsa20(shared(secret, public), bytes(16))
    return secretbox(key, nonce, message)


def deterministic_seal(message: bytes, public: bytes, ephemeral: bytes) -> bytes:
    """`dseal` of sealing C2: a sealed box whose ephemeral secret is given, 48 bytes longer."""
    epk = public_of(ephemeral)
    nonce = blake2b(epk, public, size=24)
    return epk + box(ephemeral, public, nonce, message)
