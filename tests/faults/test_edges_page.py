"""A page of the public in a real browser: at an edge, at the other when that one is killed, at the
site when no edge is left.
"""

import asyncio
import shutil
from pathlib import Path

import pytest
from playwright.async_api import async_playwright

from loadtests.edge_process import EdgeProcess, edge_settings
from loadtests.redis_process import RedisProcess
from tests.faults.site_process import ROOM, Nursery, SiteProcess, free_port, plan_of

pytestmark = [pytest.mark.slow, pytest.mark.browser]

ROOMS = 2
TURN_S_MAX = 30.0
STEP_MS = 60_000


class Lines:
    """The WebSockets of a page, as the browser reports them."""

    def __init__(self) -> None:
        self.heard: list[str] = []  # urls that have said something, in turn
        self._changed = asyncio.Event()

    def opened(self, socket) -> None:
        def received(_payload: object) -> None:
            if not self.heard or self.heard[-1] != socket.url:
                self.heard.append(socket.url)
                self._changed.set()

        socket.on("framereceived", received)

    async def until(self, count: int) -> str:
        """The address of line number ``count``, from 1, that has said something."""
        async with asyncio.timeout(TURN_S_MAX):
            while len(self.heard) < count:
                self._changed.clear()
                await self._changed.wait()
        return self.heard[count - 1]


async def test_a_page_goes_from_edge_to_edge_and_to_the_site_at_last(
    nursery: Nursery, tmp_path: Path
):
    ports = {name: free_port() for name in ("http_port", "ws_port", "health_port")}
    ready = {**ports, "origin": f"http://127.0.0.1:{ports['http_port']}"}
    with (
        RedisProcess() as bus,
        EdgeProcess(bus.url, ready["origin"]) as a,
        EdgeProcess(bus.url, ready["origin"]) as b,
    ):
        edges = {edge.url: edge for edge in (a, b)}
        site = SiteProcess(
            nursery,
            tmp_path,
            {ROOM: plan_of(3_600_000)},
            edges=edge_settings(bus.url, urls=list(edges)),
            ready=ready,
        )
        async with site, async_playwright() as playwright:
            await site.start()
            for edge in edges.values():
                await asyncio.to_thread(edge.until_ready, ROOMS)
            chromium = shutil.which("chromium")
            assert chromium, "apt-get install chromium"
            browser = await playwright.chromium.launch(
                executable_path=chromium, args=["--no-sandbox"]
            )
            page = await browser.new_page()
            lines = Lines()
            page.on("websocket", lines.opened)
            await page.goto(f"{site.base}/hall/{ROOM}")
            await page.get_by_text("滨河东路道路改造工程").first.wait_for(timeout=STEP_MS)
            first = await lines.until(1)
            edges.pop(first).kill()
            second = await lines.until(2)
            edges.pop(second).kill()
            assert await lines.until(3) == f"ws://127.0.0.1:{ports['ws_port']}/ws"
            await browser.close()
