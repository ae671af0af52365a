"""Suites: unknown ones are refused, and the test suite is there only for who asks."""

import subprocess
import sys

import pytest

from crypto.errors import Rejected
from crypto.suites import NACL_1, ODD_SIZES, get_suite
from tests.crypto.sealing_examples import SUITES

REGISTER = """
from crypto.suites import ODD_SIZES, get_suite, register_test_suite
register_test_suite()
print(get_suite(ODD_SIZES).name)
"""


@pytest.mark.parametrize("number", [0, 2, 0x0101, 0xFFFF, ODD_SIZES, 1 << 16, -1])
def test_a_suite_that_is_not_registered_is_refused(number: int):
    with pytest.raises(Rejected) as refusal:
        get_suite(number)
    assert refusal.value.code == "suite.unknown"


def test_the_test_suite_is_there_only_for_who_asks():
    assert get_suite(ODD_SIZES, allow_test=True).id == ODD_SIZES
    assert get_suite(NACL_1, allow_test=True) is get_suite(NACL_1)


def test_a_process_may_register_the_test_suite():
    done = subprocess.run(
        [sys.executable, "-c", REGISTER], capture_output=True, text=True, check=True
    )
    assert done.stdout == "odd-sizes\n"


@pytest.mark.parametrize("suite", SUITES, ids=lambda suite: suite.name)
def test_a_card_of_any_suite_needs_no_base32_padding(suite):
    assert (1 + 8 + suite.bidder_half_size + suite.card_check_size) % 5 == 0


@pytest.mark.parametrize("suite", SUITES, ids=lambda suite: suite.name)
def test_the_chunk_number_and_the_last_flag_are_both_in_the_nonce(suite):
    cipher = suite.cipher(bytes(range(suite.key_size)))
    sealed = [
        cipher.seal(index, last, b"same") for index in (0, 1, 256, 2**32) for last in (False, True)
    ]
    assert len(set(sealed)) == len(sealed)
    assert cipher.open(0, False, sealed[1]) is None
    assert cipher.open(0, True, sealed[1]) == b"same"


@pytest.mark.parametrize("suite", SUITES, ids=lambda suite: suite.name)
def test_a_chunk_with_any_byte_changed_does_not_open(suite):
    cipher = suite.cipher(bytes(range(suite.key_size)))
    sealed = cipher.seal(0, True, b"price")
    for at in range(len(sealed)):
        changed = bytearray(sealed)
        changed[at] ^= 0x80
        assert cipher.open(0, True, changed) is None
        assert not cipher.open_into(0, True, changed, bytearray(5))


@pytest.mark.parametrize("suite", SUITES, ids=lambda suite: suite.name)
def test_a_box_opens_only_whole_and_only_with_its_key(suite):
    from crypto.keys import BoxKey

    key, other = BoxKey(b"k" * 32), BoxKey(b"o" * 32)
    box = suite.box_seal(b"a share", key.public, b"e" * 32)
    assert len(box) == len(b"a share") + suite.box_overhead
    assert suite.box_open(box, key.public, key.secret) == b"a share"
    assert suite.box_open(box, other.public, other.secret) is None
    for at in range(len(box)):
        changed = bytearray(box)
        changed[at] ^= 1
        assert suite.box_open(bytes(changed), key.public, key.secret) is None
