"""Hash functions by name: SHA-256 for log and journal, BLAKE2b for identities and labels (杂凑).

Invariant: a label is ASCII without NUL and is followed by exactly one 00 byte, so no label can run
into the data behind it (sealing.md C4). Salt and personalisation of BLAKE2b are never used: the
browser's library lacks them. `hashlib` takes any buffer and releases the interpreter lock above 2
KiB; threads rely on it.
"""

import hashlib
from functools import lru_cache
from typing import Final

Octets = bytes | bytearray | memoryview

SHA256_SIZE: Final = 32


def sha256(*parts: Octets) -> bytes:
    """SHA-256 of the parts joined: 32 bytes."""
    # Joined first: one call into the library; one part alone is not copied.
    return hashlib.sha256(b"".join(parts)).digest()


def blake2b_256(*parts: Octets) -> bytes:
    """BLAKE2b with a 32-byte digest, no label, no key."""
    return hashlib.blake2b(b"".join(parts), digest_size=32).digest()


def blake2b_512(*parts: Octets) -> bytes:
    """BLAKE2b with a 64-byte digest, no label, no key."""
    return hashlib.blake2b(b"".join(parts), digest_size=64).digest()


@lru_cache(maxsize=256)
def label_bytes(label: str) -> bytes:
    """The label as it is hashed or signed: its ASCII bytes and one 00 byte (C4)."""
    encoded = label.encode("ascii")
    assert encoded, "a label is not empty"
    assert b"\0" not in encoded, "a label has no NUL of its own"
    return encoded + b"\0"


def labelled(label: str, *parts: Octets, key: bytes = b"", size: int = 32) -> bytes:
    """H of sealing.md 4.2: BLAKE2b(label ‖ 00 ‖ parts), `size` is the digest parameter, `key` the
    key parameter.

    key: at most 64 bytes; size: 1..64.
    """
    joined = b"".join((label_bytes(label), *parts))
    return hashlib.blake2b(joined, key=key, digest_size=size).digest()
