"""A laptop that slept in a meeting (休眠唤醒): all processes of its browser stand still for a
while and go on; it sees and is seen again within three seconds.
"""

import asyncio
import os
import signal
import time

import pytest
from playwright.async_api import Browser, Page

from tests.browser.conftest import HallUnderTest, launched
from tests.browser.test_venue_room import FAKES, FRAMES, PLAN, frames, join, page_of

pytestmark = [pytest.mark.browser, pytest.mark.slow, pytest.mark.alone]

SLEEP_S = 15.0
BACK_S_MAX = 3.0
PATIENCE_S = 60.0
LOOK_S = 0.2
FLOWS = 3  # looks in a row with further pictures: what lay in a socket is no picture that is back


async def processes(browser: Browser) -> list[int]:
    """Process ids of the whole browser, as it says itself."""
    session = await browser.new_browser_cdp_session()
    found = await session.send("SystemInfo.getProcessInfo")
    return [one["id"] for one in found["processInfo"]]


async def flows(page: Page, member: str) -> float:
    """When somebody's pictures began to come and went on, by our clock, in seconds."""
    began_s, before, looks = 0.0, -1, 0
    async with asyncio.timeout(PATIENCE_S):
        while looks < FLOWS:
            now = await page.evaluate(FRAMES, member)
            if 0 <= before < now:
                began_s = began_s or time.monotonic()
                looks += 1
            else:
                began_s, looks = 0.0, 0
            before = now
            await asyncio.sleep(LOOK_S)
    return began_s


@pytest.mark.parametrize("hall", [PLAN], indirect=True)
async def test_a_laptop_that_slept_sees_and_is_seen_three_seconds_later(
    hall: HallUnderTest,
) -> None:
    world = hall.world
    awake, asleep = world.experts[0], world.experts[3]
    async with (
        launched(*FAKES) as office,
        launched(*FAKES) as laptop,
        page_of(office, hall, awake) as at_main,
        page_of(laptop, hall, asleep) as at_satellite,
    ):
        for page in (at_main, at_satellite):
            await join(page)
        await frames(at_main, asleep.person, 5)
        await frames(at_satellite, awake.person, 5)
        pids = await processes(laptop)
        for pid in pids:
            os.kill(pid, signal.SIGSTOP)
        try:
            await asyncio.sleep(SLEEP_S)
        finally:
            for pid in pids:
                os.kill(pid, signal.SIGCONT)
        woken_s = time.monotonic()
        seen = await asyncio.gather(
            flows(at_satellite, awake.person), flows(at_main, asleep.person)
        )
    took = [round(one - woken_s, 2) for one in seen]
    print(f"asleep for {SLEEP_S:.0f} s: sees after {took[0]} s, is seen after {took[1]} s")
    assert max(took) < BACK_S_MAX, took
