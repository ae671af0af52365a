"""Who is in a room, who is told of whom, and what the media process is ordered."""

import asyncio
from typing import Any

import pytest
from msgspec import structs

from server.domain import floor_commands as cmd
from server.domain.evaluation_room_commands import CloseMeeting
from server.domain.floor_events import CallTo
from server.domain.model import PUBLIC
from server.domain.refusals import Refused
from server.live import desk as module
from server.live import doors, told
from tests.domain.cast import EXPERTS, HOST, SUPERVISOR_PERSON, Bidder
from tests.domain.meetings import SECOND_SUPERVISOR, a_meeting
from tests.domain.openings import an_opening
from tests.live.desk_lab import BIDDERS, MEETING, OPENING, DeskLab

READY = an_opening(3, at="ready").opening
SIGN_IN = an_opening(3, at="sign_in").opening
STRANGER = Bidder(9).actor


def with_floor(state: Any, **changes: Any) -> Any:
    return structs.replace(state, floor=structs.replace(state.floor, **changes))


async def refused(code: str, asked: Any) -> None:
    with pytest.raises(Refused) as raised:
        await asked
    assert raised.value.code == code


# ---- who is told of whom


async def test_everybody_is_told_who_comes_publishes_and_goes() -> None:
    lab = DeskLab(opening=READY)
    host = lab.came(HOST)
    state, *_ = await host.lines()
    assert (state["kind"], [one["member"] for one in state["members"]]) == ("state", ["host"])
    lab.came(BIDDERS[0])
    lab.track(7, BIDDERS[0].person)
    lab.desk.heard({"kind": "flowing", "room": OPENING, "member": "", "track": 7, "flowing": True})
    lab.desk.leave(OPENING, BIDDERS[0], None)
    lines = await host.lines()
    kinds = [line["kind"] for line in lines]
    assert kinds == ["member", "track", "member", "track", "track_gone", "member", "member_gone"]
    assert [line["publishing"] for line in lines if line["kind"] == "member"] == [
        False, True, False,
    ]  # fmt: skip


@pytest.mark.parametrize(("opening", "told"), [(READY, [12]), (SIGN_IN, [])])
async def test_how_many_watch_is_told_the_host_alone_and_after_the_deadline(
    opening: Any, told: list[int]
) -> None:
    lab = DeskLab(opening=opening)
    host, bidder = lab.came(HOST), lab.came(BIDDERS[0])
    for n in (12, 12):
        lab.desk.heard({"kind": "watching", "room": OPENING, "n": n})
    heard = [line["watching"] for line in await host.lines() if line["kind"] == "watching"]
    assert heard == told
    assert all("watching" not in line for line in await bidder.lines())


async def test_before_the_list_is_announced_nobody_is_told_of_a_bidder() -> None:
    lab = DeskLab(opening=SIGN_IN)
    host, first = lab.came(HOST), lab.came(BIDDERS[0])
    second = lab.came(BIDDERS[1])
    await asyncio.gather(host.lines(), first.lines(), second.lines())
    third = lab.came(BIDDERS[2])
    lab.desk.leave(OPENING, BIDDERS[1], None)
    assert await host.kinds() == []
    assert await first.kinds() == []
    (state, *_) = await third.lines()
    assert [one["member"] for one in state["members"]] == ["host", BIDDERS[2].person]
    assert lab.desk.counted() == (0, 0), "and no metric counts them"
    assert set(lab.desk.door(OPENING, HOST)["names"]) == {"host"}
    lab.becomes(OPENING, READY)
    told_now = {line["member"] for line in await host.lines() if line["kind"] == "member"}
    assert told_now == {BIDDERS[0].person, BIDDERS[2].person}
    assert lab.desk.counted() == (3, 3)


async def test_a_supervisor_of_a_meeting_is_in_nobodys_lines() -> None:
    meeting = a_meeting()
    lab = DeskLab(evaluation=meeting.state)
    expert, moderator = lab.came(EXPERTS[0], MEETING), lab.came(HOST, MEETING)
    await asyncio.gather(expert.lines(), moderator.lines())
    supervisor = lab.came(SUPERVISOR_PERSON, MEETING)
    other = lab.came(SECOND_SUPERVISOR, MEETING)
    lab.desk.go_away(MEETING, other.listener)
    lab.desk.dismiss(MEETING, SECOND_SUPERVISOR.person)
    assert await expert.kinds() == await moderator.kinds() == []
    (state, *more) = await supervisor.lines()
    assert {one["member"] for one in state["members"]} == {
        EXPERTS[0].person, HOST.person, SUPERVISOR_PERSON.person,
    }  # fmt: skip
    assert more == [{"kind": "member", **state["members"][-1]}]
    assert SUPERVISOR_PERSON.person not in lab.desk.door(MEETING, EXPERTS[0])["names"]


async def test_a_call_ends_when_its_caller_has_gone_for_good() -> None:
    meeting = a_meeting()
    meeting.ask(cmd.CallIn(call="c1", to=CallTo(kind="all", id="")), SUPERVISOR_PERSON)
    lab = DeskLab(evaluation=meeting.state)
    lab.desk.tick()
    assert lab.rooms.ended == [], "after a restart he is waited for"
    lab.rooms.at_ms = 10_000
    caller = lab.came(SUPERVISOR_PERSON, MEETING)
    lab.desk.tick()
    lab.desk.go_away(MEETING, caller.listener)
    lab.desk.tick()
    assert lab.rooms.ended == [], "his page may only have lost its line"
    lab.desk.dismiss(MEETING, SUPERVISOR_PERSON.person)
    lab.desk.tick()
    assert lab.rooms.ended == [(MEETING, "c1")]


async def test_a_call_is_told_to_whom_it_reaches_and_to_supervisors() -> None:
    meeting = a_meeting()
    lab = DeskLab(evaluation=meeting.state)
    reached = lab.came(EXPERTS[2], MEETING)
    beside = lab.came(EXPERTS[0], MEETING)
    caller = lab.came(SUPERVISOR_PERSON, MEETING)
    await asyncio.gather(reached.lines(), beside.lines(), caller.lines())
    meeting.ask(cmd.CallIn(call="c1", to=CallTo(kind="seat", id="b1")), SUPERVISOR_PERSON)
    lab.becomes(MEETING, meeting.state)
    to = [EXPERTS[2].person]
    lab.track(5, SUPERVISOR_PERSON.person, "microphone", MEETING, to=to, hidden=True)
    assert await beside.kinds() == []
    call, track = await reached.lines()
    assert (call["kind"], call["ended"], call["to"]) == (
        "call", False, {"kind": "seat", "id": "b1"},
    )  # fmt: skip
    assert (track["kind"], track["name"], track["role"]) == ("track", "周岩", "supervisor")
    assert [k for k in await caller.kinds() if k != "member"] == ["may", "call", "track"]
    meeting.ask(cmd.EndCall(call="c1"), SUPERVISOR_PERSON)
    lab.becomes(MEETING, meeting.state)
    assert [line["ended"] for line in await reached.lines()] == [True]
    assert await beside.kinds() == []


async def test_a_supervisor_publishes_to_whom_his_journaled_call_reaches_and_nobody_else() -> None:
    meeting = a_meeting()
    lab = DeskLab(evaluation=meeting.state)
    lab.came(SUPERVISOR_PERSON, MEETING)

    async def publish(to: Any) -> None:
        value = {"offer": "", "labels": {}, "to": to}
        await lab.desk.ask(MEETING, SUPERVISOR_PERSON, "publish", value, None)

    await refused("media.not_allowed", publish(None))
    meeting.ask(cmd.CallIn(call="c1", to=CallTo(kind="seat", id="b1")), SUPERVISOR_PERSON)
    lab.becomes(MEETING, meeting.state)
    await refused("media.not_allowed", publish({"kind": "all", "id": ""}))
    await publish({"kind": "seat", "id": "b1"})
    assert lab.child.asked[-1][1]["to"] == [EXPERTS[2].person]


async def test_whoever_is_no_supervisor_cannot_choose_whom_to_reach() -> None:
    lab = DeskLab(evaluation=a_meeting().state)
    lab.came(EXPERTS[0], MEETING)
    value = {"offer": "", "labels": {}, "to": {"kind": "seat", "id": "b1"}}
    await lab.desk.ask(MEETING, EXPERTS[0], "publish", value, None)
    assert lab.child.asked[-1][1]["to"] is None


# ---- presence


async def test_a_newer_page_takes_the_place_of_an_older_one() -> None:
    lab = DeskLab(opening=READY)
    older = lab.came(HOST, tab="one")
    newer = lab.came(HOST, tab="two")
    assert (await older.lines())[-1] == {"kind": "replaced"}
    assert older.listener.is_over
    assert lab.child.noted("dismiss") == [{"room": OPENING, "member": "host"}]
    lab.desk.go_away(OPENING, older.listener)
    assert "host" in lab.desk.door(OPENING, HOST)["names"], "the older one's end is nobody's end"
    await refused("media.replaced", lab.desk.ask(OPENING, HOST, "watch", {}, "one"))
    await lab.desk.ask(OPENING, HOST, "watch", {}, "two")
    assert not newer.listener.is_over


async def test_a_page_that_comes_back_in_time_keeps_its_connections() -> None:
    lab = DeskLab(opening=READY)
    first = lab.came(HOST, tab="one")
    lab.desk.go_away(OPENING, first.listener)
    lab.came(HOST, tab="one")
    assert lab.child.noted("dismiss") == []
    assert len(lab.child.noted("admit")) == 1


async def test_who_does_not_come_back_is_dismissed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "GRACE_S", 0.0)
    lab = DeskLab(opening=READY)
    watching = lab.came(BIDDERS[0])
    host = lab.came(HOST)
    await watching.lines()
    lab.desk.go_away(OPENING, host.listener)
    while not lab.child.noted("dismiss"):  # noqa: ASYNC110 - a timer of the loop
        await asyncio.sleep(0)
    lines = await watching.lines()
    assert [(one["kind"], one.get("connected")) for one in lines] == [
        ("member", False), ("member_gone", None),
    ]  # fmt: skip
    assert lab.child.noted("take_back")[0]["subject"] == "host"


async def test_who_is_not_here_asks_in_vain() -> None:
    lab = DeskLab(opening=READY)
    await refused("media.not_here", lab.desk.ask(OPENING, HOST, "watch", {}, None))
    lab.came(HOST)
    lab.desk.leave(OPENING, HOST, None)
    await refused("media.not_here", lab.desk.ask(OPENING, HOST, "publish", {}, None))
    assert lab.child.asked == []


@pytest.mark.parametrize(
    ("actor", "code"), [(PUBLIC, "auth.required"), (STRANGER, "media.not_allowed")]
)
async def test_the_public_and_strangers_are_not_members(actor: Any, code: str) -> None:
    lab = DeskLab(opening=READY)
    with pytest.raises(Refused) as raised:
        lab.came(actor)
    assert raised.value.code == code
    assert lab.desk.door(OPENING, actor)["way"] == "fragments"
    assert lab.child.notes == []


async def test_rooms_and_people_are_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "MEMBERS_MAX", 2)
    lab = DeskLab(opening=READY)
    lab.came(HOST)
    lab.came(BIDDERS[0])
    with pytest.raises(Refused, match=r"media\.full"):
        lab.came(BIDDERS[1])
    lab.came(BIDDERS[0])
    with pytest.raises(Refused, match=r"media\.absent"):
        lab.came(HOST, "opening:elsewhere")


async def test_in_a_crowd_bidders_are_shown_to_the_fragments(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(doors, "BY_WEBRTC_MAX", 1)
    lab = DeskLab(opening=READY)
    assert lab.desk.door(OPENING, BIDDERS[0])["way"] == "webrtc"
    lab.came(HOST)
    assert lab.desk.door(OPENING, BIDDERS[0])["way"] == "fragments"
    assert lab.desk.door(OPENING, HOST)["way"] == "webrtc"


async def test_a_listener_that_does_not_read_is_let_go(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(told, "LINES_MAX", 20)
    lab = DeskLab(opening=READY)
    host = lab.came(HOST)
    for number in range(50):
        lab.track(number + 1, "host")
    assert host.listener.is_over
    assert await host.kinds() == ["slow"]


# ---- what rooms decide


async def test_the_stage_becomes_a_grant_and_is_taken_back() -> None:
    lab = DeskLab(opening=READY)
    bidder = lab.came(BIDDERS[0])
    await bidder.lines()
    lab.becomes(OPENING, with_floor(READY, on_stage=(BIDDERS[0].person,)))
    lines = await bidder.lines()
    assert [line["kind"] for line in lines] == ["may", "floor"]
    assert lab.child.noted("admit")[-1]["grants"]["publish"] == ["camera", "microphone"]
    assert lab.child.noted("floor")[-1]["on_stage"] == [BIDDERS[0].person]
    lab.becomes(OPENING, READY)
    assert lab.child.noted("admit")[-1]["grants"]["publish"] == []


async def test_holds_and_mutes_are_imposed_as_they_stand() -> None:
    lab = DeskLab(opening=READY)
    lab.came(HOST)
    muted = frozenset({("bidder-1", "microphone")})
    lab.becomes(OPENING, with_floor(READY, held=frozenset({"bidder-2"}), muted=muted))
    order = lab.child.noted("floor")[-1]
    assert (order["held"], order["muted"]) == (["bidder-2"], [["bidder-1", "microphone"]])
    assert order["hosts"] == ["host"]
    count = len(lab.child.notes)
    lab.desk.changed(OPENING)
    assert len(lab.child.notes) == count, "what does not change is not ordered again"


async def test_a_media_process_that_begins_anew_is_told_everything_first() -> None:
    state = with_floor(READY, held=frozenset({"bidder-2"}), on_stage=(BIDDERS[0].person,))
    lab = DeskLab(opening=state)
    host, bidder = lab.came(HOST), lab.came(BIDDERS[0])
    lab.track(3, "host")
    await asyncio.gather(host.lines(), bidder.lines())
    orders = lab.restart()
    assert [name for name, _ in orders] == ["floor", "admit", "admit"]
    assert orders[0][1]["held"] == ["bidder-2"]
    assert orders[2][1]["grants"]["publish"] == ["camera", "microphone"]
    lines = await bidder.lines()
    assert [line["kind"] for line in lines] == ["track_gone", "member", "restarted"]
    assert lines[-1]["boot"] == "life.2"


async def test_while_it_is_away_every_question_is_refused_and_nothing_else() -> None:
    lab = DeskLab(opening=READY)
    lab.child.is_up = False
    host = lab.came(HOST)
    await refused("media.away", lab.desk.ask(OPENING, HOST, "watch", {}, None))
    lab.becomes(OPENING, with_floor(READY, held=frozenset({"bidder-2"})))
    assert await host.kinds() == ["state", "member", "floor"]


async def test_a_closed_meeting_is_over_for_everybody() -> None:
    meeting = a_meeting()
    lab = DeskLab(evaluation=meeting.state)
    expert = lab.came(EXPERTS[0], MEETING)
    await expert.lines()
    meeting.ask(CloseMeeting(), HOST)
    lab.becomes(MEETING, meeting.state)
    assert (await expert.lines())[-1] == {"kind": "over"}
    assert lab.child.noted("end_room") == [{"room": MEETING}]
    with pytest.raises(Refused, match=r"media\.over"):
        lab.came(EXPERTS[0], MEETING)


async def test_a_room_that_is_closed_when_everybody_has_gone_is_ended_all_the_same() -> None:
    meeting = a_meeting()
    lab = DeskLab(evaluation=meeting.state)
    lab.came(EXPERTS[0], MEETING)
    meeting.ask(cmd.BeginRecording(recording="evaluation-x"))
    lab.becomes(MEETING, meeting.state)
    lab.desk.leave(MEETING, EXPERTS[0], None)
    lab.desk.changed(MEETING)
    assert lab.child.noted("end_room") == []
    meeting.ask(CloseMeeting(), HOST)
    lab.becomes(MEETING, meeting.state)
    assert lab.child.noted("end_room") == [{"room": MEETING}]
    meeting.ask(cmd.ReportRecording(recording="evaluation-x", what="ended"))
    lab.becomes(MEETING, meeting.state)
    lab.desk.tick()
    assert len(lab.child.noted("end_room")) == 1


async def test_a_failed_opening_is_over_some_time_later() -> None:
    state = an_opening(2, at="failed").opening
    lab = DeskLab(opening=state)
    host = lab.came(HOST)
    lab.desk.tick()
    assert not host.listener.is_over
    lab.rooms.at_ms = state.deadline_ms + 31 * 60_000
    lab.desk.tick()
    assert host.listener.is_over
    assert lab.child.noted("end_room") == [{"room": OPENING}]


async def test_a_camera_shows_before_anybody_is_there() -> None:
    lab = DeskLab(opening=READY)
    lab.desk.admit_camera(OPENING, "camera:hall", "大厅")
    lab.track(4, "camera:hall")
    host = lab.came(HOST)
    (state, *_) = await host.lines()
    assert [track["track"] for track in state["tracks"]] == [4]
    (camera, _) = state["members"]
    assert (camera["role"], camera["connected"], camera["publishing"]) == ("camera", True, True)
    lab.desk.dismiss(OPENING, "camera:hall")
    assert await host.kinds() == ["track_gone", "member", "member_gone"]
