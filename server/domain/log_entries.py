"""Which events stand in the site log (存证), and as what: one table from event type to entries
(formats.md §5).

An entry never holds a half, a share or a plaintext: messages are logged as their SHA-256 and
size, the bytes travel beside. ``server_ms`` and ``tender_id`` are added for all alike by
`entries_of`.
"""

from collections.abc import Callable, Iterable
from typing import Any, cast

from crypto.formats import decode_document
from crypto.hashes import sha256
from crypto.manifest import Manifest
from server.domain import act_events as av
from server.domain import opening_events as ev
from server.domain import tender_events as tv
from server.domain.events import Event

Members = dict[str, Any]
Entry = tuple[int, Members]

TENDER, BIDDER_REG, DEADLINE_CHANGE, SUBMIT, DEADLINE_CLOSED, STORE_CHECK = 2, 3, 4, 5, 6, 7
OPENING_START, WINDOW_CHANGE, UNLOCK, ATTEMPT, WINDOW_END, RELEASE = 8, 9, 10, 11, 12, 13
SELF_RELEASE, TRUSTEES_LOST, REPAIR, REPLY_END, TRUSTEE_FAULT = 14, 15, 16, 17, 18
SET_FROZEN, READ_OUT, BODY_STATE, STATE_DECIDED = 19, 20, 21, 22

NO_WINDOW = bytes(32)  # the nonce of a try for which no window was open
DAMAGED_MAX = 50  # bids in one STORE_CHECK


def _of_bytes(raw: bytes) -> Members:
    return {"sha256": sha256(raw).hex(), "size": len(raw)}


def _of_document(e: ev.SetFrozen | ev.PricesReadOut) -> Members:
    """Of the whole document, however many events carry it (`documents`)."""
    if not e.whole_size:
        return _of_bytes(e.document())
    return {"sha256": e.whole_sha256.hex(), "size": e.whole_size}


def _sigs(pks: list[bytes], sigs: list[bytes]) -> list[Members]:
    return [{"pk": p.hex(), "sig": s.hex()} for p, s in zip(pks, sigs, strict=True)]


def _registered(e: tv.BidderRegistered) -> Iterable[Entry]:
    binding: Members = {"kind": e.binding_kind, "sig": e.binding_sig.hex()}
    if e.binding_kind == "invitation":
        binding["pk"] = e.binding_pk.hex()
    else:
        binding["chain_sha256"] = e.chain_sha256.hex()
    yield (
        BIDDER_REG,
        {
            "bidder_pk": e.bidder_pk.hex(),
            "bidder_xpk": e.bidder_xpk.hex(),
            "org_sha256": sha256(e.org.encode()).hex(),
            "expiry_ms": e.expiry_ms,
            "sig": e.sig.hex(),
            "binding": binding,
        },
    )


def _published(e: tv.TenderPublished) -> Iterable[Entry]:
    document = cast("dict[str, Any]", decode_document("ManifestSignatures", e.signatures))
    signatures: list[Members] = document["signatures"]
    yield TENDER, {**_of_bytes(e.manifest), "signatures": signatures}


def _deadline_changed(e: tv.DeadlineChanged) -> Iterable[Entry]:
    yield (
        DEADLINE_CHANGE,
        {
            "old_ms": e.old_ms,
            "deadline_ms": e.deadline_ms,
            "reason": e.reason,
            "sigs": _sigs(e.pks, e.sigs),
        },
    )


def _submit(e: tv.SubmitReceived) -> Iterable[Entry]:
    facts = {"kind": e.kind, "result": e.result, "received_ms": e.received_ms}
    yield SUBMIT, {**_of_bytes(e.message), **facts}


def _store_checked(e: tv.StoreChecked) -> Iterable[Entry]:
    """As many entries as the damaged bids need: one holds only so many."""
    for k in range(0, max(1, len(e.damaged)), DAMAGED_MAX):
        named = [bid_id.hex() for bid_id in e.damaged[k : k + DAMAGED_MAX]]
        yield STORE_CHECK, {"checked": e.checked, "damaged": named}


def _window_opened(e: ev.WindowOpened) -> Iterable[Entry]:
    for n in e.nonces:
        yield (
            OPENING_START,
            {
                "session": e.session,
                "envelope": n.envelope,
                "w": e.w,
                "nonce": n.nonce.hex(),
                "start_ms": e.start_ms,
                "end_ms": e.end_ms,
            },
        )


def _window_changed(e: ev.WindowChanged) -> Iterable[Entry]:
    # An entry's reason has at least one character; a resume needs none and names itself.
    facts = {
        "change": e.change,
        "end_ms": e.end_ms,
        "remaining_ms": e.remaining_ms,
        "reason": e.reason or e.change,
    }
    for nonce in e.nonces:
        yield WINDOW_CHANGE, {"nonce": nonce.hex(), **facts}


def _unlocked(e: ev.UnlockReceived) -> Iterable[Entry]:
    facts = {"by": e.by, "result": 0, "received_ms": e.received_ms}
    for raw, nonce in zip(e.messages, e.nonces, strict=True):
        yield UNLOCK, {"nonce": nonce.hex(), **_of_bytes(raw), **facts}


def _attempt(e: ev.AttemptFailed) -> Iterable[Entry]:
    yield (
        ATTEMPT,
        {
            "nonce": (e.nonce or NO_WINDOW).hex(),
            "bid_id": e.bid_id.hex(),
            "code": e.code,
            "sha256": e.sha256.hex(),
            "received_ms": e.received_ms,
        },
    )


def _window_ended(e: ev.WindowEnded) -> Iterable[Entry]:
    facts = {"end_ms": e.end_ms, "early": e.early, "unlocked": len(e.unlocked)}
    for nonce in e.nonces:
        yield WINDOW_END, {"nonce": nonce.hex(), **facts}


def _released(e: ev.ReleaseReceived) -> Iterable[Entry]:
    for raw, nonce, i, mode in zip(e.messages, e.nonces, e.indices, e.modes, strict=True):
        facts = {"i": i, "mode": mode, "received_ms": e.received_ms}
        yield RELEASE, {"nonce": nonce.hex(), **_of_bytes(raw), **facts}


def _self_released(e: ev.SelfReleaseReceived) -> Iterable[Entry]:
    yield (
        SELF_RELEASE,
        {
            "nonce": e.nonce.hex(),
            "bid_id": e.bid_id.hex(),
            "sha256": sha256(e.message).hex(),
            "received_ms": e.received_ms,
        },
    )


def _lost(e: ev.TrusteesLost) -> Iterable[Entry]:
    facts = {"nonce": e.nonce.hex(), "reason": e.reason}
    yield TRUSTEES_LOST, {**facts, "sigs": _sigs(e.pks, e.sigs)}


def _replies_ended(e: ev.RepliesEnded) -> Iterable[Entry]:
    for nonce in e.nonces:
        yield REPLY_END, {"nonce": nonce.hex()}


def _fault(e: ev.TrusteeFaultFound) -> Iterable[Entry]:
    yield (
        TRUSTEE_FAULT,
        {
            "nonce": e.nonce.hex(),
            "i": e.i,
            "bid_id": e.bid_id.hex() if e.bid_id else None,
            "fault": e.fault,
            "sha256": e.sha256.hex(),
        },
    )


def _decided(e: av.GroundDecided) -> Iterable[Entry]:
    yield (
        STATE_DECIDED,
        {
            "bid_id": e.bid_id.hex(),
            "proposed": e.suggested,
            "ground": e.ground,
            "reason": e.reason,
            "sigs": _sigs(e.pks, e.sigs),
        },
    )


_TABLE: dict[type[Event], Callable[[Any], Iterable[Entry]]] = {
    tv.TenderPublished: _published,
    tv.BidderRegistered: _registered,
    tv.DeadlineChanged: _deadline_changed,
    tv.SubmitReceived: _submit,
    tv.BiddingClosed: lambda e: [
        (
            DEADLINE_CLOSED,
            {"deadline_ms": e.deadline_ms, "count": e.count, "list_root": e.list_root.hex()},
        )
    ],
    tv.StoreChecked: _store_checked,
    ev.WindowOpened: _window_opened,
    ev.WindowChanged: _window_changed,
    ev.UnlockReceived: _unlocked,
    ev.AttemptFailed: _attempt,
    ev.WindowEnded: _window_ended,
    ev.ReleaseReceived: _released,
    ev.SelfReleaseReceived: _self_released,
    ev.TrusteesLost: _lost,
    ev.RepliesEnded: _replies_ended,
    ev.TrusteeFaultFound: _fault,
    ev.SetFrozen: lambda e: [(SET_FROZEN, {"nonce": e.nonce.hex(), **_of_document(e)})],
    ev.PricesReadOut: lambda e: [(READ_OUT, {"nonce": e.nonce.hex(), **_of_document(e)})],
    ev.BodyDecided: lambda e: [(BODY_STATE, {"bid_id": e.bid_id.hex(), "state": e.state})],
    av.BidRepaired: lambda e: [(REPAIR, {"bid_id": e.bid_id.hex(), "ct_root": e.ct_root.hex()})],
    av.GroundDecided: _decided,
}


def act_members(event: Event) -> list[Entry]:
    """The entries of an act as officers sign them: without server_ms and sigs."""
    return [
        (type_, {k: v for k, v in members.items() if k != "sigs"})
        for type_, members in _TABLE[type(event)](event)
    ]


def entries_of(event: Event, rules: Manifest, server_ms: int) -> list[Entry]:
    """The log entries of ``event``; most events have none."""
    make = _TABLE.get(type(event))
    if make is None:
        return []
    common = {"server_ms": server_ms, "tender_id": rules.tender_id.hex()}
    return [(type_, {**members, **common}) for type_, members in make(event)]
