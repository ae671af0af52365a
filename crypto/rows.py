"""Journal rows (流水行): how a row is hashed into the chain of its stream.

Invariant: the chain runs over ``body_hash``, so a row can be shown with its body withheld and the
chain still verifies; the salt keeps a withheld body from being guessed. Norm: formats.md §6.
"""

from functools import lru_cache

from crypto.canonical import encode
from crypto.hashes import label_bytes, sha256

SALT_SIZE = 16
FIRST_PREV_HASH = bytes(32)  # of the first row of a stream

_ROW = label_bytes("KBROW1")


def body_hash(salt: bytes, body: bytes) -> bytes:
    """SHA-256(salt16 ‖ body); ``body`` is the stored msgpack [actor, cmd_id, payload], verbatim."""
    assert len(salt) == SALT_SIZE
    return sha256(salt, body)


def stub_bytes(
    *, audience: str, epoch: int, seq: int, stream: str, ts_ms: int, event_type: str, ver: int
) -> bytes:
    """JCS of what a row shows even when its body is withheld; ``seq`` is the stream's."""
    # Written out: every row pays for it, and the generic encoder takes nine times as long.
    return b'{"audience":%b,"epoch":%d,"seq":%d,"stream":%b,"ts_ms":%d,"type":%b,"ver":%d}' % (
        _name(audience),
        epoch,
        seq,
        _name(stream),
        ts_ms,
        _name(event_type),
        ver,
    )


@lru_cache(maxsize=4096)
def _name(text: str) -> bytes:
    """As a JSON string; streams, types and channels come again and again."""
    return encode(text)


def row_hash(prev_hash: bytes, body_hash: bytes, stub: bytes) -> bytes:
    """SHA-256("KBROW1\\0" ‖ prev_hash ‖ body_hash ‖ stub)."""
    assert len(prev_hash) == len(body_hash) == 32
    return sha256(_ROW, prev_hash, body_hash, stub)
