"""The desk of live video between stand-ins of the hall and of the media process."""

import json
from dataclasses import dataclass, field
from typing import Any, cast

from server.domain.model import Actor
from server.domain.refusals import Refused
from server.domain.registry import Person
from server.live.child import Child
from server.live.desk import LiveDesk
from server.live.link import Line
from server.live.told import Listener
from tests.domain.cast import EXPERTS, HOST, PEOPLE, SUPERVISOR_PERSON, Bidder
from tests.domain.meetings import SECOND_SUPERVISOR

OPENING, MEETING = "opening:x", "evaluation:x"
BIDDERS = tuple(Bidder(n).actor for n in (1, 2, 3))
KNOWN = (HOST, SUPERVISOR_PERSON, SECOND_SUPERVISOR, *EXPERTS, *BIDDERS, Bidder(9).actor)
assert PEOPLE


@dataclass
class StillRooms:
    """Rooms whose states a test sets."""

    states: dict[str, Any]
    at_ms: int = 0
    ended: list[tuple[str, str]] = field(default_factory=list)
    registered: set[str] = field(default_factory=lambda: {actor.org for actor in BIDDERS})

    def now_ms(self) -> int:
        return self.at_ms

    def names(self) -> list[str]:
        return list(self.states)

    def state(self, room: str) -> Any:
        return self.states.get(room)

    def is_registered(self, room: str, org: str) -> bool:
        return org in self.registered

    def people(self) -> dict[str, Person]:
        return {one.person: Person(one, f"单位 {one.org}", b"") for one in KNOWN}

    def end_call(self, room: str, call: str) -> None:
        self.ended.append((room, call))


@dataclass
class Noting:
    """In the media process's place: what it was told and asked."""

    boots: int = 1
    boot: str = "life.1"
    is_up: bool = True
    notes: list[tuple[str, dict[str, Any]]] = field(default_factory=list)
    asked: list[tuple[str, dict[str, Any]]] = field(default_factory=list)
    begun: int = 0

    def begin(self) -> None:
        self.begun += 1

    def note(self, name: str, value: Any = None) -> None:
        self.notes.append((name, value))

    async def ask(self, name: str, value: Any = None) -> Any:
        if not self.is_up:
            raise Refused("media.away")
        self.asked.append((name, value))
        return {}

    def noted(self, name: str) -> list[dict[str, Any]]:
        return [value for kind, value in self.notes if kind == name]


class DeskLab:
    def __init__(self, **states: Any) -> None:
        """``opening`` and ``evaluation`` are states; each is room x of its kind."""
        self.rooms = StillRooms({f"{kind}:x": state for kind, state in states.items()})
        self.child = Noting()
        self.desk = LiveDesk(self.rooms, lambda desk: cast(Child, self.child))

    def came(self, actor: Actor, room: str = OPENING, tab: str = "") -> "Heard":
        return Heard(self.desk.come_in(room, actor, tab))

    def becomes(self, room: str, state: Any) -> None:
        self.rooms.states[room] = state
        self.desk.changed(room)

    def restart(self) -> list[tuple[str, dict[str, Any]]]:
        """The media process dies and is back; what it was told before anybody could ask."""
        self.desk.gone()
        self.child.notes.clear()
        self.child.boots += 1
        self.child.boot = f"life.{self.child.boots}"
        self.desk.began(cast(Line, self.child))
        told = list(self.child.notes)
        self.desk.back()
        return told

    def track(
        self, number: int, member: str, label: str = "camera", room: str = OPENING, **more: Any
    ) -> None:
        facts = {"to": None, "hidden": False, "layers": 2} | more
        event = {"kind": "track", "room": room, "member": member, "track": number, "label": label}
        self.desk.heard(event | facts)


@dataclass
class Heard:
    """A told stream, read to its present end by ``lines``."""

    listener: Listener

    async def lines(self) -> list[dict[str, Any]]:
        raw = await self.listener.next(0)
        return [json.loads(line) for line in (raw or b"").splitlines()]

    async def kinds(self) -> list[str]:
        return [line["kind"] for line in await self.lines()]
