"""SUBMIT and WITHDRAW (递交、撤回): the message by which a bid counts (C9).

Invariant: as in `crypto.messages`. What needs memory is the caller's: that seq and prev continue
the chain of this bidder and lot, that headers are stored and agree, that no bid_id was listed
before.
"""

import struct
from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache
from typing import ClassVar, Final, NamedTuple

from crypto.errors import Rejected
from crypto.hashes import SHA256_SIZE, Octets
from crypto.keys import SigningKey
from crypto.layout import TENDER_ID_SIZE
from crypto.message_parts import (
    FORM_ENVELOPE,
    SignedMessage,
    begun,
    is_ascending,
    list_bytes,
    sign,
)
from crypto.suites import Suite

KIND_SUBMIT: Final = 1
KIND_WITHDRAW: Final = 2
SUBMIT_ITEMS_MAX: Final = 256


class SubmitItem(NamedTuple):
    envelope: int
    bid_id: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class Submit(SignedMessage):
    """SUBMIT or WITHDRAW of C9: the message by which a bid (投标) counts."""

    magic: ClassVar = b"KBIDSUB1"
    label: ClassVar = "KBID1 submit"
    tender_id: bytes
    bidder_pk: bytes
    lot: int
    seq: int
    prev: bytes
    kind: int
    items: tuple[SubmitItem, ...]


@lru_cache(maxsize=8)
def layout(suite: Suite) -> tuple[struct.Struct, struct.Struct]:
    """The fixed part and one item of the list, as this suite's sizes give them."""
    pk, bid = f"{suite.sign_public_size}s", f"{suite.bid_id_size}s"
    head = struct.Struct(f">8s {TENDER_ID_SIZE}s {pk} I I {SHA256_SIZE}s B B H")
    return head, struct.Struct(f">I {bid}")


def parse_submit(raw: Octets, suite: Suite) -> Submit:
    """Raises Rejected submit. length, magic, kind, zero, count, length, seq, prev, order, form."""
    head, item = layout(suite)
    whole = begun(raw, head.size + suite.signature_size, Submit.magic, "submit")
    _, tender_id, bidder_pk, lot, seq, prev, kind, zero, k = head.unpack_from(whole)
    if kind not in (KIND_SUBMIT, KIND_WITHDRAW):
        raise Rejected("submit.kind", str(kind))
    if zero:
        raise Rejected("submit.zero")
    if (kind == KIND_SUBMIT and not 1 <= k <= SUBMIT_ITEMS_MAX) or (kind == KIND_WITHDRAW and k):
        raise Rejected("submit.count", str(k))
    body = list_bytes(whole, head, item, k, suite.signature_size, "submit")
    if seq == 0:
        raise Rejected("submit.seq")
    # Only the first of a chain has no previous message; no message hashes to zero.
    if (seq == 1) == any(prev):
        raise Rejected("submit.prev")
    if not is_ascending(body[at : at + item.size] for at in range(0, len(body), item.size)):
        raise Rejected("submit.order")
    items = tuple(SubmitItem(*fields) for fields in item.iter_unpack(body))
    if kind == KIND_SUBMIT and sum(one.envelope == FORM_ENVELOPE for one in items) != 1:
        raise Rejected("submit.form")
    return Submit(
        suite=suite,
        raw=whole,
        tender_id=tender_id,
        bidder_pk=bidder_pk,
        lot=lot,
        seq=seq,
        prev=prev,
        kind=kind,
        items=items,
    )


def build_submit(
    suite: Suite,
    *,
    tender_id: bytes,
    lot: int,
    seq: int,
    prev: bytes,
    items: Iterable[tuple[int, bytes]],
    key: SigningKey,
    kind: int = KIND_SUBMIT,
) -> Submit:
    """Sign a SUBMIT of (envelope, bid_id) pairs in any order; kind 2 and no items withdraw."""
    head, item = layout(suite)
    packed = sorted(item.pack(*pair) for pair in items)
    fields = (Submit.magic, tender_id, key.public, lot, seq, prev, kind, 0, len(packed))
    body = head.pack(*fields) + b"".join(packed)
    return parse_submit(sign(suite, Submit.label, body, key), suite)
