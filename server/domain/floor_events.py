"""The events of the floor (会场秩序): who is on stage, held, muted; calls; recordings.

Openings and meetings of evaluation share them. Calls, and what a recording would tell of calls, are
for a meeting's supervisors alone: whoever sits in it hears of them neither now nor in its journal.
"""

from typing import Annotated

import msgspec

from server.domain.events import HALL, STAFF_AUDIENCE, Event, journaled

Sha256 = bytes  # of a closed segment


class CallTo(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Whom a supervisor speaks to: one seat, one venue, or ``all`` (``id`` is empty)."""

    kind: Annotated[str, msgspec.Meta(pattern=r"^(seat|venue|all)\Z")]
    id: Annotated[str, msgspec.Meta(max_length=80)] = ""


@journaled("put_on_stage", HALL)
class StageTaken(Event, frozen=True, kw_only=True):
    """上台: who speaks by camera and microphone to everybody. ``name`` as the registry had it."""

    person: str
    name: str
    org: str
    reason: str


@journaled("taken_off_stage", HALL)
class StageLeft(Event, frozen=True, kw_only=True):
    """下台, also of everybody at the end."""

    person: str
    reason: str


@journaled("held", HALL)
class Held(Event, frozen=True, kw_only=True):
    """暂停其画面与声音: nothing of this person or camera is forwarded."""

    person: str


@journaled("released_from_hold", HALL)
class ReleasedFromHold(Event, frozen=True, kw_only=True):
    person: str


@journaled("muted", HALL)
class Muted(Event, frozen=True, kw_only=True):
    """静音 (microphone) or 关闭画面 (camera), by whoever leads the room."""

    person: str
    label: str


@journaled("unmuted", HALL)
class Unmuted(Event, frozen=True, kw_only=True):
    person: str
    label: str


@journaled("call_began", STAFF_AUDIENCE)
class CallBegan(Event, frozen=True, kw_only=True):
    """A supervisor's call (监督喊话) into a meeting; its staff are the supervisors alone."""

    call: str
    person: str
    to: CallTo


@journaled("call_ended", STAFF_AUDIENCE)
class CallEnded(Event, frozen=True, kw_only=True):
    call: str
    person: str


@journaled("recording_began", HALL)
class RecordingBegan(Event, frozen=True, kw_only=True):
    """录像开始: everybody is told that the room is recorded from here on."""

    recording: str


class OfRecording(Event, frozen=True, kw_only=True):
    """``to_staff``: in a meeting, where the names of tracks would tell of calls."""

    recording: str
    to_staff: bool = False

    def audience(self) -> str:
        return STAFF_AUDIENCE if self.to_staff else self.AUDIENCE


@journaled("segment_sealed", HALL)
class SegmentSealed(OfRecording, frozen=True, kw_only=True):
    """A closed segment of one track (分段封存): its bytes will not change any more."""

    track: str
    segment: int
    sha256: Sha256
    bytes: int
    first_ms: int
    last_ms: int


@journaled("recording_reported", HALL)
class RecordingReported(OfRecording, frozen=True, kw_only=True):
    """``what``: see `floor.REPORTS`. ``lost_ms`` of an interruption; ``heads``: the last hash of
    each track of a recording that was removed.
    """

    what: str
    lost_ms: int = 0
    detail: str = ""
    heads: dict[str, Sha256] = msgspec.field(default_factory=dict[str, bytes])
