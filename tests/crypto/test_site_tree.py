"""The site tree over a node store, against the definition of RFC 6962."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from crypto import merkle
from crypto.errors import Rejected
from crypto.hashes import sha256
from crypto.site_tree import (
    append,
    consistency_proof,
    inclusion_proof,
    site_leaf,
    tree_root,
    verify_consistency,
)

SIZE = 130
LEAVES = [sha256(number.to_bytes(4, "big")) for number in range(SIZE)]
HASHES = [merkle.leaf_hash(leaf) for leaf in LEAVES]
ROOTS = [merkle.merkle_root(HASHES[:size]) for size in range(SIZE + 1)]


class Store:
    """A node store that counts what is read and refuses to write a node twice."""

    def __init__(self) -> None:
        self.nodes: dict[tuple[int, int], bytes] = {}
        self.size = 0
        self.reads = 0

    def __call__(self, level: int, index: int) -> bytes:
        self.reads += 1
        return self.nodes[level, index]

    def grow(self, leaves: list[bytes]) -> int:
        written = append(self, self.size, leaves)
        for level, index, node in written:
            assert (level, index) not in self.nodes
            self.nodes[level, index] = node
        self.size += len(leaves)
        return len(written)


@pytest.fixture(scope="module")
def store() -> Store:
    whole = Store()
    whole.grow(LEAVES)
    return whole


class Years:
    """A tree of any size whose leaves are all alike, so that each level has one hash."""

    def __init__(self, size: int) -> None:
        self.size, self.reads = size, 0
        self.level_hashes = [merkle.leaf_hash(b"second")]
        while len(self.level_hashes) < size.bit_length():
            below = self.level_hashes[-1]
            self.level_hashes.append(merkle.node_hash(below, below))

    def __call__(self, level: int, index: int) -> bytes:
        assert (index + 1) << level <= self.size, "only complete subtrees are stored"
        self.reads += 1
        return self.level_hashes[level]


def test_roots_are_those_of_rfc_6962(store: Store) -> None:
    assert [tree_root(store, size) for size in range(SIZE + 1)] == ROOTS


def test_growing_one_by_one_or_at_once_writes_the_same(store: Store) -> None:
    single, pieces = Store(), Store()
    for leaf in LEAVES:
        single.grow([leaf])
    for start in range(0, SIZE, 7):
        pieces.grow(LEAVES[start : start + 7])
    assert single.nodes == pieces.nodes == store.nodes


def test_every_inclusion_proof_up_to_130_leaves(store: Store) -> None:
    for size in range(1, SIZE + 1):
        for index in range(size):
            path = inclusion_proof(store, index, size)
            assert path == merkle.inclusion_path(HASHES[:size], index)
            assert merkle.root_from_path(HASHES[index], index, size, path) == ROOTS[size]


def test_every_consistency_proof_up_to_130_leaves(store: Store) -> None:
    for size in range(1, SIZE + 1):
        for old in range(1, size + 1):
            path = consistency_proof(store, old, size)
            verify_consistency(old, ROOTS[old], size, ROOTS[size], path)


@given(st.data())
def test_a_changed_consistency_proof_is_refused(data: st.DataObject) -> None:
    store = Store()
    store.grow(LEAVES)
    size = data.draw(st.integers(2, SIZE))
    old = data.draw(st.integers(1, size - 1))
    path = consistency_proof(store, old, size)
    roots = [ROOTS[old], ROOTS[size]]
    match data.draw(st.sampled_from(["flip", "cut", "more", "old", "new", "size"])):
        case "flip" if path:
            at = data.draw(st.integers(0, len(path) - 1))
            bit = data.draw(st.integers(0, 255))
            flipped = int.from_bytes(path[at], "big") ^ (1 << bit)
            path[at] = flipped.to_bytes(32, "big")
        case "cut" | "flip":
            path = path[:-1]
        case "more":
            path = [*path, path[-1]]
        case "old":
            roots[0] = ROOTS[old + 1]
        case "new":
            roots[1] = ROOTS[size - 1]
        case _:
            old = size
    with pytest.raises(Rejected, match=r"proof\."):
        verify_consistency(old, roots[0], size, roots[1], path)


def test_sizes_and_hashes_from_outside_are_checked() -> None:
    for old, size in ((0, 1), (2, 1), (-1, 1)):
        with pytest.raises(Rejected, match=r"proof\.index"):
            verify_consistency(old, ROOTS[1], size, ROOTS[1], [])
    with pytest.raises(Rejected, match=r"proof\.hash"):
        verify_consistency(1, ROOTS[1], 2, ROOTS[2], [b"short"])
    with pytest.raises(Rejected, match=r"proof\.length"):
        verify_consistency(3, ROOTS[3], 4, ROOTS[4], [])
    with pytest.raises(Rejected, match=r"proof\.length"):
        verify_consistency(2, ROOTS[2], 2, ROOTS[2], [ROOTS[1]])
    with pytest.raises(Rejected, match=r"proof\.root"):
        verify_consistency(2, ROOTS[2], 2, ROOTS[1], [])


@settings(max_examples=300)
@given(st.data())
def test_proofs_over_years_of_seconds_read_at_most_two_nodes_a_level(
    data: st.DataObject,
) -> None:
    size = data.draw(st.integers(1, 2**40))
    index = data.draw(st.integers(0, size - 1))
    nodes, levels = Years(size), size.bit_length()
    path = inclusion_proof(nodes, index, size)
    assert nodes.reads <= 2 * levels
    nodes.reads = 0
    older = consistency_proof(nodes, index + 1, size)
    assert nodes.reads <= 2 * levels
    root = tree_root(nodes, size)
    assert merkle.root_from_path(nodes(0, 0), index, size, path) == root
    verify_consistency(index + 1, tree_root(nodes, index + 1), size, root, older)


@settings(max_examples=30, deadline=None)
@given(st.integers(131, 3000), st.data())
def test_proofs_of_larger_trees_verify(size: int, data: st.DataObject) -> None:
    store = Store()
    leaves = [number.to_bytes(4, "big") for number in range(size)]
    assert store.grow(leaves) < 2 * size
    index = data.draw(st.integers(0, size - 1))
    old = data.draw(st.integers(1, size))
    root = tree_root(store, size)
    leaf = merkle.leaf_hash(leaves[index])
    path = inclusion_proof(store, index, size)
    assert merkle.root_from_path(leaf, index, size, path) == root
    verify_consistency(old, tree_root(store, old), size, root, consistency_proof(store, old, size))


def test_a_site_leaf_is_41_bytes() -> None:
    leaf = site_leaf(1_795_138_201_000, b"\x07" * 32)
    assert leaf == b"\x01" + (1_795_138_201_000).to_bytes(8, "big") + b"\x07" * 32
    assert len(leaf) == 41
