"""The demo holds a meeting of evaluation in which everybody on its page has a place."""

import json
from pathlib import Path

from server.demo.auto import register_command
from server.demo.live import cast_list
from server.demo.meeting import MEETING, open_meeting
from server.demo.world import World
from server.domain.evaluation_room import MeetingStage
from tests.domain.tender_rules import DEADLINE_MS
from tests.rooms.open_hall import open_hall

WORLD = World(b"meetings".ljust(32, b"."), 3)


async def test_the_demos_meeting_runs_with_an_expert_on_each_seat(tmp_path: Path) -> None:
    async with open_hall(tmp_path, now_ms=DEADLINE_MS) as site:
        for person in WORLD.everybody():
            assert (await site.hall.register_person(register_command(person))).ok
        await open_meeting(site.hall, WORLD)
        await open_meeting(site.hall, WORLD)  # as after a restart
        (room,) = site.hall.rooms("evaluation")
        assert room.state.stage is MeetingStage.RUNNING
        assert [len(venue.seats) for venue in room.state.venues] == [3, 2, 2]
        assert [venue.is_main for venue in room.state.venues] == [True, False, False]


def test_the_demos_page_leads_everybody_to_the_meeting() -> None:
    cast = cast_list(WORLD, "jz")
    assert cast["meeting"] == MEETING
    assert cast["attendants"] == ["host", "supervisor"]
    experts = [line for line in cast["people"] if line["role"] == "expert"]
    assert [line["seat"] for line in experts] == ["a1", "a2", "a3", "b1", "b2", "c1", "c2"]
    assert len({line["venue"] for line in experts}) == 3
    assert all(len(bytes.fromhex(line["seed"])) == 32 for line in experts)


def test_what_the_demos_page_says_of_people_has_words_in_both_languages() -> None:
    cast = cast_list(WORLD, "jz")
    roles = {line["person"]: line["role"] for line in cast["people"]}
    notes = [f"demo.note.{line['note']}" for line in cast["people"] if "note" in line]
    meeting = [f"demo.meeting_note.{roles[person]}" for person in cast["attendants"]]
    for name in ("zh_CN", "en"):
        words = json.loads(Path(f"server/locale/{name}.json").read_text())
        assert [key for key in notes + meeting if not words.get(key)] == []
