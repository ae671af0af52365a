"""A meeting by fragments over a whole site: where no UDP passes a member sees and hears it, by a
token that is his, and nobody else does.
"""

import asyncio
import io
import json
import struct
from collections.abc import AsyncIterator, Iterator
from itertools import count
from pathlib import Path
from typing import Any

import aiohttp
import av
import pytest

from server.http.client import HallRefused
from tests.domain.cast import HOST, PURCHASER_PERSON, SUPERVISOR_PERSON
from tests.live.live_lab import PATIENCE_S, PEOPLE, Guest, LiveSite, live_site
from tests.live.publishing import Publisher, until
from tests.live.test_a_meeting_live import EAST, HOLDING, MAIN, MEETING
from tests.live.test_program_on_site import first_segment
from tests.media.fragments.streams import Player
from tests.media.recording.traces import Sent, number_in, publish

pytestmark = pytest.mark.alone  # pictures in real time
CAMERA, SOUND = "0", "1"


@pytest.fixture
async def meeting(tmp_path: Path) -> AsyncIterator[LiveSite]:
    async with live_site(tmp_path, people=(*PEOPLE, MAIN, EAST)) as live:
        await live.site.hall.open_meeting("m1", HOLDING)
        yield live


def on_and_on(seconds: int = 4) -> Iterator[Sent]:
    """The same pictures and sounds again and again, their numbers and times going on."""
    once = publish(seconds, reports=False)
    steps = {
        name: (sum(one.track == name for one in once), rate * seconds)
        for name, rate in (("cam", 90_000), ("mic", 48_000))
    }
    for lap in count():
        for one in once:
            packets, ticks = steps[one.track]
            seq, at = struct.unpack_from(">HI", one.raw, 2)
            numbers = ((seq + lap * packets) & 0xFFFF, (at + lap * ticks) & 0xFFFF_FFFF)
            raw = one.raw[:2] + struct.pack(">HI", *numbers) + one.raw[8:]
            yield Sent(one.at_ns + lap * seconds * 10**9, one.track, raw)


async def publishes(live: LiveSite, guest: Guest, **more: Any) -> dict[str, int]:
    """A camera and a microphone that go on; their tracks by section."""
    tracks: dict[str, int] = {}

    async def by_page(offer: str, labels: Any) -> str:
        said = {mid: label.value for mid, label in labels.items()}
        answer = await guest.post("publish", offer=offer, labels=said, **more)
        tracks.update(answer["tracks"])
        return answer["answer"]

    publisher = await Publisher.join(by_page, f"p{guest.http_name}")
    playing = asyncio.create_task(publisher.play(on_and_on()))

    async def end() -> None:
        playing.cancel()
        await asyncio.gather(playing, return_exceptions=True)
        await publisher.close()

    live.stack.push_async_callback(end)
    return tracks


async def address(guest: Guest, track: int, size: str) -> str:
    """Of one track in one size, by a fresh token."""
    return f"{(await guest.door())['fragments']['live']}&of={track}.{size}"


async def messages(session: aiohttp.ClientSession, url: str, fragments: int = 6) -> list[bytes]:
    found: list[bytes] = []
    async with asyncio.timeout(PATIENCE_S), session.ws_connect(url) as socket:
        while sum(one[0] == 2 for one in found) < fragments:
            found.append(await socket.receive_bytes())
    return found


async def refused(session: aiohttp.ClientSession, url: str) -> tuple[int, str]:
    async with session.get(url.replace("ws:", "http:")) as answer:
        return answer.status, (await answer.json())["code"]


async def test_a_member_sees_and_hears_each_track_by_fragments(meeting: LiveSite) -> None:
    main, east = await meeting.guest(MAIN, MEETING), await meeting.guest(EAST, MEETING)
    await asyncio.gather(main.come_in(), east.come_in())
    sent = await publishes(meeting, main)
    await east.told("track", track=sent[CAMERA])
    async with aiohttp.ClientSession() as session:
        for size in ("large", "small"):
            player = Player().take(await messages(session, await address(east, sent[CAMERA], size)))
            numbers = [number_in(one.to_ndarray(format="rgb24")) for one in player.pictures()]
            assert len(numbers) > 10
            assert numbers[0] % 25 == 0, "it begins at a keyframe"
            assert list(player.mimes) == [0]
        heard = Player().take(await messages(session, await address(east, sent[SOUND], "sound")))
        assert heard.mimes == {0: 'audio/mp4; codecs="opus"'}
        assert len(heard.packets(0)) > 20
        wrong = await address(east, sent[SOUND], "large")
        assert await refused(session, wrong) == (404, "stream.absent")


async def test_only_who_is_in_the_room_and_may_watch_a_track_gets_it(meeting: LiveSite) -> None:
    guests = [await meeting.guest(one, MEETING) for one in (MAIN, EAST, HOST, SUPERVISOR_PERSON)]
    main, east, host, supervisor = guests
    await asyncio.gather(*(one.come_in() for one in guests))
    await meeting.act(supervisor, "call_in", call="c1", to={"kind": "seat", "id": "b1"})
    await supervisor.told("may")
    call = await publishes(meeting, supervisor)
    await east.told("track", track=call[SOUND])
    sent = await publishes(meeting, main)
    await supervisor.told("track", track=sent[SOUND])
    async with aiohttp.ClientSession() as session:
        for guest, track in ((east, call[SOUND]), (supervisor, sent[SOUND])):
            await messages(session, await address(guest, track, "sound"), 2)
        not_yours = (403, "stream.not_yours")
        for guest, track in ((main, call[SOUND]), (host, call[SOUND]), (main, sent[SOUND])):
            assert await refused(session, await address(guest, track, "sound")) == not_yours
        for of in ("x", f"{sent[SOUND]}.other", "999999.sound"):
            url = (await east.door())["fragments"]["live"] + f"&of={of}"
            assert await refused(session, url) == not_yours
        opening = (await address(east, sent[SOUND], "sound")).replace(MEETING, "opening:m1")
        assert await refused(session, opening) == not_yours
        nobody = (await address(east, sent[SOUND], "sound")).replace("token=", "token=x")
        assert await refused(session, nobody) == not_yours
        outside = await meeting.guest(PURCHASER_PERSON, MEETING)
        with pytest.raises(HallRefused, match=r"media\.not_allowed"):
            await outside.door()
        # Who is on the list and has not come in has a token that opens nothing.
        await east.post("leave")
        fragments = (await east.door())["fragments"]
        for url in (await address(east, sent[SOUND], "sound"), fragments["live"], fragments["hls"]):
            assert await refused(session, url) == not_yours


async def test_who_leaves_sees_no_more_and_nothing_is_cut_for_nobody(meeting: LiveSite) -> None:
    main, east = await meeting.guest(MAIN, MEETING), await meeting.guest(EAST, MEETING)
    await asyncio.gather(main.come_in(), east.come_in())
    sent = await publishes(meeting, main)
    await east.told("track", track=sent[SOUND])
    async with aiohttp.ClientSession() as session:
        url = await address(east, sent[SOUND], "sound")
        async with asyncio.timeout(PATIENCE_S), session.ws_connect(url) as socket:
            await socket.receive_bytes()
            await until(lambda: meeting.video.desk.counts["fragmented"] == 1)
            await east.post("leave")
            while (message := await socket.receive()).type is aiohttp.WSMsgType.BINARY:
                pass
            assert (message.type, message.data) == (aiohttp.WSMsgType.CLOSE, 4403)
        assert await refused(session, url) == (403, "stream.not_yours")
        await east.come_in()
        assert await refused(session, url) == (403, "stream.not_yours"), "the old one is dead"
        await until(lambda: meeting.video.desk.counts["fragmented"] == 0)
        url = await address(east, sent[SOUND], "sound")
        await messages(session, url, 2)
        other_page = await meeting.guest(EAST, MEETING)
        await other_page.come_in(tab="other")
        assert await refused(session, url) == (403, "stream.not_yours")
        await messages(session, await address(other_page, sent[SOUND], "sound"), 2)


async def test_what_the_moderator_silences_is_in_no_fragment(meeting: LiveSite) -> None:
    main, east = await meeting.guest(MAIN, MEETING), await meeting.guest(EAST, MEETING)
    host = await meeting.guest(HOST, MEETING)
    await asyncio.gather(*(one.come_in() for one in (main, east, host)))
    sent = await publishes(meeting, main)
    await east.told("track", track=sent[SOUND])
    async with aiohttp.ClientSession() as session:
        url = await address(east, sent[SOUND], "sound")
        async with asyncio.timeout(PATIENCE_S), session.ws_connect(url) as socket:

            async def layout(*kinds: str) -> None:
                """Waits until the stream says that it holds just this."""
                while (found := await socket.receive_bytes())[0] != 0 or (
                    json.loads(found[1:])["streams"] != list(kinds)
                ):
                    pass

            await layout("audio")
            silenced = {"person": MAIN.person, "label": "microphone"}
            await meeting.act(host, "mute", **silenced, muted=True)
            await layout()
            await meeting.act(host, "mute", **silenced, muted=False)
            await layout("audio")


async def test_without_mse_a_member_has_the_room_s_speaker_by_hls(meeting: LiveSite) -> None:
    """One picture and one sound, encoded once: never a call that is for some only."""
    guests = [await meeting.guest(one, MEETING) for one in (MAIN, EAST, SUPERVISOR_PERSON)]
    main, east, supervisor = guests
    await asyncio.gather(*(one.come_in() for one in guests))
    await meeting.act(supervisor, "call_in", call="c1", to={"kind": "seat", "id": "b1"})
    await supervisor.told("may")
    await publishes(meeting, supervisor)
    fragments = (await east.door())["fragments"]
    async with aiohttp.ClientSession() as session:
        assert await refused(session, fragments["hls"]) == (404, "stream.absent"), "a call alone"
        sent = await publishes(meeting, main)
        await east.told("track", track=sent[SOUND])
        raw = await first_segment(session, (await east.door())["fragments"]["hls"])
        with av.open(io.BytesIO(raw), "r", format="mp4") as container:
            numbers = [
                number_in(one.to_ndarray(format="rgb24")) for one in container.decode(video=0)
            ]
        assert numbers[0] % 25 == 0
        assert len(numbers) >= 25
        await until(lambda: meeting.video.desk.counts["fragmented"] == 1)
        await east.post("leave")
        assert await refused(session, fragments["hls"]) == (403, "stream.not_yours")
