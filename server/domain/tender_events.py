"""The events of one tender (招标项目) until its deadline. Nothing here but the manifest is public
before it.
"""

from server.domain.events import (
    HALL,
    STAFF_AUDIENCE,
    Event,
    PartyEvent,
    Proposal,
    journaled,
)


@journaled("tender_published", HALL)
class TenderPublished(Event, frozen=True, kw_only=True):
    """manifest.json and manifest.sig.json as published."""

    manifest: bytes
    signatures: bytes


@journaled("bidder_registered")
class BidderRegistered(PartyEvent, frozen=True, kw_only=True):
    """BIDDER_REG: the bidder's fresh keys for this tender, bound by an invitation (uncertified)
    or a certificate.
    """

    name: str
    bidder_pk: bytes
    bidder_xpk: bytes
    expiry_ms: int
    sig: bytes
    binding_kind: str
    binding_pk: bytes
    binding_sig: bytes
    chain_sha256: bytes = b""


@journaled("envelope_stored")
class EnvelopeStored(PartyEvent, frozen=True, kw_only=True):
    """Every byte of one sealed envelope is durable; it counts only through a SUBMIT."""

    header: bytes


@journaled("submit_received")
class SubmitReceived(PartyEvent, frozen=True, kw_only=True):
    """A SUBMIT or WITHDRAW; ``result`` is the ACK's (0 accepted, 1 late, 2 incomplete)."""

    message: bytes
    kind: int
    result: int
    received_ms: int


@journaled("deadline_changed", HALL)
class DeadlineChanged(Event, frozen=True, kw_only=True):
    old_ms: int
    deadline_ms: int
    reason: str
    pks: list[bytes]
    sigs: list[bytes]


@journaled("deadline_proposed", STAFF_AUDIENCE)
class DeadlineProposed(Proposal, frozen=True, kw_only=True):
    """DEADLINE_CHANGE as the host signed it; the supervisor's signature is missing."""

    old_ms: int
    deadline_ms: int


@journaled("deadline_declined", STAFF_AUDIENCE)
class DeadlineDeclined(Event, frozen=True, kw_only=True):
    """The proposal is off the table: declined by the other officer or taken back."""

    act: bytes
    by: str
    name: str
    reason: str


@journaled("bidding_closed", HALL)
class BiddingClosed(Event, frozen=True, kw_only=True):
    """DEADLINE_CLOSED."""

    deadline_ms: int
    count: int
    list_root: bytes


@journaled("store_checked", STAFF_AUDIENCE)
class StoreChecked(Event, frozen=True, kw_only=True):
    """STORE_CHECK: every counting payload was hashed again against its ct_root."""

    checked: int
    damaged: list[bytes]
