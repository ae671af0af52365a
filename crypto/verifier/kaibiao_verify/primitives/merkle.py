"""Merkle trees (默克尔树): RFC 6962 inclusion and consistency, and the batch tree of one second.

Invariant: a leaf is hashed with a leading 00, a node with a leading 01, so neither can pass for
the other.
"""

from __future__ import annotations

from collections.abc import Sequence

from .hashes import sha256

BATCH_DEPTH = 16


def leaf_hash(data: bytes) -> bytes:
    """SHA-256(00 ‖ data)."""
    return sha256(b"\0", data)


def node_hash(left: bytes, right: bytes) -> bytes:
    """SHA-256(01 ‖ left ‖ right)."""
    return sha256(b"\1", left, right)


def root(leaves: Sequence[bytes]) -> bytes:
    """RFC 6962 tree head over leaf hashes; SHA-256 of nothing for an empty list."""
    if not leaves:
        return sha256()
    level = list(leaves)
    while len(level) > 1:
        paired = [node_hash(level[i], level[i + 1]) for i in range(0, len(level) - 1, 2)]
        level = paired + ([level[-1]] if len(level) % 2 else [])
    return level[0]


def root_from_path(leaf: bytes, index: int, size: int, path: Sequence[bytes]) -> bytes | None:
    """The root that an inclusion path leads to (RFC 9162, 2.1.3.2), or None if its shape is off."""
    if not 0 <= index < size:
        return None
    node, last, result = index, size - 1, leaf
    for sibling in path:
        if last == 0:
            return None
        if node & 1 or node == last:
            result = node_hash(sibling, result)
            while not node & 1 and node:
                node, last = node >> 1, last >> 1
        else:
            result = node_hash(result, sibling)
        node, last = node >> 1, last >> 1
    return result if last == 0 else None


def is_consistent(
    old_size: int, old_root: bytes, new_size: int, new_root: bytes, path: Sequence[bytes]
) -> bool:
    """Whether the path proves that the newer tree begins with the older (RFC 9162, 2.1.4.2)."""
    if not 0 < old_size <= new_size:
        return False
    if old_size == new_size:
        return not path and old_root == new_root
    steps = list(path)
    if old_size & (old_size - 1) == 0:
        steps.insert(0, old_root)
    if not steps:
        return False
    node, last = old_size - 1, new_size - 1
    while node & 1:
        node, last = node >> 1, last >> 1
    old = new = steps[0]
    for step in steps[1:]:
        if last == 0:
            return False
        if node & 1 or node == last:
            old, new = node_hash(step, old), node_hash(step, new)
            while not node & 1 and node:
                node, last = node >> 1, last >> 1
        else:
            new = node_hash(new, step)
        node, last = node >> 1, last >> 1
    return last == 0 and old == old_root and new == new_root


def batch_root(entry: bytes, slot: int, siblings: Sequence[bytes]) -> bytes | None:
    """Root of the depth-16 tree of one second (sealing C13); siblings from the leaf upwards."""
    if not 0 <= slot < 1 << BATCH_DEPTH or len(siblings) != BATCH_DEPTH:
        return None
    result = leaf_hash(entry)
    for height, sibling in enumerate(siblings):
        is_right = slot >> height & 1
        result = node_hash(sibling, result) if is_right else node_hash(result, sibling)
    return result


def site_leaf(tick_ms: int, batch: bytes) -> bytes:
    """Leaf hash of one second: data = 01 ‖ u64 tick_ms ‖ batch_root (formats §7)."""
    return leaf_hash(b"\1" + tick_ms.to_bytes(8, "big") + batch)
