"""Bad paths in real Chromium, short (坏网络): seeded loss and delay, and a cap that comes and goes.

The long forms are in ``test_sfu_in_browser`` and run by ``make soak``.
"""

import asyncio
import time

import pytest
from playwright.async_api import BrowserContext, Page

from tests.media.sfu_lab import Hall, running
from tests.media.test_sfu_in_browser import (
    browser,
    decoded,
    height_of,
    relayed,
    until,
)

__all__ = ["browser"]
pytestmark = [pytest.mark.alone, pytest.mark.browser]

WATCHED_S = 8
FREEZE_S_MAX = 1.0
CAP_BITS_S = 200_000


async def stood_still(page: Page, seconds: float) -> float:
    """The longest time without a new picture, s."""
    began = newest = time.monotonic()
    longest, frames = 0.0, 0
    while (now := time.monotonic()) - began < seconds:
        shown = decoded(await page.evaluate("() => stats('viewer')"))
        if shown > frames:
            frames, newest = shown, now
        longest = max(longest, now - newest)
        await asyncio.sleep(0.1)
    return longest


def layers_sent(hall: Hall) -> list[int]:
    """Which layer its viewer is sent of every picture that has several; 0 is the smallest."""
    watched = [found[2] for found in hall.sfu._viewers._watched.values()]
    return [each.choice.layer for each in watched if each.layers > 1]


async def test_five_per_cent_lost_and_late_freezes_nothing(browser: BrowserContext) -> None:
    """5 % lost and 40 ms of delay each way, of the publisher and of the viewer: 80 ms there and
    back on each leg.
    """
    async with running() as hall, relayed(hall, browser) as (viewer, *relays):
        for relay in relays:
            for weather in (relay.up, relay.down):
                weather.loss, weather.delay_s, weather.jitter_s = 0.05, 0.04, 0.005
        assert await stood_still(viewer, WATCHED_S) < FREEZE_S_MAX
        assert min(relay.down.lost + relay.up.lost for relay in relays) > 10
        counters = hall.sfu.counters()
        assert counters.nacks_asked > 0
        assert counters.resent > 0
        # So much loss is no reason to stay small, though a busy machine may add to it for a while.
        # How high the larger layer's pictures are is the publisher's choice: on such a path
        # Chromium sometimes encodes them smaller, and sends as much of them as before.
        await until(viewer, "viewer", lambda _: layers_sent(hall) == [1])


async def test_the_layer_goes_down_with_the_cap_and_up_again(browser: BrowserContext) -> None:
    async with running() as hall, relayed(hall, browser) as (viewer, _, relay):
        relay.down.cap_bits_s = CAP_BITS_S
        await until(viewer, "viewer", lambda stats: height_of(stats) == 180)
        assert relay.down.lost > 0
        relay.down.cap_bits_s = 0
        await until(viewer, "viewer", lambda stats: height_of(stats) == 720)
