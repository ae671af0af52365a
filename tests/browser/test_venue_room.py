"""A meeting of venues (评标会) in real browsers: seats and moderator see and hear each other; a
supervisor whom nobody sees calls in to one of them.

Cameras and microphones are Chromium's own fakes, which beep; what is claimed of packets is read
from the connections' own counters.
"""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

import pytest
from playwright.async_api import Browser, Page

from server.demo.meeting import MEETING
from server.demo.world import Person
from tests.browser.conftest import (
    HallUnderTest,
    assert_accessible,
    launched,
    open_tab,
    picture,
    press,
    see,
)

pytestmark = [pytest.mark.browser, pytest.mark.slow, pytest.mark.alone]

PLAN = {"behaviours": [], "trustees": 0, "deadline_s": 1800, "meeting": True}
FAKES = [
    "--use-fake-device-for-media-stream=fps=10",
    "--use-fake-ui-for-media-stream",
    "--autoplay-policy=no-user-gesture-required",
    "--disable-features=WebRtcHideLocalIpsWithMdns",
]
NO_UDP = "--webrtc-ip-handling-policy=disable_non_proxied_udp"
# Every connection of the page, so that its counters can be read.
REMEMBER = """
window.connections = [];
window.RTCPeerConnection = class extends RTCPeerConnection {
  constructor(...all) { super(...all); window.connections.push(this); }
};
"""
# Sounds that come: their energy and packets.
VOICES = """async () => {
  const voices = {};
  for (const connection of window.connections) {
    if (connection.connectionState !== "connected") continue;
    for (const one of (await connection.getStats()).values()) {
      if (one.type !== "inbound-rtp" || one.kind !== "audio" || !one.packetsReceived) continue;
      voices[one.ssrc] = {packets: one.packetsReceived, energy: one.totalAudioEnergy ?? 0};
    }
  }
  return voices;
}"""
FRAMES = """(member) => {
  const video = document.querySelector(`[data-member="${member}"] video`);
  return video === null ? 0 : video.getVideoPlaybackQuality().totalVideoFrames;
}"""
# How bright the brightest point of somebody's picture is, of 255.
LIT = """(member) => {
  const video = document.querySelector(`[data-member="${member}"] video`);
  const small = new OffscreenCanvas(16, 9).getContext("2d");
  small.drawImage(video, 0, 0, 16, 9);
  return Math.max(...small.getImageData(0, 0, 16, 9).data.filter((_, at) => at % 4 < 3));
}"""
# How loud the loudest is of what plays by elements of its own, since the last time.
LOUD = """() => {
  window.ear ??= new AudioContext();
  let loudest = 0;
  for (const one of document.querySelectorAll("audio")) {
    if (one.readyState < 3 || one.currentTime === 0) continue;
    if (one.meter === undefined) {
      one.meter = new AnalyserNode(window.ear, {fftSize: 32768});
      window.ear.createMediaElementSource(one).connect(one.meter);
    }
    const samples = new Float32Array(one.meter.fftSize);
    one.meter.getFloatTimeDomainData(samples);
    loudest = samples.reduce((most, sample) => Math.max(most, Math.abs(sample)), loudest);
  }
  return loudest;
}"""
# Pictures of what is large; none while nothing is.
LARGE = """(more_than) => {
  const video = document.querySelector(".venue-large video");
  return video !== null && video.getVideoPlaybackQuality().totalVideoFrames > more_than;
}"""

# Its sound is decoded too: a program comes with it.
HEARD_LARGE = (
    """() => document.querySelector(".venue-large video").webkitAudioDecodedByteCount > 0"""
)
NO_MSE = "delete window.MediaSource; delete window.ManagedMediaSource;"

Voices = dict[str, dict[str, float]]


@asynccontextmanager
async def page_of(
    browser: Browser, hall: HallUnderTest, person: Person, *, width: int = 1280, without: str = ""
) -> AsyncIterator[Page]:
    size = {"width": width, "height": 900}
    context = await browser.new_context(
        viewport=size, locale="zh-CN", permissions=["camera", "microphone"]
    )
    context.set_default_timeout(60_000)
    await context.add_init_script(REMEMBER + without)
    url = f"{hall.url}/evaluation/{MEETING}#seed={person.seed.hex()}"
    page = await open_tab(context, url)
    yield page
    await context.close()


async def join(page: Page) -> None:
    """Consent, check, and then only is anything sent."""
    await press(page, "打开摄像头与话筒")
    await press(page, "同意，打开摄像头和话筒")
    for found in ("看得到画面", "直接接通"):
        await see(page, found)
    await press(page, "现在开始发送")
    await see(page, "您的话筒开着")


async def frames(page: Page, member: str, more_than: int) -> None:
    """Waits until so many pictures of somebody were decoded here, where his tile is in sight."""
    await page.locator(f'[data-member="{member}"]').scroll_into_view_if_needed()
    await page.wait_for_function(f"(member) => ({FRAMES})(member) > {more_than}", arg=member)


async def voices(page: Page, count: int) -> Voices:
    """Waits until so many are heard, and gives them."""
    async with asyncio.timeout(60):
        while True:
            heard: Voices = await page.evaluate(VOICES)
            loud = {ssrc: one for ssrc, one in heard.items() if one["energy"] > 0}
            if len(loud) >= count:
                return heard
            await asyncio.sleep(0.25)


async def one_voice_left(page: Page) -> None:
    """Waits until one voice alone goes on, also where its connection has been made anew."""
    async with asyncio.timeout(60):
        while True:
            first: Voices = await page.evaluate(VOICES)
            await asyncio.sleep(1)
            then: Voices = await page.evaluate(VOICES)
            going = [one for one in first if one in then and then[one] != first[one]]
            if len(going) == 1:
                return


def tile(page: Page, person: Person) -> Any:
    return page.locator(f'[data-member="{person.person}"]')


@dataclass(frozen=True, slots=True)
class Meeting:
    """A seat of the main venue, one of a satellite (on a phone), the host, and the wall."""

    hall: HallUnderTest
    at_main: Page
    at_satellite: Page
    at_host: Page
    wall: Page

    @property
    def satellite(self) -> Person:
        return self.hall.world.experts[3]

    @property
    def everybody(self) -> dict[Person, Page]:
        world = self.hall.world
        people = (world.experts[0], self.satellite, world.host)
        return dict(zip(people, (self.at_main, self.at_satellite, self.at_host), strict=True))


async def see_and_hear(meeting: Meeting) -> None:
    """Each the two others; the supervisor all three, and nobody is told of him."""
    everybody, wall = meeting.everybody, meeting.wall
    for person, page in everybody.items():
        for other in everybody:
            if other is not person:
                await frames(page, other.person, 5)
        assert len(await voices(page, 2)) == 2
    for person in everybody:
        await frames(wall, person.person, 5)
    await voices(wall, 3)
    for name, page in (("venue-room", meeting.at_main), ("venue-wall", wall)):
        await picture(page, name)
        await assert_accessible(page, name)
    for page in everybody.values():
        supervisor = meeting.hall.world.supervisor.name
        assert supervisor not in await page.locator("main").inner_text()


async def enlarge_and_share(meeting: Meeting) -> None:
    """A satellite's seat is enlarged; a screen is large for who has enlarged nothing else."""
    at_main, at_host = meeting.at_main, meeting.at_host
    await at_main.get_by_role("button", name=f"放大 B1 {meeting.satellite.name}").click()
    await at_main.wait_for_function(LARGE, arg=5)
    await press(at_main, "共享屏幕")
    await at_host.locator("h1").scroll_into_view_if_needed()
    await at_host.wait_for_function(LARGE, arg=3)
    await press(at_main, "停止共享")
    await at_host.locator(".venue-large").wait_for(state="detached")


async def call_in(meeting: Meeting) -> None:
    """The supervisor calls one seat. It hears; of the others nobody gets a packet."""
    wall, called = meeting.wall, meeting.at_satellite
    name, supervisor = f"B1 {meeting.satellite.name}", meeting.hall.world.supervisor.name
    await tile(wall, meeting.satellite).get_by_role("button").click()
    await press(wall, f"呼叫：{name}")
    await see(wall, f"现在听得到您的：{name}")
    await see(called, f"监督人 {supervisor} 正在对您讲话")
    assert len(await voices(called, 3)) == 3
    for page in (meeting.at_main, meeting.at_host):
        assert len(await voices(page, 2)) == 2
        assert await page.locator(".called").count() == 0
    await assert_accessible(called, "called, on a phone")
    await picture(called, "venue-called")
    await picture(wall, "venue-calling")
    await press(wall, "结束呼叫")
    await called.locator(".called").wait_for(state="detached")


async def silence(meeting: Meeting) -> None:
    """The moderator silences a seat: it is told, all see it, nobody hears it."""
    at_main, silenced = meeting.at_main, meeting.at_satellite
    await voices(at_main, 2)
    name = f"关闭 B1 {meeting.satellite.name} 的话筒"
    await meeting.at_host.get_by_role("button", name=name).click()
    await see(silenced, "主持人已关闭您的声音")
    await tile(at_main, meeting.satellite).get_by_text("主持人静音").first.wait_for()
    await one_voice_left(at_main)
    await picture(silenced, "venue-silenced")


async def play_back(meeting: Meeting) -> None:
    """The supervisor alone sees the recording, at the moment of his call."""
    wall, at_host = meeting.wall, meeting.at_host
    place = f"{meeting.hall.url}/playback/{MEETING}?room=evaluation"
    await wall.goto(place)
    await press(wall, "生成可播放的录像")
    await wall.locator(".player video").nth(3).wait_for()
    await wall.get_by_role("button", name=f"呼叫：B1 {meeting.satellite.name}").click()
    await wall.wait_for_function(
        "() => [...document.querySelectorAll('.player video')]"
        ".filter((one) => one.readyState >= 2 && one.currentTime > 0).length === 3"
    )
    await see(wall, f"监督呼叫：监督人 {meeting.hall.world.supervisor.name}")
    await picture(wall, "venue-playback")
    await at_host.goto(place)
    await see(at_host, "这份录像不对您开放")
    assert await at_host.locator("video").count() == 0


@pytest.mark.parametrize("hall", [PLAN], indirect=True)
async def test_a_meeting_is_seen_heard_led_and_supervised_unseen(hall: HallUnderTest) -> None:
    world = hall.world
    async with (
        launched(*FAKES) as browser,
        page_of(browser, hall, world.experts[0]) as at_main,
        page_of(browser, hall, world.experts[3], width=390) as at_satellite,
        page_of(browser, hall, world.host) as at_host,
        page_of(browser, hall, world.supervisor) as wall,
    ):
        meeting = Meeting(hall, at_main, at_satellite, at_host, wall)
        for page in meeting.everybody.values():
            await join(page)
        await wall.get_by_role("button", name="打开声音").click()
        await see_and_hear(meeting)
        await enlarge_and_share(meeting)
        await call_in(meeting)
        await silence(meeting)
        await play_back(meeting)


async def plays_without_udp(page: Page, who: Person) -> None:
    """He is seen and heard here, and no packet of WebRTC has come."""
    await see(page, "您的网络不通 UDP")
    await frames(page, who.person, 10)
    await page.wait_for_function(f"(member) => ({LIT})(member) > 50", arg=who.person)
    await press(page, "打开声音")
    await page.wait_for_function(f"() => ({LOUD})() > 0.01", polling=200)
    await see(page, "比现场晚")
    assert await page.evaluate(VOICES) == {}


@pytest.mark.parametrize("hall", [PLAN], indirect=True)
async def test_who_has_no_udp_sees_and_hears_the_meeting_by_fragments(hall: HallUnderTest) -> None:
    world = hall.world
    async with (
        launched(*FAKES) as browser,
        launched(*FAKES, NO_UDP) as walled,
        page_of(browser, hall, world.experts[0]) as at_main,
        page_of(walled, hall, world.experts[3]) as at_satellite,
        page_of(walled, hall, world.supervisor) as wall,
    ):
        await join(at_main)
        for name, page in (("seat", at_satellite), ("wall", wall)):
            await plays_without_udp(page, world.experts[0])
            await assert_accessible(page, f"{name} without UDP")
            await picture(page, f"venue-no-udp-{name}")
        await see(at_satellite, "大家看不见您、听不到您")
        await see(wall, "呼叫发不出去")
        await tile(at_main, world.experts[3]).get_by_text("在线").first.wait_for()
        assert world.supervisor.name not in await at_main.locator("main").inner_text()
        # What is pinned is fetched large, and goes on.
        name = f"放大 A1 {world.experts[0].name}"
        await at_satellite.get_by_role("button", name=name).click()
        await at_satellite.wait_for_function(LARGE, arg=10)
        async with page_of(walled, hall, world.experts[4], without=NO_MSE) as on_a_phone:
            await see(on_a_phone, "这台设备只能放一路画面")
            await on_a_phone.wait_for_function(LARGE, arg=10)
            await on_a_phone.wait_for_function(HEARD_LARGE)
            await picture(on_a_phone, "venue-no-udp-no-mse")
