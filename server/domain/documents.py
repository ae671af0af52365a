"""Long documents in a channel (长文件分段): an event carries so much, a document may be longer.

Invariant: the parts of a document stand directly before the event that ends it, made by the same
command, so that they become durable in one append and are told in one turn: nobody can have the
first part before the last is on the disk. What is not longer than a part is one event, as ever.
"""

from collections.abc import Iterable, Sequence
from typing import TypeVar

import msgspec
from msgspec.structs import replace

from crypto.hashes import sha256
from server.domain import opening_events as ev
from server.domain.events import Event

PART_BYTES_MAX = 512 << 10
BIDS_IN_EVENT_MAX = 500  # of the announced list; a bid has names of organisations and many bid_ids

Ending = TypeVar("Ending", ev.SetFrozen, ev.PricesReadOut)


def in_parts(ending: Ending) -> list[Event]:
    """The events that carry ``ending``, which comes last and keeps what is left for it."""
    whole = ending.document()
    cuts = range(0, max(0, len(whole) - PART_BYTES_MAX), PART_BYTES_MAX)
    if not cuts:
        return [ending]
    parts: list[Event] = [
        ev.DocumentPart(
            nonce=ending.nonce, of=ending.TYPE, part=n, raw=whole[k : k + PART_BYTES_MAX]
        )
        for n, k in enumerate(cuts, 1)
    ]
    rest = ending.with_document(whole[cuts[-1] + PART_BYTES_MAX :])
    return [*parts, replace(rest, whole_sha256=sha256(whole), whole_size=len(whole))]


def joined(events: Iterable[Event]) -> list[Event]:
    """Events of one stream, in order, with every document whole in the event that ends it."""
    found: list[Event] = []
    parts: list[bytes] = []
    for event in events:
        if isinstance(event, ev.DocumentPart):
            parts.append(event.raw)
        elif isinstance(event, ev.SetFrozen | ev.PricesReadOut) and parts:
            found.append(event.with_document(whole_document(parts, event)))
            parts = []
        else:
            found.append(event)
    return found


def whole_document(parts: Sequence[bytes], ending: ev.SetFrozen | ev.PricesReadOut) -> bytes:
    """What ``ending`` is about: the parts before it, and its own."""
    whole = b"".join((*parts, ending.document()))
    assert not parts or sha256(whole) == ending.whole_sha256, "parts of another document"
    return whole


class _FrozenBid(msgspec.Struct, frozen=True):
    bid_id: str
    state: str


class _Frozen(msgspec.Struct, frozen=True):
    """As much of frozen.json as an opening keeps."""

    bids: list[_FrozenBid]


def frozen_states(raw: bytes) -> dict[bytes, str]:
    """bid_id -> state, of our own bytes of a moment ago, or of the journal: read, not judged (18 ms
    for 1,000 bids).
    """
    frozen = msgspec.json.decode(raw, type=_Frozen)
    return {bytes.fromhex(bid.bid_id): bid.state for bid in frozen.bids}
