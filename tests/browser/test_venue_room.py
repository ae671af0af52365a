"""A meeting of venues (评标会) in real browsers: seats and moderator see and hear each other; a
supervisor whom nobody sees calls in to one of them.

Cameras and microphones are Chromium's own fakes, which beep; what is claimed of packets is read
from the connections' own counters.
"""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
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
# Pictures of what is large; none while nothing is.
LARGE = """(more_than) => {
  const video = document.querySelector(".venue-large video");
  return video !== null && video.getVideoPlaybackQuality().totalVideoFrames > more_than;
}"""

Voices = dict[str, dict[str, float]]


@asynccontextmanager
async def page_of(
    browser: Browser, hall: HallUnderTest, person: Person, *, width: int = 1280
) -> AsyncIterator[Page]:
    size = {"width": width, "height": 900}
    context = await browser.new_context(
        viewport=size, locale="zh-CN", permissions=["camera", "microphone"]
    )
    context.set_default_timeout(30_000)
    await context.add_init_script(REMEMBER)
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
    async with asyncio.timeout(30):
        while True:
            heard: Voices = await page.evaluate(VOICES)
            loud = {ssrc: one for ssrc, one in heard.items() if one["energy"] > 0}
            if len(loud) >= count:
                return heard
            await asyncio.sleep(0.25)


async def silent_again(page: Page, before: Voices) -> set[str]:
    """Waits until one of the voices has stopped to send, and says which have."""
    async with asyncio.timeout(30):
        while True:
            first: Voices = await page.evaluate(VOICES)
            await asyncio.sleep(1)
            then: Voices = await page.evaluate(VOICES)
            still = {ssrc for ssrc in before if then[ssrc]["packets"] == first[ssrc]["packets"]}
            if still:
                return still


def tile(page: Page, person: Person) -> Any:
    return page.locator(f'[data-member="{person.person}"]')


@pytest.mark.parametrize("hall", [PLAN], indirect=True)
async def test_a_meeting_is_seen_heard_led_and_supervised_unseen(hall: HallUnderTest) -> None:
    world = hall.world
    main, satellite, host = world.experts[0], world.experts[3], world.host
    async with (
        launched(*FAKES) as browser,
        page_of(browser, hall, main) as at_main,
        page_of(browser, hall, satellite, width=390) as at_satellite,
        page_of(browser, hall, host) as at_host,
        page_of(browser, hall, world.supervisor) as wall,
    ):
        everybody = {main: at_main, satellite: at_satellite, host: at_host}
        for page in everybody.values():
            await join(page)
        await wall.get_by_role("button", name="打开声音").click()

        # Each sees and hears the two others; the supervisor sees and hears all three.
        for person, page in everybody.items():
            for other in everybody:
                if other is not person:
                    await frames(page, other.person, 5)
            assert len(await voices(page, 2)) == 2
        for person in everybody:
            await frames(wall, person.person, 5)
        await voices(wall, 3)
        await picture(at_main, "venue-room")
        await picture(wall, "venue-wall")
        await assert_accessible(at_main, "venue room")
        await assert_accessible(wall, "wall")

        # Nobody is told of the supervisor.
        for page in everybody.values():
            assert world.supervisor.name not in await page.locator("main").inner_text()

        # A satellite's seat is enlarged.
        await at_main.get_by_role("button", name=f"放大 B1 {satellite.name}").click()
        await at_main.wait_for_function(LARGE, arg=5)

        # A screen that is shared is large for everybody who has enlarged nothing else.
        await press(at_main, "共享屏幕")
        await at_host.locator("h1").scroll_into_view_if_needed()
        await at_host.wait_for_function(LARGE, arg=3)
        await press(at_main, "停止共享")
        await at_host.locator(".venue-large").wait_for(state="detached")

        # The supervisor calls one seat. It hears; of the others nobody gets a packet.
        await tile(wall, satellite).get_by_role("button").click()
        await press(wall, f"呼叫：B1 {satellite.name}")
        await see(wall, f"现在听得到您的：B1 {satellite.name}")
        await see(at_satellite, f"监督人 {world.supervisor.name} 正在对您讲话")
        assert len(await voices(at_satellite, 3)) == 3
        for page in (at_main, at_host):
            assert len(await page.evaluate(VOICES)) == 2
            assert await page.locator(".called").count() == 0
        await assert_accessible(at_satellite, "called, on a phone")
        await picture(at_satellite, "venue-called")
        await picture(wall, "venue-calling")
        await press(wall, "结束呼叫")
        await at_satellite.locator(".called").wait_for(state="detached")

        # The moderator silences the satellite's seat: it is told, all see it, nobody hears it.
        before = await at_main.evaluate(VOICES)
        await at_host.get_by_role("button", name=f"关闭 B1 {satellite.name} 的话筒").click()
        await see(at_satellite, "主持人已关闭您的声音")
        await tile(at_main, satellite).get_by_text("主持人静音").first.wait_for()
        assert len(await silent_again(at_main, before)) == 1
        await picture(at_satellite, "venue-silenced")

        # Played back: the supervisor alone sees the recording, at the moment of his call.
        await wall.goto(f"{hall.url}/playback/{MEETING}?room=evaluation")
        await press(wall, "生成可播放的录像")
        await wall.locator(".player video").nth(3).wait_for()
        await wall.get_by_role("button", name=f"呼叫：B1 {satellite.name}").click()
        await wall.wait_for_function(
            "() => [...document.querySelectorAll('.player video')]"
            ".filter((one) => one.readyState >= 2 && one.currentTime > 0).length === 3"
        )
        await see(wall, f"监督呼叫：监督人 {world.supervisor.name}")
        await picture(wall, "venue-playback")
        await at_host.goto(f"{hall.url}/playback/{MEETING}?room=evaluation")
        await see(at_host, "这份录像不对您开放")
        assert await at_host.locator("video").count() == 0
