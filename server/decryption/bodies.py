"""Opening large envelopes (技术标等) straight into their target file, chunk by chunk (C3, design.md
§4).

Invariants: each stored byte is read once, into one buffer of one chunk, and everything that C3 asks
about it is asked while it lies in the cache; the target appears under its name only when every
chunk, ct_root and c_P agreed; what failed is removed.

Measured (`python -m loadtests.costs`, 2026-11-22): a MiB takes 1.98 ms of CPU, of which SHA-256 for
ct_root 0.71, the AEAD 0.24 and BLAKE2b for c_P 0.91; the rest is the read. A body whose bytes gave
ct_root at the deadline (STORE_CHECK) and whose file is still that file is spared the first: 1.24.
"""

import os
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from crypto.errors import Rejected
from crypto.form import unpad
from crypto.hashes import Octets
from crypto.header import BODY_PAD, Header
from crypto.sealing import content_key, open_to
from crypto.stream import RootHasher, chunk_size
from server.decryption.halves import DAMAGED, MALFORMED, find
from server.domain.due import BidHalves

OPENED = "opened"

# Which file it is and that nobody has written to it: device, inode, size, mtime and ctime in ns.
Stamp = tuple[int, int, int, int, int]


@dataclass(frozen=True, slots=True)
class SealedBody:
    """One large envelope: its halves, where its payload lies, where its plaintext goes.

    ``checked``: the stamp of the file whose bytes gave ct_root; None when nobody has looked.
    """

    bid: BidHalves
    source: Path
    target: Path
    checked: Stamp | None = None


def stamp_of(path: Path) -> Stamp | None:
    """The stamp of a file before its bytes are looked at; None when it cannot be read."""
    try:
        return _stamp(path.stat())
    except OSError:
        return None


def open_body(item: SealedBody) -> str:
    """The body's state by C3; on ``opened`` the target is the bidder's own file, durable.

    Raises OSError where the plaintext cannot be written: that says nothing about the bid.
    """
    partial = item.target.with_suffix(".partial")
    item.target.parent.mkdir(parents=True, exist_ok=True)
    try:
        with partial.open("w+b") as target:
            state = open_into(item, target.write)
            if state == OPENED:
                _cut_padding(target, item.bid.header.pt_len)
                target.flush()
                os.fdatasync(target.fileno())
        if state == OPENED:
            partial.rename(item.target)
        return state
    finally:
        with suppress(FileNotFoundError):
            partial.unlink()


def _cut_padding(target: BinaryIO, size: int) -> None:
    """Gives the bidder's file back as it was. A body whose padding is not one stays as it was
    sealed: padding is no ground for a state (C3), c_P is over what was padded.
    """
    target.seek(size - BODY_PAD)
    last = target.read(BODY_PAD)
    with suppress(Rejected):
        target.truncate(size - BODY_PAD + len(unpad(last, BODY_PAD)))


def open_into(item: SealedBody, write: Callable[[Octets], object]) -> str:
    """The same into any sink, which must take all it is given and keep nothing. What was written
    counts only when this returns ``opened``.
    """
    header = item.bid.header
    halves = find(item.bid, intact=True, first=None)
    if halves.found.state:
        return halves.found.state
    key = content_key(header, item.bid.bidder_half, halves.found.host_half)
    assert key is not None
    try:
        source = item.source.open("rb", buffering=0)
    except OSError:
        return DAMAGED
    with source:
        stored = _Stored(header, source, is_checked=_same(source, item.checked))
        try:
            open_to(header, key, stored.read_chunk, write)
            state = OPENED
        except Rejected:
            state = MALFORMED
        if state == OPENED and stored.is_checked and _same(source, item.checked):
            return OPENED
        return state if stored.gives_root() else DAMAGED


class _Stored:
    """The payload as it lies in the store, hashed as it is read unless its root is known."""

    def __init__(self, header: Header, source: BinaryIO, *, is_checked: bool) -> None:
        self._header = header
        self._source = source
        whole = chunk_size(header.suite, header.pt_len, header.log2_chunk, 0)  # none is larger
        self._buffer = memoryview(bytearray(whole))
        self._root = _root_hasher(header)
        self.is_checked = is_checked

    def read_chunk(self, index: int) -> memoryview:
        """The chunk in the one buffer; shorter where the file ends. Raises Rejected."""
        header = self._header
        size = chunk_size(header.suite, header.pt_len, header.log2_chunk, index)
        part = self._buffer[: self._fill(self._buffer[:size])]
        if not self.is_checked:
            self._root.update(part)
        return part

    def gives_root(self) -> bool:
        """Whether all of the file gives ct_root; bytes that cannot be read do not."""
        try:
            if self.is_checked:  # something did not open all the same: look at every byte
                self.is_checked = False
                self._source.seek(0)
                self._root = _root_hasher(self._header)
            while size := self._fill(self._buffer):
                self._root.update(self._buffer[:size])
            return self._root.root() == self._header.ct_root
        except (Rejected, OSError):
            return False

    def _fill(self, buffer: memoryview) -> int:
        """Reads until the buffer is full or the file ends."""
        size = 0
        while size < len(buffer):
            try:
                got = os.readv(self._source.fileno(), [buffer[size:]])
            except OSError as error:
                raise Rejected("payload.unreadable") from error
            if not got:
                break
            size += got
        return size


def _root_hasher(header: Header) -> RootHasher:
    return RootHasher(header.suite, header.pt_len, header.log2_chunk)


def _same(source: BinaryIO, checked: Stamp | None) -> bool:
    return checked is not None and _stamp(os.fstat(source.fileno())) == checked


def _stamp(found: os.stat_result) -> Stamp:
    return found.st_dev, found.st_ino, found.st_size, found.st_mtime_ns, found.st_ctime_ns
