"""The floor (会场秩序) of a room: who is on stage, held, muted, called; what is recorded.

A value that openings and meetings carry as ``state.floor``; pure. Whom the acts may concern differs
from room to room and is asked there (`floor_rules.Room`). Invariant: every set is bounded, and an
act that changes nothing makes no event.
"""

from collections.abc import Callable, Mapping
from typing import Any

import msgspec
from msgspec import field
from msgspec.structs import replace

from server.domain import floor_events as ev
from server.domain.events import Event


class Call(msgspec.Struct, frozen=True, kw_only=True):
    """A supervisor's call (监督喊话) that goes on."""

    call: str
    person: str
    to: ev.CallTo
    began_ms: int


class Track(msgspec.Struct, frozen=True, kw_only=True):
    """The newest sealed segment of a recorded track; its hash vouches for those before it."""

    segment: int
    sha256: bytes
    last_ms: int


class Recording(msgspec.Struct, frozen=True, kw_only=True):
    """``state``: on, no_pictures, ended, refused, removed."""

    recording: str
    state: str
    began_ms: int
    lost_ms: int = 0
    tracks: Mapping[str, Track] = field(default_factory=dict[str, Track])


class Floor(msgspec.Struct, frozen=True, kw_only=True):
    """``on_stage`` in the order in which they came; ``muted``: (person, label)."""

    on_stage: tuple[str, ...] = ()
    held: frozenset[str] = frozenset()
    muted: frozenset[tuple[str, str]] = frozenset()
    calls: Mapping[str, Call] = field(default_factory=dict[str, Call])
    recordings: Mapping[str, Recording] = field(default_factory=dict[str, Recording])


# What a report says -> the state of its recording after it; none: as it was.
REPORTS = {
    "interrupted": None,
    "resumed": None,
    "dropped": None,
    "failed": None,
    "made": None,
    "pictures_stopped": "no_pictures",
    "pictures_resumed": "on",
    "refused": "refused",
    "ended": "ended",
    "removed": "removed",
}
# Their details name tracks, or files of them.
NAME_TRACKS = frozenset({"interrupted", "resumed", "dropped", "failed", "made"})


def _call_began(floor: Floor, event: ev.CallBegan, ts_ms: int) -> Floor:
    call = Call(call=event.call, person=event.person, to=event.to, began_ms=ts_ms)
    return replace(floor, calls={**floor.calls, event.call: call})


def _call_ended(floor: Floor, event: ev.CallEnded, ts_ms: int) -> Floor:
    return replace(floor, calls={k: c for k, c in floor.calls.items() if k != event.call})


def _kept(floor: Floor, one: Recording) -> Floor:
    return replace(floor, recordings={**floor.recordings, one.recording: one})


def _began(floor: Floor, event: ev.RecordingBegan, ts_ms: int) -> Floor:
    known = floor.recordings.get(event.recording)
    if known is None or known.state == "refused":
        return _kept(floor, Recording(recording=event.recording, state="on", began_ms=ts_ms))
    return _kept(floor, replace(known, state="on"))


def _sealed(floor: Floor, event: ev.SegmentSealed, ts_ms: int) -> Floor:
    known = floor.recordings[event.recording]
    track = Track(segment=event.segment, sha256=event.sha256, last_ms=event.last_ms)
    return _kept(floor, replace(known, tracks={**known.tracks, event.track: track}))


def _reported(floor: Floor, event: ev.RecordingReported, ts_ms: int) -> Floor:
    known = floor.recordings.get(event.recording) or Recording(
        recording=event.recording, state="refused", began_ms=ts_ms
    )
    state = REPORTS[event.what] or known.state
    return _kept(floor, replace(known, state=state, lost_ms=known.lost_ms + event.lost_ms))


_EVOLVE: dict[type[Event], Callable[[Floor, Any, int], Floor]] = {
    ev.StageTaken: lambda f, e, _: replace(f, on_stage=(*f.on_stage, e.person)),
    ev.StageLeft: lambda f, e, _: replace(
        f, on_stage=tuple(p for p in f.on_stage if p != e.person)
    ),
    ev.Held: lambda f, e, _: replace(f, held=f.held | {e.person}),
    ev.ReleasedFromHold: lambda f, e, _: replace(f, held=f.held - {e.person}),
    ev.Muted: lambda f, e, _: replace(f, muted=f.muted | {(e.person, e.label)}),
    ev.Unmuted: lambda f, e, _: replace(f, muted=f.muted - {(e.person, e.label)}),
    ev.CallBegan: _call_began,
    ev.CallEnded: _call_ended,
    ev.RecordingBegan: _began,
    ev.SegmentSealed: _sealed,
    ev.RecordingReported: _reported,
}
EVENTS_OF_FLOOR = tuple(_EVOLVE)


def evolve(floor: Floor, event: Event, ts_ms: int) -> Floor:
    """The floor after one of its events, which was journaled at ``ts_ms``."""
    return _EVOLVE[type(event)](floor, event, ts_ms)
