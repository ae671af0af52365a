"""Opening large envelopes (技术标等) straight into their target file, chunk by chunk (C3, design.md
§4).

The target appears under its name only when every chunk, ct_root and c_P agreed; what failed is
removed.
"""

import os
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from crypto.errors import Rejected
from crypto.sealing import ContentKey, content_key, open_to
from crypto.stream import RootHasher, chunk_size
from server.decryption.halves import MALFORMED, find
from server.domain.due import BidHalves

READ_BYTES = 1 << 20


@dataclass(frozen=True, slots=True)
class SealedBody:
    """One large envelope: its halves, where its payload lies, where its plaintext goes."""

    bid: BidHalves
    source: Path
    target: Path


def open_body(item: SealedBody) -> str:
    """The body's state by C3; on ``opened`` the target file is complete and durable."""
    header = item.bid.header
    halves = find(item.bid, _intact(item), None)
    if halves.found.state:
        return halves.found.state
    with item.source.open("rb") as source:
        key = content_key(header, item.bid.bidder_half, halves.found.host_half)
        assert key is not None
        partial = item.target.with_suffix(".partial")
        item.target.parent.mkdir(parents=True, exist_ok=True)
        try:
            with partial.open("wb") as target:
                _open_chunks(item.bid, key, source, target)
                target.flush()
                os.fdatasync(target.fileno())
        except Rejected:
            partial.unlink()
            return MALFORMED
        partial.rename(item.target)
    return "opened"


def _intact(item: SealedBody) -> bool:
    """Whether the stored bytes give ct_root; bytes that are gone or cannot be read do not."""
    header = item.bid.header
    root = RootHasher(header.suite, header.pt_len, header.log2_chunk)
    try:
        with item.source.open("rb") as source:
            while part := source.read(READ_BYTES):
                root.update(part)
        return root.root() == header.ct_root
    except (Rejected, OSError):
        return False


def _open_chunks(bid: BidHalves, key: ContentKey, source: BinaryIO, target: BinaryIO) -> None:
    header = bid.header

    def read_chunk(index: int) -> bytes:
        return source.read(chunk_size(header.suite, header.pt_len, header.log2_chunk, index))

    open_to(header, key, read_chunk, target.write)
