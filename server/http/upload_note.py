"""What is noted beside an upload on the disk (上传备注): whose it is and what it will be.

Invariant: a note is written once, at creation, from a core that was accepted then; an upload whose
note cannot be read belongs to nobody and is found by nobody.
"""

from typing import Final

import msgspec

from crypto.errors import Rejected
from crypto.header import Core, parse_core
from crypto.stream import RootHasher
from crypto.suites import ODD_SIZES, get_suite

NOTE_FORMAT: Final = 1


class UploadNote(msgspec.Struct, frozen=True, array_like=True):
    """``org`` owns the upload: every device of that organisation may resume it."""

    org: str
    tender: str
    core: bytes
    format: int = NOTE_FORMAT


def write_note(note: UploadNote) -> bytes:
    """The ``about`` of ``BlobStore.create``."""
    return msgspec.msgpack.encode(note)


def read_note(about: bytes) -> UploadNote | None:
    """The note back; None for anything else."""
    try:
        note = msgspec.msgpack.decode(about, type=UploadNote)
    except msgspec.DecodeError:
        return None
    return note if note.format == NOTE_FORMAT else None


def new_hasher(about: bytes) -> RootHasher:
    """The hasher of an upload, for ``BlobStore(directory, new_hasher)``."""
    note = read_note(about)
    assert note is not None, "an upload is created with a note"
    core = _accepted(note.core)
    return RootHasher(core.suite, core.pt_len, core.log2_chunk)


def _accepted(raw: bytes) -> Core:
    """The core again. It was accepted under its tender's suite, which on a site of tests may be the
    test suite.
    """
    try:
        return parse_core(raw)
    except Rejected as unknown:
        if unknown.code != "suite.unknown":
            raise
        return parse_core(raw, get_suite(ODD_SIZES, allow_test=True))
