"""From a host's camera to a player, through a whole site: routes, processes, journal."""

import asyncio
import hashlib
from pathlib import Path
from typing import Any

import pytest

from media.recording.timeline import Timeline
from server.http.client_answers import HallRefused
from tests.domain.cast import HOST, SUPERVISOR_PERSON, Bidder
from tests.live.live_lab import ROOM, Guest, LiveSite, live_site
from tests.live.publishing import LABELS, PATIENCE_S, Publisher
from tests.media.recording.test_playable import in_step, pictures
from tests.media.recording.traces import FPS, number_in, publish

pytestmark = pytest.mark.alone  # four seconds of video in real time
SYNC_MS = 45
RECORDING = f"/media/{ROOM}/recording"


async def published(host: Guest, seconds: int) -> Publisher:
    async def publish_by_page(offer: str, labels: Any) -> str:
        said = {mid: label.value for mid, label in labels.items()}
        return (await host.post("publish", offer=offer, labels=said))["answer"]

    publisher = await Publisher.join(publish_by_page, "aaaa", LABELS)
    await publisher.play(publish(seconds))
    await asyncio.sleep(0.5)  # on its way to the journal
    await publisher.close()
    return publisher


async def made(guest: Guest) -> dict[str, Any]:
    """recording.json once the files are there."""
    await guest.http.post(RECORDING, {"make": "all"})
    async with asyncio.timeout(PATIENCE_S):
        while True:
            said = await guest.http.get(f"{RECORDING}.json")
            if said["files"] and said["making"] is None:
                return said
            await asyncio.sleep(0.2)


async def journaled(live: LiveSite) -> None:
    assert live.site.video is not None
    await live.site.video.acts.idle()


async def test_what_a_host_shows_is_recorded_and_played_by_the_supervisor(tmp_path: Path) -> None:
    async with live_site(tmp_path) as live:
        host, supervisor = await live.guest(HOST), await live.guest(SUPERVISOR_PERSON)
        await host.come_in()
        publisher = await published(host, 4)
        for who in (await live.guest(Bidder(1).actor), await live.guest(None)):
            with pytest.raises(HallRefused, match=r"media\.not_allowed"):
                await who.http.get(f"{RECORDING}.json")
            with pytest.raises(HallRefused, match=r"media\.not_allowed"):
                await who.http.post(RECORDING, {"make": "all"})
        said = await made(supervisor)
        (file,) = said["files"]
        assert file["person"]["name"] == HOST.name
        public = await live.guest(None)
        raw = await public.http.read(file["url"])  # a player has the token alone
        assert hashlib.sha256(raw).hexdigest() == file["sha256"]
        await journaled(live)
        room = live.site.hall.find_room(ROOM)
        assert room is not None
        known = room.state.floor.recordings["opening-" + ROOM.partition(":")[2]]
        assert known.state == "on"
        path = tmp_path / "player.mp4"
        path.write_bytes(raw)
    steps = in_step(path)
    assert len(steps) >= 3
    assert max(map(abs, steps)) <= SYNC_MS
    check_positions(publisher, Timeline.parse(file["timeline"]), path)


def check_positions(publisher: Publisher, timeline: Timeline, path: Path) -> None:
    """Each picture is shown where its moment is, to a picture's length."""
    shown = {number_in(image): at_ms for at_ms, image in pictures(path)}
    assert len(shown) >= 4 * FPS - 1
    first_ms = publisher.at_ms["cam", publisher.sent["cam"][0]]
    begin_ms = timeline.pieces[0].utc_ms
    assert 0 <= begin_ms - first_ms < 1000, "a picture leaves before it comes"
    late = []
    for number, at_ms in shown.items():
        position = timeline.position_ms(max(begin_ms, first_ms + number * 1000 // FPS))
        assert position is not None
        late.append(abs(position - at_ms))
    assert sorted(late)[len(late) // 2] <= 1000 / FPS
