"""A page of the public in a real browser: at an edge, at the other when that one is killed, at the
site when no edge is left.
"""

import asyncio
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from playwright.async_api import Page, WebSocket

from loadtests.edge_process import EdgeProcess, edge_settings
from loadtests.redis_process import RedisProcess
from tests.browser.conftest import STEP_MS, launched, see
from tests.faults.site_process import ROOM, Nursery, SiteProcess, free_place, plan_of

pytestmark = [pytest.mark.slow, pytest.mark.browser]

ROOMS = 2
TURN_S_MAX = 60.0
SHOWN_BYTES_MAX = 100


class Lines:
    """The WebSockets of a page, as the browser reports them, and what the page says itself."""

    def __init__(self, page: Page) -> None:
        self.heard: list[str] = []  # urls that have said something, in turn
        self.told: list[str] = []
        self._changed = asyncio.Event()
        page.on("websocket", self._opened)
        page.on("console", lambda said: self.told.append(f"console: {said.text}"))
        page.on("pageerror", lambda error: self.told.append(f"script: {error}"))
        page.on("requestfailed", lambda r: self.told.append(f"failed: {r.url} {r.failure}"))

    def _opened(self, socket: WebSocket) -> None:
        self._tell(socket, "opens")

        def received(payload: bytes | str) -> None:
            self._tell(socket, f"says {payload[:SHOWN_BYTES_MAX]!r}")
            if not self.heard or self.heard[-1] != socket.url:
                self.heard.append(socket.url)
                self._changed.set()

        socket.on("framesent", lambda payload: self._tell(socket, f"is told {payload!r}"))
        socket.on("framereceived", received)
        socket.on("socketerror", lambda error: self._tell(socket, f"fails {error}"))
        socket.on("close", lambda _: self._tell(socket, "closes"))

    def _tell(self, socket: WebSocket, what: str) -> None:
        self.told.append(f"{socket.url} {what}")

    async def until(self, count: int) -> str:
        """The address of line number ``count``, from 1, that has said something."""
        async with asyncio.timeout(TURN_S_MAX):
            while len(self.heard) < count:
                self._changed.clear()
                await self._changed.wait()
        return self.heard[count - 1]


@asynccontextmanager
async def explained(
    page: Page, lines: Lines, site: SiteProcess, edges: Iterable[EdgeProcess]
) -> AsyncIterator[None]:
    """What everybody saw, where it did not come to its end."""
    try:
        yield
    except BaseException:
        print(*lines.told, await page.inner_text("body"), site.said(), sep="\n")
        for edge in edges:
            print(edge.url, edge.reasons(), edge.said())
            if edge.reasons() is not None:
                print(edge.metrics())
        raise


async def test_a_page_goes_from_edge_to_edge_and_to_the_site_at_last(
    nursery: Nursery, tmp_path: Path
):
    ready = free_place()
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
        async with site, launched() as browser:
            await site.start()
            for edge in edges.values():
                await asyncio.to_thread(edge.until_ready, ROOMS)
            page = await browser.new_page()
            page.set_default_timeout(STEP_MS)
            lines = Lines(page)
            async with explained(page, lines, site, (a, b)):
                await page.goto(f"{site.base}/hall/{ROOM}")
                await see(page, "滨河东路道路改造工程")
                first = await lines.until(1)
                edges.pop(first).kill()
                second = await lines.until(2)
                edges.pop(second).kill()
                assert await lines.until(3) == f"ws://127.0.0.1:{ready['ws_port']}/ws"
