"""The types of log entries and their members (日志条目类型), formats §5.

Invariant: an entry is exactly salt16 ‖ u8 type ‖ canonical JSON with the members of its type; in a
public bundle only the types marked public may stand.
"""

from __future__ import annotations

from typing import Any, NamedTuple

from .jcs import NotCanonical, read
from .schema import (
    Shape,
    array,
    boolean,
    choice,
    hexadecimal,
    integer,
    member,
    null_or,
    pattern,
    record,
    text,
)

ENTRY_MAX = 4096
STATES = ("opened", "locked", "unrecoverable", "damaged", "malformed")
GROUNDS = ("revoked", "excused", "malformed")

SITE_START, TENDER, BIDDER_REG, DEADLINE_CHANGE, SUBMIT, DEADLINE_CLOSED = 1, 2, 3, 4, 5, 6
STORE_CHECK, OPENING_START, WINDOW_CHANGE, UNLOCK, WINDOW_END, RELEASE = 7, 8, 9, 10, 12, 13
SELF_RELEASE, TRUSTEES_LOST, REPAIR, REPLY_END, TRUSTEE_FAULT = 14, 15, 16, 17, 18
SET_FROZEN, READ_OUT, BODY_STATE, STATE_DECIDED = 19, 20, 21, 22
HEAD = 30

_HASH = hexadecimal(32)
_SIGS = array(record(pk=_HASH, sig=hexadecimal(64)), 1, 16)
_SIGNATURES = array(
    record(pk=_HASH, role=choice("agency", "purchaser", "supervisor"), sig=hexadecimal(64)), 2, 16
)
_REASON = text(0, 500)
_STREAM = pattern("registry|(tender|opening|evaluation):[a-z0-9-]{1,64}")
_BESIDE: dict[str, Shape] = {"sha256": _HASH, "size": integer()}
_SIGNATURE_OF_ANY_KIND = pattern("([0-9a-f]{2}){64,1024}")


def binding(value: Any, where: str) -> None:
    """Who vouches for a bidder's keys: the host by invitation, or a certificate (C17)."""
    kind = member(value, "kind")
    choice("invitation", "certificate")(kind, f"{where}.kind")
    if kind == "invitation":
        record(kind=choice(kind), pk=_HASH, sig=hexadecimal(64))(value, where)
    else:
        shape = record(kind=choice(kind), chain_sha256=_HASH, sig=_SIGNATURE_OF_ANY_KIND)
        shape(value, where)


class EntryType(NamedTuple):
    """A type's name and the shape of its JSON."""

    name: str
    shape: Shape


def _of_tender(name: str, **members: Shape) -> EntryType:
    return EntryType(name, record(server_ms=integer(), tender_id=_HASH, **members))


def _of_site(name: str, **members: Shape) -> EntryType:
    return EntryType(name, record(server_ms=integer(), **members))


PUBLIC: dict[int, EntryType] = {
    1: _of_site("SITE_START", epoch=integer(), log_origin=text(1, 200), software=text(1, 200)),
    2: _of_tender("TENDER", **_BESIDE, signatures=_SIGNATURES),
    3: _of_tender(
        "BIDDER_REG",
        bidder_pk=_HASH,
        bidder_xpk=_HASH,
        org_sha256=_HASH,
        expiry_ms=integer(),
        sig=hexadecimal(64),
        binding=binding,
    ),
    4: _of_tender(
        "DEADLINE_CHANGE", old_ms=integer(), deadline_ms=integer(), reason=_REASON, sigs=_SIGS
    ),
    5: _of_tender(
        "SUBMIT", kind=choice(1, 2), result=integer(0, 5), received_ms=integer(), **_BESIDE
    ),
    6: _of_tender("DEADLINE_CLOSED", deadline_ms=integer(), count=integer(), list_root=_HASH),
    7: _of_tender("STORE_CHECK", checked=integer(), damaged=array(_HASH, 0, 64)),
    8: _of_tender(
        "OPENING_START",
        session=integer(1),
        envelope=integer(1),
        w=integer(1),
        nonce=_HASH,
        start_ms=integer(),
        end_ms=integer(),
    ),
    9: _of_tender(
        "WINDOW_CHANGE",
        nonce=_HASH,
        change=choice("pause", "resume", "extend"),
        end_ms=integer(),
        remaining_ms=null_or(integer()),
        reason=_REASON,
    ),
    10: _of_tender(
        "UNLOCK",
        nonce=_HASH,
        by=choice("key", "card"),
        result=integer(0, 5),
        received_ms=integer(),
        **_BESIDE,
    ),
    12: _of_tender("WINDOW_END", nonce=_HASH, end_ms=integer(), early=boolean, unlocked=integer()),
    13: _of_tender(
        "RELEASE",
        nonce=_HASH,
        i=integer(1, 9),
        mode=choice(0, 1),
        received_ms=integer(),
        **_BESIDE,
    ),
    14: _of_tender("SELF_RELEASE", nonce=_HASH, bid_id=_HASH, sha256=_HASH, received_ms=integer()),
    15: _of_tender("TRUSTEES_LOST", nonce=_HASH, reason=_REASON, sigs=_SIGS),
    16: _of_tender("REPAIR", bid_id=_HASH, ct_root=_HASH),
    17: _of_tender("REPLY_END", nonce=_HASH),
    18: _of_tender(
        "TRUSTEE_FAULT",
        nonce=_HASH,
        i=integer(1, 9),
        bid_id=null_or(_HASH),
        fault=choice("share", "unreadable", "second"),
        sha256=_HASH,
    ),
    19: _of_tender("SET_FROZEN", nonce=_HASH, **_BESIDE),
    20: _of_tender("READ_OUT", nonce=_HASH, **_BESIDE),
    21: _of_tender("BODY_STATE", bid_id=_HASH, state=choice(*STATES)),
    22: _of_tender(
        "STATE_DECIDED",
        bid_id=_HASH,
        proposed=choice(*GROUNDS),
        ground=choice(*GROUNDS),
        reason=_REASON,
        sigs=_SIGS,
    ),
    23: _of_tender("OBJECTION", **_BESIDE),
    24: _of_tender("REPLY", **_BESIDE, of=_HASH),
    25: _of_tender("RECORD_SIGNED", **_BESIDE, root=_HASH, refused=boolean, reason=_REASON),
    30: _of_site("HEAD", stream=_STREAM, seq=integer(1), hash=_HASH),
}


def read_entry(raw: bytes) -> tuple[int, dict[str, Any]]:
    """Type number and members of an entry's bytes.

    Raises NotCanonical or WrongShape; a type that is not public counts as not canonical here.
    """
    if not 17 < len(raw) <= ENTRY_MAX:
        raise NotCanonical(f"an entry of {len(raw)} bytes")
    number = raw[16]
    kind = PUBLIC.get(number)
    if kind is None:
        raise NotCanonical(f"entry type {number}, which no public bundle holds")
    members: Any = read(raw[17:], size_max=ENTRY_MAX)
    kind.shape(members, "")
    return number, members
