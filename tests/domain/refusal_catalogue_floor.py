"""Every refusal of floors and of meetings, as in `refusal_catalogue`."""

from server.domain import evaluation_room_commands as mc
from server.domain import floor_commands as fc
from server.domain import floor_rules
from server.domain.floor_events import CallTo
from server.domain.model import SYSTEM
from tests.domain.cast import EXPERTS, HOST, SUPERVISOR_PERSON, Bidder
from tests.domain.meetings import SEATS, SECOND_SUPERVISOR, Meeting, a_meeting, holding, venues
from tests.domain.openings import an_opening
from tests.domain.refusal_catalogue import ends_in

ALL = CallTo(kind="all")


def recorded(name: str = "x") -> Meeting:
    meeting = a_meeting()
    meeting.ask(fc.BeginRecording(recording=name))
    return meeting


def segment(number: int, fill: int = 1, track: str = "t") -> fc.SealSegment:
    return fc.SealSegment(
        recording="x",
        track=track,
        segment=number,
        sha256=bytes([fill]) * 32,
        bytes=1,
        first_ms=1,
        last_ms=2,
    )


# ---- the stage, holds


@ends_in("floor.person_unknown")
def _() -> None:
    an_opening(at="announced").ask(fc.PutOnStage(person="bidder-8", reason="异议"), HOST)


@ends_in("floor.names_masked")
def _() -> None:
    play = an_opening(at="announced", names_masked=True)
    play.ask(fc.PutOnStage(person="bidder-1", reason="异议"), HOST)


@ends_in("floor.stage_full")
def _() -> None:
    play = an_opening(floor_rules.ON_STAGE_MAX + 1, at="announced")
    for number in range(1, floor_rules.ON_STAGE_MAX + 2):
        play.ask(fc.PutOnStage(person=Bidder(number).actor.person, reason="异议"), HOST)


@ends_in("floor.full")
def _() -> None:
    play = an_opening(at="announced")
    for number in range(floor_rules.HELD_MAX + 1):
        play.ask(fc.Hold(person=f"camera:c{number}", held=True), HOST)


# ---- calls


@ends_in("call.exists")
def _() -> None:
    meeting = a_meeting()
    meeting.ask(fc.CallIn(call="c", to=ALL), SUPERVISOR_PERSON)
    meeting.ask(fc.CallIn(call="c", to=ALL), SECOND_SUPERVISOR)


@ends_in("call.too_many")
def _() -> None:
    meeting = a_meeting()
    for number in range(floor_rules.CALLS_MAX + 1):
        meeting.ask(fc.CallIn(call=f"c{number}", to=ALL), SUPERVISOR_PERSON)


@ends_in("call.target_unknown")
def _() -> None:
    a_meeting().ask(fc.CallIn(call="c", to=CallTo(kind="seat", id="east")), SUPERVISOR_PERSON)


@ends_in("call.unknown")
def _() -> None:
    a_meeting().ask(fc.EndCall(call="c"), SUPERVISOR_PERSON)


@ends_in("call.not_yours")
def _() -> None:
    meeting = a_meeting()
    meeting.ask(fc.CallIn(call="c", to=ALL), SUPERVISOR_PERSON)
    meeting.ask(fc.EndCall(call="c"), SECOND_SUPERVISOR)


# ---- recordings


@ends_in("recording.unknown")
def _() -> None:
    a_meeting().ask(segment(1))


@ends_in("recording.segment")
def _() -> None:
    meeting = recorded()
    meeting.ask(segment(2))
    meeting.ask(segment(1))


@ends_in("recording.removed")
def _() -> None:
    meeting = recorded()
    meeting.ask(fc.ReportRecording(recording="x", what="removed"))
    meeting.ask(fc.BeginRecording(recording="x"))


@ends_in("recording.too_many")
def _() -> None:
    meeting = a_meeting()
    for number in range(floor_rules.RECORDINGS_MAX + 1):
        meeting.ask(fc.BeginRecording(recording=f"x{number}"))


@ends_in("recording.report")
def _() -> None:
    recorded().ask(fc.ReportRecording(recording="x", what="stolen"))


# ---- a meeting


@ends_in("meeting.exists")
def _() -> None:
    a_meeting().ask(holding())


@ends_in("meeting.text")
def _() -> None:
    Meeting().ask(holding(title="评标\u202e会"))


@ends_in("meeting.main_venue")
def _() -> None:
    Meeting().ask(holding(venues=venues(**SEATS)[1:]))


@ends_in("meeting.seats")
def _() -> None:
    Meeting().ask(holding(venues=venues(main=())))


@ends_in("meeting.name_twice")
def _() -> None:
    Meeting().ask(holding(venues=venues(main=("a1",), east=("a1",))))


@ends_in("meeting.person_twice")
def _() -> None:
    Meeting().ask(holding(supervisors=("supervisor", "supervisor")))


@ends_in("meeting.person_unknown")
def _() -> None:
    seat = mc.SeatAsked(seat="a1", person="nobody")
    main = mc.VenueAsked(venue="main", name="主场", is_main=True, seats=(seat,))
    Meeting().ask(holding(venues=(main,)))


@ends_in("meeting.role")
def _() -> None:
    Meeting().ask(holding(moderator=EXPERTS[6].person), SYSTEM)
