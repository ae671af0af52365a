"""What the media process is ordered (指令), as plain values made of a room's state. Pure.

Invariant: an order is a whole state; the same one twice changes nothing.
"""

from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

from server.domain.floor import Floor
from server.domain.model import Role
from server.domain.opening import Opening
from server.domain.registry import Person
from server.live.grants import Place


def admission(room: str, member: str, place: Place) -> dict[str, Any]:
    """Who may do what there."""
    grants = asdict(place.grants) | {"publish": sorted(place.grants.publish)}
    return {"room": room, "member": member, "grants": grants}


def floor_order(room: str, state: Any, people: Mapping[str, Person]) -> dict[str, Any]:
    """Whom the room listens to, and who is held or silent."""
    floor: Floor = state.floor
    if isinstance(state, Opening):
        hosts = [name for name, one in people.items() if one.actor.role is Role.HOST]
    else:
        hosts = [state.moderator.person]
    return {
        "room": room,
        "held": sorted(floor.held),
        "muted": sorted(map(list, floor.muted)),
        "hosts": hosts,
        "on_stage": list(floor.on_stage),
    }


def told_of(floor: Floor) -> tuple[Any, ...]:
    """As much of the order as everybody in the room is told."""
    return floor.on_stage, floor.held, floor.muted


def mark_of(state: Any) -> tuple[Any, ...]:
    """Changes when something of a room's state does that grants or orders follow from.

    Where names are masked, bidders are no secret any more after the first read-out.
    """
    signed_in, readouts = (0, 0)
    if isinstance(state, Opening):
        signed_in, readouts = len(state.signed_in), len(state.readouts)
    return *told_of(state.floor), tuple(state.floor.calls), state.stage, signed_in, readouts
