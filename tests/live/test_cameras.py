"""A room's own cameras at a whole site: an encoder comes by WHIP, another is fetched by RTSP."""

import asyncio
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from server.config import ComingCamera, FetchedCamera
from tests.domain.cast import HOST, Bidder
from tests.live.live_lab import ROOM, Guest, LiveSite, Publishing, live_site, received
from tests.media.rtsp_server import Habits, RtspServer
from tests.media.test_ice_restart import Restarting
from tests.media.whip_offers import OBS

TOKEN, OTHER = "an encoder's token, long enough", "another encoder's, long enough"
WHIP = [
    ComingCamera(room="opening:*", name="obs", token=TOKEN),
    ComingCamera(room=ROOM, name="box", token=OTHER),
]
SDP = {"Content-Type": "application/sdp", "Authorization": f"Bearer {TOKEN}"}
FRAGMENT = "application/trickle-ice-sdpfrag"
PATH = f"/media/{ROOM}/whip"


class Encoder:
    """What an encoder does, with a thin peer for its media."""

    def __init__(self, live: LiveSite, http: aiohttp.ClientSession) -> None:
        self.live, self.http = live, http
        self.peer = Restarting("encoder")
        self.location = self.tag = ""

    async def come(self) -> Publishing:
        async with self.http.post(PATH, data=self.peer.offer(), headers=SDP) as answer:
            assert answer.status == 201, await answer.text()
            assert answer.content_type == "application/sdp"
            self.location, self.tag = answer.headers["Location"], answer.headers["ETag"]
            self.links = answer.headers.getall("Link", [])
            await self.peer.connect(await answer.text())
        return Publishing(self.peer, {})

    async def patch(self, fragment: str, if_match: str) -> aiohttp.ClientResponse:
        headers = {**SDP, "Content-Type": FRAGMENT, "If-Match": if_match}
        answer = await self.http.patch(self.location, data=fragment, headers=headers)
        await answer.read()
        return answer


async def picture_of(guest: Guest, member: str) -> int:
    return (await guest.told("track", member=member, label="camera"))["track"]


async def test_an_encoder_comes_restarts_and_goes(tmp_path: Path) -> None:
    relay = {"turn_urls": ["turn:relay.example:3478"], "turn_secret": "shared with the relay"}
    async with (
        live_site(tmp_path, whip=WHIP, **relay) as live,
        aiohttp.ClientSession(live.base) as http,
    ):
        host = await live.guest(HOST)
        await host.come_in()
        (server,) = (await host.door())["ice_servers"]
        assert server["urls"] == ["turn:relay.example:3478"]
        assert server["username"].endswith(":host")
        encoder = Encoder(live, http)
        live.sending(await encoder.come())
        assert encoder.location.startswith(PATH + "/")
        assert encoder.links[0].startswith('<turn:relay.example:3478>; rel="ice-server"; username=')
        watching = await host.watch(await picture_of(host, "camera:obs"))
        await received(watching, 50)

        candidates = "m=video 9 UDP/TLS/RTP/SAVPF 0\r\na=mid:0\r\na=end-of-candidates\r\n"
        assert (await encoder.patch(candidates, encoder.tag)).status == 204
        restart = f"a=ice-ufrag:secondOne\r\na=ice-pwd:{'p' * 24}\r\n{candidates}"
        answer = await encoder.patch(restart, "*")
        assert (answer.status, answer.content_type) == (200, FRAGMENT)
        assert answer.headers["ETag"] != encoder.tag
        assert (await encoder.patch(candidates, encoder.tag)).status == 412
        await encoder.peer.move("secondOne", await answer.text())
        await received(watching, watching.got.total() + 50)

        ended = await http.delete(encoder.location, headers=SDP)
        assert ended.status == 200
        await host.told("member_gone", member="camera:obs")
        assert (await http.delete(encoder.location, headers=SDP)).status == 404
        await encoder.peer.close()


async def test_an_encoder_that_comes_anew_takes_its_own_place_and_one_that_is_lost_leaves_it(
    tmp_path: Path,
) -> None:
    async with live_site(tmp_path, whip=WHIP) as live, aiohttp.ClientSession(live.base) as http:
        host = await live.guest(HOST)
        await host.come_in()
        first, second = Encoder(live, http), Encoder(live, http)
        before = live.sending(await first.come())
        track = await picture_of(host, "camera:obs")
        live.sending(await second.come())
        await host.told("track_gone", track=track)
        assert not [line for line in host.lines if line["kind"] == "member_gone"]
        assert (await http.delete(first.location, headers=SDP)).status == 404
        await before.end()
        await first.peer.close()
        await second.peer.close()  # says goodbye by DTLS, as a program that ends
        await host.told("member_gone", member="camera:obs")
        assert (await http.delete(second.location, headers=SDP)).status == 404


async def test_who_is_no_encoder_of_the_room_is_told_so_by_a_code(tmp_path: Path) -> None:
    async with live_site(tmp_path, whip=WHIP) as live, aiohttp.ClientSession(live.base) as http:
        async with http.options(PATH) as answer:
            assert answer.status == 204
            assert answer.headers["Accept-Post"] == "application/sdp"
        async with http.options(f"{PATH}/{'a' * 32}") as answer:
            assert answer.headers["Accept-Patch"] == FRAGMENT
        none = {"Content-Type": "application/sdp"}
        cases: list[tuple[str, str, dict[str, str], str, int, str]] = [
            ("POST", PATH, none, OBS, 401, "whip.token"),
            ("POST", PATH, {**none, "Authorization": "Bearer x"}, OBS, 401, "whip.token"),
            ("POST", "/media/evaluation:no/whip", SDP, OBS, 401, "whip.token"),
            ("POST", "/media/opening:none/whip", SDP, OBS, 404, "media.absent"),
            ("POST", PATH, {**SDP, "Content-Type": "text/plain"}, OBS, 415, "body.media_type"),
            ("POST", PATH, SDP, "x" * 70_000, 413, "body.too_large"),
            ("POST", PATH, SDP, "hello", 422, "media.sdp"),
            ("POST", PATH, SDP, OBS.replace("H264", "H265").replace("opus", "aac"), 422,
             "media.no_codec"),
            ("POST", PATH, {**SDP, "Origin": "https://evil.example"}, OBS, 403, "origin.foreign"),
            ("PUT", PATH, SDP, OBS, 405, "route.method"),
            ("PATCH", PATH, SDP, "", 405, "route.method"),
            ("DELETE", f"{PATH}/{'a' * 32}", SDP, "", 404, "whip.unknown"),
            ("DELETE", f"{PATH}/{'a' * 32}", none, "", 401, "whip.token"),
        ]  # fmt: skip
        for method, path, headers, body, status, code in cases:
            async with http.request(method, path, data=body, headers=headers) as answer:
                assert (answer.status, answer.headers["X-Refusal"]) == (status, code)
                assert ("WWW-Authenticate" in answer.headers) == (status == 401)
        encoder = Encoder(live, http)
        await encoder.come()
        theirs = {**SDP, "Authorization": f"Bearer {OTHER}"}
        assert (await http.delete(encoder.location, headers=theirs)).status == 404
        assert (await encoder.patch("a=x", "")).status == 428
        assert (await encoder.patch("a=x", "*")).status == 422
        assert (await encoder.patch("x" * 20_000, "*")).status == 413
        wrong = {**SDP, "If-Match": "*"}
        assert (await http.patch(encoder.location, data="a=x", headers=wrong)).status == 415
        assert (await http.get(encoder.location)).status in (404, 405)
        await encoder.peer.close()


async def test_a_rooms_camera_is_fetched_while_somebody_is_there(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("server.live.cameras.LINGER_S", 0.5)
    async with RtspServer(Habits(login="md5", in_band=False)) as server:
        lines: list[Any] = [FetchedCamera(room="opening:*", name="hall-1", url=server.url)]
        async with live_site(tmp_path, rtsp=lines) as live:
            assert server.connections == 0
            host, bidder = await live.guest(HOST), await live.guest(Bidder(1).actor)
            await asyncio.gather(host.come_in(), bidder.come_in())
            told = await bidder.told("member", member="camera:hall-1")
            assert (told["role"], told["name"]) == ("camera", "hall-1")
            watching = await bidder.watch(await picture_of(bidder, "camera:hall-1"))
            await received(watching, 50)
            # The media process dies: the camera is back with it.
            at = len(bidder.lines)
            live.kill_child(9)
            await bidder.told("restarted", after=at)
            track = (await bidder.told("track", after=at, member="camera:hall-1"))["track"]
            await received(await bidder.watch(track), 50)
            await asyncio.gather(host.post("leave"), bidder.post("leave"))
            async with asyncio.timeout(10):
                while server.asked[-1] != "TEARDOWN":  # noqa: ASYNC110 - nobody tells
                    await asyncio.sleep(0.05)
