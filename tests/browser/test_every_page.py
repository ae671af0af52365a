"""Every page on a phone and on a desk, dark and light, Chinese and English (各端各色各语):
accessible (无障碍), and never wider than the screen.

One hall in its countdown, where everything that a page can show at once is shown, and one browser.
"""

import asyncio

import pytest
from playwright.async_api import Browser, Page

from server.demo.people import Host
from tests.browser.conftest import STEP_MS, HallUnderTest, assert_accessible, picture
from tests.browser.hall_process import ROOM

pytestmark = [pytest.mark.browser, pytest.mark.slow]

SIZES = {"phone": {"width": 390, "height": 844}, "desk": {"width": 1366, "height": 768}}
# Every pair of a size, a colour and a language once.
LOOKS = (
    ("phone", "dark", "zh-CN"),
    ("phone", "light", "en"),
    ("desk", "dark", "en"),
    ("desk", "light", "zh-CN"),
)
IN_COUNTDOWN = {"deadline_s": 35, "window_s": 300, "behaviours": ["plain", "plain", "never"]}
START_S_MAX = 120
WIDER_BY = "document.scrollingElement.scrollWidth - innerWidth"
LANGUAGE_KEY = "kaibiao.locale"
TENDER = "滨河东路道路改造工程"
NO_SUCH = {"zh-CN": "没有这一场", "en": "There is no such opening"}


def pages_of(hall: HallUnderTest) -> dict[str, str]:
    return {
        "list": f"{hall.url}/",
        "hall": f"{hall.url}/hall/{ROOM}",
        "bidder": hall.link("bid", hall.world.bidders[0]),
        "host": hall.host,
        "supervisor": hall.link("host", hall.world.supervisor),
        "trustee": hall.trustee,
        "unlock": f"{hall.url}/unlock/{ROOM}",
    }


async def faults_of(page: Page, place: str, url: str, says: str = TENDER) -> list[str]:
    """What is wrong with one page."""
    await page.goto("about:blank")  # a fragment alone would not load the page anew
    await page.goto(url)
    # Every page of a tender names it, and none says that it is still loading.
    await page.get_by_text(says).first.wait_for()
    await page.locator("main progress").wait_for(state="hidden")
    found: list[str] = []
    wider = await page.evaluate(WIDER_BY)
    if wider > 0:
        found.append(f"{place}: {wider} px wider than the screen")
    try:
        await assert_accessible(page, place)
    except AssertionError as error:
        found.append(str(error))
    if found:
        await picture(page, f"fault-{place}")
    return found


async def leads_back(page: Page, url: str, says: str, found: list[str]) -> None:
    """A wrong address says that nothing is there, and leads to the list; adds what is wrong."""
    found += await faults_of(page, f"no such hall: {says}", url, says)
    await page.locator("main a.act").click()
    await page.get_by_text(TENDER).first.wait_for()
    assert page.url.endswith("/")


@pytest.mark.parametrize("hall", [IN_COUNTDOWN], indirect=True)
async def test_no_page_is_wider_than_its_screen_and_axe_finds_nothing(
    hall: HallUnderTest, chromium: Browser
) -> None:
    # Where bids come too late on a busy machine, nothing is opened, and nobody waits for it.
    async with asyncio.timeout(START_S_MAX), Host(hall.url, hall.world.host, ROOM) as host:
        await host.enter("staff")
        await host.until(lambda e: e.kind == "checkpoint_reached" and e.body["of"] == "closing")
        await host.do("start_window", session=1)
        await host.until_kind("window_opened")
    found: list[str] = []
    for size, colour, language in LOOKS:
        context = await chromium.new_context(
            viewport=SIZES[size], color_scheme=colour, locale="zh-CN"
        )
        context.set_default_timeout(STEP_MS)
        await context.add_init_script(f"localStorage.setItem('{LANGUAGE_KEY}', '{language}')")
        page = await context.new_page()
        for name, url in pages_of(hall).items():
            found += await faults_of(page, f"{name}-{size}-{colour}-{language}", url)
        await leads_back(page, f"{hall.url}/hall/no-such-hall", NO_SUCH[language], found)
        await context.close()
    assert found == []
