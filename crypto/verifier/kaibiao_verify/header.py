"""The header of a sealed envelope (信封头, .kbh), suite nacl-1: layout of 4.2, rules of C6.

Invariant: every range is checked before anything is computed from a field. The derived values, AD
and bid_id, cover the bytes that C2 and C6 name.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass
from typing import Any

from .manifest import FORM_LENGTH_MAX, Manifest
from .primitives import ed25519, x25519
from .primitives.hashes import labelled, signed_text

MAGIC = b"\x89KBID\r\n\x1a"
CORE = struct.Struct(">8sHHI32sII32s32s16sQQII")  # 160 bytes
FIXED = struct.Struct(">32s32s32s32s32s80sBBH")  # bytes 160..404
ROW, SIGNATURE = 144, 64
ROWS_AT = CORE.size + FIXED.size
TRUSTEES_MAX = 9


class BadHeader(Exception):
    """The header breaks a rule of C6; `rule` names it, `found` shows what stands there."""

    def __init__(self, rule: str, found: object = "") -> None:
        super().__init__(f"{rule}: {found}" if found != "" else rule)


@dataclass(frozen=True)
class Header:
    """A header's fields by the names of sealing 4.2; `rows` are (trustee_xpk, box)."""

    raw: bytes
    suite: int
    tender_id: bytes
    lot: int
    envelope: int
    bidder_pk: bytes
    bidder_xpk: bytes
    pt_len: int
    log2_chunk: int
    n_chunks: int
    c_B: bytes
    c_H: bytes
    c_K: bytes
    c_P: bytes
    ct_root: bytes
    t: int
    n: int
    rows: tuple[tuple[bytes, bytes], ...]

    @property
    def ad(self) -> bytes:
        """AD: binds every key and box to this one envelope."""
        return labelled("KBID1 ad", self.raw[0:12], self.raw[16:160])

    @property
    def bid_id(self) -> bytes:
        """The envelope's name: covers the signature too."""
        return labelled("KBID1 bid", self.raw)

    @property
    def dealt(self) -> bytes:
        """The bytes that a dealing makes: trustee keys and boxes."""
        return self.raw[ROWS_AT : ROWS_AT + ROW * self.n]


def read_header(raw: bytes) -> Header:
    """Layout and ranges; raises BadHeader."""
    if not ROWS_AT + ROW + SIGNATURE <= len(raw) <= ROWS_AT + ROW * TRUSTEES_MAX + SIGNATURE:
        raise BadHeader("length", len(raw))
    magic, version, suite, header_len, *core = CORE.unpack_from(raw)
    tender_id, lot, envelope, pk, xpk, _nonce, _created, pt_len, log2_chunk, n_chunks = core
    c_B, c_H, c_K, c_P, ct_root, _box_B, t, n, zero = FIXED.unpack_from(raw, CORE.size)
    if (magic, version, suite) != (MAGIC, 1, 1):
        raise BadHeader("magic, version or suite")
    if not 1 <= t <= n <= TRUSTEES_MAX or zero:
        raise BadHeader("t, n or the zero bytes", (t, n, zero))
    if not len(raw) == header_len == ROWS_AT + ROW * n + SIGNATURE:
        raise BadHeader("header_len", header_len)
    if not 16 <= log2_chunk <= 20:
        raise BadHeader("log2_chunk", log2_chunk)
    if n_chunks != max(1, -(-pt_len >> log2_chunk)):
        raise BadHeader("n_chunks", n_chunks)
    rows = tuple(
        (raw[at : at + 32], raw[at + 32 : at + ROW])
        for at in range(ROWS_AT, ROWS_AT + ROW * n, ROW)
    )
    return Header(
        raw, suite, tender_id, lot, envelope, pk, xpk, pt_len, log2_chunk, n_chunks,
        c_B, c_H, c_K, c_P, ct_root, t, n, rows,
    )  # fmt: skip


def accept_header(header: Header, manifest: Manifest, bidder_xpk: bytes) -> None:
    """C6 against manifest and registration, signature last; raises BadHeader.

    That bidder_pk is registered and AD is new is the caller's to check: it knows the others.
    """
    envelope = manifest.envelope(header.envelope)
    if header.tender_id != manifest.tender_id:
        raise BadHeader("tender_id", header.tender_id.hex())
    if envelope is None:
        raise BadHeader("envelope", header.envelope)
    if header.lot not in [one["lot"] for one in manifest["lots"]]:
        raise BadHeader("lot", header.lot)
    if header.bidder_xpk != bidder_xpk:
        raise BadHeader("bidder_xpk", header.bidder_xpk.hex())
    if not x25519.is_canonical(bidder_xpk) or x25519.is_low_order(bidder_xpk):
        raise BadHeader("bidder_xpk is no lawful key", bidder_xpk.hex())
    listed = [bytes.fromhex(trustee["xpk"]) for trustee in manifest.trustees(envelope)]
    if [xpk for xpk, _ in header.rows] != listed:
        raise BadHeader("trustees are not the manifest's list")
    if header.t != envelope["t"] or (header.t == header.n and not manifest["demo"]):
        raise BadHeader("threshold", f"{header.t} of {header.n}")
    if header.log2_chunk != envelope["log2_chunk"]:
        raise BadHeader("log2_chunk", header.log2_chunk)
    _accept_length(header.pt_len, envelope)
    signed = signed_text("KBID1 header", header.raw[:-SIGNATURE])
    if not ed25519.verify(header.bidder_pk, signed, header.raw[-SIGNATURE:]):
        raise BadHeader("signature of bidder_pk")


def _accept_length(pt_len: int, envelope: dict[str, Any]) -> None:
    is_form = envelope["kind"] == "form"
    block = 4096 if is_form else 65_536
    limit = min(envelope["pt_len_max"], FORM_LENGTH_MAX) if is_form else envelope["pt_len_max"]
    if not 0 < pt_len <= limit or pt_len % block:
        raise BadHeader("pt_len", pt_len)
