"""The events of one opening (开标), in the order in which they first happen.

What carries an s_B, a share or a plaintext that is not public yet is ``sealed`` (sealing.md C13,
F18): the hall gets its own, poorer event. ``no`` is a bid's number in the announced list: its
place in the closed list, which is sorted by SHA-256 and therefore says nothing about who came
first.
"""

from typing import Self

import msgspec
from msgspec.structs import replace

from server.domain.events import HALL, STAFF_AUDIENCE, Event, PartyEvent, journaled


class EnvelopeOf(msgspec.Struct, frozen=True, kw_only=True):
    """One sealed envelope of a bid."""

    envelope: int
    bid_id: bytes


class AnnouncedBid(msgspec.Struct, frozen=True, kw_only=True):
    """One line of the bidder list (投标人名单).

    ``org`` and ``name`` are empty where the tender masks names.
    """

    no: int
    lot: int
    org: str
    name: str
    certified: bool
    envelopes: list[EnvelopeOf]


class Nonce(msgspec.Struct, frozen=True, kw_only=True):
    """The opening nonce of one envelope's window."""

    envelope: int
    nonce: bytes


@journaled("opening_scheduled", HALL)
class OpeningScheduled(Event, frozen=True, kw_only=True):
    """The opening exists; its whole rule book is the manifest (tender manifest, JCS
    bytes).
    """

    manifest: bytes


@journaled("sign_in_opened", HALL)
class SignInOpened(Event, frozen=True, kw_only=True):
    pass


@journaled("bidder_signed_in")
class BidderSignedIn(PartyEvent, frozen=True, kw_only=True):
    """Before the deadline nobody else may know (电子招标投标办法 art. 21)."""

    at_ms: int


@journaled("closed_list_taken")
class ClosedListTaken(Event, frozen=True, kw_only=True):
    """The counting SUBMITs and headers as the tender closed them; with them this stream replays
    alone.
    """

    submits: list[bytes]
    headers: list[bytes]
    names: dict[str, str]  # org code -> name
    orgs: dict[bytes, str]  # bidder_pk -> org code
    certified: list[str]


@journaled("bidders_listed", HALL)
class BiddersListed(Event, frozen=True, kw_only=True):
    """A piece of a long list of bidders; ``bidders_announced`` ends it and carries the rest."""

    bids: list[AnnouncedBid]


@journaled("bidders_announced", HALL)
class BiddersAnnounced(Event, frozen=True, kw_only=True):
    """公布投标人名单."""

    deadline_ms: int
    count: int
    list_root: bytes
    bids: list[AnnouncedBid]  # after those of the ``bidders_listed`` before it


@journaled("signed_in_bidders", STAFF_AUDIENCE)
class SignedInBidders(Event, frozen=True, kw_only=True):
    """Who had signed in by the deadline, told to the staff only after it."""

    orgs: list[str]


@journaled("latecomer_signed_in", STAFF_AUDIENCE)
class LatecomerSignedIn(Event, frozen=True, kw_only=True):
    org: str
    at_ms: int


@journaled("deadline_moved", HALL)
class DeadlineMoved(Event, frozen=True, kw_only=True):
    deadline_ms: int


@journaled("opening_failed", HALL)
class OpeningFailed(Event, frozen=True, kw_only=True):
    """流标: fewer bids than the law or the documents ask (实施条例 art. 44)."""

    reason: str


@journaled("lot_failed", HALL)
class LotFailed(Event, frozen=True, kw_only=True):
    """标段流标: too few bidders for this lot; its bids are never opened, the other lots go on."""

    lot: int
    bidders: int


@journaled("checkpoint_reached", HALL)
class CheckpointReached(Event, frozen=True, kw_only=True):
    """A signed checkpoint that covers DEADLINE_CLOSED (``of`` = closing) or the WINDOW_END of
    ``w``.
    """

    of: str
    w: int
    session: int
    checkpoint: str
    fingerprint: str


@journaled("window_opened", HALL)
class WindowOpened(Event, frozen=True, kw_only=True):
    """OPENING_START of every envelope of the session: one countdown (formats.md §3)."""

    session: int
    w: int
    nonces: list[Nonce]
    start_ms: int
    end_ms: int
    reason: str = ""


@journaled("window_changed", HALL)
class WindowChanged(Event, frozen=True, kw_only=True):
    """pause 暂停, resume 继续, extend 延长. While paused ``remaining_ms`` counts, not
    ``end_ms``.
    """

    change: str
    end_ms: int
    remaining_ms: int
    reason: str
    nonces: list[bytes]


@journaled("outage_seen", HALL)
class OutageSeen(Event, frozen=True, kw_only=True):
    """The server was away in a countdown, and of that time ``lost_ms`` were not made good."""

    from_ms: int
    to_ms: int
    lost_ms: int


@journaled("unlock_received")
class UnlockReceived(Event, frozen=True, kw_only=True):
    """One press: an UNLOCK message per envelope (or one card message), all accepted."""

    messages: list[bytes]
    nonces: list[bytes]  # of each message
    by: str  # key | card
    received_ms: int
    halves: dict[bytes, bytes]  # bid_id -> s_B


@journaled("bid_unlocked", STAFF_AUDIENCE)
class BidUnlocked(Event, frozen=True, kw_only=True):
    """What the staff see, in order to help."""

    no: int
    envelopes: list[int]
    by: str
    received_ms: int


@journaled("own_bid_unlocked")
class OwnBidUnlocked(PartyEvent, frozen=True, kw_only=True):
    """What all devices of the bidder see."""

    no: int
    envelopes: list[int]
    by: str
    received_ms: int


@journaled("attempt_failed")
class AttemptFailed(PartyEvent, frozen=True, kw_only=True):
    """A failed try: evidence of C3's ground. ``nonce`` is empty where no window was open."""

    no: int
    bid_id: bytes
    nonce: bytes
    code: str
    sha256: bytes
    received_ms: int
    kind: int = 0  # ACK kind of the refused message, 0 = a report from the device


@journaled("attempt_seen", STAFF_AUDIENCE)
class AttemptSeen(Event, frozen=True, kw_only=True):
    no: int
    code: str
    received_ms: int


@journaled("window_ended", HALL)
class WindowEnded(Event, frozen=True, kw_only=True):
    """WINDOW_END. Only now does the hall see who unlocked (C1.3)."""

    session: int
    w: int
    nonces: list[bytes]
    end_ms: int
    early: bool
    unlocked: list[int]
    locked: list[int]


@journaled("release_received")
class ReleaseReceived(Event, frozen=True, kw_only=True):
    """One RELEASE per envelope of the session, by the trustee at place ``i`` of the manifest's
    list.

    ``indices``: the trustee's position within each envelope's own list, as in the message.
    """

    i: int
    session: int
    messages: list[bytes]
    nonces: list[bytes]
    indices: list[int]
    modes: list[int]
    received_ms: int


@journaled("trustee_released", HALL)
class TrusteeReleased(Event, frozen=True, kw_only=True):
    i: int
    role: str
    name: str
    received_ms: int
    needed: int
    released: int


@journaled("trustees_lost", HALL)
class TrusteesLost(Event, frozen=True, kw_only=True):
    nonce: bytes
    reason: str
    pks: list[bytes]
    sigs: list[bytes]


@journaled("self_release_received")
class SelfReleaseReceived(Event, frozen=True, kw_only=True):
    bid_id: bytes
    nonce: bytes
    host_half: bytes
    message: bytes
    received_ms: int


@journaled("trustee_fault_found", HALL)
class TrusteeFaultFound(Event, frozen=True, kw_only=True):
    """A trustee's share differs from what the dealing proves, or a second, different RELEASE
    came (C5, C11).
    """

    i: int
    envelope: int
    nonce: bytes
    bid_id: bytes  # empty for fault "second"
    fault: str  # share | unreadable | second
    sha256: bytes


class HalfFound(msgspec.Struct, frozen=True, kw_only=True):
    """What the worker found for one unlocked bid: ``state`` '' means that it can be
    decrypted.
    """

    bid_id: bytes
    host_half: bytes  # empty: not recovered
    state: str  # "" | unrecoverable | malformed | damaged


@journaled("halves_found")
class HalvesFound(Event, frozen=True, kw_only=True):
    envelope: int
    releases: tuple[int, ...]  # positions of the trustees whose shares were used
    found: list[HalfFound]
    repairs: int = 0  # how many repairs had been made when the stored bytes were read


@journaled("replies_ended", HALL)
class RepliesEnded(Event, frozen=True, kw_only=True):
    """REPLY_END: no self-release and no repair any more."""

    by: str
    nonces: list[bytes]


@journaled("all_opened", HALL)
class AllOpened(Event, frozen=True, kw_only=True):
    """The one button "open all" was pressed, or pressed itself; it chooses nothing."""

    by: str


@journaled("document_part", HALL)
class DocumentPart(Event, frozen=True, kw_only=True):
    """A part of a document that is too long for one event; the event ``of`` that follows ends it
    (`documents`).
    """

    nonce: bytes
    of: str  # the type of the event that ends it
    part: int  # from 1
    raw: bytes


@journaled("set_frozen", HALL)
class SetFrozen(Event, frozen=True, kw_only=True):
    """frozen.json: the state of every counting form, before any plaintext is shown."""

    nonce: bytes
    frozen: bytes  # or what is left of it after its parts
    whole_sha256: bytes = b""  # of the whole document, where it has parts
    whole_size: int = 0

    def document(self) -> bytes:
        return self.frozen

    def with_document(self, raw: bytes) -> Self:
        return replace(self, frozen=raw)


@journaled("prices_read_out", HALL)
class PricesReadOut(Event, frozen=True, kw_only=True):
    """readout.json: every opened form, to everybody at one instant (唱标)."""

    nonce: bytes
    readout: bytes  # or what is left of it after its parts
    amounts: dict[int, str]  # no -> the deciding amount as it was written, for the big figures
    whole_sha256: bytes = b""  # of the whole document, where it has parts
    whole_size: int = 0

    def document(self) -> bytes:
        return self.readout

    def with_document(self, raw: bytes) -> Self:
        return replace(self, readout=raw)


@journaled("row_read", HALL)
class RowRead(Event, frozen=True, kw_only=True):
    """The voice is at this row now; changes nothing."""

    no: int


@journaled("body_decided", HALL)
class BodyDecided(Event, frozen=True, kw_only=True):
    """BODY_STATE of a large envelope, later, without any effect on forms or prices."""

    no: int
    envelope: int
    bid_id: bytes
    state: str
    releases: tuple[int, ...] = ()  # places of the trustees whose shares were there


@journaled("opening_closed", HALL)
class OpeningClosed(Event, frozen=True, kw_only=True):
    pass
