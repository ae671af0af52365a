"""A second of the log: every entry proves the root, and siblings say nothing of other entries."""

import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from crypto.batch import SLOTS, Batch, free_slot, root_from_siblings, seeded_filler
from crypto.errors import Rejected
from crypto.merkle import leaf_hash, node_hash

ENTRIES = st.dictionaries(st.integers(0, SLOTS - 1), st.binary(min_size=1, max_size=8), max_size=12)


class CountingFiller:
    def __init__(self) -> None:
        self.asked: list[tuple[int, int]] = []

    def __call__(self, height: int, index: int) -> bytes:
        self.asked.append((height, index))
        return bytes([height]) + index.to_bytes(31, "big")


@settings(deadline=None)
@given(ENTRIES)
def test_every_entry_proves_the_root(entries: dict[int, bytes]) -> None:
    tree = Batch(0, entries, seeded_filler(b"s" * 32))
    for slot, entry in entries.items():
        assert root_from_siblings(entry, slot, tree.siblings(slot)) == tree.root


@settings(deadline=None)
@given(ENTRIES)
def test_filler_is_asked_once_for_each_maximal_empty_subtree(entries: dict[int, bytes]) -> None:
    filler = CountingFiller()
    Batch(0, entries, filler)
    assert len(set(filler.asked)) == len(filler.asked)
    covered = sum(1 << height for height, _ in filler.asked)
    assert covered + len(entries) == SLOTS
    taken = set(entries)
    for height, index in filler.asked:
        below = range(index << height, (index + 1) << height)
        assert not any(slot in below for slot in taken)
        # Maximal: the other half of the parent holds an entry, or this is the whole tree.
        parent = range((index >> 1) << (height + 1), ((index >> 1) + 1) << (height + 1))
        assert height == 16 or any(slot in parent for slot in taken)


@given(ENTRIES.filter(bool), st.data())
def test_another_entry_slot_or_sibling_gives_another_root(
    entries: dict[int, bytes], data: st.DataObject
) -> None:
    tree = Batch(0, entries, seeded_filler(b"s" * 32))
    slot = data.draw(st.sampled_from(sorted(entries)))
    siblings, entry = tree.siblings(slot), entries[slot]
    height = data.draw(st.integers(0, 15))
    assert root_from_siblings(entry + b"x", slot, siblings) != tree.root
    assert root_from_siblings(entry, slot ^ (1 << height), siblings) != tree.root
    siblings[height] = leaf_hash(siblings[height])
    assert root_from_siblings(entry, slot, siblings) != tree.root


def test_the_lowest_bit_of_the_slot_is_the_turn_at_the_leaf() -> None:
    siblings = [bytes([height]) * 32 for height in range(16)]
    node = leaf_hash(b"entry")
    for height in range(16):
        left_first = height not in (0, 2)
        pair = (node, siblings[height]) if left_first else (siblings[height], node)
        node = node_hash(*pair)
    assert root_from_siblings(b"entry", 0b101, siblings) == node


def test_an_empty_second_has_filler_for_its_root() -> None:
    assert Batch(0, {}, seeded_filler(b"a" * 32)).root == seeded_filler(b"a" * 32)(16, 0)


def test_filler_differs_by_place_and_by_secret() -> None:
    filler, other = seeded_filler(b"a" * 32), seeded_filler(b"b" * 32)
    nodes = {filler(height, index) for height in range(17) for index in range(8)}
    assert len(nodes) == 17 * 8
    assert other(3, 5) not in nodes


def test_a_free_slot_is_never_one_that_is_taken() -> None:
    source = random.Random(1)
    taken: dict[int, bytes] = {}
    for _ in range(1000):
        taken[free_slot(taken, source.randrange)] = b""
    assert len(taken) == 1000


def test_proofs_from_outside_are_checked() -> None:
    siblings = [bytes(32)] * 16
    for slot in (-1, SLOTS):
        with pytest.raises(Rejected, match=r"proof\.slot"):
            root_from_siblings(b"", slot, siblings)
    with pytest.raises(Rejected, match=r"proof\.length"):
        root_from_siblings(b"", 0, siblings[1:])
    with pytest.raises(Rejected, match=r"proof\.hash"):
        root_from_siblings(b"", 0, [*siblings[1:], b"short"])
