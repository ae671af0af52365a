"""The host's hands on the clock (暂停、延长、重新开始), in a real browser: everybody sees the new
end and the reason, and a countdown that stands still loses no time.
"""

import re

import pytest
from playwright.async_api import BrowserContext, Page

from tests.browser.conftest import HallUnderTest, assert_accessible, open_tab, picture, press, see
from tests.browser.hall_process import ROOM

pytestmark = [pytest.mark.browser, pytest.mark.slow]

REASON = "理由（会念给所有人听，并写入记录）"
# One of three never unlocks, so the first countdown runs to its end; no trustee is there to
# release, so it may begin anew.
PLAYED = {"deadline_s": 35, "window_s": 9, "behaviours": ["plain", "plain", "never"], "trustees": 0}
EXTRA_S = 5 * 60


async def clock_s(page: Page, clock: str = ".clock") -> int:
    """What a clock shows, in seconds; unless said, the large one."""
    shown = await page.locator(clock).first.inner_text()
    *_, minutes, seconds = map(int, re.findall(r"\d+", shown))
    return minutes * 60 + seconds


@pytest.mark.parametrize("hall", [PLAYED], indirect=True)
async def test_the_host_restarts_pauses_and_extends_and_everybody_sees_why(
    hall: HallUnderTest, context: BrowserContext
) -> None:
    host = await open_tab(context, hall.host)
    public = await open_tab(context, f"{hall.url}/hall/{ROOM}")
    await press(host, "开始解密，时限")
    await press(host, "重新开始", exact=True)
    await press(host, "重新开始解密，告知全部")
    await see(host, "请写明理由。")
    await host.get_by_label(REASON).fill("三号投标人的线路断了")
    await press(host, "重新开始解密，告知全部")

    await press(host, "暂停", exact=True)
    await host.get_by_label(REASON).fill("核对三号的线路")
    await assert_accessible(host, "pause")
    await press(host, "暂停，告知全部")
    await see(public, "已暂停：核对三号的线路")
    await picture(public, "hall-paused")
    await assert_accessible(public, "paused")
    left_s = await clock_s(public)
    await public.wait_for_timeout(2_000)
    assert await clock_s(public) == left_s

    await press(host, "延长", exact=True)
    await host.get_by_text("5 分钟", exact=True).click()
    await host.get_by_label(REASON).fill("给三号补足时间")
    await press(host, "延长 5 分钟，告知全部")
    await see(host, "已延长")
    assert await clock_s(public) == left_s + EXTRA_S
    assert await clock_s(host, ".room-clock") == await clock_s(host)
    await press(host, "继续计时")
    await public.get_by_text("已暂停：核对三号的线路").wait_for(state="hidden")
    await picture(host, "host-extended")
    await public.wait_for_timeout(1_500)
    assert left_s + EXTRA_S - 10 < await clock_s(public) < left_s + EXTRA_S
