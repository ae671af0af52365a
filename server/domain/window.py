"""The countdown (解密时限): start, pause, resume, extend, restart, end (sealing.md C1,
formats.md §3).

A window never gets shorter. It ends at its end, once a whole pass over the sockets that began
after it is complete, or at once when every counting bid is unlocked. A restart is a new window,
lawful only while nothing was released.
"""

from crypto.manifest_parts import Session
from server.domain import commands as cmd
from server.domain import opening_events as ev
from server.domain.events import Event
from server.domain.model import Context
from server.domain.opening import Opening, Stage, Window
from server.domain.reasons import written_reason
from server.domain.refusals import Refused

EXTENSION_MS_MAX = 24 * 3600 * 1000
NONCE_BYTES = 32


def _to_come(state: Opening) -> list[Session]:
    return [s for s in state.rules().sessions if s.session not in state.sessions_done]


def _running(state: Opening) -> Window:
    if state.window is None or state.window.ended:
        raise Refused("window.not_running")
    return state.window


def _before_its_end(state: Opening, ctx: Context) -> Window:
    """The running window, if what was asked came before its end, like everybody's requests."""
    window = _running(state)
    if not window.paused and ctx.received_ms >= window.end_ms:
        raise Refused("window.not_running")
    return window


def start(state: Opening, command: cmd.StartWindow, ctx: Context) -> list[Event]:
    """OPENING_START, only after DEADLINE_CLOSED is under a signed checkpoint (C1.1)."""
    if not state.closing_checkpoint:
        raise Refused("window.not_closing_checkpoint")
    session = next((s for s in state.rules().sessions if s.session == command.session), None)
    if session is None:
        raise Refused("window.session_unknown", session=command.session)
    if command.session in state.sessions_done:
        raise Refused("window.session_done")
    previous, w, reason = state.window, 1, ""
    if previous is not None and not previous.ended:
        raise Refused("window.running")
    # Sessions are opened in the manifest's order: prices never before what is judged without them.
    if any(s.session < command.session for s in _to_come(state)):
        raise Refused("window.session_unknown", session=command.session)
    if previous is not None and previous.session == command.session:
        if state.first_reply_ms is not None:
            raise Refused("window.final")
        if not previous.checkpoint:  # its end must stay provable (C7, C15)
            raise Refused("window.not_closing_checkpoint")
        if not any(b not in state.halves for b in state.session_bid_ids()):
            raise Refused("window.all_unlocked")  # it would only make everybody wait
        w, reason = previous.w + 1, written_reason(command.reason)
    assert len(ctx.entropy) >= NONCE_BYTES * len(session.envelopes)
    nonces = [
        ev.Nonce(envelope=n, nonce=ctx.entropy[k * NONCE_BYTES : (k + 1) * NONCE_BYTES])
        for k, n in enumerate(session.envelopes)
    ]
    return [
        ev.WindowOpened(
            session=command.session,
            w=w,
            nonces=nonces,
            start_ms=ctx.now_ms,
            end_ms=ctx.now_ms + session.window_ms,
            reason=reason,
        )
    ]


def _changed(
    window: Window, change: str, *, end_ms: int, remaining_ms: int, reason: str
) -> list[Event]:
    return [
        ev.WindowChanged(
            change=change,
            end_ms=end_ms,
            remaining_ms=remaining_ms,
            reason=reason,
            nonces=list(window.nonces.values()),
        )
    ]


def pause(state: Opening, command: cmd.Pause, ctx: Context) -> list[Event]:
    window = _before_its_end(state, ctx)
    if window.paused:
        raise Refused("window.paused")
    remaining = max(0, window.end_ms - ctx.now_ms)
    return _changed(
        window,
        "pause",
        end_ms=window.end_ms,
        remaining_ms=remaining,
        reason=written_reason(command.reason),
    )


def resume(state: Opening, command: cmd.Resume, ctx: Context) -> list[Event]:
    window = _running(state)
    if window.remaining_ms is None:
        raise Refused("window.not_paused")
    # A pause never shortens: an end later than now + remaining stands.
    end_ms = max(window.end_ms, ctx.now_ms + window.remaining_ms)
    return _changed(window, "resume", end_ms=end_ms, remaining_ms=end_ms - ctx.now_ms, reason="")


def extend(state: Opening, command: cmd.Extend, ctx: Context) -> list[Event]:
    window = _before_its_end(state, ctx)
    if not 1000 <= command.extra_ms <= EXTENSION_MS_MAX:
        raise Refused("window.extension")
    end_ms = window.end_ms + command.extra_ms
    left = window.remaining_ms if window.remaining_ms is not None else window.end_ms - ctx.now_ms
    return _changed(
        window,
        "extend",
        end_ms=end_ms,
        remaining_ms=max(0, left) + command.extra_ms,
        reason=written_reason(command.reason),
    )


def ended(state: Opening, ctx: Context, *, early: bool) -> list[Event]:
    """WINDOW_END, and with it the first sight of who unlocked."""
    window = _running(state)
    numbers = state.session().envelopes
    done = {
        bid.no: all(bid.headers[n].bid_id in state.halves for n in numbers if n in bid.headers)
        for bid in state.living_bids()
    }
    return [
        ev.WindowEnded(
            session=window.session,
            w=window.w,
            nonces=list(window.nonces.values()),
            end_ms=window.end_ms,
            early=early,
            unlocked=[no for no, unlocked in done.items() if unlocked],
            locked=[no for no, unlocked in done.items() if not unlocked],
        )
    ]


def tick(state: Opening, command: cmd.OpeningTick, ctx: Context) -> list[Event]:
    """``passed_ms``: every frame that reached a socket by then is already in the room's queue
    before us.
    """
    window = state.window
    if state.stage is not Stage.DECRYPTION or window is None or window.ended or window.paused:
        return []
    if command.passed_ms >= window.end_ms and ctx.now_ms >= window.end_ms:
        return ended(state, ctx, early=False)
    return []


def resume_after_outage(
    state: Opening, command: cmd.ResumeAfterOutage, ctx: Context
) -> list[Event]:
    """The tender's outage rule (formats.md §3): extend by the outage, or keep the end."""
    window = state.window
    if state.stage is not Stage.DECRYPTION or window is None or window.ended or window.paused:
        return []
    session = state.session()
    out_from = max(command.last_alive_ms, window.start_ms)
    out_ms = max(0, ctx.now_ms - out_from)
    extra = min(out_ms, session.outage_ms_max) if session.outage == "extend" else 0
    lost = (
        [
            # Evidence of whose fault a closed bid is (C3): this much was taken and not given back.
            ev.OutageSeen(from_ms=out_from, to_ms=ctx.now_ms, lost_ms=out_ms - extra)
        ]
        if out_ms > extra
        else []
    )
    if extra == 0:
        return [*lost]
    end_ms = window.end_ms + extra
    return [
        *lost,
        *_changed(
            window,
            "extend",
            end_ms=end_ms,
            remaining_ms=max(0, end_ms - ctx.now_ms),
            reason="outage",
        ),
    ]
