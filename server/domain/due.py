"""What is due (待办): the next moment a room must be woken, and the work its state asks for.

Pure functions of the state. Nothing remembers that work was given out: after a crash the rebuilt state asks again,
and reports that come twice change nothing.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from crypto.header import Header
from server.domain.lobby import SIGN_IN_EARLY_MS
from server.domain.opening import Opening, Stage


@dataclass(frozen=True, slots=True)
class BidHalves:
    """One unlocked bid and every way to its host half: shares by position in the envelope's list, self-release."""

    header: Header
    bidder_half: bytes
    shares: Mapping[int, bytes]
    unreadable: frozenset[int]
    self_half: bytes | None


@dataclass(frozen=True, slots=True)
class FindHalves:
    """Find s_H of every unlocked form, DEAL CHECK, c_K, stored bytes against ct_root (C1.5). No decryption."""

    envelope: int
    releases: tuple[int, ...]
    bids: tuple[BidHalves, ...]


@dataclass(frozen=True, slots=True)
class FormKey:
    header: Header
    bidder_half: bytes
    host_half: bytes
    others: Mapping[int, bytes]  # the other envelopes of its SUBMIT: number -> bid_id


@dataclass(frozen=True, slots=True)
class OpenForms:
    """Decrypt every form that can be (C1.6)."""

    envelope: int
    forms: tuple[FormKey, ...]


@dataclass(frozen=True, slots=True)
class OpenBody:
    """Find the half of one large envelope and decrypt it into its target file."""

    envelope: int
    bid: BidHalves


Work = FindHalves | OpenForms | OpenBody


def wake_ms(state: Opening) -> int | None:
    """The next moment at which a tick may change something; None: only events can."""
    if state.stage is Stage.SCHEDULED:
        return state.deadline_ms - SIGN_IN_EARLY_MS
    window = state.window
    if state.stage is Stage.DECRYPTION and window and not window.ended and not window.paused:
        return window.end_ms
    if state.first_reply_ms is not None and window is not None:
        reply_ms = state.session().reply_ms
        if state.stage is Stage.REPLIES:
            return state.first_reply_ms + reply_ms
        if state.stage is Stage.OPENING and not state.all_opened and state.replies_ended_ms:
            return state.replies_ended_ms + reply_ms
    return None


def _halves(state: Opening, bid_id: bytes, places: tuple[int, ...]) -> BidHalves:
    bid, envelope = state.envelopes[bid_id]
    shares: dict[int, bytes] = {}
    unreadable: set[int] = set()
    for place in places:
        message = state.releases[place].get(envelope)
        if message is None:
            continue
        status, share = message.share_of(bid_id)
        if status == 0:
            shares[message.i] = share
        else:
            unreadable.add(message.i)
    return BidHalves(
        header=bid.headers[envelope],
        bidder_half=state.halves[bid_id].half,
        shares=shares,
        unreadable=frozenset(unreadable),
        self_half=state.self_halves.get(bid_id),
    )


def work(state: Opening) -> Work | None:
    """The one piece of work that the opening waits for now, or None."""
    if state.window is None or not state.window.ended:
        return None
    envelope = state.form_envelope()
    if state.stage is Stage.REPLIES:
        return _find_halves(state, envelope)
    if state.stage is Stage.OPENING and state.all_opened:
        return _open_forms(state, envelope)
    if state.stage in (Stage.READ_OUT, Stage.CLOSED):
        return _open_body(state)
    return None


def _find_halves(state: Opening, envelope: int) -> FindHalves | None:
    places = tuple(sorted(state.releases))
    enough = len(places) >= state.rules().envelope(envelope).t
    fresh = places != state.found_with or any(
        b in state.self_halves and state.found.get(b) and state.found[b].state == "unrecoverable"
        for b in state.unlocked_forms()
    )
    if not fresh or not (enough or state.self_halves):
        return None
    bids = tuple(_halves(state, b, places) for b in state.unlocked_forms())
    return FindHalves(envelope=envelope, releases=places, bids=bids)


def _open_forms(state: Opening, envelope: int) -> OpenForms:
    forms: list[FormKey] = []
    for bid_id in state.unlocked_forms():
        found = state.found.get(bid_id)
        if found is None or found.state:
            continue
        bid, _ = state.envelopes[bid_id]
        forms.append(
            FormKey(
                header=bid.headers[envelope],
                bidder_half=state.halves[bid_id].half,
                host_half=found.host_half,
                others={n: h.bid_id for n, h in bid.headers.items() if n != envelope},
            )
        )
    return OpenForms(envelope=envelope, forms=tuple(forms))


def _open_body(state: Opening) -> OpenBody | None:
    places = tuple(sorted(state.releases))
    for number in state.session().envelopes:
        if state.rules().envelope(number).kind == "form":
            continue
        for bid_id in state.counting(number):
            if bid_id in state.halves and bid_id not in state.states:
                return OpenBody(envelope=number, bid=_halves(state, bid_id, places))
    return None


def awaited_checkpoint(state: Opening) -> tuple[str, int, int] | None:
    """(of, w, session) of the entry that must come under a signed checkpoint before the hall can go on."""
    if state.stage is Stage.ANNOUNCED and not state.closing_checkpoint:
        return ("closing", 0, 0)
    window = state.window
    if window is not None and window.ended and not window.checkpoint:
        return ("window_end", window.w, window.session)
    return None
