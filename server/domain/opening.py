"""The state of one opening (开标), and how events fold into it.

Pure: ``evolve(state, event) -> state``. Replaying the stream rebuilds the state exactly. What is
lawful is decided elsewhere, one noun per file (`lobby`, `window`, `unlocking`, `releasing`,
`revealing`), behind `deciding.decide`.

Invariant: a bid's half, once in ``halves``, stays; a window that a RELEASE or TRUSTEES_LOST has
touched never opens again (C1.4); ``frozen`` and ``readout`` are set once per session.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

import msgspec
from msgspec import field
from msgspec.structs import replace

from crypto.hashes import sha256
from crypto.header import Header, parse_header
from crypto.manifest import Manifest, Session, parse_manifest
from crypto.messages import Release, parse_release, parse_submit
from crypto.suites import Suite
from server.domain import act_events as av
from server.domain import floor
from server.domain import opening_events as ev
from server.domain.documents import frozen_states, whole_document
from server.domain.events import Event
from server.domain.floor import Floor


class Stage(StrEnum):
    """Where the opening stands; the order is the order of the hall."""

    SCHEDULED = "scheduled"  # 待开标
    SIGN_IN = "sign_in"  # 签到
    ANNOUNCED = "announced"  # 公布投标人
    DECRYPTION = "decryption"  # 投标人解密
    RELEASE = "release"  # 招标人解密
    REPLIES = "replies"  # the first share is here: self-release and repair until REPLY_END
    OPENING = "opening"  # 开启
    READ_OUT = "read_out"  # 唱标
    CLOSED = "closed"  # 开标结束
    FAILED = "failed"  # 流标


@dataclass(frozen=True, slots=True)
class Bid:
    """One counting bid (计入的投标) of the closed list."""

    no: int
    lot: int
    org: str
    name: str
    certified: bool
    bidder_pk: bytes
    headers: Mapping[int, Header]  # by envelope number


class Window(msgspec.Struct, frozen=True, kw_only=True):
    """One countdown of a session: the windows of all its envelopes, together (C1)."""

    session: int
    w: int
    nonces: Mapping[int, bytes]
    start_ms: int
    end_ms: int
    remaining_ms: int | None = None  # set while paused
    ended: bool = False
    early: bool = False
    lost_ms: int = 0  # time that outages took from it and that was not made good
    checkpoint: str = ""  # the signed checkpoint that covers WINDOW_END

    @property
    def paused(self) -> bool:
        return self.remaining_ms is not None


class Unlocked(msgspec.Struct, frozen=True):
    """A logged bidder half."""

    half: bytes
    digest: bytes
    received_ms: int


@dataclass(frozen=True, slots=True)
class Attempt:
    """A failed try, as far as it says why a bid did not open."""

    bid_id: bytes
    code: str
    received_ms: int


class Opening(msgspec.Struct, frozen=True, kw_only=True):
    """Everything one opening knows.

    A Struct, because every event replaces it: 0.2 us, where a dataclass of this size takes 6.
    """

    allow_test: bool = False  # whether the test suite may be named by a manifest
    manifest: Manifest | None = None
    stage: Stage = Stage.SCHEDULED
    deadline_ms: int = 0
    signed_in: frozenset[str] = frozenset()
    bids: tuple[Bid, ...] = ()
    failed_lots: frozenset[int] = frozenset()  # too few bidders: their bids stay sealed
    # bid_id -> its bid and envelope number
    envelopes: Mapping[bytes, tuple[Bid, int]] = field(default_factory=dict[bytes, tuple[Bid, int]])
    submits: tuple[bytes, ...] = ()
    closing_checkpoint: str = ""
    window: Window | None = None
    windows: tuple[Window, ...] = ()  # ended ones
    sessions_done: frozenset[int] = frozenset()
    halves: Mapping[bytes, Unlocked] = field(default_factory=dict[bytes, Unlocked])
    waiting: int = 0  # bid_ids of the running session that have no half yet
    tries: Mapping[str, int] = field(default_factory=dict[str, int])
    # a bid's number -> its failed tries, in order
    attempts: Mapping[int, tuple[Attempt, ...]] = field(
        default_factory=dict[int, tuple[Attempt, ...]]
    )
    # place in the manifest's list of trustees -> envelope -> message
    releases: Mapping[int, Mapping[int, Release]] = field(
        default_factory=dict[int, Mapping[int, Release]]
    )
    release_bytes: Mapping[int, tuple[bytes, ...]] = field(
        default_factory=dict[int, tuple[bytes, ...]]
    )
    late: frozenset[int] = frozenset()  # places whose RELEASE came after REPLY_END
    # SHA-256 of an accepted RELEASE or self-release -> its received_ms, for whoever asks again
    answered: Mapping[bytes, int] = field(default_factory=dict[bytes, int])
    first_reply_ms: int | None = None
    trustees_lost: bool = False
    self_halves: Mapping[bytes, bytes] = field(default_factory=dict[bytes, bytes])
    found: Mapping[bytes, ev.HalfFound] = field(default_factory=dict[bytes, ev.HalfFound])
    found_with: tuple[int, ...] = ()
    found_repairs: int = 0  # of ``repairs``, those that the bytes of ``found`` had seen
    repairs: int = 0
    damaged: frozenset[bytes] = frozenset()  # told to the staff, not repaired yet
    lost_proposal: av.TrusteesLostProposed | None = None
    # (envelope, position in its list, bid_id) already named
    faults: frozenset[tuple[int, int, bytes]] = frozenset()
    replies_ended_ms: int | None = None
    all_opened: bool = False
    # of forms and bodies, as frozen or decided
    states: Mapping[bytes, str] = field(default_factory=dict[bytes, str])
    # why a form did not open: as the system says, as an officer proposes, as both decided
    suggestions: Mapping[bytes, av.Suggestion] = field(default_factory=dict[bytes, av.Suggestion])
    ground_proposals: Mapping[bytes, av.GroundProposed] = field(
        default_factory=dict[bytes, av.GroundProposed]
    )
    grounds: Mapping[bytes, str] = field(default_factory=dict[bytes, str])
    parts: tuple[bytes, ...] = ()  # of the document that the next event ends
    # places whose shares decided a large envelope; were held against the dealing of all
    bodies_tried: Mapping[bytes, tuple[int, ...]] = field(
        default_factory=dict[bytes, tuple[int, ...]]
    )
    bodies_seen: Mapping[int, tuple[int, ...]] = field(default_factory=dict[int, tuple[int, ...]])
    readouts: tuple[bytes, ...] = ()
    row: int = 0
    now_ms: int = 0  # of the newest event
    floor: Floor = Floor()

    # -- questions that several rules ask

    def rules(self) -> Manifest:
        assert self.manifest is not None
        return self.manifest

    def suite(self) -> Suite:
        return self.rules().suite_impl

    def session(self) -> Session:
        assert self.window is not None
        return self.rules().session(self.window.session)

    def counting(self, envelope: int) -> list[bytes]:
        """The counting bid_ids of one envelope number, ascending."""
        return sorted(bid.headers[envelope].bid_id for bid in self.bids if envelope in bid.headers)

    def living_bids(self) -> list[Bid]:
        """The counting bids of lots that are opened."""
        return [bid for bid in self.bids if bid.lot not in self.failed_lots]

    def session_bid_ids(self) -> list[bytes]:
        """Every bid_id that the present session may unlock."""
        numbers = self.session().envelopes
        headers = [bid.headers for bid in self.living_bids()]
        return [own[n].bid_id for own in headers for n in numbers if n in own]

    def form_envelope(self) -> int:
        """The form of the current session: the envelope whose states are frozen and read out."""
        forms = [n for n in self.session().envelopes if self.rules().envelope(n).kind == "form"]
        assert len(forms) == 1, "a session opens exactly one form envelope"
        return forms[0]

    def unlocked_forms(self) -> list[bytes]:
        return [b for b in self.counting(self.form_envelope()) if b in self.halves]

    def nonce_of(self, envelope: int) -> bytes:
        """The nonce of the last window that opened this envelope number."""
        windows = [*self.windows, *([self.window] if self.window else [])]
        return next(w.nonces[envelope] for w in reversed(windows) if envelope in w.nonces)

    def released(self, envelope: int) -> list[int]:
        """The places of the trustees that released this envelope, ascending."""
        return sorted(place for place, own in self.releases.items() if envelope in own)


def _scheduled(state: Opening, event: ev.OpeningScheduled) -> Opening:
    manifest = parse_manifest(event.manifest, allow_test=state.allow_test)
    return replace(state, manifest=manifest, deadline_ms=manifest.deadline_ms)


def _closed_list(state: Opening, event: ev.ClosedListTaken) -> Opening:
    suite = state.suite()
    headers = {
        header.bid_id: header for header in (parse_header(raw, suite) for raw in event.headers)
    }
    bids: list[Bid] = []
    for no, raw in enumerate(event.submits, 1):
        submit = parse_submit(raw, suite)
        org = event.orgs[submit.bidder_pk]
        bids.append(
            Bid(
                no=no,
                lot=submit.lot,
                org=org,
                name=event.names[org],
                certified=org in event.certified,
                bidder_pk=submit.bidder_pk,
                headers={envelope: headers[bid_id] for envelope, bid_id in submit.items},
            )
        )
    envelopes = {h.bid_id: (bid, envelope) for bid in bids for envelope, h in bid.headers.items()}
    return replace(state, bids=tuple(bids), envelopes=envelopes, submits=tuple(event.submits))


def _checkpoint(state: Opening, event: ev.CheckpointReached) -> Opening:
    if event.of == "closing":
        return replace(state, closing_checkpoint=event.checkpoint)
    assert state.window is not None
    assert state.window.w == event.w
    return replace(state, window=replace(state.window, checkpoint=event.checkpoint))


def _window_opened(state: Opening, event: ev.WindowOpened) -> Opening:
    window = Window(
        session=event.session,
        w=event.w,
        nonces={n.envelope: n.nonce for n in event.nonces},
        start_ms=event.start_ms,
        end_ms=event.end_ms,
    )
    past = state.windows + ((state.window,) if state.window else ())
    fresh = state.window is None or state.window.session != event.session
    state = replace(state, window=window, windows=past, stage=Stage.DECRYPTION)
    state = replace(state, waiting=sum(b not in state.halves for b in state.session_bid_ids()))
    if not fresh:
        return state
    # The releases stay: bodies of an earlier session are still opened with them.
    return replace(
        state,
        release_bytes={},
        late=frozenset(),
        first_reply_ms=None,
        trustees_lost=False,
        found={},
        found_with=(),
        replies_ended_ms=None,
        all_opened=False,
        row=0,
    )


def _window_changed(state: Opening, event: ev.WindowChanged) -> Opening:
    assert state.window is not None
    remaining = event.remaining_ms if event.change == "pause" else None
    if event.change == "extend" and state.window.paused:
        remaining = event.remaining_ms
    return replace(state, window=replace(state.window, end_ms=event.end_ms, remaining_ms=remaining))


def _unlocked(state: Opening, event: ev.UnlockReceived) -> Opening:
    halves = dict(state.halves)
    for raw in event.messages:
        digest = sha256(raw)
        for bid_id, half in event.halves.items():
            if bid_id in raw:  # each bid_id stands in exactly one of the messages (unlocking.py)
                halves[bid_id] = Unlocked(half, digest, event.received_ms)
    return replace(state, halves=halves, waiting=state.waiting - len(event.halves))


def _attempt(state: Opening, event: ev.AttemptFailed) -> Opening:
    attempt = Attempt(event.bid_id, event.code, event.received_ms)
    known = state.attempts.get(event.no, ())
    return replace(
        state,
        tries={**state.tries, event.org: state.tries.get(event.org, 0) + 1},
        attempts={**state.attempts, event.no: (*known, attempt)},
    )


def _outage(state: Opening, event: ev.OutageSeen) -> Opening:
    assert state.window is not None
    window = replace(state.window, lost_ms=state.window.lost_ms + event.lost_ms)
    return replace(state, window=window)


def _window_ended(state: Opening, event: ev.WindowEnded) -> Opening:
    assert state.window is not None
    ended = replace(state.window, ended=True, early=event.early, remaining_ms=None)
    return replace(state, window=ended, stage=Stage.RELEASE)


def _released(state: Opening, event: ev.ReleaseReceived) -> Opening:
    suite = state.suite()
    messages = {m.envelope: m for m in (parse_release(raw, suite) for raw in event.messages)}
    digests = {message.digest: event.received_ms for message in messages.values()}
    return replace(
        state,
        releases={**state.releases, event.i: {**state.releases.get(event.i, {}), **messages}},
        release_bytes={**state.release_bytes, event.i: tuple(event.messages)},
        late=state.late if state.replies_ended_ms is None else state.late | {event.i},
        answered={**state.answered, **digests},
        first_reply_ms=event.received_ms if state.first_reply_ms is None else state.first_reply_ms,
        stage=Stage.REPLIES if state.stage is Stage.RELEASE else state.stage,
    )


def _lost(state: Opening, event: ev.TrusteesLost) -> Opening:
    first = state.now_ms if state.first_reply_ms is None else state.first_reply_ms
    return replace(state, trustees_lost=True, first_reply_ms=first, stage=Stage.REPLIES)


def _self_released(state: Opening, event: ev.SelfReleaseReceived) -> Opening:
    return replace(
        state,
        self_halves={**state.self_halves, event.bid_id: event.host_half},
        answered={**state.answered, sha256(event.message): event.received_ms},
    )


def _halves_found(state: Opening, event: ev.HalvesFound) -> Opening:
    if state.rules().envelope(event.envelope).kind != "form":
        seen = {**state.bodies_seen, event.envelope: event.releases}
        return replace(state, bodies_seen=seen)
    found = {**state.found, **{f.bid_id: f for f in event.found}}
    return replace(state, found=found, found_with=event.releases, found_repairs=event.repairs)


def _declined(state: Opening, event: av.ActDeclined) -> Opening:
    left = {b: p for b, p in state.ground_proposals.items() if p.act != event.act}
    lost = state.lost_proposal
    if lost is not None and lost.act == event.act:
        lost = None
    return replace(state, ground_proposals=left, lost_proposal=lost)


def _frozen(state: Opening, event: ev.SetFrozen) -> Opening:
    states = frozen_states(whole_document(state.parts, event))
    return replace(state, parts=(), states={**state.states, **states})


def _body_decided(state: Opening, event: ev.BodyDecided) -> Opening:
    return replace(
        state,
        states={**state.states, event.bid_id: event.state},
        bodies_tried={**state.bodies_tried, event.bid_id: event.releases},
    )


def _read_out(state: Opening, event: ev.PricesReadOut) -> Opening:
    assert state.window is not None
    return replace(
        state,
        parts=(),
        readouts=(*state.readouts, whole_document(state.parts, event)),
        sessions_done=state.sessions_done | {state.window.session},
        stage=Stage.READ_OUT,
    )


def _floor(state: Opening, event: Event) -> Opening:
    return replace(state, floor=floor.evolve(state.floor, event, state.now_ms))


_EVOLVE: dict[type[Event], Callable[[Opening, Any], Opening]] = {
    ev.OpeningScheduled: _scheduled,
    ev.SignInOpened: lambda s, e: replace(s, stage=Stage.SIGN_IN),
    ev.BidderSignedIn: lambda s, e: replace(s, signed_in=s.signed_in | {e.org}),
    ev.LatecomerSignedIn: lambda s, e: replace(s, signed_in=s.signed_in | {e.org}),
    ev.SignedInBidders: lambda s, e: s,
    ev.DeadlineMoved: lambda s, e: replace(s, deadline_ms=e.deadline_ms),
    ev.ClosedListTaken: _closed_list,
    ev.BiddersListed: lambda s, e: s,
    ev.BiddersAnnounced: lambda s, e: replace(s, stage=Stage.ANNOUNCED),
    ev.OpeningFailed: lambda s, e: replace(s, stage=Stage.FAILED),
    ev.LotFailed: lambda s, e: replace(s, failed_lots=s.failed_lots | {e.lot}),
    ev.CheckpointReached: _checkpoint,
    ev.WindowOpened: _window_opened,
    ev.WindowChanged: _window_changed,
    ev.UnlockReceived: _unlocked,
    ev.BidUnlocked: lambda s, e: s,
    ev.OwnBidUnlocked: lambda s, e: s,
    ev.AttemptFailed: _attempt,
    ev.AttemptSeen: lambda s, e: s,
    ev.WindowEnded: _window_ended,
    ev.ReleaseReceived: _released,
    ev.TrusteeReleased: lambda s, e: s,
    ev.TrusteesLost: _lost,
    ev.SelfReleaseReceived: _self_released,
    ev.TrusteeFaultFound: lambda s, e: replace(s, faults=s.faults | {(e.envelope, e.i, e.bid_id)}),
    ev.HalvesFound: _halves_found,
    ev.RepliesEnded: lambda s, e: replace(s, replies_ended_ms=s.now_ms, stage=Stage.OPENING),
    ev.AllOpened: lambda s, e: replace(s, all_opened=True),
    ev.DocumentPart: lambda s, e: replace(s, parts=(*s.parts, e.raw)),
    ev.SetFrozen: _frozen,
    ev.PricesReadOut: _read_out,
    ev.RowRead: lambda s, e: replace(s, row=e.no),
    ev.BodyDecided: _body_decided,
    ev.OutageSeen: _outage,
    av.TrusteesLostProposed: lambda s, e: replace(s, lost_proposal=e),
    av.DamageFound: lambda s, e: replace(s, damaged=s.damaged.union(e.bid_ids)),
    av.BidRepaired: lambda s, e: replace(s, repairs=s.repairs + 1, damaged=s.damaged - {e.bid_id}),
    av.GroundsSuggested: lambda s, e: replace(
        s, suggestions={**s.suggestions, **{one.bid_id: one for one in e.bids}}
    ),
    av.GroundProposed: lambda s, e: replace(
        s, ground_proposals={**s.ground_proposals, e.bid_id: e}
    ),
    av.ActDeclined: _declined,
    av.GroundDecided: lambda s, e: replace(s, grounds={**s.grounds, e.bid_id: e.ground}),
    ev.OpeningClosed: lambda s, e: replace(s, stage=Stage.CLOSED),
    **dict.fromkeys(floor.EVENTS_OF_FLOOR, _floor),
}


def evolve(state: Opening, event: Event, ts_ms: int) -> Opening:
    """The state after ``event``, which was journaled at ``ts_ms``."""
    return _EVOLVE[type(event)](replace(state, now_ms=ts_ms), event)
