"""Mending damaged storage (修复存储): what may be sent again, and what follows when it has come.

Invariant: stored bytes are replaced only by bytes that give the very ct_root that the bidder's
SUBMIT names, so a repair chooses nothing. Sound bytes are never replaced.
"""

from crypto.header import Header
from server.domain import commands as cmd
from server.domain import repairing, roles
from server.domain.model import Actor
from server.domain.opening import Opening
from server.domain.refusals import Refused
from server.rooms.hall import Hall
from server.rooms.room import Room


def _room(hall: Hall, opening_id: str) -> Room:
    room = hall.find_room(f"opening:{opening_id}")
    if room is None or room.state.manifest is None:
        raise Refused("room.unknown")
    return room


async def damaged_header(hall: Hall, opening_id: str, actor: Actor, bid_id: bytes) -> Header:
    """The header of a counting envelope whose stored bytes are damaged and may be sent again.

    Raises room.unknown, auth.role, command.stage, bid.unknown, repair.not_open,
    repair.not_damaged.
    """
    state: Opening = _room(hall, opening_id).state
    roles.require("opening", cmd.ReportRepair.OP, actor, state.stage)
    repairing.require_open(state, bid_id)
    bid, envelope = state.envelopes[bid_id]
    header = bid.headers[envelope]
    if await hall.worker.is_intact(header, is_form=state.rules().envelope(envelope).kind == "form"):
        raise Refused("repair.not_damaged")
    return header


async def report(hall: Hall, opening_id: str, actor: Actor, header: Header) -> None:
    """The same bytes are durable again: whoever has read the old ones reads anew, and REPAIR is
    logged.
    """
    hall.worker.forget(header.bid_id)
    command = cmd.ReportRepair(bid_id=header.bid_id, ct_root=header.ct_root)
    answer = await _room(hall, opening_id).ask(command, actor, "", hall.now_ms())
    if not answer.ok:
        raise Refused(answer.code, **answer.detail)
