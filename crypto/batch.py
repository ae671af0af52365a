"""The batch tree of one second (一秒一批): entries at random slots of a tree of depth 16.

Invariant: the root of every maximal empty subtree is filler that looks random, so the 16 siblings
of one entry tell nothing about the others, not even how many there are. Work and memory are
entries * 16 nodes, never 65,536. Norm: sealing.md C13; formats.md §7.

Measured (`python -m loadtests.costs`, 2026-11-22): 10 us of CPU an entry of a second that holds a
thousand. It is built beside the loop and holds the interpreter, so the two loops below call hashlib
themselves.
"""

import hashlib
from collections.abc import Callable, Mapping, Sequence

from crypto.errors import Rejected
from crypto.hashes import label_bytes
from crypto.merkle import leaf_hash, node_hash
from crypto.objects.log import BATCH_DEPTH

SLOTS = 1 << BATCH_DEPTH
ENTRIES_MAX = SLOTS // 2  # so that a free slot is found in two draws on average

Filler = Callable[[int, int], bytes]


def seeded_filler(secret: bytes) -> Filler:
    """Filler that one secret of 32 random bytes per second reproduces; whoever has the secret can
    give out a sibling years later, everybody else sees random bytes.
    """
    assert len(secret) == 32
    # crypto.hashes.labelled("KBLOG1 filler", u8 height, u32 index, key=secret); what all have in
    # common is hashed once.
    begun = hashlib.blake2b(label_bytes("KBLOG1 filler"), key=secret, digest_size=32)

    def filler(height: int, index: int) -> bytes:
        hashed = begun.copy()
        hashed.update(bytes((height,)) + index.to_bytes(4, "big"))
        return hashed.digest()

    return filler


def free_slot(taken: Mapping[int, object], draw: Callable[[int], int]) -> int:
    """A random free slot. ``draw(n)`` gives a uniform integer below n."""
    assert len(taken) < ENTRIES_MAX
    while True:
        slot = draw(SLOTS)
        if slot not in taken:
            return slot


class Batch:
    """The tree over the entries of the second that ends at ``tick_ms``.

    ``entries``: slot to entry bytes. ``filler(height, index)``: 32 bytes for the root of the empty
    subtree over slots [index << height, (index + 1) << height); asked once per subtree.
    """

    def __init__(self, tick_ms: int, entries: Mapping[int, bytes], filler: Filler) -> None:
        assert len(entries) <= ENTRIES_MAX
        self.tick_ms = tick_ms
        level: dict[int, bytes] = {}
        for slot, entry in entries.items():
            assert 0 <= slot < SLOTS
            level[slot] = leaf_hash(entry)
        self._levels: list[dict[int, bytes]] = []  # filler included, from the leaves upwards
        sha256 = hashlib.sha256
        for height in range(BATCH_DEPTH):
            above: dict[int, bytes] = {}
            for parent in {index >> 1 for index in level}:
                at = parent << 1
                left, right = level.get(at), level.get(at + 1)
                if left is None:
                    left = level[at] = filler(height, at)
                if right is None:
                    right = level[at + 1] = filler(height, at + 1)
                above[parent] = sha256(b"\x01" + left + right).digest()  # crypto.merkle.node_hash
            self._levels.append(level)
            level = above
        # A second without entries: the whole tree is one empty subtree.
        self.root = level[0] if level else filler(BATCH_DEPTH, 0)
        assert len(self.root) == 32

    def siblings(self, slot: int) -> list[bytes]:
        """16 hashes, from the leaf upwards, for a slot that holds an entry."""
        return [level[(slot >> height) ^ 1] for height, level in enumerate(self._levels)]


def root_from_siblings(entry: bytes, slot: int, siblings: Sequence[bytes]) -> bytes:
    """The batch root by which ``entry`` stands at ``slot``.

    Codes: ``proof.slot``, ``proof.length``, ``proof.hash``.
    """
    if not 0 <= slot < SLOTS:
        raise Rejected("proof.slot", str(slot))
    if len(siblings) != BATCH_DEPTH:
        raise Rejected("proof.length", str(len(siblings)))
    if any(len(sibling) != 32 for sibling in siblings):
        raise Rejected("proof.hash")
    node = leaf_hash(entry)
    for height, sibling in enumerate(siblings):
        is_right = slot >> height & 1
        node = node_hash(sibling, node) if is_right else node_hash(node, sibling)
    return node
