"""`kaibiao inspect` and `kaibiao open`: what can be said of bytes alone, without a manifest."""

import json as jsonlib
import os
from pathlib import Path

from crypto.errors import Rejected
from crypto.form import FORM_BLOCK, unpad
from crypto.header import Header, describe, header_signature_ok, parse_header
from crypto.sealing import bidder_half_matches, content_key, deal_check, host_half_matches, open_to
from crypto.stream import RootHasher, chunk_size

HEADER_SIZE_MAX = 1 << 16
READ_BYTES = 1 << 20
BODY_BLOCK = 65_536


def read_header(path: Path) -> Header:
    """A header file within its size limit."""
    if path.stat().st_size > HEADER_SIZE_MAX:
        raise Rejected("header.length")
    return parse_header(path.read_bytes())


def inspect_header(path: Path, *, as_json: bool) -> None:
    fields = describe(read_header(path))
    if as_json:
        print(jsonlib.dumps(fields))
        return
    for name, value in fields.items():
        print(f"{name:12} {jsonlib.dumps(value) if isinstance(value, list) else value}")


def open_envelope(
    header_path: Path, payload: Path, bidder_half: str, host_half: str, out: Path, *, raw: bool
) -> None:
    """All checks of bytes: signature, c_B, c_H, DEAL CHECK, c_K, ct_root, every chunk, c_P,
    padding.

    Nothing stands under ``out`` unless every check held.
    """
    header = read_header(header_path)
    s_b, s_h = bytes.fromhex(bidder_half), bytes.fromhex(host_half)
    if not header_signature_ok(header):
        raise Rejected("header.signature")
    suite = header.suite
    if len(s_b) != suite.bidder_half_size or not bidder_half_matches(header, s_b):
        raise Rejected("open.bidder_half")
    if len(s_h) != suite.host_half_size or not host_half_matches(header, s_h):
        raise Rejected("open.host_half")
    if not deal_check(header, s_h):
        raise Rejected("open.deal_check")
    key = content_key(header, s_b, s_h)
    if key is None:
        raise Rejected("open.content_key")
    _check_root(header, payload)
    partial = out.with_name(out.name + ".partial")
    try:
        with payload.open("rb") as source, partial.open("wb") as target:

            def read_chunk(index: int) -> bytes:
                return source.read(chunk_size(suite, header.pt_len, header.log2_chunk, index))

            open_to(header, key, read_chunk, target.write)
        if not raw:
            _cut_padding(partial, FORM_BLOCK if header.pt_len % BODY_BLOCK else BODY_BLOCK)
        partial.rename(out)
    finally:
        partial.unlink(missing_ok=True)


def _check_root(header: Header, payload: Path) -> None:
    root = RootHasher(header.suite, header.pt_len, header.log2_chunk)
    with payload.open("rb") as source:
        while part := source.read(READ_BYTES):
            root.update(part)
    if root.root() != header.ct_root:
        raise Rejected("open.ct_root")


def _cut_padding(path: Path, block: int) -> None:
    """sodium_pad lies in the last block; a file that has none is refused."""
    size = path.stat().st_size
    with path.open("r+b") as file:
        file.seek(max(0, size - block))
        last = unpad(file.read(), block)
        file.truncate(size - min(block, size) + len(last))
        os.fsync(file.fileno())
