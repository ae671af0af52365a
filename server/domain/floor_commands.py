"""What is asked of the floor (会场秩序) of an opening or of a meeting."""

from typing import Annotated

import msgspec

from server.domain.commands import Command, Digest, Moment, Reason, command
from server.domain.floor_events import CallTo

ROOMS = ("opening", "evaluation")
# A person's id, or ``camera:<name>``.
Member = Annotated[str, msgspec.Meta(min_length=1, max_length=80)]
Label = Annotated[str, msgspec.Meta(pattern=r"^(camera|microphone|screen|screen_sound)\Z")]
CallName = Annotated[str, msgspec.Meta(pattern=r"^[a-z0-9-]{1,64}\Z")]
# Of a recording and of a track; they name folders.
Name = Annotated[str, msgspec.Meta(pattern=r"^[a-z0-9][a-z0-9._-]{0,63}\Z")]
Count = Annotated[int, msgspec.Meta(ge=0, le=2**53 - 1)]


class AboutPerson(Command, frozen=True, kw_only=True):
    person: Member

    def people(self) -> tuple[str, ...]:
        return (self.person,)


@command(ROOMS, "put_on_stage")
class PutOnStage(AboutPerson, frozen=True, kw_only=True):
    reason: Reason


@command(ROOMS, "take_off_stage")
class TakeOffStage(AboutPerson, frozen=True, kw_only=True):
    reason: Reason = ""


@command(ROOMS, "hold")
class Hold(AboutPerson, frozen=True, kw_only=True):
    held: bool


@command(ROOMS, "mute")
class Mute(AboutPerson, frozen=True, kw_only=True):
    label: Label
    muted: bool


@command("evaluation", "call_in")
class CallIn(Command, frozen=True, kw_only=True):
    """``call``: a name that the caller gives it, unique in the room."""

    call: CallName
    to: CallTo


@command("evaluation", "end_call")
class EndCall(Command, frozen=True, kw_only=True):
    call: CallName


@command(ROOMS, "begin_recording", system=True)
class BeginRecording(Command, frozen=True, kw_only=True):
    recording: Name


@command(ROOMS, "seal_segment", system=True)
class SealSegment(Command, frozen=True, kw_only=True):
    recording: Name
    track: Name
    segment: Count
    sha256: Digest
    bytes: Count
    first_ms: Moment
    last_ms: Moment


@command(ROOMS, "report_recording", system=True)
class ReportRecording(Command, frozen=True, kw_only=True):
    recording: Name
    what: str
    lost_ms: Count = 0
    detail: Annotated[str, msgspec.Meta(max_length=200)] = ""
    heads: dict[str, Digest] = msgspec.field(default_factory=dict[str, bytes])
