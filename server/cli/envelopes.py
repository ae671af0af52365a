"""`kaibiao inspect` and `kaibiao open`: what can be said of bytes alone, without a manifest."""

import json as jsonlib
import os
from pathlib import Path

from crypto.errors import Rejected
from crypto.header import Header, describe, header_signature_ok, parse_header
from crypto.sealing import (
    ContentKey,
    bidder_half_matches,
    content_key,
    deal_check,
    host_half_matches,
    open_to,
)
from crypto.stream import RootHasher, chunk_size
from server.cli.files import new_files, read_within
from server.cli.padding import cut

HEADER_BYTES_MAX = 1 << 16
READ_BYTES = 1 << 20


def read_header(path: Path) -> Header:
    """A header file, within its size limit; structure and ranges only."""
    return parse_header(read_within(path, HEADER_BYTES_MAX, "header.length"))


def inspect_header(path: Path, *, as_json: bool) -> None:
    """Every field by its name in the format; bytes in hex."""
    fields = describe(read_header(path))
    if as_json:
        print(jsonlib.dumps(fields))
        return
    for name, value in fields.items():
        print(f"{name:12} {jsonlib.dumps(value) if isinstance(value, list) else value}")


def open_envelope(
    header_path: Path, payload: Path, bidder_half: str, host_half: str, out: Path, *, raw: bool
) -> None:
    """All checks of bytes, in this order: signature, c_B, c_H, DEAL CHECK, c_K, ct_root, every
    chunk, c_P, padding (unless ``raw``). ``out`` is there only if all of them held.

    Raises Rejected header.*, open.hex, open.bidder_half, open.host_half, open.deal_check,
    open.content_key, open.payload_size, open.ct_root, chunk.tag, plaintext.commitment,
    form.padding.
    """
    header = read_header(header_path)
    key = checked_key(header, _octets(bidder_half), _octets(host_half))
    with new_files(out) as (target,), payload.open("rb") as source:
        size = os.fstat(source.fileno()).st_size
        if size != header.payload_size:
            raise Rejected("open.payload_size", f"{size}, not {header.payload_size}")
        root = RootHasher(header.suite, header.pt_len, header.log2_chunk)
        while part := source.read(READ_BYTES):
            root.update(part)
        if root.root() != header.ct_root:
            raise Rejected("open.ct_root")
        source.seek(0)

        def read_chunk(index: int) -> bytes:
            return source.read(chunk_size(header.suite, header.pt_len, header.log2_chunk, index))

        open_to(header, key, read_chunk, target.write)
        if not raw:
            cut(target, header.pt_len)


def checked_key(header: Header, s_B: bytes, s_H: bytes) -> ContentKey:
    """The content key, once header and halves have been shown to belong together."""
    if not header_signature_ok(header):
        raise Rejected("header.signature")
    if not bidder_half_matches(header, s_B):
        raise Rejected("open.bidder_half")
    if not host_half_matches(header, s_H):
        raise Rejected("open.host_half")
    if not deal_check(header, s_H):
        raise Rejected("open.deal_check")
    key = content_key(header, s_B, s_H)
    if key is None:
        raise Rejected("open.content_key")
    return key


def _octets(text: str) -> bytes:
    try:
        return bytes.fromhex(text)
    except ValueError as error:
        raise Rejected("open.hex") from error
