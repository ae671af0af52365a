"""The registry of suites (算法套件): the only folder that names primitives of bids and messages.

Invariant: an unknown suite is refused, never guessed; the test suite is unknown unless a caller
asks for it, or the process registered it before anything else.
"""

import copyreg
from typing import Final

from crypto.errors import Rejected
from crypto.suites import nacl_1, odd_sizes
from crypto.suites.suite import Cipher, Hash, Suite

NACL_1: Final = nacl_1.SUITE.id
ODD_SIZES: Final = odd_sizes.SUITE.id

_registered: Final = {NACL_1: nacl_1.SUITE}

__all__ = ["NACL_1", "ODD_SIZES", "Cipher", "Hash", "Suite", "get_suite", "register_test_suite"]


def register_test_suite() -> None:
    """Make suite 0xFF01 known in this process. Only tests and rehearsals call it."""
    _registered[ODD_SIZES] = odd_sizes.SUITE


def get_suite(suite_id: int, *, allow_test: bool = False) -> Suite:
    """The suite of this number. Raises Rejected: suite.unknown."""
    if allow_test and suite_id == ODD_SIZES:
        return odd_sizes.SUITE
    suite = _registered.get(suite_id)
    if suite is None:
        raise Rejected("suite.unknown", f"{suite_id:#06x}")
    return suite


def _of_our_own(suite_id: int) -> Suite:
    """A suite that another process of ours had: it was known there."""
    return get_suite(suite_id, allow_test=True)


copyreg.pickle(Suite, lambda suite: (_of_our_own, (suite.id,)))
