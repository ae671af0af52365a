"""RFC 6962 trees, compared with the recursive definition."""

import hashlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crypto.errors import Rejected
from crypto.merkle import (
    inclusion_path,
    leaf_hash,
    left_size,
    merkle_root,
    node_hash,
    root_from_path,
)


def split_root(leaves: list[bytes]) -> bytes:
    """RFC 6962 §2.1 word for word: the recursion the loop must agree with."""
    if len(leaves) == 1:
        return leaves[0]
    left = left_size(len(leaves))
    return node_hash(split_root(leaves[:left]), split_root(leaves[left:]))


def leaves_of(size: int) -> list[bytes]:
    return [leaf_hash(index.to_bytes(4, "big")) for index in range(size)]


def test_the_empty_tree_is_the_hash_of_nothing():
    assert merkle_root([]) == hashlib.sha256(b"").digest()


@pytest.mark.parametrize("size", range(1, 70))
def test_the_root_is_that_of_the_recursive_definition(size: int):
    assert merkle_root(leaves_of(size)) == split_root(leaves_of(size))


@pytest.mark.parametrize("size", [1, 2, 3, 4, 5, 7, 8, 9, 16, 31, 33])
def test_every_leaf_has_a_path_that_gives_the_root(size: int):
    leaves = leaves_of(size)
    for index, leaf in enumerate(leaves):
        path = inclusion_path(leaves, index)
        assert root_from_path(leaf, index, size, path) == merkle_root(leaves)


@given(st.integers(1, 200), st.data())
def test_a_path_fits_no_other_index_and_no_other_length(size: int, data: st.DataObject):
    leaves = leaves_of(size)
    index = data.draw(st.integers(0, size - 1))
    path = inclusion_path(leaves, index)
    for wrong in (*([path[:-1]] if path else []), [*path, leaves[0]]):
        with pytest.raises(Rejected) as refusal:
            root_from_path(leaves[index], index, size, wrong)
        assert refusal.value.code == "proof.length"
    other = data.draw(st.integers(0, size - 1))
    if other != index and len(inclusion_path(leaves, other)) == len(path):
        assert root_from_path(leaves[index], other, size, path) != merkle_root(leaves)


@pytest.mark.parametrize(("index", "size"), [(-1, 1), (1, 1), (0, 0), (5, 5)])
def test_an_index_outside_the_tree_is_refused(index: int, size: int):
    with pytest.raises(Rejected) as refusal:
        root_from_path(leaf_hash(b""), index, size, [])
    assert refusal.value.code == "proof.index"


def test_a_hash_of_another_length_is_refused():
    with pytest.raises(Rejected) as refusal:
        root_from_path(leaf_hash(b""), 0, 2, [b"short"])
    assert refusal.value.code == "proof.hash"
