"""Strangers, and people out of their place, at the routes of a real site: refused by code.

One site for all; every test leaves it empty.
"""

import asyncio
import time
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
import pytest_asyncio
from aiohttp import WSServerHandshakeError

from media.sdp import SDP_BYTES_MAX
from server.http import live_gate
from server.http.client import HallRefused
from server.http.settings import Rate
from server.live.tokens import TOKEN_MS, make_token
from tests.domain.cast import HOST, SUPERVISOR_PERSON, Bidder
from tests.live.live_lab import ROOM, STRANGER, Guest, LiveSite, live_site, received
from tests.media.descriptions import camera, microphone, offer

OFFER = offer(camera(), microphone())
LABELS = {"0": "camera", "1": "microphone"}
BIDDER = Bidder(1).actor


pytestmark = pytest.mark.asyncio(loop_scope="module")


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def whole(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[LiveSite]:
    async with live_site(tmp_path_factory.mktemp("strangers")) as site:
        await site.is_up()
        yield site


@pytest_asyncio.fixture(loop_scope="module")
async def live(whole: LiveSite) -> AsyncIterator[LiveSite]:
    """The site; who came in a test goes with it."""
    async with AsyncExitStack() as stack:
        yield LiveSite(whole.site, stack)
    whole.leave_nobody()


async def refused(code: str, asked: Any) -> None:
    with pytest.raises(HallRefused) as raised:
        await asked
    assert raised.value.code == code, (raised.value.code, raised.value.detail)


async def publish(guest: Guest, offered: str = OFFER, **more: Any) -> Any:
    return await guest.post("publish", offer=offered, labels=LABELS, **more)


async def test_who_may_not_publish_is_refused_whatever_he_asks(live: LiveSite) -> None:
    host, bidder = await live.guest(HOST), await live.guest(BIDDER)
    stranger, public = await live.guest(STRANGER.actor), await live.guest(None)
    officer = await live.guest(SUPERVISOR_PERSON)
    await host.come_in()
    await bidder.come_in()
    await officer.come_in()
    for guest in (bidder, officer):
        await refused("media.not_allowed", publish(guest))
        await refused("media.not_allowed", publish(guest, to={"kind": "all", "id": ""}))
    await refused("media.not_here", publish(stranger))
    for name in ("publish", "watch", "answer", "own", "leave"):
        await refused("auth.required", public.post(name))
    door = await public.door()
    assert (door["way"], door["member"], door["may"]["publish"]) == ("fragments", "", [])
    for guest in (stranger, public):
        with pytest.raises(AssertionError, match=r"media\.not_allowed|auth\.required"):
            await guest.come_in()
    await refused("media.absent", Guest(host.http, HOST, "opening:none").door())
    await refused("media.absent", Guest(host.http, HOST, "evaluation:none").door())
    await refused("media.unknown", host.post("watch", wanted={"999": 720}))
    await refused("media.not_allowed", host.post("own", track=999, muted=True))


async def test_descriptions_that_are_no_sdp_or_too_large_are_refused(live: LiveSite) -> None:
    host = await live.guest(HOST)
    await host.come_in()
    await refused("media.sdp", publish(host, "v=0\r\n"))
    await refused("media.sdp_size", publish(host, "v" * (SDP_BYTES_MAX + 1)))
    await refused("body.too_large", publish(host, "v" * live_gate.BODY_BYTES_MAX))
    await refused("media.state", host.post("answer", answer=OFFER))
    for body in (
        {"offer": OFFER},
        {"offer": OFFER, "labels": {"0": "stage"}},
        {"offer": OFFER, "labels": LABELS, "more": 1},
        {"offer": 7, "labels": {}},
        {"offer": OFFER, "labels": {str(n): "camera" for n in range(33)}},
    ):
        await refused("body.malformed", host.post("publish", **body))
    for wanted in ({"-1": 1}, {"1": -1}, {"1": 1 << 20}, {"x": 1}, {"1": None}):
        await refused("body.malformed", host.post("watch", wanted=wanted))
    other = OFFER.replace("a=mid:", "a=mid:9")
    await refused("media.sdp", publish(host, other))


async def test_who_was_dismissed_asks_in_vain_and_his_connections_are_over(
    live: LiveSite,
) -> None:
    host, bidder = await live.guest(HOST), await live.guest(BIDDER)
    await asyncio.gather(host.come_in(), bidder.come_in())
    hosting = live.sending(await host.publish())
    watching = await bidder.watch(*hosting.tracks.values())
    await received(watching, 20)
    await bidder.post("leave")
    await refused("media.not_here", bidder.post("watch", wanted={}))
    await bidder.told("gone")
    await host.told("member_gone", member=BIDDER.person)
    seen = sum(watching.got.values())
    before = counted(live, "received")
    while counted(live, "received") < before + 50:  # noqa: ASYNC110 - told once a second
        await asyncio.sleep(0.1)
    assert sum(watching.got.values()) - seen < 20, "what was under way, and no more"


def counted(live: LiveSite, name: str) -> int:
    return live.video.desk.counts.get(name, 0)


async def test_a_logout_ends_the_presence_at_once(live: LiveSite) -> None:
    host, bidder = await live.guest(HOST), await live.guest(BIDDER)
    await asyncio.gather(host.come_in(), bidder.come_in())
    await bidder.http.logout()
    await host.told("member_gone", member=BIDDER.person)
    await bidder.until(lambda: bidder.is_over)
    await refused("auth.required", bidder.post("watch", wanted={}))


async def test_told_streams_and_questions_are_bounded(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(live_gate, "TOLD_PER_ADDRESS_MAX", 2)
    monkeypatch.setattr(live_gate, "ASK_RATE", Rate(12, 1))
    async with live_site(tmp_path) as live:
        await live.is_up()
        guests = [await live.guest(one) for one in (HOST, BIDDER, Bidder(2).actor)]
        await guests[0].come_in()
        await guests[1].come_in()
        with pytest.raises(AssertionError, match=r"media\.full"):
            await guests[2].come_in()
        storm = [guests[1].post("watch", wanted={"999": 1}) for _ in range(40)]
        refusals = await asyncio.gather(*storm, return_exceptions=True)
        codes = Counter(one.code for one in refusals if isinstance(one, HallRefused))
        assert codes.keys() == {"media.unknown", "media.too_often"}
        assert codes["media.unknown"] < 12
        await guests[1].hang_up()
        await guests[0].told("member", member=BIDDER.person, connected=False)
        await guests[2].come_in()


async def test_a_foreign_page_makes_nobody_present(live: LiveSite) -> None:
    host = await live.guest(HOST)
    for site in ("cross-site", "same-site"):
        headers = {"Sec-Fetch-Site": site}
        async with host.http.session.get(f"/media/{ROOM}/told", headers=headers) as answer:
            assert (await answer.json())["code"] == "origin.foreign"
    async with host.http.session.head(f"/media/{ROOM}/told") as answer:
        assert answer.status == 404
    assert live.video.desk.counted() == (0, 0)


# ---- fragments


async def live_socket(guest: Guest, url: str, origin: str | None) -> Any:
    headers = {"Origin": origin} if origin else {}
    return await guest.http.session.ws_connect(url, headers=headers)


async def test_the_public_watches_by_a_token_and_by_nothing_else(live: LiveSite) -> None:
    host, public = await live.guest(HOST), await live.guest(None)
    assert (await public.door())["fragments"] is None, "nobody is there"
    await host.come_in()
    live.sending(await host.publish())
    door = await public.door()
    url, hls = door["fragments"]["live"], door["fragments"]["hls"]
    socket = await live_socket(public, url, live.base)
    assert (await socket.receive_bytes(timeout=20))[0] == 0, "a layout comes first"
    await socket.close()
    parts = urlsplit(url)
    bare = f"{parts.scheme}://{parts.netloc}{parts.path}"
    secret = live.video._secret
    now_ms = time.time_ns() // 1_000_000
    stale = make_token(secret, ROOM, "", now_ms - TOKEN_MS)
    elsewhere = make_token(secret, "opening:elsewhere", "", now_ms)
    forged = make_token(b"x" * 32, ROOM, "", now_ms)
    for token in ("", "x", stale, elsewhere, forged):
        with pytest.raises(WSServerHandshakeError) as raised:
            await live_socket(public, f"{bare}?token={token}", live.base)
        assert raised.value.status == 403
    for origin in ("null", "https://elsewhere.example", f"http://{parts.netloc}"):
        with pytest.raises(WSServerHandshakeError) as raised:
            await live_socket(public, url, origin)
        assert raised.value.status == 403
    async with public.http.session.get(hls.replace("/hls/", "/hls/x")) as answer:
        assert (await answer.json())["code"] == "stream.not_yours"
    async with public.http.session.get(hls) as answer:
        assert answer.headers["Access-Control-Allow-Origin"] == live.base
        assert answer.status in (200, 404)


async def test_what_somebody_watches_by_a_token_ends_when_he_goes(live: LiveSite) -> None:
    host, bidder = await live.guest(HOST), await live.guest(BIDDER)
    await asyncio.gather(host.come_in(), bidder.come_in())
    live.sending(await host.publish())
    url = (await bidder.door())["fragments"]["live"]
    socket = await live_socket(bidder, url, live.base)
    await socket.receive_bytes(timeout=20)
    await bidder.post("leave")
    async with asyncio.timeout(20):
        while not (await socket.receive()).type.name.startswith("CLOSE"):
            pass
    assert socket.close_code == 4403
    with pytest.raises(WSServerHandshakeError):
        await live_socket(bidder, url, live.base)


# ---- without video


async def test_where_video_is_switched_off_there_is_no_process_and_no_page(
    tmp_path: Path,
) -> None:
    async with live_site(tmp_path, enabled=False) as live:
        host = await live.guest(HOST)
        assert live.site.video is None
        await refused("media.absent", host.door())
        for name in ("publish", "watch", "answer", "own", "leave"):
            await refused("media.absent", host.post(name))
        with pytest.raises(AssertionError, match=r"media\.absent"):
            await host.come_in()
        await live.act(host, "hold", person="bidder-1", held=True)
