"""What recorders tell becomes acts of the room: each once, in order, none missing."""

from dataclasses import dataclass, field
from typing import Any

from server.domain import floor_rules
from server.domain.commands import Command
from server.domain.events import Event
from server.domain.floor import Floor, evolve
from server.domain.floor_commands import BeginRecording, ReportRecording, SealSegment
from server.domain.floor_events import SegmentSealed
from server.domain.refusals import Refused
from server.live.recording_acts import RecordingActs

ROOM, RECORDING = "opening:x", "opening-x"


@dataclass
class Answer:
    ok: bool
    code: str = ""
    retryable: bool = False


@dataclass
class Journal:
    """A room's rules as they are, without the room. ``busy`` answers are given first."""

    floor: Floor = field(default_factory=Floor)
    events: list[Event] = field(default_factory=list)
    orders: list[dict[str, Any]] = field(default_factory=list)
    busy: int = 0

    async def ask(self, room: str, command: Command) -> Answer:
        assert room == ROOM
        if self.busy:
            self.busy -= 1
            return Answer(False, "room.busy", retryable=True)
        try:
            events = self.decide(command)
        except Refused as refused:
            return Answer(False, refused.code)
        for event in events:
            self.floor = evolve(self.floor, event, 1)
        self.events += events
        return Answer(True)

    def decide(self, command: Command) -> list[Event]:
        if isinstance(command, BeginRecording):
            return floor_rules.begin_recording(self.floor, command)
        if isinstance(command, SealSegment):
            return floor_rules.seal_segment(self.floor, command, to_staff=False)
        assert isinstance(command, ReportRecording)
        return floor_rules.report_recording(self.floor, command, to_staff=False)

    def acts(self) -> RecordingActs:
        return RecordingActs(self.ask, lambda room: self.floor, self.orders.append)

    @property
    def sealed(self) -> list[tuple[str, int]]:
        found = [event for event in self.events if isinstance(event, SegmentSealed)]
        return [(event.track, event.segment) for event in found]


def notice(kind: str, **members: Any) -> dict[str, Any]:
    return {"kind": f"recording_{kind}", "room": ROOM, "recording": RECORDING, **members}


def seal(segment: int, track: str = "mic-0") -> dict[str, Any]:
    return notice(
        "sealed", track=track, segment=segment, sha256=f"{segment:064x}", bytes=10, packets=1,
        first_ms=1, last_ms=2,
    )  # fmt: skip


async def test_a_seal_that_is_told_again_is_journaled_once() -> None:
    journal = Journal()
    acts = journal.acts()
    for message in (notice("began"), seal(1), notice("began"), seal(1), seal(2), seal(2)):
        acts.heard(message)
    await acts.idle()
    await acts.close()
    assert journal.sealed == [("mic-0", 1), ("mic-0", 2)]
    assert [event.TYPE for event in journal.events].count("recording_began") == 1


async def test_seals_that_were_never_journaled_are_asked_for_before_the_next() -> None:
    journal = Journal()
    acts = journal.acts()
    for message in (notice("began"), seal(1), seal(4)):
        acts.heard(message)
    await acts.idle()
    (order,) = journal.orders
    assert (order["order"], order["track"], order["first"], order["last"]) == (
        "tell_seals", "mic-0", 2, 4,
    )  # fmt: skip
    assert journal.sealed == [("mic-0", 1)]
    for number in (2, 3, 4):
        acts.heard(seal(number))
    await acts.idle()
    await acts.close()
    assert journal.sealed == [("mic-0", n) for n in (1, 2, 3, 4)]


async def test_a_seal_is_journaled_though_its_predecessors_cannot_be_told_any_more() -> None:
    journal = Journal()
    acts = journal.acts()
    for message in (notice("began"), seal(3), seal(3)):
        acts.heard(message)
    await acts.idle()
    await acts.close()
    assert len(journal.orders) == 1
    assert journal.sealed == [("mic-0", 3)]


async def test_a_room_that_is_busy_is_asked_again(monkeypatch: Any) -> None:
    monkeypatch.setattr("server.live.recording_acts.AGAIN_S", 0.001)
    journal = Journal(busy=3)
    acts = journal.acts()
    acts.heard(notice("began"))
    await acts.idle()
    await acts.close()
    assert [event.TYPE for event in journal.events] == ["recording_began"]


async def test_what_a_crash_took_and_what_the_disk_did_stands_in_the_journal() -> None:
    journal = Journal()
    acts = journal.acts()
    for what, lost_ms in (("interrupted", 1200), ("pictures_stopped", 0), ("pictures_resumed", 0)):
        if not journal.events:
            acts.heard(notice("began"))
        acts.heard(notice("report", what=what, lost_ms=lost_ms, detail="mic-0"))
        await acts.idle()
    acts.heard(notice("report", what="no such thing", lost_ms=0, detail=""))
    await acts.idle()
    await acts.close()
    known = journal.floor.recordings[RECORDING]
    assert (known.state, known.lost_ms) == ("on", 1200)


async def test_how_a_recording_is_is_known_until_the_process_is_gone() -> None:
    changed: list[str] = []
    journal = Journal()
    acts = RecordingActs(
        journal.ask, lambda room: journal.floor, journal.orders.append, changed.append
    )
    for state in ("on", "on", "no_pictures"):
        acts.heard(notice("state", state=state, forecast_ms=5, free_percent=4))
    assert acts.state(ROOM).state == "no_pictures"
    assert changed == [ROOM, ROOM]
    acts.away()
    assert acts.state(ROOM).state == "off"
    assert changed == [ROOM] * 3
    await acts.close()
