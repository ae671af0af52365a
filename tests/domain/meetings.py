"""Ready-made meetings of evaluation, judged and folded as their room does it."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from server.domain import evaluation_room, evaluation_room_rules
from server.domain.commands import Command
from server.domain.evaluation_room import Evaluation
from server.domain.evaluation_room_commands import (
    BeginMeeting,
    CloseMeeting,
    HoldMeeting,
    SeatAsked,
    VenueAsked,
)
from server.domain.events import Event, decode, encode
from server.domain.model import SYSTEM, Actor, Context, Role
from tests.domain.cast import EXPERTS, HOST, PEOPLE, SUPERVISOR_PERSON
from tests.domain.tender_rules import DEADLINE_MS

SECOND_SUPERVISOR = Actor("supervisor-2", Role.SUPERVISOR, "11360800000000033X", "秦越")
OTHER_HOST = Actor("host-2", Role.HOST, "91360800MA00000011", "苏白")
KNOWN = {**PEOPLE, "supervisor-2": SECOND_SUPERVISOR, "host-2": OTHER_HOST}
SEATS = {"main": ("a1", "a2"), "east": ("b1", "b2"), "west": ("c1",)}


def venues(**seats: Sequence[str]) -> tuple[VenueAsked, ...]:
    """One venue for each name, the first the main one; experts take the seats in order."""
    experts = iter(EXPERTS)
    return tuple(
        VenueAsked(
            venue=name,
            name=f"{name} 会场",
            is_main=place == 0,
            cameras=(f"{name}-door",),
            seats=tuple(SeatAsked(seat=s, person=next(experts).person) for s in own),
        )
        for place, (name, own) in enumerate(seats.items())
    )


def holding(**changes: Any) -> HoldMeeting:
    facts: dict[str, Any] = {
        "title": "滨河东路评标会",
        "venues": venues(**SEATS),
        "moderator": HOST.person,
        "supervisors": (SUPERVISOR_PERSON.person, SECOND_SUPERVISOR.person),
    }
    return HoldMeeting(**facts | changes)


@dataclass
class Meeting:
    """A meeting and all that it journaled: (event, ts_ms)."""

    state: Evaluation = field(default_factory=Evaluation)
    now_ms: int = DEADLINE_MS
    journal: list[tuple[Event, int]] = field(default_factory=list)

    def ask(self, command: Command, actor: Actor = SYSTEM) -> list[Event]:
        """The events that a command made. Raises Refused."""
        self.now_ms += 1
        ctx = Context(actor, self.now_ms, self.now_ms, people=KNOWN)
        events = evaluation_room_rules.decide(self.state, command, ctx)
        for event in events:
            stored = decode(event.TYPE, event.VERSION, encode(event))
            assert stored == event
            self.journal.append((stored, self.now_ms))
            self.state = evaluation_room.evolve(self.state, stored, self.now_ms)
        return events

    def heard(self, audience: str) -> list[Event]:
        return [event for event, _ in self.journal if event.audience() == audience]


def a_meeting(at: str = "running") -> Meeting:
    """Three venues with five seats: ``scheduled``, ``running`` or ``closed``."""
    meeting = Meeting()
    meeting.ask(holding())
    if at != "scheduled":
        meeting.ask(BeginMeeting(), HOST)
    if at == "closed":
        meeting.ask(CloseMeeting(), HOST)
    return meeting
