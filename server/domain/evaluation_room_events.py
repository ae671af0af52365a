"""The events of a meeting of evaluation (评标会): several venues in one room.

What the hall of a meeting hears is heard by its seats, its moderator and its supervisors, and by
nobody else; its staff are the supervisors alone, whom the others are not told of.
"""

import msgspec

from server.domain.events import HALL, STAFF_AUDIENCE, Event, journaled


class Seat(msgspec.Struct, frozen=True, kw_only=True):
    """A seat (席位) and who sits there; ``name`` as the registry had it."""

    seat: str
    person: str
    name: str


class Venue(msgspec.Struct, frozen=True, kw_only=True):
    """A venue (会场): the main one (主场) or a satellite (客场). ``cameras``: of the room."""

    venue: str
    name: str
    is_main: bool
    cameras: tuple[str, ...]
    seats: tuple[Seat, ...]


class Attendant(msgspec.Struct, frozen=True, kw_only=True):
    """Somebody without a seat."""

    person: str
    name: str


@journaled("meeting_held", HALL)
class MeetingHeld(Event, frozen=True, kw_only=True):
    title: str
    venues: tuple[Venue, ...]
    moderator: Attendant


@journaled("supervisors_named", STAFF_AUDIENCE)
class SupervisorsNamed(Event, frozen=True, kw_only=True):
    supervisors: tuple[Attendant, ...]


@journaled("meeting_began", HALL)
class MeetingBegan(Event, frozen=True, kw_only=True):
    pass


@journaled("meeting_closed", HALL)
class MeetingClosed(Event, frozen=True, kw_only=True):
    pass
