"""``decide`` of a meeting of evaluation (评标会): who may do what in it, and when. Pure.

Invariant: a part in the meeting is what counts, not a role alone: another host moderates nothing
here, another supervisor neither hears nor calls.
"""

from collections.abc import Callable
from typing import Any

from crypto.errors import Rejected
from crypto.text import check_text
from server.domain import evaluation_room_commands as cmd
from server.domain import evaluation_room_events as ev
from server.domain import floor_commands as fc
from server.domain import floor_rules
from server.domain.commands import Command
from server.domain.evaluation_room import Evaluation, MeetingStage
from server.domain.events import Event
from server.domain.model import Actor, Context, Role
from server.domain.refusals import Refused

S = MeetingStage
OPEN = frozenset({S.SCHEDULED, S.RUNNING})
MODERATOR, SUPERVISOR = "moderator", "supervisor"
SEATS_MAX = 64  # of all venues
# A purchaser's representative may sit on the committee (招标投标法 art. 37).
SEATED = frozenset({Role.EXPERT, Role.PURCHASER})

# op -> (part in the meeting, stages)
TABLE: dict[str, tuple[str, frozenset[MeetingStage]]] = {
    "begin_meeting": (MODERATOR, frozenset({S.SCHEDULED})),
    "close_meeting": (MODERATOR, frozenset({S.RUNNING})),
    "put_on_stage": (MODERATOR, OPEN),
    "take_off_stage": (MODERATOR, OPEN),
    "hold": (MODERATOR, OPEN),
    "mute": (MODERATOR, OPEN),
    "call_in": (SUPERVISOR, OPEN),
    "end_call": (SUPERVISOR, frozenset(S)),
}
# What the system may ask of these: a call whose caller has gone is ended, a demo begins by itself.
OF_SYSTEM = frozenset({"begin_meeting", "end_call"})


def part_of(state: Evaluation, actor: Actor) -> str:
    """moderator, supervisor, seat, or nothing. The role is looked at too: an id may be given to
    somebody else when a person is removed from the registry.
    """
    if actor.role is Role.HOST and state.moderates(actor.person):
        return MODERATOR
    if actor.role is Role.SUPERVISOR and state.supervises(actor.person):
        return SUPERVISOR
    if actor.role in SEATED and state.place_of(actor.person) is not None:
        return "seat"
    return ""


def may_hear(state: Evaluation, actor: Actor, audience: str) -> bool:
    """Who is in which audience of a meeting; the public is in none."""
    part = part_of(state, actor)
    return bool(part) if audience == "hall" else audience == "staff" and part == SUPERVISOR


def decide(state: Evaluation, command: Command, ctx: Context) -> list[Event]:
    """What happens if ``command`` arrives now; raises Refused if it is not lawful."""
    _require(state, command, ctx.actor)
    if not state.is_set and not isinstance(command, cmd.HoldMeeting):
        raise Refused("room.unknown")
    return _RULES[type(command)](state, command, ctx)


def _require(state: Evaluation, command: Command, actor: Actor) -> None:
    op, is_system = command.OP, actor.role is Role.SYSTEM
    if is_system and command.SYSTEM:
        return
    part, stages = TABLE.get(op, ("", frozenset[MeetingStage]()))
    allowed = op in OF_SYSTEM if is_system else bool(part) and part_of(state, actor) == part
    if not allowed:
        raise Refused("auth.required" if actor.role is Role.VIEWER else "auth.role", op=op)
    if state.stage not in stages:
        raise Refused("command.stage", op=op, stage=str(state.stage))


# ---- the meeting itself


def hold_meeting(state: Evaluation, command: cmd.HoldMeeting, ctx: Context) -> list[Event]:
    if state.is_set:
        raise Refused("meeting.exists")
    for text in (command.title, *(venue.name for venue in command.venues)):
        try:
            check_text(text, 1, cmd.TEXT_MAX)
        except Rejected as rejected:
            raise Refused("meeting.text", why=rejected.code) from None
    _check_places(command)
    seated = [seat.person for venue in command.venues for seat in venue.seats]
    parts = [(seated, SEATED), ([command.moderator], {Role.HOST})]
    for people, roles in (*parts, (command.supervisors, {Role.SUPERVISOR})):
        for person in people:
            _check_role(person, frozenset(roles), ctx)

    def attendant(person: str) -> ev.Attendant:
        return ev.Attendant(person=person, name=ctx.people[person].name)

    return [
        ev.MeetingHeld(
            title=command.title,
            venues=tuple(_venue(venue, ctx) for venue in command.venues),
            moderator=attendant(command.moderator),
        ),
        ev.SupervisorsNamed(supervisors=tuple(map(attendant, command.supervisors))),
    ]


def _check_places(command: cmd.HoldMeeting) -> None:
    """One main venue; every name and every person once."""
    if sum(venue.is_main for venue in command.venues) != 1:
        raise Refused("meeting.main_venue")
    seats = [seat.seat for venue in command.venues for seat in venue.seats]
    if not 1 <= len(seats) <= SEATS_MAX:
        raise Refused("meeting.seats", most=SEATS_MAX)
    venues = [venue.venue for venue in command.venues]
    cameras = [name for venue in command.venues for name in venue.cameras]
    for names in (venues, seats, cameras):
        if (twice := _first_twice(names)) is not None:
            raise Refused("meeting.name_twice", name=twice)
    if (twice := _first_twice(command.people())) is not None:
        raise Refused("meeting.person_twice", person=twice)


def _first_twice(names: list[str] | tuple[str, ...]) -> str | None:
    return next((name for place, name in enumerate(names) if name in names[:place]), None)


def _check_role(person: str, roles: frozenset[Role], ctx: Context) -> None:
    known = ctx.people.get(person)
    if known is None:
        raise Refused("meeting.person_unknown", person=person)
    if known.role not in roles:
        raise Refused("meeting.role", person=person, one_of=sorted(roles))


def _venue(asked: cmd.VenueAsked, ctx: Context) -> ev.Venue:
    return ev.Venue(
        venue=asked.venue,
        name=asked.name,
        is_main=asked.is_main,
        cameras=asked.cameras,
        seats=tuple(
            ev.Seat(seat=s.seat, person=s.person, name=ctx.people[s.person].name)
            for s in asked.seats
        ),
    )


def _begin(state: Evaluation, command: cmd.BeginMeeting, ctx: Context) -> list[Event]:
    return [ev.MeetingBegan()]


def _close(state: Evaluation, command: cmd.CloseMeeting, ctx: Context) -> list[Event]:
    return [*floor_rules.everybody_off(state.floor), ev.MeetingClosed()]


# ---- its floor


def _know(state: Evaluation, command: fc.AboutPerson) -> None:
    """Seats, the moderator, the venues' cameras. Not supervisors: nobody is told of them."""
    person = command.person
    here = state.place_of(person) is not None or state.moderates(person)
    if not (here or person in state.cameras() or floor_rules.undoes(state.floor, command)):
        raise Refused("floor.person_unknown")


def _put_on_stage(state: Evaluation, command: fc.PutOnStage, ctx: Context) -> list[Event]:
    place = state.place_of(command.person)
    if place is None:
        raise Refused("floor.person_unknown")
    known = ctx.people.get(command.person)
    org = known.org if known is not None else ""
    who = Actor(command.person, Role.EXPERT, org, place[1].name)
    return floor_rules.put_on_stage(state.floor, command, who)


def _take_off_stage(state: Evaluation, command: fc.TakeOffStage, ctx: Context) -> list[Event]:
    _know(state, command)
    return floor_rules.take_off_stage(state.floor, command)


def _hold(state: Evaluation, command: fc.Hold, ctx: Context) -> list[Event]:
    _know(state, command)
    return floor_rules.hold(state.floor, command)


def _mute(state: Evaluation, command: fc.Mute, ctx: Context) -> list[Event]:
    _know(state, command)
    return floor_rules.mute(state.floor, command)


def _call_in(state: Evaluation, command: fc.CallIn, ctx: Context) -> list[Event]:
    named = {
        "seat": {seat.seat for venue in state.venues for seat in venue.seats},
        "venue": {venue.venue for venue in state.venues},
        "all": {""},
    }
    if command.to.id not in named[command.to.kind]:
        raise Refused("call.target_unknown")
    return floor_rules.call_in(state.floor, command, ctx)


def _end_call(state: Evaluation, command: fc.EndCall, ctx: Context) -> list[Event]:
    return floor_rules.end_call(state.floor, command, ctx)


def _begin_recording(state: Evaluation, command: fc.BeginRecording, ctx: Context) -> list[Event]:
    return floor_rules.begin_recording(state.floor, command)


def _seal_segment(state: Evaluation, command: fc.SealSegment, ctx: Context) -> list[Event]:
    return floor_rules.seal_segment(state.floor, command, to_staff=True)


def _report_recording(state: Evaluation, command: fc.ReportRecording, ctx: Context) -> list[Event]:
    return floor_rules.report_recording(state.floor, command, to_staff=True)


_RULES: dict[type[Command], Callable[[Evaluation, Any, Context], list[Event]]] = {
    cmd.HoldMeeting: hold_meeting,
    cmd.BeginMeeting: _begin,
    cmd.CloseMeeting: _close,
    fc.PutOnStage: _put_on_stage,
    fc.TakeOffStage: _take_off_stage,
    fc.Hold: _hold,
    fc.Mute: _mute,
    fc.CallIn: _call_in,
    fc.EndCall: _end_call,
    fc.BeginRecording: _begin_recording,
    fc.SealSegment: _seal_segment,
    fc.ReportRecording: _report_recording,
}
