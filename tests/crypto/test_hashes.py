"""Labelled hashes: a label ends in one NUL, and sizes are parameters."""

import hashlib

import pytest

from crypto.errors import Rejected
from crypto.hashes import blake2b_256, blake2b_512, label_bytes, labelled, sha256


def test_a_label_is_followed_by_exactly_one_nul_byte():
    assert label_bytes("KBID1 ad") == b"KBID1 ad\x00"
    assert labelled("KBID1 ad", b"x") == hashlib.blake2b(b"KBID1 ad\x00x", digest_size=32).digest()


def test_the_digest_size_is_a_parameter_and_not_a_truncation():
    assert labelled("KBID1 sH", size=64)[:32] != labelled("KBID1 sH", size=32)


def test_parts_are_joined_without_separators_whatever_buffer_they_are_in():
    assert sha256(b"ab", bytearray(b"c"), memoryview(b"d")) == hashlib.sha256(b"abcd").digest()
    assert blake2b_256(b"a", b"b") == hashlib.blake2b(b"ab", digest_size=32).digest()
    assert blake2b_512(b"a", b"b") == hashlib.blake2b(b"ab", digest_size=64).digest()


def test_half_b_of_the_published_vector_comes_out():
    half = labelled("KBID1 sB", key=b"s" * 32)
    assert half.hex() == "2218b116949bfb0d1c581dd3be4ee40b1a4508f41ef1ced7b0365e4218f141d9"


def test_a_label_with_a_nul_is_our_own_mistake():
    with pytest.raises(AssertionError):
        label_bytes("KBID1\0ad")


def test_a_refusal_shows_its_code_and_its_detail():
    refusal = Rejected("header.magic", "89 4b")
    assert (refusal.code, refusal.detail, str(refusal)) == (
        "header.magic",
        "89 4b",
        "header.magic: 89 4b",
    )
    assert str(Rejected("header.magic")) == "header.magic"
