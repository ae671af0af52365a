"""Messages of an opening (解密报文): UNLOCK and RELEASE (C11), card unlock and self-release (C8).

Invariant: as in `crypto.messages`. One message speaks of one envelope number and one window, so a
form's messages can be published while a body's stay closed.
"""

import struct
from collections.abc import Iterable
from dataclasses import dataclass, field
from functools import lru_cache
from typing import ClassVar, Final, NamedTuple

from crypto.errors import Rejected
from crypto.hashes import SHA256_SIZE, Octets
from crypto.keys import SigningKey
from crypto.layout import TENDER_ID_SIZE, TRUSTEES_MAX
from crypto.message_parts import (
    OPENING_NONCE_SIZE,
    Message,
    SignedMessage,
    begun,
    is_ascending,
    list_bytes,
    sign,
)
from crypto.shares import SHARE_OK, SHARE_REFUSED
from crypto.suites import Suite

MODE_UNLOCKED: Final = 0
MODE_ALL: Final = 1
UNLOCK_ITEMS_MAX: Final = 256
RELEASE_ITEMS_MAX: Final = 20_000


class UnlockItem(NamedTuple):
    bid_id: bytes
    bidder_half: bytes


class ReleaseItem(NamedTuple):
    bid_id: bytes
    status: int
    share: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class Unlock(SignedMessage):
    """UNLOCK of C11: bidder halves of one envelope number in one window."""

    magic: ClassVar = b"KBIDUNL1"
    label: ClassVar = "KBID1 unlock"
    tender_id: bytes
    opening_nonce: bytes
    bidder_pk: bytes
    envelope: int
    w: int
    items: tuple[UnlockItem, ...] = field(repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Release(SignedMessage):
    """RELEASE of C11: one trustee's shares of one envelope number. It does not name its signer."""

    magic: ClassVar = b"KBIDREL1"
    label: ClassVar = "KBID1 release"
    tender_id: bytes
    root: bytes
    size: int
    opening_nonce: bytes
    envelope: int
    i: int
    """the trustee's position in the header, from 1"""
    mode: int
    items: tuple[ReleaseItem, ...] = field(repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class CardUnlock(Message):
    """Card unlock of C8: knowing s_B is the authorisation; there is no signature."""

    magic: ClassVar = b"KBIDCRD1"
    tender_id: bytes
    opening_nonce: bytes
    bid_id: bytes
    bidder_half: bytes = field(repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class SelfRelease(Message):
    """Self-release of C8: a bidder shows its own s_H; valid when DEAL CHECK passes."""

    magic: ClassVar = b"KBIDSLF1"
    tender_id: bytes
    opening_nonce: bytes
    bid_id: bytes
    host_half: bytes = field(repr=False)


@dataclass(frozen=True, slots=True)
class Layouts:
    """The structures of these messages under one suite."""

    unlock: struct.Struct
    unlock_item: struct.Struct
    release: struct.Struct
    release_item: struct.Struct
    card_unlock: struct.Struct
    self_release: struct.Struct


@lru_cache(maxsize=8)
def layouts(suite: Suite) -> Layouts:
    """The layouts that this suite's sizes give."""
    tender, pk, bid = f"{TENDER_ID_SIZE}s", f"{suite.sign_public_size}s", f"{suite.bid_id_size}s"
    nonce, root = f"{OPENING_NONCE_SIZE}s", f"{SHA256_SIZE}s"
    s_B, s_H, share = suite.bidder_half_size, suite.host_half_size, suite.share_size
    return Layouts(
        unlock=struct.Struct(f">8s {tender} {nonce} {pk} I H H"),
        unlock_item=struct.Struct(f">{bid} {s_B}s"),
        release=struct.Struct(f">8s {tender} {root} Q {nonce} I B B 2s I"),
        release_item=struct.Struct(f">{bid} B {share}s"),
        card_unlock=struct.Struct(f">8s {tender} {nonce} {bid} {s_B}s"),
        self_release=struct.Struct(f">8s {tender} {nonce} {bid} {s_H}s"),
    )


def parse_unlock(raw: Octets, suite: Suite) -> Unlock:
    """Raises Rejected unlock. length, magic, count, length, window, order."""
    head, item = layouts(suite).unlock, layouts(suite).unlock_item
    whole = begun(raw, head.size + suite.signature_size, Unlock.magic, "unlock")
    _, tender_id, opening_nonce, bidder_pk, envelope, w, k = head.unpack_from(whole)
    if not 1 <= k <= UNLOCK_ITEMS_MAX:
        raise Rejected("unlock.count", str(k))
    body = list_bytes(whole, head, item, k, suite.signature_size, "unlock")
    if w == 0:
        raise Rejected("unlock.window")
    items = tuple(UnlockItem(*fields) for fields in item.iter_unpack(body))
    if not is_ascending(one.bid_id for one in items):
        raise Rejected("unlock.order")
    return Unlock(
        suite=suite,
        raw=whole,
        tender_id=tender_id,
        opening_nonce=opening_nonce,
        bidder_pk=bidder_pk,
        envelope=envelope,
        w=w,
        items=items,
    )


def parse_release(raw: Octets, suite: Suite) -> Release:
    """Raises Rejected release. length, magic, position, mode, zero, count, length, order, status,
    share. N = 0 is lawful: nobody unlocked.
    """
    head, item = layouts(suite).release, layouts(suite).release_item
    whole = begun(raw, head.size + suite.signature_size, Release.magic, "release")
    _, tender_id, root, size, opening_nonce, envelope, i, mode, zero, n = head.unpack_from(whole)
    if not 1 <= i <= TRUSTEES_MAX:
        raise Rejected("release.position", str(i))
    if mode not in (MODE_UNLOCKED, MODE_ALL):
        raise Rejected("release.mode", str(mode))
    if any(zero):
        raise Rejected("release.zero")
    if n > RELEASE_ITEMS_MAX:
        raise Rejected("release.count", str(n))
    body = list_bytes(whole, head, item, n, suite.signature_size, "release")
    items = tuple(ReleaseItem(*fields) for fields in item.iter_unpack(body))
    if not is_ascending(one.bid_id for one in items):
        raise Rejected("release.order")
    for one in items:
        if one.status > SHARE_REFUSED:
            raise Rejected("release.status", str(one.status))
        if not (suite.is_share(one.share) if one.status == SHARE_OK else not any(one.share)):
            raise Rejected("release.share")
    return Release(
        suite=suite,
        raw=whole,
        tender_id=tender_id,
        root=root,
        size=size,
        opening_nonce=opening_nonce,
        envelope=envelope,
        i=i,
        mode=mode,
        items=items,
    )


def parse_card_unlock(raw: Octets, suite: Suite) -> CardUnlock:
    """Raises Rejected card_unlock. length, magic."""
    layout = layouts(suite).card_unlock
    whole = begun(raw, layout.size, CardUnlock.magic, "card_unlock", exact=True)
    _, tender_id, opening_nonce, bid_id, bidder_half = layout.unpack(whole)
    return CardUnlock(
        suite=suite,
        raw=whole,
        tender_id=tender_id,
        opening_nonce=opening_nonce,
        bid_id=bid_id,
        bidder_half=bidder_half,
    )


def parse_self_release(raw: Octets, suite: Suite) -> SelfRelease:
    """Raises Rejected self_release. length, magic, scalar (not canonical, or zero)."""
    layout = layouts(suite).self_release
    whole = begun(raw, layout.size, SelfRelease.magic, "self_release", exact=True)
    _, tender_id, opening_nonce, bid_id, host_half = layout.unpack(whole)
    if not suite.is_host_half(host_half):
        raise Rejected("self_release.scalar")
    return SelfRelease(
        suite=suite,
        raw=whole,
        tender_id=tender_id,
        opening_nonce=opening_nonce,
        bid_id=bid_id,
        host_half=host_half,
    )


def build_unlock(
    suite: Suite,
    *,
    tender_id: bytes,
    opening_nonce: bytes,
    envelope: int,
    w: int,
    items: Iterable[tuple[bytes, bytes]],
    key: SigningKey,
) -> Unlock:
    """Sign an UNLOCK of (bid_id, s_B) pairs in any order."""
    packed = sorted(layouts(suite).unlock_item.pack(*item) for item in items)
    head = (Unlock.magic, tender_id, opening_nonce, key.public, envelope, w, len(packed))
    body = layouts(suite).unlock.pack(*head) + b"".join(packed)
    return parse_unlock(sign(suite, Unlock.label, body, key), suite)


def build_release(
    suite: Suite,
    *,
    tender_id: bytes,
    root: bytes,
    size: int,
    opening_nonce: bytes,
    envelope: int,
    i: int,
    mode: int,
    items: Iterable[tuple[bytes, int, bytes]],
    key: SigningKey,
) -> Release:
    """Sign a RELEASE of (bid_id, status, share) in any order, with the trustee's signing key."""
    packed = sorted(layouts(suite).release_item.pack(*item) for item in items)
    head = (Release.magic, tender_id, root, size, opening_nonce, envelope, i, mode, bytes(2))
    body = layouts(suite).release.pack(*head, len(packed)) + b"".join(packed)
    return parse_release(sign(suite, Release.label, body, key), suite)


def build_card_unlock(
    suite: Suite, *, tender_id: bytes, opening_nonce: bytes, bid_id: bytes, bidder_half: bytes
) -> CardUnlock:
    """The message that a card's s_B authorises by itself."""
    fields = (CardUnlock.magic, tender_id, opening_nonce, bid_id, bidder_half)
    return parse_card_unlock(layouts(suite).card_unlock.pack(*fields), suite)


def build_self_release(
    suite: Suite, *, tender_id: bytes, opening_nonce: bytes, bid_id: bytes, host_half: bytes
) -> SelfRelease:
    """The message by which a bidder shows s_H when trustees are lost."""
    fields = (SelfRelease.magic, tender_id, opening_nonce, bid_id, host_half)
    return parse_self_release(layouts(suite).self_release.pack(*fields), suite)
