"""The evidence of one bid that did not open (证据): what was sent, received and answered, and when.

Every fact is an entry of the site log with its proof to one signed checkpoint, so nobody needs to
believe the page that shows it. Invariant: nothing here tells of another bidder's bid, and no half,
share or plaintext is in it: messages are named by SHA-256.

Clocks: ``received_ms`` is when the server had read the last byte of a message, ``server_ms`` when
the fact was appended (both the server's clock); the proof's ``tick_ms`` is the signed second of
the log that holds it.
"""

from collections.abc import Mapping
from typing import Any, Final

from crypto.hashes import sha256
from crypto.objects.entry import EntryType as T
from server.domain.model import STAFF, Actor, Role
from server.domain.opening import Bid, Opening
from server.domain.refusals import Refused
from server.rooms.hall import Hall, members_of

CLOCKS: Final = {
    "received_ms": "server clock, when the whole message had been read",
    "server_ms": "server clock, when the fact was appended",
    "tick_ms": "second of the signed log that holds the fact",
}
_OF_ALL: Final = frozenset({T.DEADLINE_CHANGE, T.DEADLINE_CLOSED})
_OF_WINDOW: Final = frozenset(
    {T.OPENING_START, T.WINDOW_CHANGE, T.WINDOW_END, T.RELEASE, T.TRUSTEES_LOST, T.REPLY_END}
    | {T.SET_FROZEN}
)
_OF_BID: Final = frozenset({T.ATTEMPT, T.SELF_RELEASE, T.REPAIR, T.STATE_DECIDED})


def evidence(hall: Hall, opening_id: str, actor: Actor, bid_id: bytes) -> Mapping[str, Any]:
    """For the staff, and for the bidder concerned.

    Raises room.unknown, auth.role, ground.unknown (the form opened, or nothing is frozen yet).
    """
    room = hall.find_room(f"opening:{opening_id}")
    if room is None or room.state.manifest is None:
        raise Refused("room.unknown")
    state: Opening = room.state
    bid, envelope = state.envelopes.get(bid_id, (None, 0))
    own = bid is not None and actor.role is Role.BIDDER and actor.org == bid.org
    if actor.role not in STAFF and not own:
        raise Refused("auth.role")
    suggestion = state.suggestions.get(bid_id)
    if bid is None or suggestion is None:
        raise Refused("ground.unknown")
    log = hall.site_log
    size = log.leaf_count
    facts: list[dict[str, Any]] = []
    for logged in log.entries(state.rules().tender_id):
        members = members_of(logged)
        if logged.index < size and _concerns(state, bid, envelope, logged.type, members):
            kept = {k: v for k, v in members.items() if k != "tender_id"}
            proof = log.proof(logged, size)
            facts.append({"what": T(logged.type).name, **_only_own(kept, bid), "proof": proof})
    return {
        "tender_id": state.rules().tender_id,
        "no": bid.no,
        "bidder": bid.name,
        "bid_id": bid_id,
        "state": suggestion.state,
        "suggested": {
            "ground": suggestion.ground,
            "why": suggestion.why,
            "lost_ms": suggestion.lost_ms,
        },
        "decided": state.grounds.get(bid_id),
        "clocks": CLOCKS,
        "facts": facts,
        "checkpoint": log.checkpoint_at(size).text,
    }


def _concerns(
    state: Opening, bid: Bid, envelope: int, entry_type: int, members: Mapping[str, Any]
) -> bool:
    """Whether an entry says something about how this bid came to stay closed."""
    session = next(s for s in state.rules().sessions if envelope in s.envelopes)
    own = {bid.headers[n].bid_id.hex() for n in session.envelopes if n in bid.headers}
    if entry_type in _OF_ALL:
        return True
    if entry_type in _OF_BID:
        return members["bid_id"] in own
    if entry_type == T.STORE_CHECK:
        return bool(own & set(members["damaged"]))
    if entry_type == T.TRUSTEE_FAULT:
        return members["bid_id"] in own
    if entry_type in _OF_WINDOW:
        windows = [*state.windows, *([state.window] if state.window else [])]
        nonces = {w.nonces[envelope].hex() for w in windows if envelope in w.nonces}
        return members["nonce"] in nonces
    if entry_type == T.SUBMIT:
        # A bid's number is its SUBMIT's place in the closed list.
        return members["sha256"] == sha256(state.submits[bid.no - 1]).hex()
    if entry_type == T.UNLOCK:
        halves = [state.halves.get(bytes.fromhex(b)) for b in own]
        return members["sha256"] in {half.digest.hex() for half in halves if half}
    return False


def _only_own(members: dict[str, Any], bid: Bid) -> dict[str, Any]:
    """A store check names the damaged bids of everybody; here only this one's."""
    if "damaged" in members:
        own = {header.bid_id.hex() for header in bid.headers.values()}
        members["damaged"] = sorted(own & set(members["damaged"]))
    return members
