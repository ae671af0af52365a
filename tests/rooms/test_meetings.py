"""Meetings of evaluation and floors in a hall that lives: set, heard, restarted."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from crypto.entries import decode_entry
from server.domain import commands as cmd
from server.domain import floor_commands as fc
from server.domain.evaluation_room import Evaluation, MeetingStage
from server.domain.evaluation_room_commands import BeginMeeting, CloseMeeting, HoldMeeting
from server.domain.floor_events import CallTo
from server.domain.model import PUBLIC, Actor
from server.domain.refusals import Refused
from server.rooms.desk import Desk
from server.rooms.gateway import RoomsGateway
from server.rooms.operator import Operator, SiteNames
from server.rooms.operator_requests import OpenMeeting
from server.rooms.snapshot_keeper import SnapshotKeeper
from signaling.gateway import Identity
from tests.domain.cast import EXPERTS, HOST, SUPERVISOR_PERSON, Bidder, signing
from tests.domain.meetings import KNOWN, OTHER_HOST, holding
from tests.domain.openings import an_opening
from tests.domain.tender_rules import DEADLINE_MS
from tests.rooms.open_hall import OpenHall, open_hall
from tests.rooms.open_room import OPENING

ROOM = "evaluation:m"


def registration(actor: Actor) -> cmd.RegisterPerson:
    return cmd.RegisterPerson(
        person=actor.person,
        org=actor.org,
        org_name=actor.name,
        role=actor.role,
        name=actor.name,
        login_pk=signing(f"login {actor.person}").public,
    )


@asynccontextmanager
async def hall_of_people(directory: Path, **how: Any) -> AsyncIterator[OpenHall]:
    async with open_hall(directory, now_ms=DEADLINE_MS, **how) as site:
        for actor in KNOWN.values():
            assert (await site.hall.register_person(registration(actor))).ok
        yield site


def state_of(site: OpenHall) -> Evaluation:
    room = site.hall.find_room(ROOM)
    assert room is not None
    return room.state


def operator_of(site: OpenHall) -> Operator:
    return Operator(site.hall, SiteNames("origin", bytes(32), bytes(32)))


async def test_a_meeting_is_set_led_and_closed(tmp_path: Path):
    async with hall_of_people(tmp_path) as site:
        await site.hall.open_meeting("m", holding())
        assert (await site.ask(ROOM, BeginMeeting(), HOST)).ok
        put = fc.PutOnStage(person="expert-1", reason="陈述")
        assert (await site.ask(ROOM, put, HOST, "stage-01")).ok
        told = await site.told_type("put_on_stage")
        assert told.audience == "hall"
        assert (await site.ask(ROOM, put, OTHER_HOST)).code == "auth.role"
        assert (await site.ask(ROOM, put, PUBLIC)).code == "auth.required"
        assert (await site.ask(ROOM, CloseMeeting(), HOST)).ok
        assert state_of(site).stage is MeetingStage.CLOSED
        assert state_of(site).floor.on_stage == ()


async def test_a_call_reaches_the_channel_of_the_supervisors_alone(tmp_path: Path):
    async with hall_of_people(tmp_path) as site:
        await site.hall.open_meeting("m", holding())
        call = fc.CallIn(call="c1", to=CallTo(kind="seat", id="a1"))
        assert (await site.ask(ROOM, call, SUPERVISOR_PERSON)).ok
        assert (await site.ask(ROOM, fc.EndCall(call="c1"), SUPERVISOR_PERSON)).ok
        of_hall = [row[2] for row in site.hall.history(ROOM, "hall", 0, 100)]
        of_staff = [row[2] for row in site.hall.history(ROOM, "staff", 0, 100)]
        assert of_hall == ["meeting_held"]
        assert of_staff == ["supervisors_named", "call_began", "call_ended"]
        assert {e.audience for s, e in site.published if s == ROOM} == {"hall", "staff"}


async def test_what_nobody_hears_of_is_bound_to_the_site_log_all_the_same(tmp_path: Path):
    """A call cannot be taken out of the journal later: a HEAD in the log names its row."""
    async with hall_of_people(tmp_path) as site:
        await site.hall.open_meeting("m", holding())
        call = fc.CallIn(call="c1", to=CallTo(kind="all"))
        assert (await site.ask(ROOM, call, SUPERVISOR_PERSON)).ok
        await site.hall.site_log.tick(site.clock.at_ms + 1000)
        newest = site.hall.site_log.stream_heads(ROOM)[-1]
        members = decode_entry(newest.entry).members
        head = site.hall.journal.head(ROOM)
        assert (members["seq"], members["hash"]) == (3, head.hash.hex())


@pytest.mark.parametrize("through", ["gateway", "desk"])
async def test_only_its_own_people_hear_a_meeting(tmp_path: Path, through: str):
    async with hall_of_people(tmp_path) as site:
        await site.hall.open_meeting("m", holding())
        gateway, desk = RoomsGateway(site.hall, lambda _: None), Desk(site.hall)

        def hears(actor: Actor, audience: str, room: str = ROOM) -> bool:
            if through == "desk":
                return desk.may_subscribe(actor, room, audience)
            identity = Identity("s", True, {}, (actor, "192.0.2.1"))
            return gateway.may_subscribe(identity, room, audience)

        own = [HOST, SUPERVISOR_PERSON, *EXPERTS[:5]]
        assert all(hears(actor, "hall") for actor in own)
        assert [actor for actor in own if hears(actor, "staff")] == [SUPERVISOR_PERSON]
        for actor in (PUBLIC, OTHER_HOST, EXPERTS[6], Bidder(1).actor):
            for audience in ("hall", "staff", "sealed", f"party:{actor.org}"):
                assert not hears(actor, audience)
                assert not hears(actor, audience, "evaluation:nowhere")


async def test_a_meeting_is_there_again_after_a_restart(tmp_path: Path):
    async with hall_of_people(tmp_path) as site:
        await site.hall.open_meeting("m", holding())
        await site.ask(ROOM, fc.Hold(person="expert-2", held=True), HOST)
        await site.ask(ROOM, fc.BeginRecording(recording="evaluation-m"))
        before = state_of(site)
    async with open_hall(tmp_path, now_ms=DEADLINE_MS + 1) as site:
        assert state_of(site) == before
        assert (await site.ask(ROOM, fc.Hold(person="expert-2", held=False), HOST)).ok
        assert state_of(site).floor.held == frozenset()


async def test_a_meeting_is_read_from_a_snapshot(tmp_path: Path):
    async with hall_of_people(tmp_path) as site:
        await site.hall.open_meeting("m", holding())
        for number in range(60):
            held = fc.Hold(person="expert-1", held=number % 2 == 0)
            await site.ask(ROOM, held, HOST)
            await site.ask(ROOM, fc.BeginRecording(recording=f"evaluation-m-{number}"))
        room = site.hall.find_room(ROOM)
        assert room is not None
        keeper = SnapshotKeeper(tmp_path / "kept", site.hall.journal)
        keeper.save_all([room])
        since = keeper.since(ROOM, room.kind)
        assert since is not None
        assert (since.state, since.head) == (room.state, site.hall.journal.head(ROOM))


async def test_whom_an_act_concerns_the_registry_says(tmp_path: Path):
    """Not the client: the name on stage is the registered one, and who is not registered is
    nobody.
    """
    play = an_opening(at="announced")
    async with hall_of_people(tmp_path, plays={OPENING: play}) as site:
        put = fc.PutOnStage(person="bidder-1", reason="异议")
        assert (await site.ask(OPENING, put, HOST)).ok
        told = await site.told_type("put_on_stage")
        assert Bidder(1).name.encode() in told.payload
        stranger = fc.PutOnStage(person="bidder-99", reason="异议")
        assert (await site.ask(OPENING, stranger, HOST)).code == "floor.person_unknown"
        assert site.hall.find_person("bidder-1") == Bidder(1).actor
        assert site.hall.find_person("bidder-99") is None


# ---- by the operator's hand


async def test_the_operator_opens_a_meeting(tmp_path: Path):
    async with hall_of_people(tmp_path) as site:
        operator = operator_of(site)
        assert await operator.answer(OpenMeeting(meeting=holding(), room="m")) == {"id": "m"}
        assert state_of(site).is_set
        first = await operator.answer(OpenMeeting(meeting=holding()))
        second = await operator.answer(OpenMeeting(meeting=holding()))
        assert (first, second) == ({"id": "meeting-1"}, {"id": "meeting-2"})


@pytest.mark.parametrize(
    ("room", "meeting", "code"),
    [
        ("M", holding(), "meeting.id"),
        ("x" * 65, holding(), "meeting.id"),
        ("../m", holding(), "meeting.id"),
        ("m", holding(moderator="nobody"), "meeting.person_unknown"),
        ("m", holding(moderator="bidder-1"), "meeting.role"),
        ("m", holding(supervisors=("host-2",)), "meeting.role"),
    ],
)
async def test_a_meeting_that_cannot_be_held_begins_no_room(
    tmp_path: Path, room: str, meeting: HoldMeeting, code: str
):
    async with hall_of_people(tmp_path) as site:
        with pytest.raises(Refused) as caught:
            await operator_of(site).answer(OpenMeeting(meeting=meeting, room=room))
        assert caught.value.code == code
        assert site.hall.rooms("evaluation") == []


async def test_a_meeting_is_set_once(tmp_path: Path):
    async with hall_of_people(tmp_path) as site:
        operator = operator_of(site)
        await operator.answer(OpenMeeting(meeting=holding(), room="m"))
        with pytest.raises(Refused, match=r"meeting\.exists"):
            await operator.answer(OpenMeeting(meeting=holding(title="另一个"), room="m"))
        assert state_of(site).title == holding().title
