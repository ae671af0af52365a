"""The floor of an opening (会场秩序): whom the host may put on stage, hold and mute, and when."""

from typing import Any

import msgspec
import pytest

from server.domain import commands as cmd
from server.domain import floor_commands as fc
from server.domain import floor_events as fv
from server.domain import opening
from server.domain.commands import parse_command
from server.domain.events import HALL, encode
from server.domain.floor import EVENTS_OF_FLOOR, Floor, Recording, Track
from server.domain.model import SYSTEM, Actor, Context, Role
from server.domain.opening import Opening
from server.domain.opening_floor import RULES
from server.domain.refusals import Refused
from tests.domain.cast import ACTORS, HOST, Bidder
from tests.domain.openings import a_tender, an_opening
from tests.domain.play import Play
from tests.domain.refusing import assert_refused, assert_rejected

ONE, TWO = Bidder(1), Bidder(2)
STAGE_ONE = fc.PutOnStage(person=ONE.actor.person, reason="提出异议")


def floor_of(play: Play) -> Floor:
    return play.opening.floor


def replayed(play: Play) -> Opening:
    state = Opening(allow_test=True)
    for one in play.journal:
        if one.stream == "opening":
            state = opening.evolve(state, one.event, one.ts_ms)
    return state


# ---- the stage


@pytest.mark.parametrize("at", ["announced", "decryption", "release", "replies", "read_out"])
def test_a_bidder_is_put_on_stage_and_taken_off(at: str):
    play = an_opening(at=at)
    (put,) = play.ask(STAGE_ONE, HOST)
    assert put == fv.StageTaken(person="bidder-1", name=ONE.name, org=ONE.org, reason="提出异议")
    assert put.audience() == HALL
    assert floor_of(play).on_stage == ("bidder-1",)
    (off,) = play.ask(fc.TakeOffStage(person="bidder-1", reason="已答复"), HOST)
    assert off == fv.StageLeft(person="bidder-1", reason="已答复")
    assert floor_of(play) == Floor()
    assert replayed(play) == play.opening


def test_the_stage_keeps_the_order_in_which_they_came():
    play = an_opening(at="announced")
    for number in (2, 3, 1):
        play.ask(fc.PutOnStage(person=f"bidder-{number}", reason="异议"), HOST)
    play.ask(fc.TakeOffStage(person="bidder-3"), HOST)
    assert floor_of(play).on_stage == ("bidder-2", "bidder-1")


def test_an_act_that_changes_nothing_makes_no_event():
    play = an_opening(at="announced")
    for command, made in (
        (STAGE_ONE, 1),
        (STAGE_ONE, 0),
        (fc.TakeOffStage(person="bidder-1"), 1),
        (fc.TakeOffStage(person="bidder-1"), 0),
        (fc.Hold(person="host", held=False), 0),
        (fc.Hold(person="host", held=True), 1),
        (fc.Hold(person="host", held=True), 0),
        (fc.Mute(person="host", label="microphone", muted=False), 0),
        (fc.Mute(person="host", label="microphone", muted=True), 1),
        (fc.Mute(person="host", label="camera", muted=True), 1),
        (fc.Mute(person="host", label="microphone", muted=True), 0),
    ):
        assert len(play.ask(command, HOST)) == made, command


def test_a_reason_stands_beside_who_is_put_on_stage():
    play = an_opening(at="announced")
    assert_refused("reason.missing", play, fc.PutOnStage(person="bidder-1", reason=" "), HOST)
    hostile = fc.PutOnStage(person="bidder-1", reason="\u202e异议")
    assert_rejected("text.code_point", play, hostile, HOST)
    (put,) = play.ask(fc.PutOnStage(person="bidder-1", reason=" 提出\n异议 "), HOST)
    assert isinstance(put, fv.StageTaken)
    assert put.reason == "提出 异议"


@pytest.mark.parametrize("person", ["host", "supervisor", "expert-1", "camera:door", "nobody", "x"])
def test_only_bidders_of_this_opening_are_put_on_stage(person: str):
    play = an_opening(at="announced")
    assert_refused("floor.person_unknown", play, fc.PutOnStage(person=person, reason="r"), HOST)


def test_who_signed_in_without_a_bid_may_speak_after_the_announcement():
    play = a_tender()
    play.open_sign_in()
    play.ask(cmd.SignIn(), Bidder(7).actor)
    for number in (1, 2, 3):
        play.bid(Bidder(number))
    play.close()
    assert play.ask(fc.PutOnStage(person="bidder-7", reason="异议"), HOST)
    assert_refused(
        "floor.person_unknown", play, fc.PutOnStage(person="bidder-8", reason="异议"), HOST
    )


@pytest.mark.parametrize("signed_in", [True, False])
def test_before_the_announcement_nothing_tells_who_bids(signed_in: bool):
    """Neither an event nor the difference between two refusals (电子招标投标办法 art. 21)."""
    play = a_tender()
    play.open_sign_in()
    if signed_in:
        play.bid(ONE)
        play.ask(cmd.SignIn(), ONE.actor)
    assert_refused("command.stage", play, STAGE_ONE, HOST)
    for command in (
        fc.Hold(person="bidder-1", held=True),
        fc.Hold(person="bidder-1", held=False),
        fc.Mute(person="bidder-1", label="camera", muted=True),
    ):
        assert_refused("floor.person_unknown", play, command, HOST)
    assert play.events(fv.StageTaken) == []


def test_where_names_are_masked_nobody_shows_a_face_before_the_read_out():
    masked = an_opening(at="opening", names_masked=True)
    assert_refused("floor.names_masked", masked, STAGE_ONE, HOST)
    read = an_opening(at="read_out", names_masked=True)
    assert read.ask(STAGE_ONE, HOST)


def test_with_the_opening_everybody_leaves_the_stage():
    play = an_opening(at="read_out")
    play.ask(STAGE_ONE, HOST)
    play.ask(fc.PutOnStage(person=TWO.actor.person, reason="异议"), HOST)
    left = play.ask(cmd.CloseOpening(), HOST)
    assert [event.TYPE for event in left] == ["taken_off_stage"] * 2 + ["opening_closed"]
    assert floor_of(play).on_stage == ()
    assert_refused("command.stage", play, STAGE_ONE, HOST)
    assert replayed(play) == play.opening


def test_who_left_the_registry_can_still_be_taken_off():
    play = an_opening(at="announced")
    play.ask(STAGE_ONE, HOST)
    play.ask(fc.Hold(person="bidder-1", held=True), HOST)
    play.ask(fc.Mute(person="bidder-1", label="camera", muted=True), HOST)
    nobody = Context(HOST, play.now_ms, play.now_ms)

    def judged(command: Any) -> Any:
        return RULES[type(command)](play.opening, command, nobody)

    assert judged(fc.TakeOffStage(person="bidder-1"))
    assert judged(fc.Hold(person="bidder-1", held=False))
    assert judged(fc.Mute(person="bidder-1", label="camera", muted=False))
    for command in (STAGE_ONE, fc.Hold(person="bidder-1", held=True)):
        with pytest.raises(Refused, match=r"floor\.person_unknown"):
            judged(command)


# ---- hold and mute


@pytest.mark.parametrize("at", ["scheduled", "sign_in", "decryption", "closed", "failed"])
@pytest.mark.parametrize("person", ["host", "camera:door"])
def test_hosts_and_cameras_are_held_and_muted_at_any_stage(at: str, person: str):
    play = an_opening(at=at)
    play.ask(fc.Hold(person=person, held=True), HOST)
    play.ask(fc.Mute(person=person, label="screen_sound", muted=True), HOST)
    assert floor_of(play).held == {person}
    assert floor_of(play).muted == {(person, "screen_sound")}
    play.ask(fc.Hold(person=person, held=False), HOST)
    play.ask(fc.Mute(person=person, label="screen_sound", muted=False), HOST)
    assert floor_of(play) == Floor()


@pytest.mark.parametrize(
    "person",
    [
        "supervisor",
        "purchaser",
        "trustee-1",
        "witness",
        "bidder-8",
        "expert-1",
        "camera:",
        "camera:A",
        "camera:../x",
    ],
)
def test_who_shows_nothing_here_is_not_held(person: str):
    play = an_opening(at="decryption")
    assert_refused("floor.person_unknown", play, fc.Hold(person=person, held=True), HOST)
    mute = fc.Mute(person=person, label="camera", muted=True)
    assert_refused("floor.person_unknown", play, mute, HOST)


# ---- arguments from outside


@pytest.mark.parametrize(
    ("op", "args"),
    [
        ("put_on_stage", {"person": ""}),
        ("put_on_stage", {"person": "x" * 81, "reason": ""}),
        ("put_on_stage", {"person": "x"}),
        ("put_on_stage", {"person": "x", "reason": "x" * 501}),
        ("hold", {"person": "x", "held": 1}),
        ("mute", {"person": "x", "label": "nose", "muted": True}),
        ("mute", {"person": "x", "label": "camera\n", "muted": True}),
        ("mute", {"person": "x", "label": "camera", "muted": True, "more": 1}),
    ],
)
def test_arguments_are_checked_before_any_rule(op: str, args: dict[str, Any]):
    for room in ("opening", "evaluation"):
        with pytest.raises(Refused, match=r"command\.arguments"):
            parse_command(room, op, args)


def test_nobody_calls_into_an_opening():
    args = {"call": "c", "to": {"kind": "all"}}
    assert parse_command("evaluation", "call_in", args)
    with pytest.raises(Refused, match=r"command\.unknown"):
        parse_command("opening", "call_in", args)


@pytest.mark.parametrize("role", [r for r in Role if r not in (Role.HOST, Role.SYSTEM)])
def test_only_the_host_leads_the_floor(role: Role):
    play = an_opening(at="announced")
    code = "auth.required" if role is Role.VIEWER else "auth.role"
    for command in (
        STAGE_ONE,
        fc.TakeOffStage(person="bidder-1"),
        fc.Hold(person="host", held=True),
        fc.Mute(person="host", label="camera", muted=True),
        fc.BeginRecording(recording="opening-x"),
    ):
        assert_refused(code, play, command, ACTORS[role])


# ---- recordings


def sealed(segment: int, fill: int = 1, **changes: Any) -> fc.SealSegment:
    facts: dict[str, Any] = {
        "recording": "opening-x",
        "track": "host.camera",
        "segment": segment,
        "sha256": bytes([fill]) * 32,
        "bytes": 7,
        "first_ms": 5,
        "last_ms": 6,
    }
    return fc.SealSegment(**facts | changes)


def report(what: str, **more: Any) -> fc.ReportRecording:
    return fc.ReportRecording(recording="opening-x", what=what, **more)


def test_what_is_recorded_is_told_to_everybody():
    play = an_opening(at="announced")
    begin = fc.BeginRecording(recording="opening-x")
    told = [play.ask(c, SYSTEM) for c in (begin, begin, sealed(1), sealed(1), sealed(2, 2))]
    assert [len(events) for events in told] == [1, 0, 1, 0, 1]
    assert {event.audience() for events in told for event in events} == {HALL}
    recording = floor_of(play).recordings["opening-x"]
    assert recording.state == "on"
    assert recording.tracks == {"host.camera": Track(segment=2, sha256=bytes([2]) * 32, last_ms=6)}
    assert replayed(play) == play.opening


def test_a_sealed_segment_is_never_sealed_otherwise():
    play = an_opening(at="announced")
    play.ask(fc.BeginRecording(recording="opening-x"))
    play.ask(sealed(3))
    for again in (sealed(3, 9), sealed(2)):
        assert_refused("recording.segment", play, again)
    play.ask(sealed(5))  # the fourth was never told: the head of the fifth vouches for it
    play.ask(sealed(1, track="host.microphone"))


@pytest.mark.parametrize(
    ("told", "state"),
    [
        ([], "on"),
        (["pictures_stopped"], "no_pictures"),
        (["pictures_stopped", "pictures_stopped"], "no_pictures"),
        (["pictures_stopped", "pictures_resumed"], "on"),
        (["pictures_stopped", "interrupted"], "no_pictures"),
        (["ended"], "ended"),
        (["ended", "removed"], "removed"),
    ],
)
def test_a_recording_is_where_its_last_report_left_it(told: list[str], state: str):
    play = an_opening(at="announced")
    play.ask(fc.BeginRecording(recording="opening-x"))
    for what in told:
        play.ask(report(what))
    assert floor_of(play).recordings["opening-x"].state == state


def test_lost_time_adds_up():
    play = an_opening(at="announced")
    play.ask(fc.BeginRecording(recording="opening-x"))
    play.ask(report("interrupted", lost_ms=900, detail="recorder.killed"))
    play.ask(report("interrupted", lost_ms=100))
    assert floor_of(play).recordings["opening-x"].lost_ms == 1000


def test_a_refused_recording_may_begin_later():
    play = an_opening(at="announced")
    play.ask(report("refused", detail="recording.disk_low"))
    assert floor_of(play).recordings["opening-x"].state == "refused"
    assert_refused("recording.unknown", play, sealed(1))
    play.later(5).ask(fc.BeginRecording(recording="opening-x"))
    assert floor_of(play).recordings["opening-x"] == Recording(
        recording="opening-x", state="on", began_ms=play.now_ms
    )


def test_a_recording_that_ended_goes_on_with_its_tracks():
    play = an_opening(at="announced")
    play.ask(fc.BeginRecording(recording="opening-x"))
    play.ask(sealed(1))
    play.ask(report("ended"))
    play.ask(sealed(2))  # the last segment is closed soon after the end
    play.ask(fc.BeginRecording(recording="opening-x"))
    recording = floor_of(play).recordings["opening-x"]
    assert (recording.state, recording.tracks["host.camera"].segment) == ("on", 2)


@pytest.mark.parametrize(
    ("before", "what", "code"),
    [
        ([], "ended", "recording.unknown"),
        ([], "stolen", "recording.report"),
        (["begin"], "refused", "recording.report"),
        (["begin", "ended"], "pictures_resumed", "recording.report"),
        (["begin", "removed"], "interrupted", "recording.removed"),
    ],
)
def test_reports_that_cannot_be_are_refused(before: list[str], what: str, code: str):
    play = an_opening(at="announced")
    for step in before:
        begins = step == "begin"
        play.ask(fc.BeginRecording(recording="opening-x") if begins else report(step))
    assert_refused(code, play, report(what))


# ---- journals of before


def test_a_state_of_before_has_an_empty_floor():
    assert Opening().floor == Floor()
    play = an_opening(at="closed")
    assert not any(isinstance(one.event, EVENTS_OF_FLOOR) for one in play.journal)
    assert replayed(play).floor == Floor()


def test_what_a_later_program_adds_to_these_events_may_be_left_out():
    """As stored by a program that knew no ``to_staff`` yet."""
    plain = {"recording": "x", "what": "ended"}
    event = msgspec.msgpack.decode(msgspec.msgpack.encode(plain), type=fv.RecordingReported)
    assert event == fv.RecordingReported(recording="x", what="ended")
    assert encode(event) != msgspec.msgpack.encode(plain)


def test_an_actor_of_another_role_with_a_bidders_organisation_is_no_bidder():
    play = an_opening(at="announced")
    trustee = Actor("bidder-1", Role.TRUSTEE, ONE.org)
    ctx = Context(HOST, play.now_ms, play.now_ms, people={"bidder-1": trustee})
    with pytest.raises(Refused, match=r"floor\.person_unknown"):
        RULES[fc.PutOnStage](play.opening, STAGE_ONE, ctx)
