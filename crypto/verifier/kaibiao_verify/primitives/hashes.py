"""SHA-256, SHA-512, BLAKE2b and the labelled hash of the bid format (散列).

Invariant: every labelled hash ends its label in one zero byte, inside the message (sealing C4).
"""

from __future__ import annotations

import hashlib


def sha256(*parts: bytes) -> bytes:
    """SHA-256 of the parts joined, 32 bytes."""
    state = hashlib.sha256()
    for part in parts:
        state.update(part)
    return state.digest()


def sha512(*parts: bytes) -> bytes:
    """SHA-512 of the parts joined, 64 bytes."""
    state = hashlib.sha512()
    for part in parts:
        state.update(part)
    return state.digest()


def blake2b(*parts: bytes, key: bytes = b"", size: int = 32) -> bytes:
    """BLAKE2b of the parts joined; `size` is the digest length parameter, not a cut (C4)."""
    state = hashlib.blake2b(digest_size=size, key=key)
    for part in parts:
        state.update(part)
    return state.digest()


def labelled(label: str, *parts: bytes, key: bytes = b"", size: int = 32) -> bytes:
    """H(label, data, key, n) of sealing 4.2: BLAKE2b over label, one zero byte, data."""
    return blake2b(label.encode("ascii") + b"\0", *parts, key=key, size=size)


def signed_text(label: str, preceding: bytes) -> bytes:
    """What is signed for a KBID message: label, zero byte, BLAKE2b-512 of the bytes before."""
    return label.encode("ascii") + b"\0" + blake2b(preceding, size=64)
