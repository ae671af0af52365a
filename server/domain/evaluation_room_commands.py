"""What is asked of a meeting of evaluation (评标会) beside the acts of its floor."""

from typing import Annotated

import msgspec

from server.domain.commands import Command, command

VENUES_MAX = 16
SEATS_MAX = 16  # of one venue
CAMERAS_MAX = 8  # of one venue
SUPERVISORS_MAX = 8
TEXT_MAX = 200

Id = Annotated[str, msgspec.Meta(pattern=r"^[a-z0-9-]{1,64}\Z")]
Text = Annotated[str, msgspec.Meta(min_length=1, max_length=TEXT_MAX)]


class SeatAsked(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    seat: Id
    person: Id


class VenueAsked(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    venue: Id
    name: Text
    is_main: bool
    cameras: Annotated[tuple[Id, ...], msgspec.Meta(max_length=CAMERAS_MAX)] = ()
    seats: Annotated[tuple[SeatAsked, ...], msgspec.Meta(max_length=SEATS_MAX)] = ()


@command("evaluation", "hold_meeting", system=True)
class HoldMeeting(Command, frozen=True, kw_only=True):
    """A meeting is to be held: its venues, who sits where, who leads it, who supervises."""

    title: Text
    venues: Annotated[tuple[VenueAsked, ...], msgspec.Meta(min_length=1, max_length=VENUES_MAX)]
    moderator: Id
    supervisors: Annotated[tuple[Id, ...], msgspec.Meta(min_length=1, max_length=SUPERVISORS_MAX)]

    def people(self) -> tuple[str, ...]:
        seated = tuple(seat.person for venue in self.venues for seat in venue.seats)
        return (*seated, self.moderator, *self.supervisors)


@command("evaluation", "begin_meeting")
class BeginMeeting(Command, frozen=True, kw_only=True):
    pass


@command("evaluation", "close_meeting")
class CloseMeeting(Command, frozen=True, kw_only=True):
    pass
