"""What the anonymous public gets of an opening, through a whole site: messages, and HLS."""

import asyncio
import io
from pathlib import Path
from typing import Any

import aiohttp
import av
import pytest

from tests.domain.cast import HOST
from tests.live.live_lab import PATIENCE_S, live_site
from tests.live.publishing import Publisher
from tests.media.fragments.streams import Player
from tests.media.recording.traces import number_in, publish

pytestmark = pytest.mark.alone  # ten seconds of video in real time
SECONDS = 10


async def door(guest: Any) -> dict[str, str]:
    """Once there is a stream."""
    async with asyncio.timeout(PATIENCE_S):
        while not (found := (await guest.door())["fragments"]):  # noqa: ASYNC110
            await asyncio.sleep(0.2)
    return found


async def watched(session: aiohttp.ClientSession, url: str, fragments: int) -> Player:
    messages: list[bytes] = []
    async with asyncio.timeout(PATIENCE_S), session.ws_connect(url) as socket:
        while sum(one[0] == 2 for one in messages) < fragments:
            messages.append(await socket.receive_bytes())
    return Player().take(messages)


async def read(session: aiohttp.ClientSession, url: str) -> bytes:
    async with asyncio.timeout(PATIENCE_S):
        while True:
            async with session.get(url) as answer:
                if answer.status == 200:
                    return await answer.read()
                assert answer.status == 404, "it is only not there yet"
            await asyncio.sleep(0.2)


async def first_segment(session: aiohttp.ClientSession, master: str) -> bytes:
    """Init and first segment of the pictures, as a player finds them."""
    base = master.rpartition("/")[0]
    lines = (await read(session, master)).decode().splitlines()
    (media,) = [one for one in lines if one.startswith("video")]
    playlist = (await read(session, f"{base}/{media}")).decode().splitlines()
    (init,) = [one.split('"')[1] for one in playlist if one.startswith("#EXT-X-MAP")][:1]
    segment = next(one for one in playlist if one and not one.startswith("#"))
    return await read(session, f"{base}/{init}") + await read(session, f"{base}/{segment}")


async def test_the_public_gets_pictures_by_messages_and_by_hls(tmp_path: Path) -> None:
    async with live_site(tmp_path) as live:
        host, public = await live.guest(HOST), await live.guest(None)
        await host.come_in()

        async def publish_by_page(offer: str, labels: Any) -> str:
            said = {mid: label.value for mid, label in labels.items()}
            return (await host.post("publish", offer=offer, labels=said))["answer"]

        publisher = await Publisher.join(publish_by_page, "aaaa")
        playing = asyncio.create_task(publisher.play(publish(SECONDS)))
        found = await door(public)
        async with aiohttp.ClientSession() as session:
            player, raw = await asyncio.gather(
                watched(session, found["live"], 12), first_segment(session, found["hls"])
            )
        await playing
        await publisher.close()
    numbers = [number_in(one.to_ndarray(format="rgb24")) for one in player.pictures()]
    assert len(numbers) >= 10
    assert numbers == list(range(numbers[0], numbers[0] + len(numbers)))
    assert numbers[0] % 25 == 0, "it begins at a keyframe"
    with av.open(io.BytesIO(raw), format="mp4") as container:
        shown = [number_in(one.to_ndarray(format="rgb24")) for one in container.decode(video=0)]
    assert len(shown) >= 25
    assert shown[0] % 25 == 0
