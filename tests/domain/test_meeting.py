"""Meetings of evaluation (评标会): who takes part, who may do what when, and who hears of it."""

from typing import Any

import msgspec
import pytest

from server.domain import evaluation_room
from server.domain import floor_commands as fc
from server.domain.commands import COMMANDS, Command, parse_command
from server.domain.evaluation_room import Evaluation, MeetingStage
from server.domain.evaluation_room_commands import (
    SEATS_MAX,
    VENUES_MAX,
    BeginMeeting,
    CloseMeeting,
    HoldMeeting,
    SeatAsked,
    VenueAsked,
)
from server.domain.evaluation_room_events import Attendant, MeetingHeld, SupervisorsNamed
from server.domain.evaluation_room_rules import may_hear, part_of
from server.domain.events import encode
from server.domain.floor import Floor
from server.domain.floor_events import CallTo
from server.domain.model import PUBLIC, SYSTEM, Actor, Role
from server.domain.refusals import Refused
from server.domain.roles import may_subscribe
from tests.domain.cast import ACTORS, EXPERTS, HOST, SUPERVISOR_PERSON, WITNESS, Bidder
from tests.domain.meetings import (
    OTHER_HOST,
    SECOND_SUPERVISOR,
    Meeting,
    a_meeting,
    holding,
    venues,
)

EXPERT = EXPERTS[0]
OUTSIDERS = (
    PUBLIC,
    OTHER_HOST,
    EXPERTS[6],  # an expert, but not of this meeting
    Actor("supervisor-9", Role.SUPERVISOR, "11360800000000033X", "外人"),
    ACTORS[Role.PURCHASER],
    ACTORS[Role.TRUSTEE],
    WITNESS,
    Bidder(1).actor,
    # whoever was given the id of a removed person, in another role
    Actor("host", Role.BIDDER, "91360800MB00000001"),
    Actor("expert-1", Role.BIDDER, "91360800MB00000001"),
    Actor("supervisor", Role.WITNESS),
)
# op -> (who, at which stages)
TABLE = {
    "begin_meeting": ("moderator", "scheduled"),
    "close_meeting": ("moderator", "running"),
    "put_on_stage": ("moderator", "scheduled running"),
    "take_off_stage": ("moderator", "scheduled running"),
    "hold": ("moderator", "scheduled running"),
    "mute": ("moderator", "scheduled running"),
    "call_in": ("supervisor", "scheduled running"),
    "end_call": ("supervisor", "scheduled running closed"),
}
ARGS: dict[str, dict[str, Any]] = {
    "put_on_stage": {"person": "expert-1", "reason": "发言"},
    "take_off_stage": {"person": "expert-1"},
    "hold": {"person": "expert-2", "held": True},
    "mute": {"person": "camera:main-door", "label": "camera", "muted": True},
    "call_in": {"call": "c1", "to": {"kind": "venue", "id": "east"}},
    "end_call": {"call": "c0"},
}
PARTS = {"moderator": HOST, "supervisor": SUPERVISOR_PERSON, "seat": EXPERT}


def outcome(meeting: Meeting, command: Command, actor: Actor) -> str:
    try:
        meeting.ask(command, actor)
    except Refused as refused:
        return refused.code
    return "done"


# ---- who may do what


def test_the_table_knows_every_command_from_outside():
    outside = {op for (room, op), made in COMMANDS.items() if room == "evaluation"}
    system = {op for (room, op), c in COMMANDS.items() if room == "evaluation" and c.SYSTEM}
    assert outside - system == TABLE.keys()
    assert system == {"hold_meeting", "begin_recording", "seal_segment", "report_recording"}


@pytest.mark.parametrize("stage", MeetingStage)
@pytest.mark.parametrize("op", TABLE)
def test_what_a_part_may_do_at_a_stage(op: str, stage: MeetingStage):
    part, stages = TABLE[op]
    command = parse_command("evaluation", op, ARGS.get(op, {}))
    for name, actor in PARTS.items():
        code = outcome(a_meeting(str(stage)), command, actor)
        if name != part:
            assert code == "auth.role", (op, name)
        elif str(stage) not in stages.split():
            assert code == "command.stage", (op, name)
        else:
            assert code == ("call.unknown" if op == "end_call" else "done")
    for actor in OUTSIDERS:
        wanted = "auth.required" if actor is PUBLIC else "auth.role"
        assert outcome(a_meeting(str(stage)), command, actor) == wanted, actor


@pytest.mark.parametrize(
    "actor", [*PARTS.values(), *OUTSIDERS], ids=lambda a: f"{a.person}{a.role}"
)
def test_nobody_sets_a_meeting_from_outside(actor: Actor):
    with pytest.raises(Refused, match=r"command\.unknown"):
        parse_command("evaluation", "hold_meeting", {})
    code = outcome(Meeting(), holding(), actor)
    assert code == ("auth.required" if actor is PUBLIC else "auth.role")


def test_nothing_is_asked_of_a_meeting_that_is_not_set():
    for op in TABLE:
        command = parse_command("evaluation", op, ARGS.get(op, {}))
        assert outcome(Meeting(), command, HOST) == "auth.role"
    for command in (BeginMeeting(), fc.BeginRecording(recording="evaluation-m")):
        assert outcome(Meeting(), command, SYSTEM) == "room.unknown"


def test_the_system_leads_nothing_and_calls_nobody():
    for op in TABLE.keys() - {"begin_meeting", "end_call"}:
        command = parse_command("evaluation", op, ARGS.get(op, {}))
        assert outcome(a_meeting(), command, SYSTEM) == "auth.role", op
    assert outcome(a_meeting(), BeginMeeting(), SYSTEM) == "command.stage"


def test_a_meeting_begins_and_ends_once():
    meeting = a_meeting("scheduled")
    assert meeting.state.stage is MeetingStage.SCHEDULED
    meeting.ask(BeginMeeting(), HOST)
    assert meeting.state.stage is MeetingStage.RUNNING
    meeting.ask(CloseMeeting(), HOST)
    assert meeting.state.stage is MeetingStage.CLOSED
    for command in (BeginMeeting(), CloseMeeting()):
        assert outcome(meeting, command, HOST) == "command.stage"


# ---- how it is set


def test_a_meeting_knows_who_sits_where_and_by_what_name():
    meeting = Meeting()
    held, named = meeting.ask(holding())
    assert isinstance(held, MeetingHeld)
    assert held.moderator == Attendant(person="host", name="林悦")
    assert named == SupervisorsNamed(
        supervisors=(
            Attendant(person="supervisor", name="周岩"),
            Attendant(person="supervisor-2", name="秦越"),
        )
    )
    state = meeting.state
    found = state.place_of("expert-3")
    assert found is not None
    venue, seat = found
    assert (venue.venue, venue.is_main, seat.seat, seat.name) == ("east", False, "b1", "评标专家3")
    assert state.cameras() == {"camera:main-door", "camera:east-door", "camera:west-door"}
    assert state.place_of("host") is None
    parts = [*EXPERTS[:5], HOST, SUPERVISOR_PERSON, SECOND_SUPERVISOR]
    assert all(state.takes_part(actor.person) for actor in parts)
    assert not any(map(state.takes_part, ("expert-6", "host-2", "bidder-1", "")))


def test_the_purchasers_representative_may_sit_on_the_committee():
    seats = (SeatAsked(seat="p", person="purchaser"), SeatAsked(seat="a", person="expert-1"))
    main = VenueAsked(venue="main", name="主场", is_main=True, seats=seats)
    meeting = Meeting()
    meeting.ask(holding(venues=(main,)))
    assert part_of(meeting.state, ACTORS[Role.PURCHASER]) == "seat"


@pytest.mark.parametrize("person", ["host", "supervisor", "bidder-1", "witness", "trustee-1"])
def test_nobody_else_sits_on_the_committee(person: str):
    main = VenueAsked(
        venue="main", name="主场", is_main=True, seats=(SeatAsked(seat="a", person=person),)
    )
    asked = holding(venues=(main,), moderator="host-2", supervisors=("supervisor-2",))
    assert outcome(Meeting(), asked, SYSTEM) == "meeting.role"


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"moderator": "supervisor", "supervisors": ("supervisor-2",)}, "meeting.role"),
        ({"moderator": "nobody"}, "meeting.person_unknown"),
        ({"supervisors": ("expert-7",)}, "meeting.role"),
        ({"supervisors": ("expert-1",)}, "meeting.person_twice"),
        ({"moderator": "expert-1"}, "meeting.person_twice"),
        ({"venues": venues(main=("a",))[:1] + venues(main=("b",))[:1]}, "meeting.main_venue"),
        ({"title": "\u200b"}, "meeting.text"),
    ],
)
def test_what_cannot_be_a_meeting_is_refused(changes: dict[str, Any], code: str):
    meeting = Meeting()
    assert outcome(meeting, holding(**changes), SYSTEM) == code
    assert meeting.state == Evaluation()


def test_venues_seats_and_people_are_few():
    """What is asked of the operator's socket has bounds before any rule looks at it."""
    seat = {"seat": "a", "person": "expert-1"}
    venue = {"venue": "v", "name": "v", "is_main": True, "cameras": [], "seats": [seat]}
    meeting = {"title": "t", "venues": [venue], "moderator": "host", "supervisors": ["s"]}
    assert msgspec.convert(meeting, HoldMeeting).people() == ("expert-1", "host", "s")
    for changes in (
        {"title": ""},
        {"title": "x" * 201},
        {"venues": []},
        {"venues": [venue] * (VENUES_MAX + 1)},
        {"venues": [venue | {"seats": [seat] * (SEATS_MAX + 1)}]},
        {"venues": [venue | {"cameras": ["c"] * 9}]},
        {"venues": [venue | {"venue": "V"}]},
        {"venues": [venue | {"more": 1}]},
        {"venues": [venue | {"cameras": ["a/b"]}]},
        {"venues": [venue | {"seats": [{"seat": "a\n", "person": "x"}]}]},
        {"moderator": ""},
        {"supervisors": []},
        {"supervisors": ["s"] * 9},
        {"more": 1},
    ):
        with pytest.raises(msgspec.ValidationError):
            msgspec.convert(meeting | changes, HoldMeeting)


# ---- who hears what


def test_a_meeting_is_heard_by_its_own_people_and_its_staff_are_its_supervisors():
    state = a_meeting().state
    for actor in (HOST, *EXPERTS[:5], SUPERVISOR_PERSON, SECOND_SUPERVISOR):
        assert may_hear(state, actor, "hall"), actor
    for actor in (HOST, *EXPERTS[:5]):
        assert not may_hear(state, actor, "staff"), actor
    assert may_hear(state, SUPERVISOR_PERSON, "staff")
    for actor in OUTSIDERS:
        for audience in ("hall", "staff", "sealed", "", f"party:{actor.org}"):
            assert not may_hear(state, actor, audience), actor


def test_the_table_of_subscriptions_knows_no_meeting():
    """Whoever asks without the meeting's state, an edge for the public say, gets nothing."""
    for actor in ACTORS.values():
        for audience in ("hall", "staff", f"party:{actor.org}"):
            assert not may_subscribe(actor, "evaluation:m", audience)


def test_nobody_but_supervisors_hears_of_them_and_of_their_calls():
    meeting = a_meeting()
    meeting.ask(fc.CallIn(call="c1", to=CallTo(kind="seat", id="b1")), SUPERVISOR_PERSON)
    meeting.ask(fc.CallIn(call="c2", to=CallTo(kind="all")), SECOND_SUPERVISOR)
    meeting.ask(fc.EndCall(call="c1"), SUPERVISOR_PERSON)
    meeting.ask(fc.BeginRecording(recording="evaluation-m"))
    meeting.ask(
        fc.SealSegment(
            recording="evaluation-m",
            track="supervisor-2.microphone",
            segment=1,
            sha256=bytes(32),
            bytes=1,
            first_ms=1,
            last_ms=2,
        )
    )
    for what in ("interrupted", "dropped", "pictures_stopped"):
        detail = "supervisor-2.microphone" if what != "pictures_stopped" else ""
        meeting.ask(fc.ReportRecording(recording="evaluation-m", what=what, detail=detail))
    heads = {"supervisor-2.microphone": bytes(32)}
    meeting.ask(fc.ReportRecording(recording="evaluation-m", what="removed", heads=heads))
    meeting.ask(CloseMeeting(), HOST)
    hall = b"".join(encode(event) for event in meeting.heard("hall"))
    for secret in (b"supervisor", "周岩".encode(), "秦越".encode(), b"call"):
        assert secret not in hall
    assert [event.TYPE for event in meeting.heard("staff")] == [
        "supervisors_named",
        "call_began",
        "call_began",
        "call_ended",
        "segment_sealed",
        "recording_reported",  # interrupted, dropped: they name tracks
        "recording_reported",
        "recording_reported",  # removed, with the hashes of tracks
        "call_ended",  # with the meeting
    ]
    assert [event.TYPE for event in meeting.heard("hall")] == [
        "meeting_held",
        "meeting_began",
        "recording_began",
        "recording_reported",  # that pictures stopped everybody is told
        "meeting_closed",
    ]


# ---- its floor


def test_the_moderator_leads_seats_cameras_and_himself():
    meeting = a_meeting()
    meeting.ask(fc.PutOnStage(person="expert-4", reason="陈述意见"), HOST)
    for person in ("expert-1", "camera:west-door", "host"):
        meeting.ask(fc.Hold(person=person, held=True), HOST)
        meeting.ask(fc.Mute(person=person, label="microphone", muted=True), HOST)
    floor = meeting.state.floor
    assert floor.on_stage == ("expert-4",)
    assert floor.held == {"expert-1", "camera:west-door", "host"}
    assert len(floor.muted) == 3


@pytest.mark.parametrize(
    "person", ["supervisor", "expert-6", "host-2", "bidder-1", "camera:door", "nobody"]
)
def test_whoever_is_not_seen_here_is_not_led_here(person: str):
    """Nor does a refusal tell whether somebody supervises."""
    for command in (
        fc.PutOnStage(person=person, reason="r"),
        fc.TakeOffStage(person=person),
        fc.Hold(person=person, held=True),
        fc.Mute(person=person, label="camera", muted=True),
    ):
        assert outcome(a_meeting(), command, HOST) == "floor.person_unknown"


@pytest.mark.parametrize(
    ("kind", "id", "code"),
    [
        ("seat", "c1", "done"),
        ("venue", "west", "done"),
        ("all", "", "done"),
        ("seat", "west", "call.target_unknown"),
        ("seat", "", "call.target_unknown"),
        ("venue", "c1", "call.target_unknown"),
        ("all", "west", "call.target_unknown"),
    ],
)
def test_a_call_goes_to_a_seat_a_venue_or_everybody(kind: str, id: str, code: str):
    call = fc.CallIn(call="c", to=CallTo(kind=kind, id=id))
    assert outcome(a_meeting(), call, SUPERVISOR_PERSON) == code


@pytest.mark.parametrize(
    "args",
    [
        {"call": "", "to": {"kind": "all"}},
        {"call": "C", "to": {"kind": "all"}},
        {"call": "x" * 65, "to": {"kind": "all"}},
        {"call": "c", "to": {"kind": "some", "id": ""}},
        {"call": "c", "to": {"kind": "all", "id": "x" * 81}},
        {"call": "c", "to": {"kind": "all", "more": 1}},
        {"call": "c", "to": "all"},
        {"call": "c"},
    ],
)
def test_a_call_is_checked_before_any_rule(args: dict[str, Any]):
    with pytest.raises(Refused, match=r"command\.arguments"):
        parse_command("evaluation", "call_in", args)


def test_a_call_is_asked_once_however_often():
    meeting = a_meeting()
    call = fc.CallIn(call="c", to=CallTo(kind="all"))
    assert len(meeting.ask(call, SUPERVISOR_PERSON)) == 1
    assert meeting.ask(call, SUPERVISOR_PERSON) == []
    assert (
        outcome(meeting, fc.CallIn(call="c", to=CallTo(kind="venue", id="west")), SUPERVISOR_PERSON)
        == "call.exists"
    )
    (going_on,) = meeting.state.floor.calls.values()
    assert (going_on.person, going_on.to) == ("supervisor", CallTo(kind="all"))


def test_a_call_whose_caller_has_gone_is_ended_by_the_system():
    meeting = a_meeting()
    meeting.ask(fc.CallIn(call="c", to=CallTo(kind="all")), SUPERVISOR_PERSON)
    (ended,) = meeting.ask(fc.EndCall(call="c"), SYSTEM)
    assert ended.audience() == "staff"
    assert meeting.state.floor == Floor()


def test_with_the_meeting_the_stage_and_every_call_end():
    meeting = a_meeting()
    meeting.ask(fc.PutOnStage(person="expert-1", reason="发言"), HOST)
    meeting.ask(fc.CallIn(call="c", to=CallTo(kind="all")), SUPERVISOR_PERSON)
    meeting.ask(CloseMeeting(), HOST)
    assert meeting.state.floor == Floor()


def test_a_meeting_is_rebuilt_from_its_journal():
    meeting = a_meeting()
    meeting.ask(fc.CallIn(call="c", to=CallTo(kind="seat", id="a1")), SUPERVISOR_PERSON)
    meeting.ask(fc.BeginRecording(recording="evaluation-m"))
    meeting.ask(fc.Hold(person="expert-1", held=True), HOST)
    state = Evaluation()
    for event, ts_ms in meeting.journal:
        state = evaluation_room.evolve(state, event, ts_ms)
    assert state == meeting.state
