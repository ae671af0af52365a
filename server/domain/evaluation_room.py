"""The state of one meeting of evaluation (评标会), and how events fold into it. Pure.

Invariant: who takes part is said once, when the meeting is set; a person has one place in it.
"""

from collections.abc import Callable
from enum import StrEnum
from typing import Any

import msgspec
from msgspec.structs import replace

from server.domain import evaluation_room_events as ev
from server.domain import floor
from server.domain.evaluation_room_events import Attendant, Seat, Venue
from server.domain.events import Event
from server.domain.floor import Floor

CAMERA = "camera:"  # before a camera's name: how it is a member of the room


class MeetingStage(StrEnum):
    """Where the meeting stands."""

    SCHEDULED = "scheduled"  # 待开始
    RUNNING = "running"  # 进行中
    CLOSED = "closed"  # 已结束


class Evaluation(msgspec.Struct, frozen=True, kw_only=True):
    """Everything one meeting knows."""

    title: str = ""
    venues: tuple[Venue, ...] = ()
    moderator: Attendant | None = None
    supervisors: tuple[Attendant, ...] = ()
    stage: MeetingStage = MeetingStage.SCHEDULED
    floor: Floor = Floor()
    now_ms: int = 0  # of the newest event

    @property
    def is_set(self) -> bool:
        return self.moderator is not None

    def place_of(self, person: str) -> tuple[Venue, Seat] | None:
        """Where somebody sits."""
        for venue in self.venues:
            for seat in venue.seats:
                if seat.person == person:
                    return venue, seat
        return None

    def moderates(self, person: str) -> bool:
        return self.moderator is not None and self.moderator.person == person

    def supervises(self, person: str) -> bool:
        return any(each.person == person for each in self.supervisors)

    def takes_part(self, person: str) -> bool:
        """Seats, moderator, supervisors: nobody else is let in."""
        return (
            self.moderates(person) or self.supervises(person) or self.place_of(person) is not None
        )

    def cameras(self) -> frozenset[str]:
        """The venues' cameras, as members of the room."""
        return frozenset(CAMERA + name for venue in self.venues for name in venue.cameras)


def _floor(state: Evaluation, event: Event) -> Evaluation:
    return replace(state, floor=floor.evolve(state.floor, event, state.now_ms))


_EVOLVE: dict[type[Event], Callable[[Evaluation, Any], Evaluation]] = {
    ev.MeetingHeld: lambda s, e: replace(s, title=e.title, venues=e.venues, moderator=e.moderator),
    ev.SupervisorsNamed: lambda s, e: replace(s, supervisors=e.supervisors),
    ev.MeetingBegan: lambda s, e: replace(s, stage=MeetingStage.RUNNING),
    ev.MeetingClosed: lambda s, e: replace(s, stage=MeetingStage.CLOSED),
    **dict.fromkeys(floor.EVENTS_OF_FLOOR, _floor),
}


def evolve(state: Evaluation, event: Event, ts_ms: int) -> Evaluation:
    """The state after ``event``, which was journaled at ``ts_ms``."""
    return _EVOLVE[type(event)](replace(state, now_ms=ts_ms), event)
