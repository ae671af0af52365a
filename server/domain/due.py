"""What is due (待办): the next moment a room must be woken, and the work its state asks for.

Pure functions of the state. Nothing remembers that work was given out: after a crash the rebuilt
state asks again, and reports that come twice change nothing.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from crypto.header import Header
from crypto.shares import SHARE_OK, SHARE_OTHER_AD, SHARE_UNREADABLE
from server.domain.lobby import SIGN_IN_EARLY_MS
from server.domain.opening import Opening, Stage


@dataclass(frozen=True, slots=True)
class BidHalves:
    """One unlocked bid and every way to its host half: shares by position in the envelope's
    list, self-release.
    """

    header: Header
    bidder_half: bytes
    shares: Mapping[int, bytes]
    unreadable: frozenset[int]
    self_half: bytes | None


@dataclass(frozen=True, slots=True)
class FindHalves:
    """Find s_H of every unlocked form, DEAL CHECK, c_K, stored bytes against ct_root (C1.5). No
    decryption.
    """

    envelope: int
    releases: tuple[int, ...]
    repairs: int  # made so far: what is read after them is mended
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
class OpenBodies:
    """Find the halves of a few large envelopes and decrypt each into its target file."""

    releases: tuple[int, ...]
    bids: tuple[BidHalves, ...]


@dataclass(frozen=True, slots=True)
class NameFaults:
    """Hold every share of decided large envelopes against its dealing (C5). No decryption."""

    envelope: int
    releases: tuple[int, ...]
    bids: tuple[BidHalves, ...]


BODIES_AT_ONCE = 8
UNRECOVERABLE = "unrecoverable"

Work = FindHalves | OpenForms


def wake_ms(state: Opening) -> int | None:
    """The next moment at which a tick may change something; None: only events can."""
    if state.manifest is None:
        return None
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


def only_its_end(state: Opening) -> bool:
    """Whether a countdown of the first session runs: its end is all that is due."""
    window = state.window
    return (
        state.stage is Stage.DECRYPTION
        and window is not None
        and not window.ended
        and not state.sessions_done
    )


def _halves(
    state: Opening, bid_ids: Iterable[bytes], envelope: int, places: Iterable[int]
) -> tuple[BidHalves, ...]:
    """Unlocked bids of one envelope number with all that the trustees at ``places`` released."""
    messages = [state.releases[place][envelope] for place in places]
    answers = {message.i: {item.bid_id: item for item in message.items} for message in messages}
    halves: list[BidHalves] = []
    for bid_id in bid_ids:
        own = {i: items[bid_id] for i, items in answers.items() if bid_id in items}
        halves.append(
            BidHalves(
                header=state.envelopes[bid_id][0].headers[envelope],
                bidder_half=state.halves[bid_id].half,
                shares={i: item.share for i, item in own.items() if item.status == SHARE_OK},
                # A share that was refused, with a reason, says nothing about its box (C5).
                unreadable=frozenset(
                    i
                    for i, item in own.items()
                    if item.status in (SHARE_UNREADABLE, SHARE_OTHER_AD)
                ),
                self_half=state.self_halves.get(bid_id),
            )
        )
    return tuple(halves)


def work(state: Opening) -> Work | None:
    """The one piece of work that the hall waits for now, or None."""
    if state.window is None or not state.window.ended:
        return None
    envelope = state.form_envelope()
    replies = tuple(state.released(envelope))
    if state.stage in (Stage.READ_OUT, Stage.CLOSED):
        # After REPLY_END a further share can only name faults (formats.md §3).
        return _find_halves(state, envelope, replies) if replies != state.found_with else None
    if state.stage not in (Stage.REPLIES, Stage.OPENING):
        return None
    # Every reply that came before REPLY_END decides, also when it was not looked at in time: a
    # state follows from the bytes, never from how busy we were (C3).
    in_time = tuple(place for place in replies if place not in state.late)
    is_repaired = state.repairs != state.found_repairs
    if in_time != state.found_with or is_repaired or _self_halves_wait(state):
        enough = len(in_time) >= state.rules().envelope(envelope).t
        if enough or any(b in state.self_halves for b in state.unlocked_forms()):
            return _find_halves(state, envelope, in_time)
    if state.stage is Stage.OPENING and state.all_opened:
        return _open_forms(state, envelope)
    return None


def _self_halves_wait(state: Opening) -> bool:
    """Whether a bidder's own half has not been looked at where it is needed."""
    needed = (UNRECOVERABLE, None)
    return any(
        b in state.self_halves and (state.found[b].state if b in state.found else None) in needed
        for b in state.unlocked_forms()
    )


def _find_halves(state: Opening, envelope: int, places: tuple[int, ...]) -> FindHalves:
    bids = _halves(state, state.unlocked_forms(), envelope, places)
    return FindHalves(envelope=envelope, releases=places, repairs=state.repairs, bids=bids)


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


def bodies(state: Opening) -> OpenBodies | NameFaults | None:
    """What is next about large envelopes, behind the read-out of their session, and behind the
    next session too: to decrypt some, then to name the faults in all shares of them. A share that
    comes later is looked at too, and what was unrecoverable without it is tried again.
    """
    read_out = [
        number
        for session in (state.rules().sessions if state.sessions_done else ())
        if session.session in state.sessions_done
        for number in session.envelopes
        if state.rules().envelope(number).kind != "form"
    ]
    for number in read_out:
        places = tuple(state.released(number))
        unlocked = [b for b in state.counting(number) if b in state.halves]
        ids = [b for b in unlocked if _may_open(state, b, places)]
        if ids:
            return OpenBodies(places, _halves(state, ids[:BODIES_AT_ONCE], number, places))
        if unlocked and state.bodies_seen.get(number, ()) != places:
            return NameFaults(number, places, _halves(state, unlocked, number, places))
    return None


def _may_open(state: Opening, bid_id: bytes, places: tuple[int, ...]) -> bool:
    """Whether it is undecided, or a share has come since it was found that too few are there."""
    decided = state.states.get(bid_id)
    if decided is None:
        return True
    return decided == UNRECOVERABLE and state.bodies_tried.get(bid_id, ()) != places


def awaited_checkpoint(state: Opening) -> tuple[str, int, int] | None:
    """(of, w, session) of the entry that must come under a signed checkpoint before the hall can
    go on.
    """
    if state.stage is Stage.ANNOUNCED and not state.closing_checkpoint:
        return ("closing", 0, 0)
    window = state.window
    if window is not None and window.ended and not window.checkpoint:
        return ("window_end", window.w, window.session)
    return None
