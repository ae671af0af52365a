"""Who can be met in a room, as a page shows them (名牌): names, roles, venues and seats. Pure."""

from collections.abc import Iterable
from typing import Any

from server.domain.opening import Opening
from server.domain.registry import Person
from server.live.grants import CAMERA, Place, bidders_are_secret


def meetable(state: Any, present: Iterable[str]) -> list[str]:
    """Person ids: who is here, on an opening's stage, or has a place in a meeting."""
    if isinstance(state, Opening):
        names = [*present, *(() if bidders_are_secret(state) else state.floor.on_stage)]
    else:
        names = [seat.person for venue in state.venues for seat in venue.seats]
        names = [*names, state.moderator.person, *present]
    return list(dict.fromkeys(names))


def card(person: Person, place: Place) -> dict[str, Any]:
    return {
        "name": person.actor.name,
        "org_name": person.org_name,
        "role": place.role,
        "venue": place.venue,
        "seat": place.seat,
    }


def venues_of(state: Any) -> list[dict[str, Any]] | None:
    """Of a meeting: who sits where, and the cameras' names as members."""
    if isinstance(state, Opening):
        return None
    return [
        {
            "venue": venue.venue,
            "name": venue.name,
            "is_main": venue.is_main,
            "cameras": [CAMERA + name for name in venue.cameras],
            "seats": [
                {"seat": seat.seat, "person": seat.person, "name": seat.name}
                for seat in venue.seats
            ],
        }
        for venue in state.venues
    ]
