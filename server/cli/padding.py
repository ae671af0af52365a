"""Padding of documents as they stream (填充): `crypto.form.pad` without the file in memory.

Invariant: the pieces joined are ``pad(file, BODY_PAD)``; ``cut`` undoes it in place.
"""

from collections.abc import Iterator
from typing import BinaryIO

from crypto.errors import Rejected
from crypto.form import pad, unpad
from crypto.header import BODY_PAD, FORM_PAD


def padded_size(size: int) -> int:
    """Bytes of a body of ``size`` bytes after padding, which always adds at least one."""
    return (size // BODY_PAD + 1) * BODY_PAD


def padded_pieces(source: BinaryIO, size: int, step: int) -> Iterator[bytes]:
    """``size`` bytes of ``source`` and their padding in pieces of ``step``, the last one shorter.

    ``step`` is the envelope's chunk, a multiple of BODY_PAD. Raises Rejected seal.file_changed when
    the source has fewer bytes, or more.
    """
    assert step % BODY_PAD == 0
    for _ in range(size // step):
        yield _exactly(source, step)
    rest = _exactly(source, size % step)
    if source.read(1):
        raise Rejected("seal.file_changed")
    # What came before is whole blocks, so that the rest is padded as the whole would be.
    tail = pad(rest, BODY_PAD)
    for at in range(0, len(tail), step):
        yield tail[at : at + step]


def cut(file: BinaryIO, size: int) -> None:
    """Cuts the padding off a plaintext of ``size`` bytes. Raises Rejected form.padding.

    A header does not say whether its envelope is a form or a body, but a body's size is a multiple
    of BODY_PAD. A form may have such a size too; then both rules cut at the same place, for both
    cut at the last byte that is not zero. They differ only over a form whose padding is longer than
    a form's may be, and that is judged with the manifest, like everything else in a form.
    """
    block = FORM_PAD if size % BODY_PAD else BODY_PAD
    if size == 0 or size % block:
        raise Rejected("form.padding", f"{size} bytes are not whole blocks")
    start = size - block
    file.seek(start)
    last = file.read(block)
    assert len(last) == block
    file.truncate(start + len(unpad(last, block)))


def _exactly(source: BinaryIO, size: int) -> bytes:
    piece = source.read(size)
    if len(piece) != size:
        raise Rejected("seal.file_changed")
    return piece
