"""What is noted beside an upload on the disk (上传备注): whose it is and what it will be.

Invariant: a note is written once, at creation, from a core that was accepted then; an upload whose
note cannot be read belongs to nobody and is found by nobody.
"""

from typing import Final

import msgspec

from crypto.header import parse_core
from crypto.stream import RootHasher

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
    core = parse_core(note.core)
    return RootHasher(core.suite, core.pt_len, core.log2_chunk)
