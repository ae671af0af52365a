"""The site tree (全站日志树): RFC 6962 over one leaf per second, kept as complete subtrees.

Invariant: node (level, index) is the hash over leaves [index << level, (index + 1) << level), is
written once, when its last leaf arrives, and never changes. An append writes at most, and a proof
reads at most, about two nodes per level: a year (31.5 million leaves) has 25 levels. The store is
the caller's: reading is a function ``nodes(level, index)``. Norm: sealing.md C13; formats.md §7.
"""

from collections.abc import Callable, Sequence

from crypto.errors import Rejected
from crypto.hashes import sha256
from crypto.merkle import leaf_hash, left_size, node_hash

Nodes = Callable[[int, int], bytes]
Node = tuple[int, int, bytes]  # level, index, hash

_SITE_LEAF = b"\x01"


def site_leaf(tick_ms: int, batch_root: bytes) -> bytes:
    """Leaf data of one second, 41 bytes: 01 ‖ u64 tick_ms ‖ batch_root."""
    assert len(batch_root) == 32
    return _SITE_LEAF + tick_ms.to_bytes(8, "big") + batch_root


def append(nodes: Nodes, size: int, leaves: Sequence[bytes]) -> list[Node]:
    """The nodes to write when these leaves (data, not hashes) follow a tree of ``size`` leaves."""
    written: dict[tuple[int, int], bytes] = {}
    for index, leaf in enumerate(leaves, start=size):
        level, at, node = 0, index, leaf_hash(leaf)
        written[level, at] = node
        while at & 1:
            left = written.get((level, at - 1)) or nodes(level, at - 1)
            level, at, node = level + 1, at >> 1, node_hash(left, node)
            written[level, at] = node
    return [(level, at, node) for (level, at), node in written.items()]


def tree_root(nodes: Nodes, size: int) -> bytes:
    """Root of the first ``size`` leaves; SHA-256("") of none."""
    return _range_hash(nodes, 0, size) if size else sha256()


def inclusion_proof(nodes: Nodes, index: int, size: int) -> list[bytes]:
    """Path from leaf ``index`` to the root of ``size`` leaves (RFC 6962 §2.1.1), leaf first."""
    assert 0 <= index < size
    path: list[bytes] = []
    start, end = 0, size
    while end - start > 1:
        middle = start + left_size(end - start)
        if index < middle:
            path.append(_range_hash(nodes, middle, end))
            end = middle
        else:
            path.append(_range_hash(nodes, start, middle))
            start = middle
    return path[::-1]


def consistency_proof(nodes: Nodes, old_size: int, size: int) -> list[bytes]:
    """That the tree of ``size`` leaves begins with that of ``old_size`` (RFC 6962 §2.1.2)."""
    assert 0 < old_size <= size
    path: list[bytes] = []
    start, end, known = 0, size, True  # known: the verifier has this subtree's hash already
    while end > old_size:
        middle = start + left_size(end - start)
        if old_size <= middle:
            path.append(_range_hash(nodes, middle, end))
            end = middle
        else:
            path.append(_range_hash(nodes, start, middle))
            start, known = middle, False
    if not known:
        path.append(_range_hash(nodes, start, end))
    return path[::-1]


def verify_consistency(
    old_size: int, old_root: bytes, size: int, root: bytes, path: Sequence[bytes]
) -> None:
    """Raise Rejected unless ``path`` shows that the newer tree begins with the older one.

    Codes: ``proof.index`` (sizes), ``proof.hash`` (a hash is not 32 bytes), ``proof.length``,
    ``proof.root`` (another root comes out). RFC 9162 §2.1.4.2.
    """
    if not 0 < old_size <= size:
        raise Rejected("proof.index", f"{old_size} of {size}")
    if any(len(node) != 32 for node in (old_root, root, *path)):
        raise Rejected("proof.hash")
    if old_size == size:
        if path:
            raise Rejected("proof.length", "too many hashes")
        if old_root != root:
            raise Rejected("proof.root")
        return
    # A complete older tree is itself the first node; it is not repeated in the path.
    rest = [old_root, *path] if old_size & (old_size - 1) == 0 else list(path)
    if not rest:
        raise Rejected("proof.length", "too few hashes")
    at, last = old_size - 1, size - 1
    while at & 1:
        at, last = at >> 1, last >> 1
    older = newer = rest[0]
    for node in rest[1:]:
        if last == 0:
            raise Rejected("proof.length", "too many hashes")
        if at & 1 or at == last:
            older, newer = node_hash(node, older), node_hash(node, newer)
            while at & 1 == 0 and at:
                at, last = at >> 1, last >> 1
        else:
            newer = node_hash(newer, node)
        at, last = at >> 1, last >> 1
    if last:
        raise Rejected("proof.length", "too few hashes")
    if older != old_root or newer != root:
        raise Rejected("proof.root")


def _range_hash(nodes: Nodes, start: int, end: int) -> bytes:
    """Hash of leaves [start, end), where ``start`` is a multiple of the power of two that covers
    the range: the complete subtrees from left to right, folded from the right.
    """
    parts: list[bytes] = []
    while start < end:
        level = (end - start).bit_length() - 1
        parts.append(nodes(level, start >> level))
        start += 1 << level
    folded = parts.pop()
    while parts:
        folded = node_hash(parts.pop(), folded)
    return folded
