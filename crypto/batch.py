"""The batch tree of one second (一秒一批): entries at random slots of a tree of depth 16.

Invariant: the root of every maximal empty subtree is filler that looks random, so the 16 siblings
of one entry tell nothing about the others, not even how many there are. Work and memory are
entries * 16 nodes, never 65,536. Norm: sealing.md C13; formats.md §7.
"""

from collections.abc import Callable, Mapping, Sequence

from crypto.errors import Rejected
from crypto.hashes import labelled
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

    def filler(height: int, index: int) -> bytes:
        place = bytes([height]) + index.to_bytes(4, "big")
        return labelled("KBLOG1 filler", place, key=secret)

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
        self._nodes: dict[tuple[int, int], bytes] = {}
        level: dict[int, bytes] = {}
        for slot, entry in entries.items():
            assert 0 <= slot < SLOTS
            level[slot] = leaf_hash(entry)
        for height in range(BATCH_DEPTH):
            above: dict[int, bytes] = {}
            for parent in {index >> 1 for index in level}:
                left, right = (
                    level[child] if child in level else filler(height, child)
                    for child in (2 * parent, 2 * parent + 1)
                )
                self._nodes[height, 2 * parent] = left
                self._nodes[height, 2 * parent + 1] = right
                above[parent] = node_hash(left, right)
            level = above
        # A second without entries: the whole tree is one empty subtree.
        self.root = level[0] if level else filler(BATCH_DEPTH, 0)
        assert len(self.root) == 32

    def siblings(self, slot: int) -> list[bytes]:
        """16 hashes, from the leaf upwards, for a slot that holds an entry."""
        return [self._nodes[height, (slot >> height) ^ 1] for height in range(BATCH_DEPTH)]


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
