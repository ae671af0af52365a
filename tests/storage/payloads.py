"""Payloads for tests of the store: random bytes of the right length, and their root."""

import random

import pytest

from crypto.stream import RootHasher, ciphertext_size
from crypto.suites import get_suite
from server.domain.refusals import Refused
from server.storage.upload import Upload

SUITE = get_suite(1)
LOG2_CHUNK = 16
NAME = bytes(range(32))


def a_hasher(about: bytes) -> RootHasher:
    return RootHasher(SUITE, int(about), LOG2_CHUNK)


def a_payload(pt_len: int) -> tuple[bytes, bytes, bytes]:
    """(about, bytes, root) of a payload of this plaintext length."""
    data = random.Random(pt_len).randbytes(ciphertext_size(SUITE, pt_len, LOG2_CHUNK))
    hasher = RootHasher(SUITE, pt_len, LOG2_CHUNK)
    hasher.update(data)
    return b"%d" % pt_len, data, hasher.root()


async def send(upload: Upload, data: bytes, start: int, end: int, piece: int = 60_000) -> None:
    async with upload.writing(start) as sink:
        for at in range(start, end, piece):
            await sink.write(data[at : min(at + piece, end)])


def refused(code: str):
    return pytest.raises(Refused, match=f"^{code}$")
