"""The events of an opening's acts (会签、责任认定、修复存储): what the evidence says, what one
officer has signed, what both have; and damaged bytes that were mended.

Proposals go to the staff alone; what became of them is everybody's.
"""

import msgspec

from server.domain.events import HALL, STAFF_AUDIENCE, Event, Proposal, journaled


class Suggestion(msgspec.Struct, frozen=True, kw_only=True):
    """What the evidence says about one form that did not open: one ground, and why (C3)."""

    no: int
    envelope: int
    bid_id: bytes
    state: str
    ground: str  # revoked | excused | malformed
    why: str  # see grounds.py
    tries: int
    last_code: str
    last_ms: int
    lost_ms: int


@journaled("grounds_suggested", STAFF_AUDIENCE)
class GroundsSuggested(Event, frozen=True, kw_only=True):
    """Some of the forms that did not open; all of them with the frozen set, in one moment."""

    bids: list[Suggestion]


@journaled("ground_proposed", STAFF_AUDIENCE)
class GroundProposed(Proposal, frozen=True, kw_only=True):
    """STATE_DECIDED as one officer signed it; ``suggested`` is the system's own ground."""

    no: int
    envelope: int
    bid_id: bytes
    suggested: str
    ground: str


@journaled("trustees_lost_proposed", STAFF_AUDIENCE)
class TrusteesLostProposed(Proposal, frozen=True, kw_only=True):
    """TRUSTEES_LOST as the host signed it; the supervisor's signature is missing."""

    nonce: bytes


@journaled("act_declined", STAFF_AUDIENCE)
class ActDeclined(Event, frozen=True, kw_only=True):
    """A proposal is off the table: declined by the other officer or taken back."""

    act: bytes
    by: str
    name: str
    reason: str


@journaled("ground_decided", HALL)
class GroundDecided(Event, frozen=True, kw_only=True):
    """STATE_DECIDED (认定): why a bid did not open, signed by host and supervisor."""

    no: int
    envelope: int
    bid_id: bytes
    suggested: str
    ground: str
    reason: str
    pks: list[bytes]
    sigs: list[bytes]


@journaled("damage_found", STAFF_AUDIENCE)
class DamageFound(Event, frozen=True, kw_only=True):
    """Stored bytes do not give their ct_root: to be mended with the same bytes before REPLY_END."""

    bid_ids: list[bytes]


@journaled("bid_repaired", HALL)
class BidRepaired(Event, frozen=True, kw_only=True):
    """REPAIR (修复存储): the same ciphertext, to the byte, is stored again (C3)."""

    no: int
    envelope: int
    bid_id: bytes
    ct_root: bytes
