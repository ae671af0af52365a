"""Live video in a real browser (现场画面): a site, its media process, fake camera and microphone.

Everything is as people have it: the host joins through the check, a bidder watches by WebRTC, the
public by fragments; networks without UDP and a killed media process are real ones.
"""

import asyncio
import signal
import time
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import pytest
from playwright.async_api import Browser, BrowserContext, Page, Route, ViewportSize

from server.domain.model import Actor
from tests.browser.conftest import (
    FAILED,
    assert_accessible,
    launched,
    open_tab,
    picture,
    press,
    see,
)
from tests.domain.cast import HOST, Bidder
from tests.live.live_lab import ROOM, LiveSite, key_of, live_site

pytestmark = [pytest.mark.browser, pytest.mark.alone]

FLAGS = (
    "--use-fake-device-for-media-stream",
    "--use-fake-ui-for-media-stream",
    "--disable-features=WebRtcHideLocalIpsWithMdns",
)
NO_UDP = "--webrtc-ip-handling-policy=disable_non_proxied_udp"
BACK_S_MAX = 3.0
PATIENCE_S = 30
ID = ROOM.removeprefix("opening:")

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
# What others see of the host, on the host's own page.
OWN = """() => {
  const video = document.querySelector(".live-figure video:not([hidden])");
  return {time: video?.currentTime ?? 0, width: video?.videoWidth ?? 0};
}"""
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


async def at(browser: Browser, hall: LiveSite, page: str, actor: Actor | None = None) -> Page:
    """Somebody's page of the opening; nobody's: as the public."""
    seed = f"#seed={key_of(actor).seed.hex()}" if actor is not None else ""
    return await open_tab(await a_desk(browser), f"{hall.base}/{page}/{ID}{seed}")


@pytest.fixture
async def hall(tmp_path: Path) -> AsyncIterator[LiveSite]:
    """The list of bidders has just been announced."""
    async with live_site(tmp_path) as site:
        await site.is_up()
        yield site


@pytest.fixture
async def devices(request: pytest.FixtureRequest) -> AsyncIterator[Browser]:
    async with launched(*FLAGS) as browser:
        yield browser
        if request.node.stash.get(FAILED, False):
            for number, context in enumerate(browser.contexts):
                await picture(context.pages[0], f"failed-{request.node.name}-{number}")


async def agree_and_join(page: Page, place: str = "") -> None:
    """Consent, check of devices and network, and sending. ``place``: looked at under this name."""
    await see(page, "打开摄像头和话筒之前")
    if place:
        await assert_accessible(page, f"{place} consent")
    await press(page, "同意，打开摄像头和话筒")
    await see(page, "直接接通（UDP）")
    await see(page, "听到您了")
    await see(page, "看得到画面")
    if place:
        await assert_accessible(page, f"{place} check")
        await picture(page, f"{place}-check")
    await press(page, "现在开始发送")


async def go_on_air(host: Page, place: str = "") -> None:
    await press(host, "打开摄像头和话筒", exact=True)
    await agree_and_join(host, place)
    await see(host, "您在播出")


async def until(
    page: Page, script: str, fits: Callable[[dict[str, Any]], bool], within_s: float = PATIENCE_S
) -> float:
    """How long it took, in seconds."""
    began = time.monotonic()
    while True:
        found = await page.evaluate(script)
        took = time.monotonic() - began
        if fits(found):
            return took
        assert took < within_s, found
        await asyncio.sleep(0.05)


async def watches(page: Page) -> None:
    """Pictures are decoded and a voice is heard, by WebRTC."""
    await until(page, FIGURES, lambda one: one["frames"] > 15 and one["level"] > 0)


async def plays_fragments(page: Page) -> None:
    await until(page, PLAYED, lambda one: not one["hidden"] and one["frames"] > 10)


async def places(page: Page) -> Any:
    """Where clock and first case stand."""
    return await page.evaluate(
        """() => [".clock", ".case", "h1"].map((one) => {
          const {x, y, width} = document.querySelector(one).getBoundingClientRect();
          return [one, x, y, width];
        })"""
    )


async def test_an_opening_is_seen_heard_and_spoken_in(hall: LiveSite, devices: Browser) -> None:
    public = await the_hall_does_not_wait(hall, devices)
    host = await at(devices, hall, "host", HOST)
    await go_on_air(host, "live-host")
    await see(host, "播出中")
    await until(host, OWN, lambda one: one["width"] > 0 and one["time"] > 0)
    await assert_accessible(host, "live on air")
    bidder = await at(devices, hall, "bid", Bidder(1).actor)
    await see(bidder, "主持人 林悦")
    await press(bidder, "打开声音")
    await watches(bidder)

    await plays_fragments(public)
    await see(public, "比现场晚")
    assert await public.evaluate("() => window.connections.length") == 0
    await assert_accessible(public, "live public")

    await host.locator(".send-switch", has_text="话筒").click()
    await see(host, "已关，点一下打开")
    await see(host, "静音：大家现在听不到声音")
    await until(bidder, FIGURES, lambda one: one["level"] == 0)
    await assert_accessible(host, "live muted")
    await picture(host, "live-muted")

    await speak(host, bidder)


async def the_hall_does_not_wait(hall: LiveSite, devices: Browser) -> Page:
    """Whole where video never comes; where it comes late, nothing moves. The late one's page."""
    without = await (await a_desk(devices)).new_page()
    await without.route("**/hall_live-*.js", lambda route: route.abort())
    await without.goto(f"{hall.base}/hall/{ID}")
    await see(without, "大厅广播")
    await without.wait_for_timeout(1_000)
    assert await without.locator(".live").count() == 0

    page = await (await a_desk(devices)).new_page()
    let_go = asyncio.Event()

    async def hold(route: Route) -> None:
        await let_go.wait()
        await route.continue_()

    await page.route("**/hall_live-*.js", hold)
    await page.goto(f"{hall.base}/hall/{ID}")
    await see(page, "您可以自己核对")  # the hall's events are all there, and their letters
    await page.evaluate("() => document.fonts.ready.then(() => null)")
    before = await places(page)
    let_go.set()
    await see(page, "现场画面")
    assert await places(page) == before
    await see(page, "现在没有画面。大厅照常进行。")
    await assert_accessible(page, "live nobody")
    return page


async def speak(host: Page, bidder: Page) -> None:
    """A bidder is put on stage, speaks, is muted, and is taken off."""
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


async def test_pictures_come_back_and_come_where_no_udp_passes(
    hall: LiveSite, devices: Browser
) -> None:
    host = await at(devices, hall, "host", HOST)
    await go_on_air(host)
    bidder = await at(devices, hall, "bid", Bidder(1).actor)
    await press(bidder, "打开声音")
    await watches(bidder)
    public = await at(devices, hall, "hall")
    await plays_fragments(public)

    # Another network: the old connection is dead, the browser says that it is online again.
    await bidder.evaluate(
        """() => {
          for (const one of window.connections.splice(0)) one.close();
          dispatchEvent(new Event("online"));
        }"""
    )
    assert await until(bidder, FIGURES, lambda one: one["frames"] > 0) < BACK_S_MAX
    await after_a_kill(hall, host, bidder, public)
    await where_no_udp_passes(hall, host)


async def after_a_kill(hall: LiveSite, host: Page, bidder: Page, public: Page) -> None:
    """Both ways are back within three seconds of the moment at which pages are told."""
    old = hall.child_pid
    before = (await public.evaluate(PLAYED))["time"]
    await bidder.evaluate("() => { window.connections.length = 0; }")
    async with host.expect_request("**/publish"):  # what follows from being told
        hall.kill_child(signal.SIGKILL)
    back = until(bidder, FIGURES, lambda one: one["frames"] > 0)
    again = until(public, PLAYED, lambda one: one["frames"] > 0 and one["time"] != before)
    took, again_took = await asyncio.gather(back, again)
    assert hall.child_pid != old
    assert max(took, again_took) < BACK_S_MAX, (took, again_took)


async def where_no_udp_passes(hall: LiveSite, host: Page) -> None:
    async with launched(*FLAGS, NO_UDP) as walled:
        bidder = await at(walled, hall, "bid", Bidder(1).actor)
        await plays_fragments(bidder)
        await see(bidder, "您的网络不通 UDP，已自动改用备用通道")
        await assert_accessible(bidder, "live fallback")
        await picture(bidder, "live-fallback")

        # The host's own page there: what it cannot do is said before it is tried.
        boxed = await at(walled, hall, "host", HOST)
        await press(boxed, "打开摄像头和话筒", exact=True)
        await press(boxed, "同意，打开摄像头和话筒")
        await see(boxed, "这个网络不让声音和画面直接出去")
        await see(boxed, "这个网络发不出画面和声音")
        await assert_accessible(boxed, "live check blocked")
        await see(host, "您在另一个页面打开了画面")
