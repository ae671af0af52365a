"""The floor of an opening (开标会场秩序): whom the host may put on stage, hold and mute. Pure.

Invariant: before the list of bidders is announced no act names a bidder, and no refusal tells
whether somebody is one: whoever is on stage, and whoever could be put there, bids here.
"""

import re
from typing import Any

from server.domain import floor_commands as cmd
from server.domain import floor_rules
from server.domain.events import Event
from server.domain.model import Actor, Context, Role
from server.domain.opening import Opening, Stage
from server.domain.refusals import Refused

CAMERA = re.compile(r"camera:[a-z0-9][a-z0-9._-]{0,63}")  # of the room (WHIP, RTSP)


def _bidder(state: Opening, person: str, ctx: Context) -> Actor | None:
    """Somebody who acts for a bidder that is here: its bid counts, or it has signed in."""
    found = ctx.people.get(person)
    if found is None or found.role is not Role.BIDDER:
        return None
    if state.stage in (Stage.SCHEDULED, Stage.SIGN_IN):
        return None
    here = found.org in state.signed_in or any(bid.org == found.org for bid in state.bids)
    return found if here else None


def _know(state: Opening, command: cmd.AboutPerson, ctx: Context) -> None:
    """That it is somebody who can be seen or heard here, or was a moment ago."""
    if floor_rules.undoes(state.floor, command) or CAMERA.fullmatch(command.person):
        return
    found = ctx.people.get(command.person)
    is_host = found is not None and found.role is Role.HOST
    if not is_host and _bidder(state, command.person, ctx) is None:
        raise Refused("floor.person_unknown")


def put_on_stage(state: Opening, command: cmd.PutOnStage, ctx: Context) -> list[Event]:
    bidder = _bidder(state, command.person, ctx)
    if bidder is None:
        raise Refused("floor.person_unknown")
    if state.rules().names_masked and not state.readouts:
        raise Refused("floor.names_masked")  # a face and a voice would say whose bid it is
    return floor_rules.put_on_stage(state.floor, command, bidder)


def take_off_stage(state: Opening, command: cmd.TakeOffStage, ctx: Context) -> list[Event]:
    _know(state, command, ctx)
    return floor_rules.take_off_stage(state.floor, command)


def hold(state: Opening, command: cmd.Hold, ctx: Context) -> list[Event]:
    _know(state, command, ctx)
    return floor_rules.hold(state.floor, command)


def mute(state: Opening, command: cmd.Mute, ctx: Context) -> list[Event]:
    _know(state, command, ctx)
    return floor_rules.mute(state.floor, command)


def _begin_recording(state: Opening, command: cmd.BeginRecording, ctx: Context) -> list[Event]:
    return floor_rules.begin_recording(state.floor, command)


def _seal_segment(state: Opening, command: cmd.SealSegment, ctx: Context) -> list[Event]:
    return floor_rules.seal_segment(state.floor, command, to_staff=False)


def _report_recording(state: Opening, command: cmd.ReportRecording, ctx: Context) -> list[Event]:
    return floor_rules.report_recording(state.floor, command, to_staff=False)


RULES: dict[type[cmd.Command], Any] = {
    cmd.PutOnStage: put_on_stage,
    cmd.TakeOffStage: take_off_stage,
    cmd.Hold: hold,
    cmd.Mute: mute,
    cmd.BeginRecording: _begin_recording,
    cmd.SealSegment: _seal_segment,
    cmd.ReportRecording: _report_recording,
}
