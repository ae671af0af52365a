"""What may be done on a floor (会场秩序), whichever room it is of. Pure.

Invariant: whoever calls has asked already who may do it and whom it may concern; here are bounds,
repeats (an act that changes nothing makes no event), and what recordings may say. What is on can
always be undone, also where its person has left the registry meanwhile.
"""

from server.domain import floor_commands as cmd
from server.domain import floor_events as ev
from server.domain.events import Event
from server.domain.floor import NAME_TRACKS, REPORTS, Floor
from server.domain.model import Actor, Context, Role
from server.domain.reasons import written_reason
from server.domain.refusals import Refused

ON_STAGE_MAX = 6
HELD_MAX = 512
MUTED_MAX = 2048
CALLS_MAX = 8  # at once
RECORDINGS_MAX = 64  # of one room, ever
TRACKS_MAX = 2048  # of one recording: every simulcast layer is a track
OVER = "closed"  # the reason that stands beside who leaves the stage because it is over


def put_on_stage(floor: Floor, command: cmd.PutOnStage, who: Actor) -> list[Event]:
    reason = written_reason(command.reason)
    if command.person in floor.on_stage:
        return []
    if len(floor.on_stage) >= ON_STAGE_MAX:
        raise Refused("floor.stage_full", most=ON_STAGE_MAX)
    return [ev.StageTaken(person=who.person, name=who.name, org=who.org, reason=reason)]


def take_off_stage(floor: Floor, command: cmd.TakeOffStage) -> list[Event]:
    reason = written_reason(command.reason) if command.reason else ""
    if command.person not in floor.on_stage:
        return []
    return [ev.StageLeft(person=command.person, reason=reason)]


def hold(floor: Floor, command: cmd.Hold) -> list[Event]:
    if command.held == (command.person in floor.held):
        return []
    if not command.held:
        return [ev.ReleasedFromHold(person=command.person)]
    if len(floor.held) >= HELD_MAX:
        raise Refused("floor.full")
    return [ev.Held(person=command.person)]


def mute(floor: Floor, command: cmd.Mute) -> list[Event]:
    if command.muted == ((command.person, command.label) in floor.muted):
        return []
    if not command.muted:
        return [ev.Unmuted(person=command.person, label=command.label)]
    if len(floor.muted) >= MUTED_MAX:
        raise Refused("floor.full")
    return [ev.Muted(person=command.person, label=command.label)]


def undoes(floor: Floor, command: cmd.AboutPerson) -> bool:
    """Whether it ends something that is on: then nobody asks whether the person is still there."""
    match command:
        case cmd.TakeOffStage():
            return command.person in floor.on_stage
        case cmd.Hold(held=False):
            return command.person in floor.held
        case cmd.Mute(muted=False):
            return (command.person, command.label) in floor.muted
        case _:
            return False


def call_in(floor: Floor, command: cmd.CallIn, ctx: Context) -> list[Event]:
    """The name of a call that is over may be given again; one that goes on is one call."""
    caller = ctx.actor.person
    going_on = floor.calls.get(command.call)
    if going_on is not None:
        if (going_on.person, going_on.to) == (caller, command.to):
            return []
        raise Refused("call.exists")
    if len(floor.calls) >= CALLS_MAX:
        raise Refused("call.too_many", most=CALLS_MAX)
    return [ev.CallBegan(call=command.call, person=caller, to=command.to)]


def end_call(floor: Floor, command: cmd.EndCall, ctx: Context) -> list[Event]:
    """By who called; by the system where the caller has gone."""
    going_on = floor.calls.get(command.call)
    if going_on is None:
        raise Refused("call.unknown")
    if ctx.actor.role is not Role.SYSTEM and going_on.person != ctx.actor.person:
        raise Refused("call.not_yours")
    return [ev.CallEnded(call=command.call, person=going_on.person)]


def everybody_off(floor: Floor) -> list[Event]:
    """The room is over: nobody is on stage and nobody calls any more."""
    off: list[Event] = [ev.StageLeft(person=person, reason=OVER) for person in floor.on_stage]
    ended = [ev.CallEnded(call=c.call, person=c.person) for c in floor.calls.values()]
    return off + ended


# ---- recordings: told by the recorder, after a restart perhaps a second time


def begin_recording(floor: Floor, command: cmd.BeginRecording) -> list[Event]:
    known = floor.recordings.get(command.recording)
    if known is not None and known.state in ("on", "no_pictures"):
        return []
    if known is not None and known.state == "removed":
        raise Refused("recording.removed")
    _room_for(floor, command.recording)
    return [ev.RecordingBegan(recording=command.recording)]


def seal_segment(floor: Floor, command: cmd.SealSegment, *, to_staff: bool) -> list[Event]:
    """Numbers ascend. One that was never told may be missing: the head of each segment holds the
    hash of the one before, so what is told vouches for it.
    """
    known = floor.recordings.get(command.recording)
    if known is None or known.state in ("refused", "removed"):
        raise Refused("recording.unknown")
    last = known.tracks.get(command.track)
    if last is not None and command.segment <= last.segment:
        if (command.segment, command.sha256) == (last.segment, last.sha256):
            return []
        raise Refused("recording.segment", last=last.segment)
    if last is None and len(known.tracks) >= TRACKS_MAX:
        raise Refused("recording.too_many")
    return [
        ev.SegmentSealed(
            recording=command.recording,
            to_staff=to_staff,
            track=command.track,
            segment=command.segment,
            sha256=command.sha256,
            bytes=command.bytes,
            first_ms=command.first_ms,
            last_ms=command.last_ms,
        )
    ]


def report_recording(floor: Floor, command: cmd.ReportRecording, *, to_staff: bool) -> list[Event]:
    """``to_staff``: whether what names tracks is kept from the hall."""
    if command.what not in REPORTS:
        raise Refused("recording.report", one_of=sorted(REPORTS))
    known = floor.recordings.get(command.recording)
    state = REPORTS[command.what]
    if command.what == "refused":
        if known is not None and known.state in ("on", "no_pictures"):
            raise Refused("recording.report", state=known.state)
        _room_for(floor, command.recording)
    elif known is None:
        raise Refused("recording.unknown")
    elif known.state == "removed" and state != "removed":
        raise Refused("recording.removed")
    elif state in ("on", "no_pictures") and known.state not in ("on", "no_pictures"):
        raise Refused("recording.report", state=known.state)
    if known is not None and state == known.state:
        return []
    return [
        ev.RecordingReported(
            recording=command.recording,
            to_staff=to_staff and (bool(command.heads) or command.what in NAME_TRACKS),
            what=command.what,
            lost_ms=command.lost_ms,
            detail=command.detail,
            heads=command.heads,
        )
    ]


def _room_for(floor: Floor, recording: str) -> None:
    if recording not in floor.recordings and len(floor.recordings) >= RECORDINGS_MAX:
        raise Refused("recording.too_many")
