"""Draws: a permutation that anybody can compute again."""

import hashlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crypto.draws import Stream, draw, draw_seed
from crypto.errors import Rejected

CANDIDATES = st.lists(
    st.text(st.characters(min_codepoint=33, max_codepoint=126), min_size=1, max_size=6),
    unique=True,
    max_size=20,
)
SEEDS = st.binary(min_size=32, max_size=32)


@given(SEEDS, CANDIDATES, st.data())
def test_a_draw_is_a_permutation_whose_beginnings_are_the_shorter_draws(
    seed: bytes, candidates: list[str], data: st.DataObject
) -> None:
    whole = draw(seed, "experts", candidates, len(candidates))
    assert sorted(whole.chosen) == sorted(candidates)
    k = data.draw(st.integers(0, len(candidates)))
    shorter = draw(seed, "experts", candidates, k)
    assert shorter.chosen == whole.chosen[:k]
    assert shorter.steps == whole.steps[:k]


@given(SEEDS, CANDIDATES, st.data())
def test_the_order_in_which_candidates_are_given_does_not_matter(
    seed: bytes, candidates: list[str], data: st.DataObject
) -> None:
    shuffled = data.draw(st.permutations(candidates))
    k = len(candidates)
    assert draw(seed, "a", candidates, k) == draw(seed, "a", shuffled, k)


@given(SEEDS, st.integers(1, 2**64))
def test_below_gives_a_number_below(seed: bytes, n: int) -> None:
    assert 0 <= Stream(seed, "k").below(n) < n


def test_every_block_tried_is_consumed_also_a_refused_one() -> None:
    """n just above half of 2^64 refuses every other block."""
    n = 2**63 + 1
    stream = Stream(bytes(32), "refusing")
    for _ in range(50):
        stream.below(n)
    numbers = [step.i for step in stream.steps]
    assert numbers == sorted(set(numbers))
    assert numbers[-1] > 60, "some blocks were refused, and each was counted"
    key = hashlib.sha256(b"KDRAW1 stream\0" + bytes(32) + b"refusing").digest()
    for number in range(numbers[-1]):
        block = hashlib.sha256(key + number.to_bytes(8, "big")).digest()
        assert (int.from_bytes(block[:8], "big") < n) == (number in numbers)


def test_drawing_one_of_one_consumes_a_block() -> None:
    stream = Stream(bytes(32), "one")
    assert [stream.below(1), stream.below(1)] == [0, 0]
    assert [step.i for step in stream.steps] == [0, 1]


def test_the_number_of_parts_is_part_of_the_seed() -> None:
    seeds = {draw_seed(bytes(32), [b"p"] * count, b"") for count in range(4)}
    assert len(seeds) == 4
    assert draw_seed(bytes(32), [b"p"], b"") != draw_seed(bytes(32), [], b"p")


@pytest.mark.parametrize("n", [0, -1, 2**64 + 1])
def test_below_an_unlawful_number_is_refused(n: int) -> None:
    with pytest.raises(Rejected, match=r"draw\.range"):
        Stream(bytes(32), "a").below(n)


@pytest.mark.parametrize("label", ["", "K", "a b", "a\n", "é", "a" * 65])
def test_labels_are_checked(label: str) -> None:
    with pytest.raises(Rejected, match=r"draw\.label"):
        Stream(bytes(32), label)


def test_parts_are_counted_before_they_are_hashed() -> None:
    with pytest.raises(Rejected, match=r"draw\.parts"):
        draw_seed(bytes(32), [b""] * 65_537, b"")


def test_candidates_are_checked() -> None:
    for candidates, k, code in (
        (["a", "a"], 1, r"draw\.candidates"),
        (["", "a"], 1, r"draw\.candidates"),
        (["甲"], 1, r"draw\.candidates"),
        (["a"], 2, r"draw\.range"),
        (["a"], -1, r"draw\.range"),
    ):
        with pytest.raises(Rejected, match=code):
            draw(bytes(32), "a", candidates, k)
