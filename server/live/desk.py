"""The desk of live video (直播窗口): who is present in which room, and what pages ask of it.

A person is in a room while his told stream is open and `GRACE_S` after it broke; a newer one takes
its place. What the rooms decide (stage, holds, mutes, calls) is read from their states after it is
durable, and applied as a whole; so it is when the media process has begun anew. Invariant: the
media process learns of nobody who may not be there, and nothing in the hall waits for it.
"""

import asyncio
import logging
from collections.abc import Callable
from typing import Any, Final

from server.domain.evaluation_room import Evaluation
from server.domain.model import PUBLIC, Actor
from server.domain.opening import Opening
from server.domain.refusals import Refused
from server.live.child import Child
from server.live.doors import Doors, Rooms
from server.live.grants import (
    NOT_ANNOUNCED,
    Place,
    camera_place,
    has_video,
    is_over,
    is_recorded,
    reached,
)
from server.live.link import Line
from server.live.orders import admission, floor_order, mark_of, told_of
from server.live.told import Listener, Member, RoomView

GRACE_S: Final = 10.0
MEMBERS_MAX: Final = 400  # of one room
ROOMS_MAX: Final = 200
ROOMS_OF_PERSON_MAX: Final = 8
REPLACED: Final = {"kind": "replaced"}
OVER: Final = {"kind": "over"}

log = logging.getLogger("kaibiao.live")


class LiveDesk:
    """``child`` is begun by whoever composes, or by the first who comes. ``changed(room)`` is to
    be called whenever something became durable in a room.
    """

    def __init__(self, rooms: Rooms, make_child: Callable[["LiveDesk"], Child]) -> None:
        self._rooms = rooms
        self._views: dict[str, RoomView] = {}
        self._doors = Doors(rooms, self._views)
        self._seen: dict[str, Any] = {}  # room -> the mark of the state that was applied
        self._graces: dict[tuple[str, str], asyncio.TimerHandle] = {}
        self.counts: dict[str, int] = {}
        self._began_ms = rooms.now_ms()
        self.child = make_child(self)

    # ---- who may

    def place(self, room: str, actor: Actor) -> Place:
        """Raises Refused ``media.absent``, ``media.not_allowed``."""
        return self._doors.place(room, actor)

    def door(self, room: str, actor: Actor) -> dict[str, Any]:
        """What a page must know before it comes in. Raises Refused."""
        return self._doors.shown(room, actor)

    # ---- presence

    def come_in(self, room: str, actor: Actor, tab: str) -> Listener:
        """A told stream begins. Raises Refused ``media.not_allowed``, ``media.full``..."""
        place = self.place(room, actor)
        if not place.is_member:
            raise Refused("auth.required" if actor is PUBLIC else "media.not_allowed")
        if is_over(self._rooms.state(room), self._rooms.now_ms()):
            raise Refused("media.over")
        view = self._view(room)
        name = actor.person
        self._check_room_for(view, name)
        known = view.members.get(name)
        if known is not None and known.listener is not None:
            known.listener.end(REPLACED)
        self._stop_grace(room, name)
        listener = Listener(name)
        is_other_page = known is not None and known.tab != tab
        if is_other_page:  # what the other page had open must not go on beside this one
            self.child.note("dismiss", {"room": room, "member": name})
            self.take_back(room, name)
        person = self._rooms.people().get(name)
        org_name = person.org_name if person else ""
        view.members[name] = Member(actor.name, org_name, place, actor, tab, listener)
        self.child.begin()
        self._apply_room(view)
        if known is None or is_other_page:
            self._admit(room, name, place)
        listener.tell({"kind": "state", **view.state(name, self.child.boot)})
        view.tell_of_member(name)
        return listener

    def _check_room_for(self, view: RoomView, name: str) -> None:
        if name in view.members:
            return
        mine = sum(name in other.members for other in self._views.values())
        if len(view.members) >= MEMBERS_MAX or mine >= ROOMS_OF_PERSON_MAX:
            raise Refused("media.full")

    def go_away(self, room: str, listener: Listener) -> None:
        """A told stream broke, or was ended: he is waited for, unless another took its place."""
        view = self._views.get(room)
        known = view.members.get(listener.member) if view is not None else None
        if view is None or known is None or known.listener is not listener:
            return
        listener.end()
        known.listener = None
        view.tell_of_member(listener.member)
        loop = asyncio.get_running_loop()
        self._graces[room, listener.member] = loop.call_later(
            GRACE_S, self.dismiss, room, listener.member
        )

    def dismiss(self, room: str, member: str, last: dict[str, Any] | None = None) -> None:
        """Everything of his ends here and now. Idempotent."""
        view = self._views.get(room)
        known = view.members.get(member) if view is not None else None
        if view is None or known is None:
            return
        self._stop_grace(room, member)
        self.child.note("dismiss", {"room": room, "member": member})
        self.take_back(room, member)
        if known.listener is not None:
            known.listener.end(last or {"kind": "gone"})
        for number in [one.number for one in view.tracks.values() if one.member == member]:
            view.remove_track(number)
        view.remove_member(member)
        self._forget_if_empty(view)

    def drop(self, room: str, listener: Listener) -> None:
        """Dismisses whose told stream this is, unless another one took its place."""
        view = self._views.get(room)
        known = view.members.get(listener.member) if view is not None else None
        if known is not None and known.listener is listener:
            self.dismiss(room, listener.member)

    def admit_camera(self, room: str, name: str, title: str) -> None:
        """A room's camera, by its member name; it stays until it is dismissed. Raises Refused."""
        state = self._rooms.state(room)
        if state is None or not has_video(state):
            raise Refused("media.absent")
        place = camera_place(name, state, self._rooms.now_ms())
        view = self._view(room)
        if name not in view.members and len(view.members) >= MEMBERS_MAX:
            raise Refused("media.full")
        view.members[name] = Member(title, "", place)
        self.child.begin()
        self._apply_room(view)
        self._admit(room, name, place)
        view.tell_of_member(name)

    def occupied(self) -> list[str]:
        """Rooms that people are in, not cameras alone."""
        return [
            room
            for room, view in self._views.items()
            if any(member.actor is not None for member in view.members.values())
        ]

    def _forget_if_empty(self, view: RoomView) -> None:
        if not view.members and not view.tracks:
            self._views.pop(view.name, None)
            self._seen.pop(view.name, None)

    def _stop_grace(self, room: str, member: str) -> None:
        grace = self._graces.pop((room, member), None)
        if grace is not None:
            grace.cancel()

    def _view(self, room: str) -> RoomView:
        view = self._views.get(room)
        if view is None:
            if len(self._views) >= ROOMS_MAX:
                raise Refused("media.full")
            view = self._views[room] = RoomView(room)
        return view

    # ---- what pages ask

    async def ask(
        self, room: str, actor: Actor, name: str, value: dict[str, Any], tab: str | None
    ) -> dict[str, Any]:
        """One of publish, watch, answer, own. Raises Refused."""
        place = self.place(room, actor)
        known = self._member(room, actor, tab)
        if name == "publish" and place.grants.hidden:
            value = value | {"to": self._called(room, actor, value.get("to"))}
        elif name == "publish":
            value = value | {"to": None}
        assert known is not None
        return await self.child.ask(name, {"room": room, "member": actor.person, **value})

    def _member(self, room: str, actor: Actor, tab: str | None) -> Member:
        view = self._views.get(room)
        known = view.members.get(actor.person) if view is not None else None
        if known is None:
            raise Refused("media.not_here")
        if tab is not None and known.tab != tab:
            raise Refused("media.replaced")
        return known

    def _called(self, room: str, actor: Actor, to: Any) -> list[str] | None:
        """Whom a supervisor's track reaches: those of a call of his that is journaled."""
        state = self._rooms.state(room)
        for call in state.floor.calls.values():
            if call.person == actor.person and to in (
                None,
                {"kind": call.to.kind, "id": call.to.id},
            ):
                members = reached(call, state)
                return None if members is None else sorted(members)
        raise Refused("media.not_allowed")

    def leave(self, room: str, actor: Actor, tab: str | None) -> None:
        """At once, without grace."""
        self._member(room, actor, tab)
        self.dismiss(room, actor.person)

    def take_back(self, room: str, subject: str) -> None:
        """The fragments' tokens of a person."""
        at_ms = self._rooms.now_ms()
        self.child.note("take_back", {"room": room, "subject": subject, "at_ms": at_ms})

    # ---- what rooms decide

    def changed(self, room: str) -> None:
        """Something became durable there. Called for every batch: cheap where nothing is live.

        A mistake here costs pictures; the room that calls must not notice.
        """
        view = self._views.get(room)
        try:
            if view is not None:
                self._apply_room(view)
            else:
                self._end_unseen(room)
        except Exception:
            log.exception("live.apply room=%s", room)

    def _apply_room(self, view: RoomView) -> None:
        """Brings places, floor and calls of a room to its state, and tells what has changed."""
        state = self._rooms.state(view.name)
        now = mark_of(state)
        if self._seen.get(view.name) == now:
            return
        self._seen[view.name] = now
        if is_over(state, self._rooms.now_ms()):
            self._end(view)
            return
        floor, view.floor = view.floor, state.floor
        for name, member in list(view.members.items()):
            self._apply_member(view, name, member)
        if told_of(floor) != told_of(view.floor):
            view.tell_all({"kind": "floor", **view.floor_line()})
        view.tell_calls(floor, state)
        self.child.note("floor", floor_order(view.name, state, self._rooms.people()))

    def _apply_member(self, view: RoomView, name: str, member: Member) -> None:
        if member.actor is None:
            return  # a camera
        place = self._doors.place_or_none(view.name, member.actor)
        if place is None or not place.is_member:
            self.dismiss(view.name, name)
            return
        if place == member.place:
            return
        was_discreet, member.place = member.place.is_discreet, place
        self._admit(view.name, name, place)
        view.tell(name, {"kind": "may", "may": place.shown()})
        if was_discreet and not place.is_discreet:
            view.tell_of_member(name)

    def _end(self, view: RoomView) -> None:
        """The opening or meeting is over."""
        for name in list(view.members):
            self.dismiss(view.name, name, OVER)
        self.child.note("end_room", {"room": view.name})

    def _end_unseen(self, room: str) -> None:
        """It may be over after everybody has gone, and its recording is not."""
        state = self._rooms.state(room)
        if state is None or not has_video(state) or not is_recorded(state):
            return
        if is_over(state, self._rooms.now_ms()):
            self.child.note("end_room", {"room": room})

    # ---- the media process

    def _admit(self, room: str, name: str, place: Place) -> None:
        self.child.note("admit", admission(room, name, place))

    def began(self, line: Line) -> None:
        """It has begun, anew perhaps: it is told everything again, before anybody else asks."""
        for room in self._rooms.names():
            state = self._rooms.state(room)
            if state is None or not has_video(state):
                continue
            if is_over(state, self._rooms.now_ms()):
                if is_recorded(state):  # it ended while there was no media process
                    line.note("floor", floor_order(room, state, self._rooms.people()))
                    line.note("end_room", {"room": room})
            elif is_recorded(state) or room in self._views:
                line.note("floor", floor_order(room, state, self._rooms.people()))
        for room, view in self._views.items():
            for name, member in view.members.items():
                line.note("admit", admission(room, name, member.place))

    def back(self) -> None:
        """After `began`, when it may be asked: everybody publishes and watches again."""
        if self.child.boots == 1:
            return  # nobody could have begun before
        for view in self._views.values():
            view.tell_all({"kind": "restarted", "boot": self.child.boot})

    def gone(self) -> None:
        """It has died, with every connection and track."""
        self.counts = {}
        for view in list(self._views.values()):
            view.forget_tracks()
            self._forget_if_empty(view)

    def heard(self, value: dict[str, Any]) -> None:
        """An event of the media process, see `forwarding.shown`."""
        room = value["room"]
        if value["kind"] == "watching" and self._is_secret(room):
            return  # how many look would say how many mean to bid
        view = self._view(room) if value["kind"] == "track" else self._views.get(room)
        if view is not None:
            view.heard(value)
            self._forget_if_empty(view)

    def recording_changed(self, room: str, state: str) -> None:
        """``state``: on, no_pictures, off, refused."""
        view = self._views.get(room)
        if view is not None and view.recording != state:
            view.recording = state
            view.tell_all({"kind": "recording", "recording": state})

    def is_shown(self, room: str) -> bool:
        """Whether there is a stream for the public, though perhaps nothing in it yet."""
        return room in self._views

    def tick(self) -> None:
        """Each second: a room may be over because time has passed, a caller may have gone."""
        for room in self._rooms.names():
            view = self._views.get(room)
            if view is None:
                self._end_unseen(room)
            elif is_over(self._rooms.state(room), self._rooms.now_ms()):
                self._end(view)
            self._end_calls(room, view)

    def _end_calls(self, room: str, view: RoomView | None) -> None:
        """Of callers whose page has gone for good. After a restart they are waited for."""
        state = self._rooms.state(room)
        is_early = self._rooms.now_ms() - self._began_ms < GRACE_S * 1000
        if is_early or not isinstance(state, Evaluation):
            return
        for call in state.floor.calls.values():
            if view is None or call.person not in view.members:
                self._rooms.end_call(room, call.call)

    def end_streams(self) -> None:
        """The site goes down: nobody's page waits for its end."""
        for view in self._views.values():
            for _, listener in view.listeners():
                listener.end({"kind": "away"})

    # ---- for metrics

    def counted(self) -> tuple[int, int]:
        """(members, told streams) of rooms whose people are no secret."""
        views = [view for view in self._views.values() if not self._is_secret(view.name)]
        return sum(len(v.members) for v in views), sum(len(v.listeners()) for v in views)

    def _is_secret(self, room: str) -> bool:
        state = self._rooms.state(room)
        return isinstance(state, Opening) and state.stage in NOT_ANNOUNCED
