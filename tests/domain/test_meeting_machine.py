"""A meeting under random people: any command, lawful or not, by anybody, at any time.

After each it is asked what must always hold: what is refused is refused by a code and changes
nothing, every set is bounded and names people of the meeting only, nobody outside hears anything,
nobody but supervisors hears of calls; and the journal alone, or a snapshot of any moment, gives the
same meeting.
"""

from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from server.domain import evaluation_room, floor_rules
from server.domain import floor_commands as fc
from server.domain.commands import Command
from server.domain.evaluation_room import Evaluation, MeetingStage
from server.domain.evaluation_room_commands import BeginMeeting, CloseMeeting
from server.domain.evaluation_room_rules import TABLE, part_of
from server.domain.events import encode
from server.domain.floor import REPORTS
from server.domain.floor_events import CallTo
from server.domain.model import PUBLIC, SYSTEM, Actor
from server.domain.refusals import REFUSALS, Refused
from server.rooms.state_form import decode_state, encode_state
from tests.domain.cast import EXPERTS, HOST, SUPERVISOR_PERSON, Bidder
from tests.domain.meetings import OTHER_HOST, SECOND_SUPERVISOR, Meeting, holding

ACTORS = (HOST, HOST, HOST, SUPERVISOR_PERSON, SUPERVISOR_PERSON, SECOND_SUPERVISOR, SYSTEM,
          SYSTEM, OTHER_HOST, EXPERTS[0], EXPERTS[6], Bidder(1).actor, PUBLIC)  # fmt: skip
people = st.sampled_from(
    ["host", "expert-1", "expert-3", "expert-7", "supervisor", "camera:east-door", "camera:x", "?"]
)
labels = st.sampled_from(["camera", "microphone", "screen", "screen_sound"])
names = st.sampled_from(["c1", "c2", "c3"])
targets = st.builds(
    CallTo, kind=st.sampled_from(["seat", "venue", "all"]), id=st.sampled_from(["", "a1", "west"])
)
recordings = st.sampled_from(["evaluation-m", "evaluation-m-2"])
commands: st.SearchStrategy[Command] = st.one_of(
    st.builds(fc.PutOnStage, person=people, reason=st.sampled_from(["发言", ""])),
    st.builds(fc.TakeOffStage, person=people),
    st.builds(fc.Hold, person=people, held=st.booleans()),
    st.builds(fc.Mute, person=people, label=labels, muted=st.booleans()),
    st.builds(fc.CallIn, call=names, to=targets),
    st.builds(fc.EndCall, call=names),
    st.builds(fc.BeginRecording, recording=recordings),
    st.builds(
        fc.SealSegment,
        recording=recordings,
        track=st.sampled_from(["host.camera", "supervisor.microphone"]),
        segment=st.integers(1, 4),
        sha256=st.sampled_from([bytes(32), bytes([1]) * 32]),
        bytes=st.just(1),
        first_ms=st.just(1),
        last_ms=st.just(2),
    ),
    st.builds(fc.ReportRecording, recording=recordings, what=st.sampled_from([*REPORTS, "?"])),
    st.builds(BeginMeeting),
    st.builds(CloseMeeting),
)
steps = st.lists(st.tuples(commands, st.sampled_from(ACTORS)), min_size=1, max_size=60)


def tried(meeting: Meeting, command: Command, actor: Actor) -> None:
    """Done, or refused by a code of the table without a trace."""
    before, seen = meeting.state, len(meeting.journal)
    code, events = "", []
    try:
        events = meeting.ask(command, actor)
    except Refused as refused:
        code = refused.code
    if code:
        assert code in REFUSALS
        assert (meeting.state, len(meeting.journal)) == (before, seen)
        return
    if actor is not SYSTEM:
        part, _ = TABLE[command.OP]
        assert part_of(before, actor) == part
    if not command.SYSTEM:
        assert before.stage in TABLE[command.OP][1]
    after = meeting.state
    has_changed = (after.floor, after.stage) != (before.floor, before.stage)
    assert has_changed == bool(events) or isinstance(command, fc.ReportRecording)


def check_floor(state: Evaluation) -> None:
    floor = state.floor
    here = {seat.person for venue in state.venues for seat in venue.seats}
    assert here >= set(floor.on_stage)
    assert len(set(floor.on_stage)) == len(floor.on_stage) <= floor_rules.ON_STAGE_MAX
    led = here | {"host"} | state.cameras()
    assert led >= floor.held
    assert led >= {person for person, _ in floor.muted}
    assert all(state.supervises(call.person) for call in floor.calls.values())
    if state.stage is MeetingStage.CLOSED:
        assert not floor.on_stage
        assert not floor.calls


@settings(max_examples=150, deadline=None)
@given(steps=steps, at=st.integers(0, 60))
def test_whatever_people_ask_of_a_meeting(steps: list[tuple[Any, Actor]], at: int):
    meeting = Meeting()
    meeting.ask(holding())
    for command, actor in steps:
        tried(meeting, command, actor)
        check_floor(meeting.state)
    hall = b"".join(encode(event) for event in meeting.heard("hall"))
    assert b"supervisor" not in hall
    assert {event.audience() for event, _ in meeting.journal} <= {"hall", "staff"}
    state = Evaluation()
    for place, (event, ts_ms) in enumerate(meeting.journal):
        if place == at:  # a snapshot of this moment
            state = decode_state(Evaluation, encode_state(state), allow_test=True)
        state = evaluation_room.evolve(state, event, ts_ms)
    assert state == meeting.state
