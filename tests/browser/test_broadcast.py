"""Live video in a real browser (现场画面): a site, its media process, fake camera and microphone.

Everything is as people have it: the host joins through the check, a bidder watches by WebRTC, the
public by fragments; networks without UDP and a killed media process are real ones.
"""

import asyncio
import contextlib
import os
import signal
import time
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import pytest
from playwright.async_api import Browser, BrowserContext, Page, Route, ViewportSize

from tests.browser.conftest import (
    FAILED,
    HallUnderTest,
    assert_accessible,
    launched,
    open_tab,
    picture,
    press,
    see,
)
from tests.browser.hall_process import ROOM

pytestmark = [pytest.mark.browser, pytest.mark.alone]

FLAGS = (
    "--use-fake-device-for-media-stream",
    "--use-fake-ui-for-media-stream",
    "--disable-features=WebRtcHideLocalIpsWithMdns",
)
NO_UDP = "--webrtc-ip-handling-policy=disable_non_proxied_udp"
BACK_S_MAX = 3.0
STARTED_S_MAX = 1.5  # the media process itself, until it listens
PATIENCE_S = 30
CAST = {"behaviours": ["plain", "plain", "plain"], "window_s": 600}

# Connections of the page, so that the browser's own figures can be asked for; and a camera that is
# no work for a loaded machine.
SPY = """
const media = navigator.mediaDevices;
const ask = media.getUserMedia.bind(media);
const small = {width: 320, height: 180, frameRate: 10};
media.getUserMedia = (asked) => ask(asked.video ? {video: small} : asked);
window.connections = [];
const Real = RTCPeerConnection;
window.RTCPeerConnection = class extends Real {
  constructor(...args) { super(...args); window.connections.push(this); }
};
"""
FIGURES = """async () => {
  const found = {frames: 0, level: 0, sent: 0};
  for (const one of window.connections) {
    if (one.connectionState === "closed") continue;
    (await one.getStats()).forEach((row) => {
      if (row.type === "inbound-rtp") {
        found.frames += row.framesDecoded ?? 0;
        found.level = Math.max(found.level, row.audioLevel ?? 0);
      }
      if (row.type === "outbound-rtp") found.sent += row.framesEncoded ?? 0;
    });
  }
  return found;
}"""
# Cameras and microphones of ours that are still on.
SENDING = """() => ({live: window.connections.flatMap((one) => one.getSenders())
  .filter((one) => one.track?.readyState === "live").length})"""
PLAYED = """() => {
  const video = document.querySelector("video[data-way=fragments]");
  return {time: video?.currentTime ?? 0, hidden: video?.hidden ?? true,
          frames: video?.getVideoPlaybackQuality().totalVideoFrames ?? 0};
}"""


async def a_desk(browser: Browser) -> BrowserContext:
    """Somebody's own: what the public sees must not come by another's cookie."""
    desk: ViewportSize = {"width": 1440, "height": 1000}
    context = await browser.new_context(
        viewport=desk, locale="zh-CN", permissions=["camera", "microphone"]
    )
    context.set_default_timeout(PATIENCE_S * 1000)
    await context.add_init_script(SPY)
    return context


async def at(browser: Browser, url: str) -> Page:
    return await open_tab(await a_desk(browser), url)


@pytest.fixture
async def devices(request: pytest.FixtureRequest) -> AsyncIterator[Browser]:
    async with launched(*FLAGS) as browser:
        yield browser
        if request.node.stash.get(FAILED, False):
            for number, context in enumerate(browser.contexts):
                await picture(context.pages[0], f"failed-{request.node.name}-{number}")


async def agree_and_join(page: Page, place: str) -> None:
    """Consent, check of devices and network, and sending."""
    await see(page, "打开摄像头和话筒之前")
    await assert_accessible(page, f"{place} consent")
    await press(page, "同意，打开摄像头和话筒")
    await see(page, "直接接通（UDP）")
    await see(page, "听到您了")
    await see(page, "看得到画面")
    await assert_accessible(page, f"{place} check")
    await picture(page, f"{place}-check")
    await press(page, "现在开始发送")


async def go_on_air(host: Page) -> None:
    await press(host, "打开摄像头和话筒", exact=True)
    await agree_and_join(host, "live-host")
    await see(host, "您在播出")


async def until(
    page: Page, script: str, fits: Callable[[dict[str, Any]], bool], within_s: float = PATIENCE_S
) -> float:
    """How long it took, in seconds."""
    began = time.monotonic()
    async with asyncio.timeout(within_s):
        while True:
            if fits(await page.evaluate(script)):
                return time.monotonic() - began
            await asyncio.sleep(0.05)


async def watches(page: Page) -> None:
    """Pictures are decoded and a voice is heard, by WebRTC."""
    await until(page, FIGURES, lambda one: one["frames"] > 15 and one["level"] > 0)


async def plays_fragments(page: Page) -> None:
    await until(page, PLAYED, lambda one: not one["hidden"] and one["frames"] > 10)


def media_process(hall: HallUnderTest) -> int | None:
    """Process id of the hall's media process, as long as there is one."""
    assert hall.process is not None
    for folder in Path("/proc").iterdir():
        with contextlib.suppress(OSError):
            if b"server.live_process" not in (folder / "cmdline").read_bytes():
                continue
            parent = (folder / "stat").read_text().rpartition(")")[2].split()[1]
            if int(parent) == hall.process.pid:
                return int(folder.name)
    return None


async def begun_anew(hall: HallUnderTest, old: int) -> None:
    async with asyncio.timeout(PATIENCE_S):
        while True:
            if media_process(hall) not in (None, old):
                return
            await asyncio.sleep(0.02)


async def places(page: Page) -> Any:
    """Where clock and first case stand."""
    return await page.evaluate(
        """() => [".clock", ".case", "h1"].map((one) => {
          const {x, y, width} = document.querySelector(one).getBoundingClientRect();
          return [one, x, y, width];
        })"""
    )


async def test_the_hall_is_whole_without_video_and_does_not_move_for_it(
    hall: HallUnderTest, devices: Browser
) -> None:
    without = await (await a_desk(devices)).new_page()
    await without.route("**/hall_live-*.js", lambda route: route.abort())
    await without.goto(f"{hall.url}/hall/{ROOM}")
    await see(without, "大厅广播")
    await without.wait_for_timeout(1_000)
    assert await without.locator(".live").count() == 0

    page = await (await a_desk(devices)).new_page()
    let_go = asyncio.Event()

    async def hold(route: Route) -> None:
        await let_go.wait()
        await route.continue_()

    await page.route("**/hall_live-*.js", hold)
    await page.goto(f"{hall.url}/hall/{ROOM}")
    await see(page, "大厅广播")
    before = await places(page)
    let_go.set()
    await see(page, "现场画面")
    assert await places(page) == before
    await see(page, "现在没有画面。大厅照常进行。")
    await assert_accessible(page, "live nobody")


@pytest.mark.parametrize("hall", [CAST | {"deadline_s": 22}], indirect=True)
async def test_an_opening_is_seen_heard_and_spoken_in(
    hall: HallUnderTest, devices: Browser
) -> None:
    host = await at(devices, hall.host)
    await go_on_air(host)
    await assert_accessible(host, "live on air")
    bidder = await at(devices, hall.link("bid", hall.world.bidders[0]))
    await see(bidder, "主持人 林悦")
    await press(bidder, "打开声音")
    await watches(bidder)

    public = await at(devices, f"{hall.url}/hall/{ROOM}")
    await plays_fragments(public)
    await see(public, "比现场晚")
    assert await public.evaluate("() => window.connections.length") == 0
    await assert_accessible(public, "live public")

    await host.locator(".send-switch", has_text="话筒").click()
    await see(host, "已关，点一下打开")
    await until(bidder, FIGURES, lambda one: one["level"] == 0)
    await assert_accessible(host, "live muted")
    await picture(host, "live-muted")

    await speak(host, bidder)


async def speak(host: Page, bidder: Page) -> None:
    """A bidder is put on stage, speaks, is muted, and is taken off."""
    await see(host, "名单已公布")
    await press(host, "请上台")
    await host.get_by_label("事由").fill("说明 2 号问题")
    await host.locator("form.field button").click()
    await see(bidder, "主持人请您上台发言")
    await see(bidder, "事由：说明 2 号问题")
    await assert_accessible(bidder, "live asked")
    await picture(bidder, "live-asked")
    await press(bidder, "同意，准备发言")
    await agree_and_join(bidder, "live-bidder")
    await see(bidder, "您在台上，大家看得到、听得到您")
    await see(host, "在台上")
    await watches(host)
    await assert_accessible(host, "live on stage")
    await assert_accessible(bidder, "live speaking")
    await picture(host, "live-on-stage")

    await bidder.locator(".send-switch", has_text="话筒").click()
    await see(host, "话筒：已静音")
    await press(host, "请下台")
    await host.get_by_label("事由").fill("说明完毕")
    await host.locator("form.field button").click()
    await see(bidder, "发言结束")
    await until(bidder, SENDING, lambda one: one["live"] == 0)
    await assert_accessible(bidder, "live over")


async def test_pictures_come_back_by_themselves(hall: HallUnderTest, devices: Browser) -> None:
    host = await at(devices, hall.host)
    await go_on_air(host)
    bidder = await at(devices, hall.link("bid", hall.world.bidders[0]))
    await press(bidder, "打开声音")
    await watches(bidder)
    public = await at(devices, f"{hall.url}/hall/{ROOM}")
    await plays_fragments(public)

    # Another network: the old connection is dead, the browser says that it is online again.
    await bidder.evaluate(
        """() => {
          for (const one of window.connections.splice(0)) one.close();
          dispatchEvent(new Event("online"));
        }"""
    )
    assert await until(bidder, FIGURES, lambda one: one["frames"] > 0) < BACK_S_MAX

    old = media_process(hall)
    assert old is not None
    played = await public.evaluate(PLAYED)
    await bidder.evaluate("() => { window.connections.length = 0; }")
    os.kill(old, signal.SIGKILL)
    await begun_anew(hall, old)
    back = until(bidder, FIGURES, lambda one: one["frames"] > 0)
    again = until(public, PLAYED, lambda one: one["frames"] != played["frames"] and one["time"] > 0)
    took, again_took = await asyncio.gather(back, again)
    print(f"picture back {took:.2f} s by WebRTC, {again_took:.2f} s by fragments")
    assert took < STARTED_S_MAX + BACK_S_MAX
    assert again_took < STARTED_S_MAX + BACK_S_MAX + 2


async def test_where_no_udp_passes_pictures_come_by_fragments(
    hall: HallUnderTest, devices: Browser
) -> None:
    host = await at(devices, hall.host)
    await go_on_air(host)
    async with launched(*FLAGS, NO_UDP) as walled:
        bidder = await at(walled, hall.link("bid", hall.world.bidders[0]))
        await plays_fragments(bidder)
        await see(bidder, "您的网络不通 UDP，已自动改用备用通道")
        await assert_accessible(bidder, "live fallback")
        await picture(bidder, "live-fallback")

        # The host's own page there: what it cannot do is said before it is tried.
        boxed = await at(walled, hall.host)
        await press(boxed, "打开摄像头和话筒", exact=True)
        await press(boxed, "同意，打开摄像头和话筒")
        await see(boxed, "这个网络不让声音和画面直接出去")
        await see(boxed, "这个网络发不出画面和声音")
        await assert_accessible(boxed, "live check blocked")
        await see(host, "您在另一个页面打开了画面")
