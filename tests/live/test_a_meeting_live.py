"""A meeting of venues over the routes: seats see each other, supervisors see all, unseen."""

import asyncio
from pathlib import Path

import pytest

from server.domain.evaluation_room_commands import HoldMeeting, SeatAsked, VenueAsked
from server.http.client import HallRefused
from tests.domain.cast import EXPERTS, HOST, PURCHASER_PERSON, SUPERVISOR_PERSON
from tests.live.live_lab import PEOPLE, live_site, received

MEETING = "evaluation:m1"
MAIN, EAST = EXPERTS[0], EXPERTS[1]


def venue(name: str, seat: str, person: str) -> VenueAsked:
    seats = (SeatAsked(seat=seat, person=person),)
    return VenueAsked(venue=name, name=f"{name} 会场", is_main=name == "main", seats=seats)


HOLDING = HoldMeeting(
    title="评标会",
    venues=(venue("main", "a1", MAIN.person), venue("east", "b1", EAST.person)),
    moderator=HOST.person,
    supervisors=(SUPERVISOR_PERSON.person,),
)


async def test_a_supervisor_sees_all_calls_one_seat_and_is_seen_by_nobody(tmp_path: Path) -> None:
    async with live_site(tmp_path, people=(*PEOPLE, MAIN, EAST)) as live:
        await live.site.hall.open_meeting("m1", HOLDING)
        main, east = await live.guest(MAIN, MEETING), await live.guest(EAST, MEETING)
        moderator = await live.guest(HOST, MEETING)
        supervisor = await live.guest(SUPERVISOR_PERSON, MEETING)
        await asyncio.gather(*(one.come_in() for one in (main, east, moderator, supervisor)))
        door = await east.door()
        assert [venue["venue"] for venue in door["venues"]] == ["main", "east"]
        assert (door["way"], door["udp_port"]) == ("webrtc", live.video.udp_port)
        seen = live.sending(await main.publish())
        for one in (east, supervisor):
            await one.told("track", track=seen.tracks["0"])
            await received(await one.watch(*seen.tracks.values()), 20)
        with pytest.raises(HallRefused, match=r"media\.not_allowed"):
            await supervisor.publish()
        to = {"kind": "seat", "id": "b1"}
        await live.act(supervisor, "call_in", call="c1", to=to)
        await supervisor.told("may")
        calling = live.sending(await supervisor.publish())
        sound = calling.tracks["1"]
        await east.told("track", track=sound, to=[EAST.person])
        await received(await east.watch(sound), 20)
        for one in (main, moderator):
            with pytest.raises(HallRefused, match=r"media\.not_allowed"):
                await one.post("watch", wanted={str(sound): 1})
        await live.act(supervisor, "end_call", call="c1")
        await east.told("track_gone", track=sound)
        for one in (main, moderator):
            said = [line for line in one.lines if SUPERVISOR_PERSON.person in str(line)]
            assert said == []
            assert not [line for line in one.lines if line["kind"] == "call"]
        outsider = await live.guest(PURCHASER_PERSON, MEETING)
        with pytest.raises(HallRefused, match=r"media\.not_allowed"):
            await outsider.door()


async def test_the_moderator_holds_and_mutes_and_it_outlives_the_media_process(
    tmp_path: Path,
) -> None:
    async with live_site(tmp_path, people=(*PEOPLE, MAIN, EAST)) as live:
        await live.site.hall.open_meeting("m1", HOLDING)
        main, east = await live.guest(MAIN, MEETING), await live.guest(EAST, MEETING)
        moderator = await live.guest(HOST, MEETING)
        await asyncio.gather(*(one.come_in() for one in (main, east, moderator)))
        seen = live.sending(await main.publish())
        await live.act(moderator, "mute", person=MAIN.person, label="microphone", muted=True)
        await east.told("track", track=seen.tracks["1"], paused=True)
        watching = await east.watch(seen.tracks["1"])
        live.kill_child(9)
        await main.told("restarted")
        again = live.sending(await main.publish())
        await east.told("track", track=again.tracks["1"], paused=True)
        assert not watching.got, "not a packet of what was silent"
        watching = await east.watch(*again.tracks.values())
        await received(watching, 20)
        assert len(watching.got) == 1, "the picture alone"
        await live.act(moderator, "hold", person=MAIN.person, held=True)
        await east.told("track", track=again.tracks["0"], paused=True)
        await live.act(moderator, "hold", person=MAIN.person, held=False)
        await live.act(moderator, "mute", person=MAIN.person, label="microphone", muted=False)
        await east.told("track", track=again.tracks["1"], paused=False)
