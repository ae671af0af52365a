"""The signed messages of bidders, trustees and host (签名消息), sealing C8, C9, C11, C14.

Invariant: a message object exists only if its bytes have the exact layout and length and its lists
are ascending and distinct. Signatures and meaning are for the callers.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass
from itertools import pairwise

from .primitives import ed25519, shamir
from .primitives.hashes import sha256, signed_text

SIGNATURE = 64
UNLOCKS_MAX = 256
TRUSTEES_MAX = 9
INTEGRATE_MS = 2000  # C14: how soon after it was signed a promise must be in the log


class BadLayout(Exception):
    """The bytes are not such a message; says in a few words why."""


@dataclass(frozen=True)
class Message:
    """What every message has: its bytes, as they were received."""

    raw: bytes

    @property
    def sha256(self) -> bytes:
        """The name of the message in log, bundle and receipts."""
        return sha256(self.raw)


@dataclass(frozen=True)
class Signed(Message):
    """A message whose last 64 bytes are a signature under the label of its kind."""

    label: str

    def is_signed_by(self, public: bytes) -> bool:
        """Whether the last 64 bytes are this key's signature over those before (C16)."""
        signed = signed_text(self.label, self.raw[:-SIGNATURE])
        return ed25519.verify(public, signed, self.raw[-SIGNATURE:])


@dataclass(frozen=True)
class Submit(Signed):
    """A bid counts through this message (投标提交, C9)."""

    tender_id: bytes
    bidder_pk: bytes
    lot: int
    seq: int
    prev: bytes
    kind: int
    envelopes: tuple[tuple[int, bytes], ...]  # (envelope number, bid_id), ascending


@dataclass(frozen=True)
class Unlock(Signed):
    """A bidder's halves for one envelope number and window (投标人解密, C11)."""

    tender_id: bytes
    nonce: bytes
    bidder_pk: bytes
    envelope: int
    w: int
    halves: tuple[tuple[bytes, bytes], ...]  # (bid_id, s_B), ascending


@dataclass(frozen=True)
class Release(Signed):
    """A trustee's shares for one envelope number and window (招标人解密, C11)."""

    tender_id: bytes
    root: bytes
    size: int
    nonce: bytes
    envelope: int
    i: int
    mode: int
    shares: dict[bytes, tuple[int, bytes]]  # bid_id to (status, share), ascending


@dataclass(frozen=True)
class Card(Message):
    """An unlock card's half, or a self-released host half: 136 bytes without a signature (C8)."""

    tender_id: bytes
    nonce: bytes
    bid_id: bytes
    half: bytes


@dataclass(frozen=True)
class Ack(Signed):
    """The host's signed promise about one message (回执, C14)."""

    tender_id: bytes
    kind: int
    message: bytes  # SHA-256
    result: int
    server_ms: int  # carries received_ms (formats §1)
    integrate_by_ms: int


def _require(holds: bool, why: str) -> None:
    if not holds:
        raise BadLayout(why)


def _ascending(items: list[bytes]) -> bool:
    return all(a < b for a, b in pairwise(items))


def _rows(raw: bytes, start: int, count: int, size: int) -> list[bytes]:
    """`count` rows of `size` bytes, after which exactly the signature follows."""
    _require(len(raw) == start + count * size + SIGNATURE, "length")
    return [raw[start + k * size : start + (k + 1) * size] for k in range(count)]


def read_submit(raw: bytes) -> Submit:
    """SUBMIT or WITHDRAW, 180 + 36k bytes."""
    _require(len(raw) >= 180 and raw[:8] == b"KBIDSUB1", "not a SUBMIT")
    tender_id, pk, lot, seq, prev, kind, zero, k = struct.unpack_from(">32s32sII32sBBH", raw, 8)
    rows = _rows(raw, 116, k, 36)
    envelopes = tuple((int.from_bytes(row[:4], "big"), row[4:]) for row in rows)
    _require(zero == 0 and kind in (1, 2) and seq >= 1, "kind, zero byte or seq")
    _require(any(prev) if seq > 1 else not any(prev), "prev does not fit seq")
    _require(_ascending(rows), "envelopes not ascending")
    _require(len({number for number, _ in envelopes}) == k, "an envelope number twice")
    has_form = any(number == 1 for number, _ in envelopes)
    _require(has_form if kind == 1 else k == 0, "envelope 1 missing, or a withdrawal with a list")
    return Submit(raw, "KBID1 submit", tender_id, pk, lot, seq, prev, kind, envelopes)


def read_unlock(raw: bytes) -> Unlock:
    """UNLOCK, 176 + 64k bytes."""
    _require(len(raw) >= 176 and raw[:8] == b"KBIDUNL1", "not an UNLOCK")
    tender_id, nonce, pk, envelope, w, k = struct.unpack_from(">32s32s32sIHH", raw, 8)
    rows = _rows(raw, 112, k, 64)
    _require(1 <= k <= UNLOCKS_MAX and w >= 1, "number of halves or of window")
    _require(_ascending([row[:32] for row in rows]), "bid_ids not ascending")
    halves = tuple((row[:32], row[32:]) for row in rows)
    return Unlock(raw, "KBID1 unlock", tender_id, nonce, pk, envelope, w, halves)


def read_release(raw: bytes) -> Release:
    """RELEASE, 188 + 65N bytes."""
    _require(len(raw) >= 188 and raw[:8] == b"KBIDREL1", "not a RELEASE")
    fields = struct.unpack_from(">32s32sQ32sIBBHI", raw, 8)
    tender_id, root, size, nonce, envelope, i, mode, zero, count = fields
    _require(len(raw) == 188 + 65 * count, "length")
    rows = _rows(raw, 124, count, 65)
    _require(
        zero == 0 and mode in (0, 1) and 1 <= i <= TRUSTEES_MAX, "zero bytes, mode or position"
    )
    _require(_ascending([row[:32] for row in rows]), "bid_ids not ascending")
    for row in rows:
        status, share = row[32], row[33:]
        _require(status <= 3, "status")
        # C4: a scalar of L or more is refused; there is one spelling of each share.
        _require(shamir.scalar(share) is not None if status == 0 else not any(share), "share")
    shares = {row[:32]: (row[32], row[33:]) for row in rows}
    return Release(raw, "KBID1 release", tender_id, root, size, nonce, envelope, i, mode, shares)


def read_card(raw: bytes, magic: bytes) -> Card:
    """A card unlock (magic KBIDCRD1) or a self-release (KBIDSLF1), 136 bytes."""
    _require(len(raw) == 136 and raw[:8] == magic, f"not a {magic.decode('ascii')} message")
    return Card(raw, raw[8:40], raw[40:72], raw[72:104], raw[104:])


def read_ack(raw: bytes) -> Ack:
    """ACK, 154 bytes."""
    _require(len(raw) == 154 and raw[:8] == b"KBIDACK1", "not an ACK")
    tender_id, kind, message, result, server_ms, by_ms = struct.unpack_from(">32sB32sBQQ", raw, 8)
    _require(1 <= kind <= 7 and result <= 5, "kind or result")
    _require(by_ms >= server_ms + INTEGRATE_MS, "promised earlier than lawful")
    return Ack(raw, "KBID1 ack", tender_id, kind, message, result, server_ms, by_ms)
