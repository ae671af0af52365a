"""Merkle trees of RFC 6962 over SHA-256 (默克尔树): root, inclusion path, root from a path.

Invariant: a leaf is SHA-256(00 ‖ data), a node SHA-256(01 ‖ left ‖ right), the left subtree holds
the largest power of two smaller than the size, and the empty tree is SHA-256(""). Functions take
leaf *hashes*, 32 bytes each.
"""

from collections.abc import Sequence

from crypto.errors import Rejected
from crypto.hashes import SHA256_SIZE, Octets, sha256


def leaf_hash(data: Octets) -> bytes:
    """SHA-256(00 ‖ data)."""
    return sha256(b"\x00", data)


def node_hash(left: bytes, right: bytes) -> bytes:
    """SHA-256(01 ‖ left ‖ right)."""
    return sha256(b"\x01", left, right)


def left_size(size: int) -> int:
    """Leaves in the left subtree of `size` >= 2 leaves: the largest power of two below."""
    assert size >= 2
    return 1 << ((size - 1).bit_length() - 1)


def merkle_root(leaf_hashes: Sequence[bytes]) -> bytes:
    """The root over the leaf hashes in the order given; SHA-256("") when there are none."""
    if not leaf_hashes:
        return sha256()
    level = list(leaf_hashes)
    while len(level) > 1:
        # An odd node at the end rises unchanged: the same shape as RFC 6962's recursive split.
        risen = [level[-1]] if len(level) % 2 else []
        level = [node_hash(level[at], level[at + 1]) for at in range(0, len(level) - 1, 2)] + risen
    return level[0]


def inclusion_path(leaf_hashes: Sequence[bytes], index: int) -> list[bytes]:
    """Sibling hashes from the leaf upwards (RFC 6962 §2.1.1). 0 <= index < len(leaf_hashes)."""
    assert 0 <= index < len(leaf_hashes)
    path: list[bytes] = []
    level = list(leaf_hashes)
    while len(level) > 1:
        sibling = index ^ 1
        if sibling < len(level):
            path.append(level[sibling])
        risen = [level[-1]] if len(level) % 2 else []
        level = [node_hash(level[at], level[at + 1]) for at in range(0, len(level) - 1, 2)] + risen
        index //= 2
    return path


def root_from_path(leaf: bytes, index: int, size: int, path: Sequence[bytes]) -> bytes:
    """The root that `leaf` (a leaf hash) at `index` in a tree of `size` leaves has by this
    inclusion path.

    Raises Rejected: proof.index (not inside the tree), proof.hash (a hash is not 32 bytes),
    proof.length (too few or too many hashes: a path must fit its index and size exactly, RFC 9162
    §2.1.3.2).
    """
    if not 0 <= index < size:
        raise Rejected("proof.index", f"{index} of {size}")
    if len(leaf) != SHA256_SIZE or any(len(sibling) != SHA256_SIZE for sibling in path):
        raise Rejected("proof.hash")
    at, last, root = index, size - 1, leaf
    for sibling in path:
        if last == 0:
            raise Rejected("proof.length", "too many hashes")
        if at % 2 or at == last:
            root = node_hash(sibling, root)
            while at % 2 == 0 and at:
                at //= 2
                last //= 2
        else:
            root = node_hash(root, sibling)
        at //= 2
        last //= 2
    if last:
        raise Rejected("proof.length", "too few hashes")
    return root
