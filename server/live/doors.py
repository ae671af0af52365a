"""The doors of live video (直播门口): who may come into a room as what, and what is told before.

What the rooms say is asked of `Rooms`, each time anew; who is here is the desk's to change and is
read alone. Invariant: whoever asks is told of nobody whom he could not meet inside.
"""

from collections.abc import Mapping
from typing import Any, Final, Protocol

from server.domain.model import Actor, Role
from server.domain.refusals import Refused
from server.domain.registry import Person
from server.live.cards import card, meetable, venues_of
from server.live.grants import Place, has_video, place_of
from server.live.told import RoomView

# More people than this watch fragments: forwarding is one core's work.
BY_WEBRTC_MAX: Final = 150


class Rooms(Protocol):
    """What the desk asks of the hall."""

    def now_ms(self) -> int: ...
    def state(self, room: str) -> Any:
        """The durable state of an opening or a meeting; None where there is none."""
        ...

    def is_registered(self, room: str, org: str) -> bool:
        """Whether an organisation is registered as a bidder of this opening's tender."""
        ...

    def names(self) -> list[str]:
        """Of all openings and meetings."""
        ...

    def people(self) -> dict[str, Person]:
        """By person id."""
        ...

    def end_call(self, room: str, call: str) -> None:
        """Asks the room to end a supervisor's call; it may have ended by itself."""
        ...


class Doors:
    """Of all rooms. ``views``: who is in which, by the room's name."""

    def __init__(self, rooms: Rooms, views: Mapping[str, RoomView]) -> None:
        self._rooms = rooms
        self._views = views

    def place(self, room: str, actor: Actor) -> Place:
        """Raises Refused ``media.absent``, ``media.not_allowed``."""
        state = self._rooms.state(room)
        if state is None or not has_video(state):
            raise Refused("media.absent")
        registered = actor.role is Role.BIDDER and self._rooms.is_registered(room, actor.org)
        return place_of(actor, state, is_registered=registered, now_ms=self._rooms.now_ms())

    def shown(self, room: str, actor: Actor) -> dict[str, Any]:
        """What a page must know before it comes in, fragments and ICE servers excepted. Raises
        Refused.
        """
        place = self.place(room, actor)
        view = self._views.get(room)
        is_crowded = view is not None and len(view.members) >= BY_WEBRTC_MAX
        by_webrtc = place.is_member and not (is_crowded and place.role == "bidder")
        return {
            "member": actor.person if place.is_member else "",
            "may": place.shown(),
            "way": "webrtc" if by_webrtc else "fragments",
            "recorded": True,
            "venues": venues_of(self._rooms.state(room)),
            "names": self._names(room, place),
        }

    def _names(self, room: str, place: Place) -> dict[str, Any]:
        """Who can be met here, as far as this one may know it; the public: who can be seen."""
        view, people = self._views.get(room), self._rooms.people()
        here = view.members if view is not None else {}
        seen = list(here) if place.is_member or view is None else view.publishing()
        found: dict[str, Any] = {}
        for name in meetable(self._rooms.state(room), seen):
            person = people.get(name)
            if person is None:
                continue
            other = here[name].place if name in here else self.place_or_none(room, person.actor)
            if other is not None and (place.grants.watch_all or not other.is_discreet):
                found[name] = card(person, other)
        return found

    def place_or_none(self, room: str, actor: Actor) -> Place | None:
        """None for whom it is closed to."""
        try:
            return self.place(room, actor)
        except Refused:
            return None
