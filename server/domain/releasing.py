"""Release (招标人解密): trustees hand
over their shares after the journaled end (C1.5, C5, C8, C11).

No chunk is decrypted here. The first accepted RELEASE, or TRUSTEES_LOST, makes the window final.
REPLY_END comes at once when every unlocked form has its host half and intact bytes, otherwise by
the host or ``reply_ms`` after the first reply. Releases that arrive later are still taken: they
can only name faults.
"""

from crypto.checkpoint import parse_checkpoint
from crypto.messages import MODE_ALL, Release, parse_release, parse_self_release, signature_ok
from crypto.sealing import deal_check, host_half_matches
from server.domain import commands as cmd
from server.domain import opening_events as ev
from server.domain.events import Event
from server.domain.model import Context
from server.domain.officers import require_host_and_supervisor
from server.domain.opening import Opening, Stage, Window
from server.domain.reasons import signed_reason
from server.domain.refusals import Refused

FAULTS_AT_ONCE = 1000  # of one append; a trustee may be wrong about every bid
RELEASING = (Stage.RELEASE, Stage.REPLIES, Stage.OPENING, Stage.READ_OUT)


def expected_set(state: Opening, envelope: int) -> list[bytes]:
    """Exactly the bid_ids that a RELEASE of this envelope must list, ascending (C11)."""
    counting = state.counting(envelope)
    if state.rules().envelope(envelope).mode == MODE_ALL:
        return counting
    return [bid_id for bid_id in counting if bid_id in state.halves]


def _check_window(state: Opening, window: Window, message: Release) -> None:
    if message.tender_id != state.rules().tender_id or message.envelope not in window.nonces:
        raise Refused("release.envelopes")
    if message.opening_nonce != window.nonces[message.envelope]:
        raise Refused("release.nonce")


def _check(state: Opening, window: Window, message: Release) -> None:
    log = state.rules().log
    checkpoint = parse_checkpoint(window.checkpoint, log.origin, log.pk)
    if message.root != checkpoint.root or message.size != checkpoint.size:
        raise Refused("release.checkpoint")
    if message.mode != state.rules().envelope(message.envelope).mode:
        raise Refused("release.mode")
    if [item.bid_id for item in message.items] != expected_set(state, message.envelope):
        raise Refused("release.set")


def _position(state: Opening, message: Release) -> int:
    """The trustee's place in the manifest's list; its key must have signed. ``i`` counts within
    the envelope.
    """
    rules = state.rules()
    positions = rules.envelope(message.envelope).trustees
    if not 1 <= message.i <= len(positions):
        raise Refused("release.trustee")
    place = positions[message.i - 1]
    if not signature_ok(message, rules.trustees[place - 1].spk):
        raise Refused("release.signature")
    return place


def release(state: Opening, command: cmd.ReleaseShares, ctx: Context) -> list[Event]:
    window, suite = state.window, state.suite()
    if state.stage not in RELEASING or window is None or not window.checkpoint:
        raise Refused("release.window")
    messages = [parse_release(raw, suite) for raw in command.messages]
    places = {_position(state, message) for message in messages}
    if len(places) != 1:
        raise Refused("release.trustee")
    place = places.pop()
    trustee = state.rules().trustees[place - 1]
    if trustee.code != ctx.actor.org or ctx.received_ms > trustee.expiry_ms:
        raise Refused("release.trustee")
    for message in messages:
        _check_window(state, window, message)
    if place in state.release_bytes:
        if set(command.messages) <= set(state.release_bytes[place]):
            return []
        raise Refused("release.second", evidence=_second(state, place, messages))
    served = [n for n in state.session().envelopes if place in state.rules().envelope(n).trustees]
    if sorted(m.envelope for m in messages) != served:
        raise Refused("release.envelopes")
    for message in messages:
        _check(state, window, message)
    form = state.rules().envelope(state.form_envelope())
    before = state.released(form.envelope)
    return [
        ev.ReleaseReceived(
            i=place,
            session=window.session,
            messages=command.messages,
            nonces=[m.opening_nonce for m in messages],
            indices=[m.i for m in messages],
            modes=[m.mode for m in messages],
            received_ms=ctx.received_ms,
        ),
        ev.TrusteeReleased(
            i=place,
            role=trustee.role,
            name=trustee.name,
            received_ms=ctx.received_ms,
            needed=form.t,
            released=len(before) + any(m.envelope == form.envelope for m in messages),
        ),
    ]


def _second(state: Opening, place: int, messages: list[Release]) -> tuple[Event, ...]:
    """A second, different RELEASE of one trustee for one nonce is refused and named, once (C11)."""
    first = state.release_bytes[place]
    return tuple(
        ev.TrusteeFaultFound(
            i=m.i,
            envelope=m.envelope,
            nonce=m.opening_nonce,
            bid_id=b"",
            fault="second",
            sha256=m.digest,
        )
        for m in messages
        if m.raw not in first and (m.envelope, m.i, b"") not in state.faults
    )


def self_release(state: Opening, command: cmd.ReleaseSelf, ctx: Context) -> list[Event]:
    """A bidder shows its own s_H, between the first reply and REPLY_END only (C8)."""
    window = state.window
    if state.stage is not Stage.REPLIES or state.replies_ended_ms is not None or window is None:
        raise Refused("self_release.not_open")
    events: list[Event] = []
    for raw in command.messages:
        message = parse_self_release(raw, state.suite())
        bid, envelope = state.envelopes.get(message.bid_id, (None, 0))
        if bid is None or window.nonces.get(envelope) != message.opening_nonce:
            raise Refused("self_release.bid_unknown")
        header = bid.headers[envelope]
        if message.tender_id != state.rules().tender_id:
            raise Refused("self_release.bid_unknown")
        if not host_half_matches(header, message.host_half) or not deal_check(
            header, message.host_half
        ):
            raise Refused("self_release.half")
        if message.bid_id in state.self_halves:
            continue
        events.append(
            ev.SelfReleaseReceived(
                bid_id=message.bid_id,
                nonce=message.opening_nonce,
                host_half=message.host_half,
                message=raw,
                received_ms=ctx.received_ms,
            )
        )
    return events


def declare_trustees_lost(
    state: Opening, command: cmd.DeclareTrusteesLost, ctx: Context
) -> list[Event]:
    """TRUSTEES_LOST, signed by host and supervisor; makes the window final as a RELEASE does
    (C8).
    """
    if state.stage is not Stage.RELEASE or state.window is None or not state.window.checkpoint:
        raise Refused("release.window")
    event = ev.TrusteesLost(
        nonce=state.window.nonces[state.form_envelope()],
        reason=signed_reason(command.reason),
        pks=command.pks,
        sigs=command.sigs,
    )
    require_host_and_supervisor(state.rules(), event, "release.signature")
    return [event]


def report_halves(state: Opening, command: cmd.ReportHalves, ctx: Context) -> list[Event]:
    """What the workers found. Faults are named; REPLY_END follows at once when nothing is
    missing.

    What is found after REPLY_END still counts, because it comes of replies that were in time
    (`due.work`); what is found after the read-out, or of large envelopes, can only name faults.
    """
    faults = _faults(state, command)
    if len(faults) > FAULTS_AT_ONCE:
        return faults[:FAULTS_AT_ONCE]  # the work is still due, and then these are named
    counts = state.stage in (Stage.REPLIES, Stage.OPENING)
    events: list[Event] = [
        ev.HalvesFound(
            envelope=command.envelope,
            releases=command.releases,
            found=command.found if counts else [],
            repairs=command.repairs,
        )
    ]
    events += faults
    is_form = state.rules().envelope(command.envelope).kind == "form"
    if state.stage is not Stage.REPLIES or not is_form:
        return events
    known = {f.bid_id: f.state for f in state.found.values()}
    known |= {f.bid_id: f.state for f in command.found}
    # "malformed" is final by bytes alone; only a missing half or damaged bytes can still be mended.
    if all(known.get(b) in ("", "malformed") for b in state.unlocked_forms()):
        events += replies_ended(state, "all_found")
    return events


def _faults(state: Opening, command: cmd.ReportHalves) -> list[Event]:
    places = state.rules().envelope(command.envelope).trustees
    return [
        ev.TrusteeFaultFound(
            i=fault.i,
            envelope=command.envelope,
            nonce=state.nonce_of(command.envelope),
            bid_id=fault.bid_id,
            fault=fault.fault,
            sha256=state.releases[places[fault.i - 1]][command.envelope].digest,
        )
        for fault in command.faults
        if (command.envelope, fault.i, fault.bid_id) not in state.faults
    ]


def replies_ended(state: Opening, by: str) -> list[Event]:
    """REPLY_END; an unattended opening then opens by itself (无人值守)."""
    assert state.window is not None
    events: list[Event] = [ev.RepliesEnded(by=by, nonces=list(state.window.nonces.values()))]
    if state.session().unattended:
        events.append(ev.AllOpened(by="unattended"))
    return events


def end_replies(state: Opening, command: cmd.EndReplies, ctx: Context) -> list[Event]:
    if state.stage is not Stage.REPLIES or state.replies_ended_ms is not None:
        raise Refused("reply.not_open")
    return replies_ended(state, "host")


def tick(state: Opening, ctx: Context) -> list[Event]:
    """``reply_ms`` after the first reply REPLY_END comes by itself, and as long again later the
    opening.
    """
    if state.first_reply_ms is None or state.window is None:
        return []
    reply_ms = state.session().reply_ms
    if state.stage is Stage.REPLIES and ctx.now_ms >= state.first_reply_ms + reply_ms:
        return replies_ended(state, "time")
    ended = state.replies_ended_ms
    if state.stage is not Stage.OPENING or state.all_opened or ended is None:
        return []
    return [ev.AllOpened(by="time")] if ctx.now_ms >= ended + reply_ms else []
