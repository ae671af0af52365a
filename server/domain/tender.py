"""The state of one tender (招标项目), and how events fold into it; what is lawful is in `bidding`.

Pure: ``evolve(state, event, ts_ms) -> state``. Invariant: a chain of SUBMITs only grows, and what
was ever listed, stored or registered stays so.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import msgspec
from msgspec import field
from msgspec.structs import replace

from crypto.ack import RESULT_ACCEPTED
from crypto.header import Header, parse_header
from crypto.manifest import Manifest, parse_manifest
from crypto.messages import KIND_SUBMIT, Submit, parse_submit
from server.domain import tender_events as ev
from server.domain.events import Event

Chain = tuple[bytes, int]  # bidder_pk, lot


@dataclass(frozen=True, slots=True)
class Registration:
    org: str
    name: str
    bidder_pk: bytes
    bidder_xpk: bytes
    expiry_ms: int
    certified: bool


@dataclass(frozen=True, slots=True)
class Stored:
    """A durable envelope; its payload is stored under its bid_id."""

    header: Header
    org: str


@dataclass(frozen=True, slots=True)
class Received:
    """An accepted SUBMIT or WITHDRAW of a chain."""

    message: Submit
    org: str
    received_ms: int


class Tender(msgspec.Struct, frozen=True, kw_only=True):
    """Everything one tender knows; a Struct for the same reason as `opening.Opening`."""

    allow_test: bool = False  # whether the test suite may be named by a manifest
    manifest: Manifest | None = None
    signatures: bytes = b""
    deadline_ms: int = 0
    by_org: Mapping[str, Registration] = field(default_factory=dict[str, Registration])
    by_pk: Mapping[bytes, Registration] = field(default_factory=dict[bytes, Registration])
    stored: Mapping[bytes, Stored] = field(default_factory=dict[bytes, Stored])  # by bid_id
    ads: frozenset[bytes] = frozenset()
    chains: Mapping[Chain, tuple[Received, ...]] = field(
        default_factory=dict[Chain, tuple[Received, ...]]
    )
    listed: frozenset[bytes] = frozenset()  # every bid_id that any accepted SUBMIT has listed
    refused: Mapping[str, int] = field(default_factory=dict[str, int])  # org -> kept as evidence
    closed: bool = False
    store_checked: bool = False
    deadline_proposal: ev.DeadlineProposed | None = None  # not declined; perhaps stale by now

    def rules(self) -> Manifest:
        assert self.manifest is not None
        return self.manifest

    def counting(self) -> list[Received]:
        """The SUBMITs that count, sorted by SHA-256: the highest seq of each chain, unless it
        withdraws (C9).
        """
        last = [chain[-1] for chain in self.chains.values() if chain]
        kept = [r for r in last if r.message.kind == KIND_SUBMIT]
        return sorted(kept, key=lambda r: r.message.digest)


def _published(state: Tender, event: ev.TenderPublished) -> Tender:
    manifest = parse_manifest(event.manifest, allow_test=state.allow_test)
    return replace(
        state,
        manifest=manifest,
        signatures=event.signatures,
        deadline_ms=manifest.deadline_ms,
    )


def _registered(state: Tender, event: ev.BidderRegistered) -> Tender:
    registration = Registration(
        org=event.org,
        name=event.name,
        bidder_pk=event.bidder_pk,
        bidder_xpk=event.bidder_xpk,
        expiry_ms=event.expiry_ms,
        certified=event.binding_kind == "certificate",
    )
    return replace(
        state,
        by_org={**state.by_org, event.org: registration},
        by_pk={**state.by_pk, event.bidder_pk: registration},
    )


def _stored(state: Tender, event: ev.EnvelopeStored) -> Tender:
    header = parse_header(event.header, state.rules().suite_impl)
    stored = Stored(header, event.org)
    return replace(
        state, stored={**state.stored, header.bid_id: stored}, ads=state.ads | {header.ad}
    )


def _submitted(state: Tender, event: ev.SubmitReceived) -> Tender:
    if event.result != RESULT_ACCEPTED:
        count = state.refused.get(event.org, 0) + 1
        return replace(state, refused={**state.refused, event.org: count})
    message = parse_submit(event.message, state.rules().suite_impl)
    key = (message.bidder_pk, message.lot)
    received = Received(message, event.org, event.received_ms)
    return replace(
        state,
        chains={**state.chains, key: (*state.chains.get(key, ()), received)},
        listed=state.listed | {bid_id for _, bid_id in message.items},
    )


_EVOLVE: dict[type[Event], Callable[[Tender, Any], Tender]] = {
    ev.TenderPublished: _published,
    ev.BidderRegistered: _registered,
    ev.EnvelopeStored: _stored,
    ev.SubmitReceived: _submitted,
    ev.DeadlineChanged: lambda s, e: replace(s, deadline_ms=e.deadline_ms),
    ev.BiddingClosed: lambda s, e: replace(s, closed=True),
    ev.DeadlineProposed: lambda s, e: replace(s, deadline_proposal=e),
    ev.DeadlineDeclined: lambda s, e: replace(s, deadline_proposal=None),
    ev.StoreChecked: lambda s, e: replace(s, store_checked=True),
}


def evolve(state: Tender, event: Event, ts_ms: int) -> Tender:
    return _EVOLVE[type(event)](state, event)


def wake_ms(state: Tender) -> int | None:
    return None if state.closed or state.manifest is None else state.deadline_ms
