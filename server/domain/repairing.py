"""Repair of damaged storage (修复存储): the same ciphertext again, before REPLY_END, and nothing
else (C3).

What the bytes are is checked where they arrive; here is whether a repair is lawful now, and who
hears of the damage. No repair exists for a malformed bid: its bytes are what its bidder signed.
"""

from server.domain import act_events as av
from server.domain import commands as cmd
from server.domain import opening_events as ev
from server.domain.events import Event
from server.domain.model import Context
from server.domain.opening import Opening
from server.domain.refusals import Refused

DAMAGED = "damaged"


def require_open(state: Opening, bid_id: bytes) -> None:
    """A counting envelope whose session has not come to its REPLY_END.

    Raises bid.unknown, repair.not_open.
    """
    if bid_id not in state.envelopes:
        raise Refused("bid.unknown")
    _, envelope = state.envelopes[bid_id]
    session = next(s.session for s in state.rules().sessions if envelope in s.envelopes)
    window = state.window
    is_over = (
        window is not None and window.session == session and state.replies_ended_ms is not None
    )
    if is_over or session in state.sessions_done:
        raise Refused("repair.not_open")


def report_repair(state: Opening, command: cmd.ReportRepair, ctx: Context) -> list[Event]:
    require_open(state, command.bid_id)
    bid, envelope = state.envelopes[command.bid_id]
    if command.ct_root != bid.headers[envelope].ct_root:
        raise Refused("repair.ct_root")
    return [
        av.BidRepaired(no=bid.no, envelope=envelope, bid_id=command.bid_id, ct_root=command.ct_root)
    ]


def damage_seen(before: Opening, found: ev.HalvesFound) -> list[Event]:
    """What the staff is told while it can still be mended."""
    damaged = [f.bid_id for f in found.found if f.state == DAMAGED]
    fresh = [bid_id for bid_id in damaged if bid_id not in before.damaged]
    return [av.DamageFound(bid_ids=fresh)] if fresh else []
