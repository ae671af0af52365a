"""Signatures and box keys: one verdict, also over the keys on which libraries differ."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crypto.keys import (
    BoxKey,
    SigningKey,
    is_valid_box_public,
    is_valid_public,
    random_bytes,
    verify,
)

SEEDS = st.binary(min_size=32, max_size=32)


@given(SEEDS, st.binary(max_size=300))
def test_a_signature_verifies_under_its_key_and_message_only(seed: bytes, message: bytes):
    key = SigningKey(seed)
    signature = key.sign(message)
    assert verify(key.public, message, signature)
    assert not verify(key.public, message + b"\x00", signature)
    assert not verify(SigningKey(b"\xfe" * 32).public, message, signature) or seed == b"\xfe" * 32


@given(st.integers(0, 511))
def test_a_signature_with_any_bit_flipped_is_refused(bit: int):
    key = SigningKey(b"k" * 32)
    changed = bytearray(key.sign(b"message"))
    changed[bit // 8] ^= 1 << bit % 8
    assert not verify(key.public, b"message", bytes(changed))


@pytest.mark.parametrize("size", [0, 31, 33, 64])
def test_keys_and_signatures_of_another_length_are_refused(size: int):
    key = SigningKey(b"k" * 32)
    assert not is_valid_public(bytes(size))
    assert not is_valid_box_public(bytes(size))
    assert not verify(bytes(size), b"", key.sign(b""))
    assert not verify(key.public, b"", bytes(size))


@given(SEEDS)
def test_a_key_made_from_a_seed_may_be_registered(seed: bytes):
    assert is_valid_public(SigningKey(seed).public)
    assert is_valid_box_public(BoxKey(seed).public)


def test_generated_keys_differ_and_never_show_their_seed():
    one, other = SigningKey.generate(), SigningKey.generate()
    assert one.seed != other.seed
    assert len(random_bytes(17)) == 17
    box = BoxKey.generate()
    assert one.seed.hex() not in repr(one)
    assert box.seed.hex() not in repr(box)
    assert box.secret.hex() not in repr(box)
    assert one.public.hex() in repr(one)
    assert box.public.hex() in repr(box)
