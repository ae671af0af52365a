"""The whole site is killed in the middle of a meeting (整站重启): the pictures come back by
themselves, within three seconds of the moment at which the site answers again.
"""

import asyncio
import time

import pytest
from playwright.async_api import Page

from tests.browser.conftest import HallUnderTest, launched
from tests.browser.test_venue_room import FAKES, PLAN, frames, join, page_of

pytestmark = [pytest.mark.browser, pytest.mark.slow, pytest.mark.alone]

BACK_S_MAX = 3.0
PATIENCE_S = 60.0
# Pictures that came by connections made since they were last forgotten.
PICTURES = """async () => {
  let pictures = 0;
  for (const one of window.connections) {
    if (one.connectionState === "closed") continue;
    (await one.getStats()).forEach((row) => {
      if (row.type === "inbound-rtp") pictures += row.framesDecoded ?? 0;
    });
  }
  return pictures;
}"""


async def seen_again(page: Page) -> float:
    """When the first picture by a new connection was decoded, by our clock, in seconds."""
    async with asyncio.timeout(PATIENCE_S):
        while await page.evaluate(PICTURES) == 0:  # noqa: ASYNC110 - nobody tells
            await asyncio.sleep(0.05)
    return time.monotonic()


@pytest.mark.parametrize("hall", [PLAN], indirect=True)
async def test_pictures_are_back_three_seconds_after_the_site_is(hall: HallUnderTest) -> None:
    world = hall.world
    async with (
        launched(*FAKES) as browser,
        page_of(browser, hall, world.experts[0]) as at_main,
        page_of(browser, hall, world.experts[3]) as at_satellite,
    ):
        for page in (at_main, at_satellite):
            await join(page)
        for page, other in ((at_main, world.experts[3]), (at_satellite, world.experts[0])):
            await frames(page, other.person, 5)
        hall.kill()
        for page in (at_main, at_satellite):
            await page.evaluate("() => { window.connections.length = 0; }")
        await hall.start()
        back = time.monotonic()
        seen = await asyncio.gather(seen_again(at_main), seen_again(at_satellite))
        took = [round(one - back, 2) for one in seen]
        print(f"the site is killed: pictures are back after {took} s")
        assert max(took) < BACK_S_MAX, took
