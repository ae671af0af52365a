"""The fragment path over real sockets: watching, HLS read by an independent player, strangers."""

import asyncio
import base64
import os
import socket
import time
from collections.abc import AsyncIterator

import av
import pytest
from aiohttp import ClientSession, WSMsgType, WSServerHandshakeError

from loadtests.fragment_viewers import measured
from media.fragments.boxes import h264_format
from media.fragments.cutter import Cut
from media.recording.depacketise.frames import VideoFormat
from server.http import fragments
from tests.media.fragments.site import Site, looped, running
from tests.media.fragments.streams import Player, feed
from tests.media.recording.traces import number_in, publish

FORM = h264_format(VideoFormat("h264", 320, 240, (b"\x67\x42\xc0\x14\xda", b"\x68\xce\x3c\x80")))
LONG_S = 20.0


@pytest.fixture
async def site() -> AsyncIterator[Site]:
    async with running() as found:
        yield found


@pytest.fixture
async def client() -> AsyncIterator[ClientSession]:
    async with ClientSession() as session:
        yield session


async def messages(client: ClientSession, url: str, count: int) -> list[bytes]:
    async with client.ws_connect(f"{url}/media/room/live") as watching:
        return [(await watching.receive_bytes(timeout=LONG_S)) for _ in range(count)]


async def test_two_viewers_are_sent_the_same_bytes(client: ClientSession) -> None:
    async with running(looped(2, 10)) as site:
        one, two = await asyncio.gather(*(messages(client, site.url, 12) for _ in range(2)))
        players = [Player().take(found) for found in (one, two)]
        assert players[0].mimes[0].startswith("video/mp4")
        assert players[0].pictures()
        assert {*one[4:]} & {*two[4:]}
        assert site.room.hub.viewers <= 2


def read_by_url(url: str) -> tuple[list[int], int]:
    """Numbers in the pictures and samples of sound, as FFmpeg's HLS reader finds them."""
    numbers, samples = [], 0
    with av.open(url, timeout=LONG_S) as container:
        for packet in container.demux():
            for frame in packet.decode():
                if isinstance(frame, av.VideoFrame):
                    numbers.append(number_in(frame.to_ndarray(format="rgb24")))
                elif isinstance(frame, av.AudioFrame):
                    samples += frame.samples
    return numbers, samples


async def test_an_independent_player_reads_the_playlists_to_their_end(
    client: ClientSession,
) -> None:
    async with running() as site:
        url = f"{site.url}/media/room/hls"
        feed(site.room, publish(12))
        for name in ("video", "aac"):
            answer = await client.get(f"{url}/{name}.m3u8")
            assert (await answer.text()).count("#EXTINF") >= 3
        assert answer.headers["Content-Type"].startswith("application/vnd.apple.mpegurl")
        master = await (await client.get(f"{url}/index.m3u8")).text()
        assert 'AUDIO="aac"' in master
        site.room.close()  # ends the playlists, so that a reader comes to an end
        numbers, samples = await asyncio.to_thread(read_by_url, f"{url}/video.m3u8")
        assert len(numbers) >= 150
        assert samples == 0
        _, samples = await asyncio.to_thread(read_by_url, f"{url}/aac.m3u8")
        assert samples > 5 * 48_000


async def test_a_segment_may_be_cached_and_a_playlist_may_not(
    client: ClientSession,
) -> None:
    async with running() as site:
        feed(site.room, publish(9))
        answer = await client.get(f"{site.url}/media/room/hls/video-init-1.mp4")
        assert (answer.status, answer.headers["Cache-Control"]) == (200, "private, max-age=60")
        assert answer.content_type == "video/mp4"
        answer = await client.get(f"{site.url}/media/room/hls/video.m3u8")
        assert "Cache-Control" not in answer.headers, "the site's own rule: not stored"


# ---- strangers


@pytest.mark.parametrize(
    ("path", "status", "code"),
    [
        ("room/hls/video-7.m4s", 404, "fragment.unknown"),
        ("room/hls/..%2f..%2fetc%2fpasswd", 404, "fragment.name"),
        ("room/hls/video-1.m4s%00", 404, "fragment.name"),
        ("room/hls/other.m3u8", 404, "fragment.name"),
        ("room/hls/index.m3u8", 404, "stream.absent"),
        ("room/hls/video.m3u8", 404, "stream.absent"),
        ("elsewhere/hls/index.m3u8", 404, "stream.unknown"),
        ("elsewhere/live", 404, "stream.unknown"),
    ],
)
async def test_what_is_not_there_is_refused_by_code(
    site: Site, client: ClientSession, path: str, status: int, code: str
) -> None:
    answer = await client.get(f"{site.url}/media/{path}")
    assert (answer.status, (await answer.json())["code"]) == (status, code)
    assert answer.headers["X-Refusal"] == code


async def test_who_may_not_watch_learns_nothing_not_even_which_rooms_there_are(
    site: Site, client: ClientSession
) -> None:
    site.allowed = False
    for path in ("room/live", "room/hls/index.m3u8", "elsewhere/live", "room/hls/x"):
        answer = await client.get(f"{site.url}/media/{path}")
        assert (answer.status, (await answer.json())["code"]) == (403, "stream.not_yours")


async def test_a_foreign_page_cannot_watch_with_somebodys_cookie(
    site: Site, client: ClientSession
) -> None:
    for origin in ("https://elsewhere.example", "null", f"http://127.0.0.1:{site.port + 1}"):
        with pytest.raises(WSServerHandshakeError) as refused:
            await client.ws_connect(f"{site.url}/media/room/live", headers={"Origin": origin})
        assert refused.value.status == 403
    async with client.ws_connect(f"{site.url}/media/room/live", headers={"Origin": site.url}):
        pass


async def test_a_viewer_who_talks_is_closed(site: Site, client: ClientSession) -> None:
    for speak in ("text", "bytes", "much"):
        async with client.ws_connect(f"{site.url}/media/room/live") as watching:
            await watching.receive_bytes(timeout=LONG_S)
            if speak == "text":
                await watching.send_str("hello")
            else:
                await watching.send_bytes(bytes(3 if speak == "bytes" else 100_000))
            found = await watching.receive(timeout=LONG_S)
            assert found.type in (WSMsgType.CLOSE, WSMsgType.CLOSED)
            assert watching.close_code in (4400, 1009)
    await until(lambda: site.room.hub.viewers == 0)


async def test_one_address_may_not_take_every_place(
    site: Site, client: ClientSession, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(fragments, "ADDRESS_MAX", 3)
    held = [await client.ws_connect(f"{site.url}/media/room/live") for _ in range(3)]
    with pytest.raises(WSServerHandshakeError) as refused:
        await client.ws_connect(f"{site.url}/media/room/live")
    assert refused.value.status == 429
    for one in held:
        await one.close()
    await until(lambda: site.room.hub.viewers == 0)
    async with client.ws_connect(f"{site.url}/media/room/live"):
        assert site.room.hub.viewers == 1


async def test_who_waits_for_a_first_picture_has_a_place_too(
    site: Site, client: ClientSession, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(fragments, "ADDRESS_MAX", 0)
    for name in ("index.m3u8", "video.m3u8"):
        async with client.get(f"{site.url}/media/room/hls/{name}") as refused:
            assert (refused.status, (await refused.json())["code"]) == (429, "stream.too_many")


async def test_who_does_not_read_is_set_forward_and_then_closed_and_nothing_grows(
    site: Site, client: ClientSession, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(fragments, "SEND_S_MAX", 1.0)
    hub = site.room.hub
    hub.set_layout(("video",))
    hub.set_format(0, FORM)
    deaf = await deaf_viewer(site)
    try:
        await until(lambda: hub.viewers == 1)
        async with client.ws_connect(f"{site.url}/media/room/live") as reader:
            await reader.receive_bytes(timeout=LONG_S)
            serials: list[int] = []
            number = 0
            end = time.monotonic() + LONG_S
            while hub.viewers == 2 and time.monotonic() < end:
                hub.publish(0, Cut(number * 22_500, 22_500, number % 4 == 0, bytes(200_000)), 0)
                number += 1
                found = await reader.receive_bytes(timeout=LONG_S)
                while found[0] != 2:
                    found = await reader.receive_bytes(timeout=LONG_S)
                serials.append(int.from_bytes(found[4:8], "big"))
            assert hub.viewers == 1, "the deaf one is gone"
            assert serials == list(range(number)), "the other missed nothing"
    finally:
        deaf.close()


async def deaf_viewer(site: Site) -> socket.socket:
    """A WebSocket that is opened and never read."""
    key = base64.b64encode(os.urandom(16)).decode()
    raw = socket.socket()
    raw.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    raw.setblocking(False)
    loop = asyncio.get_running_loop()
    await loop.sock_connect(raw, ("127.0.0.1", site.port))
    lines = (
        "GET /media/room/live HTTP/1.1", f"Host: 127.0.0.1:{site.port}", "Upgrade: websocket",
        "Connection: Upgrade", f"Sec-WebSocket-Key: {key}", "Sec-WebSocket-Version: 13", "", "",
    )  # fmt: skip
    await loop.sock_sendall(raw, "\r\n".join(lines).encode())
    return raw


async def until(is_so: object) -> None:
    assert callable(is_so)
    async with asyncio.timeout(LONG_S):
        while not is_so():  # noqa: ASYNC110 - the server tells nobody
            await asyncio.sleep(0.01)


async def test_the_load_test_of_this_path_counts_every_byte() -> None:
    found = await asyncio.to_thread(measured, 20, 1)
    assert found["lost"] == 0
    assert found["viewers_per_cpu"] > 20
