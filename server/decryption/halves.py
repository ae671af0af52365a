"""Finding s_H (招标人半钥): subsets of shares, DEAL CHECK, c_K, stored bytes (sealing.md C3, C5).

Nothing is decrypted here. A bidder is called malformed only by bytes that everybody can check; a
trustee is named only when DEAL CHECK proves the dealing good.

Measured (`python -m loadtests.costs`, 2026-11-22): 201 us of CPU a bid with three trustees, nearly
all of it DEAL CHECK's six X25519 multiplications; 5 us for a form's bytes against ct_root.
"""

from dataclasses import dataclass

from crypto.errors import Rejected
from crypto.sealing import content_key, deal_check, host_half_matches
from crypto.shares import find_host_half, share_faults
from crypto.stream import RootHasher
from server.domain.commands import FaultFound
from server.domain.due import BidHalves
from server.domain.opening_events import HalfFound

UNRECOVERABLE = "unrecoverable"
MALFORMED = "malformed"
DAMAGED = "damaged"


@dataclass(frozen=True, slots=True)
class Halves:
    """What was found for one bid; faults name positions within the envelope's own list."""

    found: HalfFound
    faults: tuple[FaultFound, ...]
    subset: tuple[int, ...] | None


def payload_intact(bid: BidHalves, payload: bytes) -> bool:
    """Whether the stored bytes give the header's ct_root."""
    header = bid.header
    try:
        root = RootHasher(header.suite, header.pt_len, header.log2_chunk)
        root.update(payload)
        return root.root() == header.ct_root
    except Rejected:
        return False


def find(bid: BidHalves, intact: bool, first: tuple[int, ...] | None) -> Halves:
    """C3's second, third and fourth line for one unlocked bid."""
    header = bid.header
    got = find_host_half(header, bid.shares, first)
    half = got.host_half if got is not None else bid.self_half
    if half is None or not host_half_matches(header, half):
        return Halves(_found(bid, b"", UNRECOVERABLE), (), None)
    subset = got.subset if got is not None else None
    if not deal_check(header, half):
        return Halves(_found(bid, half, MALFORMED), (), subset)
    faults = tuple(
        FaultFound(i=f.i, bid_id=header.bid_id, fault=f.fault)
        for f in share_faults(header, half, bid.shares, bid.unreadable)
    )
    if content_key(header, bid.bidder_half, half) is None:
        return Halves(_found(bid, half, MALFORMED), faults, subset)
    return Halves(_found(bid, half, "" if intact else DAMAGED), faults, subset)


def find_one(item: tuple[BidHalves, bool], *, first: tuple[int, ...] | None) -> Halves:
    """``find`` of a pair, as the pool gives it."""
    return find(*item, first)


def _found(bid: BidHalves, half: bytes, state: str) -> HalfFound:
    return HalfFound(bid_id=bid.header.bid_id, host_half=half, state=state)
