"""The playback (录像回放) in a real browser: press an event, see the room at that moment.

The recording is a real RTP journal, and the files are made by the site; each picture shows its own
number, so that what is seen can be read.
"""

import asyncio
from pathlib import Path
from typing import Any

import pytest
from playwright.async_api import BrowserContext, Page

from media.recording.timeline import Timeline
from server.http.client import HallHttp
from tests.browser.conftest import (
    HallUnderTest,
    assert_accessible,
    open_tab,
    picture,
    press,
    see,
)
from tests.browser.hall_process import GUEST, ROOM
from tests.browser.recorded_room import FRAME_MS, Publisher, record

pytestmark = [pytest.mark.browser, pytest.mark.slow, pytest.mark.alone]

BEFORE_MS = 5000  # the recording begins so long before the event
LATER_MS = 2000  # and the second publisher so long after the first
SECONDS = 16
SIGN_IN = "大厅开放"
PLAN = {"behaviours": [], "trustees": 0, "deadline_s": 1800}
SHOWN = """(at) => {
  const video = document.querySelectorAll(".player video")[at];
  const canvas = Object.assign(document.createElement("canvas"), {width: 320, height: 240});
  const paint = canvas.getContext("2d");
  paint.drawImage(video, 0, 0, 320, 240);
  let number = 0;
  for (let bit = 0; bit < 12; bit++) {
    if (paint.getImageData(bit * 20 + 10, 10, 1, 1).data[0] > 128) number += 1 << bit;
  }
  return {number, s: video.currentTime, paused: video.paused, seeking: video.seeking,
          ready: video.readyState, width: video.videoWidth};
}"""


async def shown(page: Page, at: int) -> dict[str, Any]:
    return await page.evaluate(SHOWN, at)


async def settled(page: Page, at: int) -> dict[str, Any]:
    """What a player shows when it stands and has its picture."""
    async with asyncio.timeout(20):
        while True:
            seen = await shown(page, at)
            if not seen["seeking"] and seen["ready"] >= 2:
                return seen
            await asyncio.sleep(0.1)


async def sign_in_opened_ms(hall: HallUnderTest) -> int:
    """When the event was journaled that the test will press."""
    async with HallHttp(hall.url) as client, asyncio.timeout(30):
        while True:
            for _, at_ms, kind, *_ in (await client.events(f"opening:{ROOM}", "hall"))["events"]:
                if kind == "sign_in_opened":
                    return at_ms
            await asyncio.sleep(0.2)


async def recording_json(page: Page) -> dict[str, Any]:
    """As the page asks for it."""
    return await page.evaluate(
        """(room) => fetch(`/media/${room}/recording.json`, {headers:
             {"X-Kaibiao-Session": sessionStorage.getItem("kaibiao.session") ?? ""}})
           .then((answer) => answer.json())""",
        f"opening:{ROOM}",
    )


@pytest.mark.parametrize("hall", [PLAN], indirect=True)
async def test_an_event_is_pressed_and_everybody_is_seen_at_that_moment(
    hall: HallUnderTest, context: BrowserContext
) -> None:
    event_ms = await sign_in_opened_ms(hall)
    publishers = [
        Publisher(hall.world.host.person, 0, SECONDS, lost_ms=400),
        Publisher(hall.world.bidders[0].person, LATER_MS, SECONDS - 4),
    ]
    root = Path(hall.plan["data"]) / "recordings"
    root.mkdir(exist_ok=True)
    await asyncio.to_thread(record, root, f"opening-{ROOM}", event_ms - BEFORE_MS, publishers)

    page = await open_tab(context, hall.link("playback", hall.world.host))
    await press(page, "生成可播放的录像")
    await page.locator(".player video").nth(1).wait_for(timeout=60_000)
    await see(page, "大厅开放")
    described = await recording_json(page)
    timelines = {one["member"]: Timeline.parse(one["timeline"]) for one in described["files"]}
    order = [one["member"] for one in described["files"]]

    # Pressed: every player is where the event's moment lies in its file, and shows that picture.
    await page.get_by_role("button", name=SIGN_IN).first.click()
    for publisher in publishers:
        seen = await settled(page, order.index(publisher.member))
        position_ms = timelines[publisher.member].position_ms(event_ms)
        assert position_ms is not None
        assert abs(seen["s"] * 1000 - position_ms) <= 1
        expected = (BEFORE_MS - publisher.after_ms) / FRAME_MS
        assert abs(seen["number"] - expected) <= 1, "another picture is shown"
        assert seen["paused"]
    await assert_accessible(page, "playback")
    await picture(page, "playback-pressed")

    # Played: both go on, and stay together.
    await page.keyboard.press("Escape")
    await press(page, "播放", exact=True)
    before = (await shown(page, 0))["s"]
    await page.wait_for_function(
        "(s) => document.querySelector('.player video').currentTime > s", arg=before + 2
    )
    await press(page, "暂停", exact=True)
    numbers = [(await settled(page, order.index(one.member)))["number"] for one in publishers]
    assert abs(numbers[0] - numbers[1] - LATER_MS / FRAME_MS) <= 2

    # By keyboard: five seconds back, and to what was not recorded by the second one.
    await page.locator("h1").click()
    await page.keyboard.press("Shift+ArrowLeft")
    await see(page, "此刻这里没有录到")
    assert (await settled(page, order.index(hall.world.host.person)))["number"] <= 1

    # What is missing is said, and whoever may not see it is told so.
    await see(page, "缺 0.4 秒")
    other = await context.browser.new_context() if context.browser else context
    guest = await open_tab(other, hall.link("playback", hall.world.bidders[GUEST]))
    await guest.locator("h1").wait_for()
    assert await guest.locator("video").count() == 0
    await other.close()
    await page.set_viewport_size({"width": 390, "height": 844})
    await assert_accessible(page, "playback on a phone")
    await picture(page, "playback-phone")
