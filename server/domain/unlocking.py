"""Unlocking (投标人解密): a bidder hands over its half s_B, checked in microseconds against
c_B (C7,
C8, C11).

No price exists anywhere yet. All messages of one press are accepted or none. What arrives too
late or does not match is refused and journaled: failed tries are the evidence of whose fault a
closed bid is (C3). In time is judged by ``received_ms``; that an unlock in time is still
undecided when the window's end passes is what `signaling.pass_clock` excludes.
"""

from collections.abc import Mapping

from crypto.ack import ACK_CARD_UNLOCK, ACK_UNLOCK
from crypto.messages import Unlock, parse_card_unlock, parse_unlock, signature_ok
from crypto.sealing import bidder_half_matches
from server.domain import commands as cmd
from server.domain import opening_events as ev
from server.domain.events import Event
from server.domain.model import Context, Role
from server.domain.opening import Bid, Opening, Stage, Window
from server.domain.refusals import Refused

TRIES_MAX = 200  # failed tries of one bidder that are journaled; later ones are only refused


def _late_or_early(state: Opening, ctx: Context) -> str | None:
    """The refusal code for an unlock that no window takes now, or None."""
    window = state.window
    if state.stage is not Stage.DECRYPTION or window is None:
        return "unlock.before_window" if window is None else "unlock.window_closed"
    if not window.paused and ctx.received_ms >= window.end_ms:
        return "unlock.window_closed"
    return None


def _evidence(
    state: Opening, failed: Mapping[bytes, bytes], code: str, ctx: Context, kind: int
) -> tuple[Event, ...]:
    """What is kept of a failed try: for each bid_id the SHA-256 of the message that named it."""
    tried = [(bid_id, *state.envelopes[bid_id], digest) for bid_id, digest in failed.items()]
    tried = tried[: max(0, TRIES_MAX - max(state.tries.get(bid.org, 0) for _, bid, _, _ in tried))]
    events: list[Event] = [
        ev.AttemptFailed(
            org=bid.org,
            no=bid.no,
            bid_id=bid_id,
            nonce=state.window.nonces.get(envelope, b"") if state.window else b"",
            code=code,
            sha256=digest,
            received_ms=ctx.received_ms,
            kind=kind,
        )
        for bid_id, bid, envelope, digest in tried
    ]
    for no in sorted({bid.no for _, bid, _, _ in tried}):
        events.append(ev.AttemptSeen(no=no, code=code, received_ms=ctx.received_ms))
    return tuple(events)


def _check_bids(state: Opening, message: Unlock, ctx: Context) -> None:
    """Every bid of the message counts, is the sender's own, and is of the message's envelope."""
    for bid_id, _ in message.items:
        bid, envelope = state.envelopes.get(bid_id, (None, 0))
        if bid is None:
            raise Refused("unlock.bid_unknown")
        if bid.bidder_pk != message.bidder_pk or bid.org != ctx.actor.org:
            raise Refused("unlock.not_yours")
        if envelope != message.envelope:
            raise Refused("unlock.envelope")
        _check_lot(state, bid)


def _check_lot(state: Opening, bid: Bid) -> None:
    """Nothing of a lot that failed is opened, whoever asks (实施条例 art. 44)."""
    if bid.lot in state.failed_lots:
        raise Refused("unlock.lot_failed", lot=bid.lot)


def _check_window(state: Opening, window: Window, message: Unlock) -> None:
    if message.tender_id != state.rules().tender_id or message.envelope not in window.nonces:
        raise Refused("unlock.envelope")
    if message.opening_nonce != window.nonces[message.envelope] or message.w != window.w:
        raise Refused("unlock.nonce")


def unlock(state: Opening, command: cmd.UnlockBid, ctx: Context) -> list[Event]:
    suite = state.suite()
    messages = [parse_unlock(raw, suite) for raw in command.messages]
    if len({m.envelope for m in messages}) != len(messages):
        raise Refused("unlock.set")
    for message in messages:
        if not signature_ok(message, message.bidder_pk):
            raise Refused("unlock.signature")
        _check_bids(state, message, ctx)
    if _repeats(state, messages):
        return []
    digests = {bid_id: m.digest for m in messages for bid_id, _ in m.items}
    if code := _late_or_early(state, ctx):
        evidence = _evidence(state, digests, code, ctx, ACK_UNLOCK)
        end_ms = state.window.end_ms if state.window else 0
        raise Refused(code, evidence=evidence, end_ms=end_ms, received_ms=ctx.received_ms)
    assert state.window is not None
    for message in messages:
        _check_window(state, state.window, message)
    halves = {bid_id: half for m in messages for bid_id, half in m.items}
    wrong = {b: digests[b] for b, half in halves.items() if not _matches(state, b, half)}
    if wrong:
        code = "unlock.key_mismatch"
        raise Refused(code, evidence=_evidence(state, wrong, code, ctx, ACK_UNLOCK))
    if any(bid_id in state.halves for bid_id in halves):
        raise Refused("unlock.already")
    return _accepted(
        state, command.messages, [m.opening_nonce for m in messages], halves, "key", ctx
    )


def _matches(state: Opening, bid_id: bytes, half: bytes) -> bool:
    bid, envelope = state.envelopes[bid_id]
    return bidder_half_matches(bid.headers[envelope], half)


def _repeats(state: Opening, messages: list[Unlock]) -> bool:
    """The very same messages were accepted before: the answer is the first one (C11)."""
    return all(
        bid_id in state.halves and state.halves[bid_id].digest == m.digest
        for m in messages
        for bid_id, _ in m.items
    )


def _accepted(
    state: Opening,
    raw: list[bytes],
    nonces: list[bytes],
    halves: dict[bytes, bytes],
    by: str,
    ctx: Context,
) -> list[Event]:
    events: list[Event] = [
        ev.UnlockReceived(
            messages=raw, nonces=nonces, by=by, received_ms=ctx.received_ms, halves=halves
        )
    ]
    touched: dict[int, list[int]] = {}
    orgs: dict[int, str] = {}
    for bid_id in halves:
        bid, envelope = state.envelopes[bid_id]
        touched.setdefault(bid.no, []).append(envelope)
        orgs[bid.no] = bid.org
    for no, numbers in touched.items():
        numbers.sort()
        at = ctx.received_ms
        events.append(ev.BidUnlocked(no=no, envelopes=numbers, by=by, received_ms=at))
        events.append(
            ev.OwnBidUnlocked(org=orgs[no], no=no, envelopes=numbers, by=by, received_ms=at)
        )
    return events


def card_unlock(state: Opening, command: cmd.UnlockByCard, ctx: Context) -> list[Event]:
    """Knowledge of s_B is the authorisation (C8); the room limits the rate per address."""
    message = parse_card_unlock(command.message, state.suite())
    if message.bid_id not in state.envelopes:
        raise Refused("unlock.bid_unknown")
    bid, envelope = state.envelopes[message.bid_id]
    _check_lot(state, bid)
    known = state.halves.get(message.bid_id)
    if known is not None and known.digest == message.digest:
        return []
    if not bidder_half_matches(bid.headers[envelope], message.bidder_half):
        raise Refused("unlock.key_mismatch")
    if code := _late_or_early(state, ctx):
        failed = {message.bid_id: message.digest}
        evidence = _evidence(state, failed, code, ctx, ACK_CARD_UNLOCK)
        end_ms = state.window.end_ms if state.window else 0
        raise Refused(code, evidence=evidence, end_ms=end_ms, received_ms=ctx.received_ms)
    assert state.window is not None
    nonce = state.window.nonces.get(envelope)
    if message.tender_id != state.rules().tender_id or message.opening_nonce != nonce:
        raise Refused("unlock.nonce")
    if known is not None:
        raise Refused("unlock.already")
    halves = {message.bid_id: message.bidder_half}
    return _accepted(state, [command.message], [message.opening_nonce], halves, "card", ctx)


def report_attempt(state: Opening, command: cmd.ReportAttempt, ctx: Context) -> list[Event]:
    """A key that failed on the device: nothing of the bid travels, only the fact (C7)."""
    bid = state.envelopes.get(command.bid_id, (None, 0))[0]
    if bid is None or (bid.org != ctx.actor.org and ctx.actor.role is not Role.SYSTEM):
        raise Refused("unlock.bid_unknown")
    return list(_evidence(state, {command.bid_id: bytes(32)}, command.code, ctx, 0))
