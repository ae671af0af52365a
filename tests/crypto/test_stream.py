"""Chunks of a payload: arithmetic, roots in any slicing, and the first byte too many."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crypto.errors import Rejected
from crypto.merkle import leaf_hash, merkle_root
from crypto.stream import RootHasher, chunk_count, chunk_size, chunk_sizes, ciphertext_size
from crypto.suites import NACL_1, get_suite
from tests.crypto.sealing_examples import SUITES

NACL = get_suite(NACL_1)


@pytest.mark.parametrize(
    ("pt_len", "sizes"),
    [
        (0, [16]),
        (1, [17]),
        (65_536, [65_552]),
        (65_537, [65_552, 17]),
        (131_072, [65_552, 65_552]),
    ],
)
def test_chunk_arithmetic_is_the_published_one(pt_len: int, sizes: list[int]):
    assert chunk_count(pt_len, 16) == len(sizes)
    assert list(chunk_sizes(NACL, pt_len, 16)) == sizes
    assert ciphertext_size(NACL, pt_len, 16) == sum(sizes)


@given(st.sampled_from(SUITES), st.integers(0, 2**52), st.integers(16, 20))
def test_sizes_of_any_payload_add_up(suite, pt_len: int, log2_chunk: int):
    count = chunk_count(pt_len, log2_chunk)
    last = chunk_size(suite, pt_len, log2_chunk, count - 1)
    full = (1 << log2_chunk) + suite.tag_size
    assert (count - 1) * full + last == ciphertext_size(suite, pt_len, log2_chunk)
    assert suite.tag_size <= last <= full


def test_ct_root_is_the_rfc_6962_root_over_numbered_chunks():
    payload = bytes(range(256)) * 1024
    step = 65_552
    pt_len = len(payload) - 16 * 4
    leaves = [
        leaf_hash((at // step).to_bytes(8, "big") + payload[at : at + step])
        for at in range(0, len(payload), step)
    ]
    hasher = RootHasher(NACL, pt_len, 16)
    hasher.update(payload)
    assert hasher.root() == merkle_root(leaves)


@given(st.sampled_from(SUITES), st.integers(0, 300_000), st.data())
def test_any_slicing_of_the_bytes_gives_the_same_root(suite, pt_len: int, data: st.DataObject):
    size = ciphertext_size(suite, pt_len, 16)
    payload = bytes(range(251)) * (size // 251 + 1)
    cuts = data.draw(st.lists(st.integers(0, size), max_size=12).map(sorted))
    whole, sliced = RootHasher(suite, pt_len, 16), RootHasher(suite, pt_len, 16)
    whole.update(payload[:size])
    for start, end in zip([0, *cuts], [*cuts, size], strict=True):
        assert sliced.received == start
        sliced.update(memoryview(payload)[start:end])
    assert sliced.received == sliced.size == size
    assert sliced.root() == whole.root()


@given(st.integers(0, 200_000), st.integers(1, 70_000))
def test_the_first_byte_too_many_is_refused_and_a_short_payload_has_no_root(
    pt_len: int, missing: int
):
    size = ciphertext_size(NACL, pt_len, 16)
    hasher = RootHasher(NACL, pt_len, 16)
    hasher.update(bytes(max(0, size - missing)))
    with pytest.raises(Rejected, match=r"payload\.short"):
        hasher.root()
    hasher.update(bytes(size - hasher.received))
    hasher.update(b"")
    root = hasher.root()
    with pytest.raises(Rejected, match=r"payload\.excess"):
        hasher.update(b"\x00")
    assert hasher.root() == root


def test_the_state_of_a_large_payload_stays_small():
    hasher = RootHasher(NACL, 2**52, 20)
    for _ in range(40):
        hasher.update(bytes((1 << 20) + 16))
    assert hasher.received == 40 * ((1 << 20) + 16)
    assert len(hasher._roots) <= 6
