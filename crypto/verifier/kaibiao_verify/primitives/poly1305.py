"""Poly1305 one-time authenticator (RFC 8439, 2.5; 一次性认证码)."""

from __future__ import annotations

P = 2**130 - 5
CLAMP = 0x0FFFFFFC0FFFFFFC0FFFFFFC0FFFFFFF


def poly1305(key: bytes, message: bytes) -> bytes:
    """The 16-byte tag of a message under a 32-byte key that is used once."""
    r = int.from_bytes(key[:16], "little") & CLAMP
    s = int.from_bytes(key[16:32], "little")
    total = 0
    whole = len(message) - len(message) % 16
    for at in range(0, whole, 16):
        block = int.from_bytes(message[at : at + 16], "little") | 1 << 128
        total = (total + block) * r % P
    if whole < len(message):
        total = (total + int.from_bytes(message[whole:] + b"\x01", "little")) * r % P
    return ((total + s) & (2**128 - 1)).to_bytes(16, "little")
