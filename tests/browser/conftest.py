"""Browser journeys: real Chromium, a real hall in a process of its own.

A missing browser is a failure, never a skip: what people see is not tested otherwise.
"""

import asyncio
import contextlib
import json
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Generic, TypeVar

import pytest
from playwright.async_api import Browser, BrowserContext, Page, async_playwright

from loadtests.ports import free_ports
from server.demo.world import Person, World
from tests.browser.detours import RefusingProxy, detour
from tests.browser.hall_process import CAST, GUEST, ROOM, SEED

ROOT = Path(__file__).resolve().parents[2]
SCREENS = ROOT / "build" / "screens"
AXE = ROOT / "web_client" / "node_modules" / "axe-core" / "axe.min.js"
FLAGS = [
    "--no-sandbox",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--disable-quic",
    "--no-first-run",
]
AXE_RUN = """
axe.run(document, {runOnly: ["wcag2a", "wcag2aa", "wcag21aa", "wcag22aa"]}).then((report) =>
  report.violations.map((v) => `${v.id}: ${v.nodes.map((n) => n.target.join(" ")).join(", ")}`))
"""
STEP_MS = 60_000  # how long a page may take for a step on a loaded machine
FILE_BYTES = 3 << 20
Proxy = TypeVar("Proxy")


def now_ms() -> int:
    return time.time_ns() // 1_000_000


@dataclass
class HallUnderTest:
    """The hall's process; it can be killed and started again on the same data and ports."""

    plan: dict[str, Any]
    process: subprocess.Popen[str] | None = None
    world: World = field(default_factory=lambda: World(SEED, 3))

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.plan['port']}"

    async def start(self) -> None:
        # A killed hall leaves its cast behind; they must not hold our own output open.
        with (Path(self.plan["data"]).parent / "hall.err").open("a") as errors:
            self.process = subprocess.Popen(  # noqa: ASYNC220 - a fixture may wait
                [sys.executable, "-m", "tests.browser.hall_process"],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                cwd=ROOT,
                text=True,
                stderr=errors,
            )
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        self.process.stdin.write(json.dumps(self.plan) + "\n")
        self.process.stdin.flush()
        line = await asyncio.to_thread(self.process.stdout.readline)
        assert line.strip() == "ready", "the hall did not start"

    def kill(self) -> None:
        assert self.process is not None
        os.kill(self.process.pid, signal.SIGKILL)
        self.process.wait()
        self._let_go()

    def stop(self) -> None:
        """Ends the hall, and the people whom a killed one left behind."""
        self._stop_hall()
        pids = Path(self.plan["data"]).parent / CAST
        for pid in json.loads(pids.read_text()) if pids.exists() else []:
            with contextlib.suppress(OSError):
                # A number may be somebody else's by now; the cast's all come from a fork server.
                if b"forkserver" in Path(f"/proc/{pid}/cmdline").read_bytes():
                    os.kill(pid, signal.SIGTERM)

    def _stop_hall(self) -> None:
        if self.process is None:
            return
        if self.process.poll() is None:
            # Not SIGINT: what runs in the background of a shell may have been told to ignore it.
            self.process.send_signal(signal.SIGTERM)
            try:
                self.process.wait(15)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()
        self._let_go()

    def _let_go(self) -> None:
        assert self.process is not None
        for pipe in (self.process.stdin, self.process.stdout):
            assert pipe is not None
            pipe.close()

    @property
    def ws_port(self) -> int:
        return self.plan["port"] + 1

    def link(self, page: str, person: Person, **more: str) -> str:
        extra = "".join(f"&{name}={value}" for name, value in more.items())
        return f"{self.url}/{page}/{ROOM}#seed={person.seed.hex()}{extra}"

    @property
    def host(self) -> str:
        seed = self.world.host_officer.seed.hex()
        return self.link("host", self.world.host, officer_seed=seed)

    @property
    def supervisor(self) -> str:
        seed = self.world.supervisor_officer.seed.hex()
        return self.link("host", self.world.supervisor, officer_seed=seed)

    @property
    def guest(self) -> str:
        return self.link("bid", self.world.bidders[GUEST])

    @property
    def trustee(self) -> str:
        """The third trustee, whom nobody plays."""
        keys = self.world.trustees[2]
        seeds = {"xpk_seed": keys.box.seed.hex(), "spk_seed": keys.sign.seed.hex()}
        return self.link("trustee", keys.person, **seeds)


@pytest.fixture
async def hall(tmp_path: Path, request: pytest.FixtureRequest) -> AsyncIterator[HallUnderTest]:
    wanted: dict[str, Any] = getattr(request, "param", {})
    plan = {
        "port": free_ports(5),
        "data": str(tmp_path / "hall"),
        "deadline_ms": now_ms() + wanted.get("deadline_s", 45) * 1000,
        "window_ms": wanted.get("window_s", 90) * 1000,
        "behaviours": wanted.get("behaviours", ["plain", "plain"]),
        "trustees": wanted.get("trustees", 2),
        "meeting": wanted.get("meeting", False),
    }
    under_test = HallUnderTest(plan)
    try:
        await under_test.start()
        yield under_test
    finally:
        under_test.stop()


@contextlib.asynccontextmanager
async def launched(*more_flags: str) -> AsyncIterator[Browser]:
    path = shutil.which("chromium")
    assert path is not None, "browser journeys need Debian's chromium: apt-get install chromium"
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(
            executable_path=path, args=[*FLAGS, *more_flags], timeout=STEP_MS
        )
        yield browser
        await browser.close()


@contextlib.asynccontextmanager
async def at_a_desk(
    browser: Browser, request: pytest.FixtureRequest, road: str = ""
) -> AsyncIterator[BrowserContext]:
    desk = {"width": 1440, "height": 1000}
    made = await browser.new_context(viewport=desk, locale="zh-CN", accept_downloads=True)
    made.set_default_timeout(STEP_MS)
    yield made
    if request.node.stash.get(FAILED, False):
        for number, page in enumerate(made.pages):
            await picture(page, f"failed-{request.node.name}{road}-{number}")
    await made.close()


@pytest.fixture
async def chromium() -> AsyncIterator[Browser]:
    async with launched() as browser:
        yield browser


@pytest.fixture
async def context(
    chromium: Browser, request: pytest.FixtureRequest
) -> AsyncIterator[BrowserContext]:
    async with at_a_desk(chromium, request) as made:
        yield made


@dataclass(frozen=True, slots=True)
class Detour(Generic[Proxy]):
    """A browser whose WebSockets take another road, and what stands on it."""

    proxy: Proxy
    context: BrowserContext


@pytest.fixture
async def behind_a_wall(
    hall: HallUnderTest, request: pytest.FixtureRequest
) -> AsyncIterator[Detour[RefusingProxy]]:
    """Every upgrade is refused, as HTTP."""
    async with (
        RefusingProxy() as proxy,
        launched(detour(hall.ws_port, proxy.port)) as browser,
        at_a_desk(browser, request, "-wall") as made,
    ):
        yield Detour(proxy, made)


@pytest.fixture
async def a_phone(chromium: Browser) -> AsyncIterator[BrowserContext]:
    """Somebody else's telephone: no login, no key, nothing remembered."""
    size = {"width": 390, "height": 844}
    made = await chromium.new_context(viewport=size, locale="zh-CN", has_touch=True)
    made.set_default_timeout(STEP_MS)
    yield made
    await made.close()


async def open_tab(context: BrowserContext, url: str) -> Page:
    """A tab whose script errors fail the test."""
    page = await context.new_page()
    page.on("pageerror", lambda error: pytest.fail(f"a script failed: {error}"))
    await page.goto(url)
    return page


async def press(page: Page, name: str, *, exact: bool = False) -> None:
    await page.get_by_role("button", name=name, exact=exact).first.click()


async def see(page: Page, text: str, *, within_ms: float = STEP_MS) -> None:
    await page.get_by_text(text).first.wait_for(state="visible", timeout=within_ms)


async def picture(page: Page, name: str) -> None:
    """A screenshot to look at, below build/screens."""
    SCREENS.mkdir(parents=True, exist_ok=True)
    await page.screenshot(path=SCREENS / f"{name}.png", full_page=True)


async def assert_accessible(page: Page, place: str) -> None:
    """axe-core finds nothing serious on the page as it stands."""
    await page.evaluate(AXE.read_text(encoding="utf-8") + "\n;0")
    found = await page.evaluate(AXE_RUN)
    assert found == [], f"{place}: {found}"


async def seal_a_bid(page: Page, folder: Path, *, price: str = "71234567.89") -> None:
    """The bidder's workbench from keys to receipt."""
    await page.locator("#pass-1").fill("correct horse battery")
    await page.locator("#pass-2").fill("correct horse battery")
    await press(page, "生成钥匙并登记")
    await page.get_by_text("填写并封装投标").first.wait_for()
    document = folder / "proposal.pdf"
    document.write_bytes(b"%PDF-1.7\n" + os.urandom(FILE_BYTES))
    await page.get_by_label("投标报价").fill(price)
    await page.get_by_label("工期").fill("180")
    await page.get_by_label("项目经理").fill("沈岚")
    await page.locator("input[type=file]").first.set_input_files(document)
    await press(page, "封装并上传")
    await see(page, "投标已送达，完好封存")
    await see(page, "本机已核对，有效")


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item, call: pytest.CallInfo[None]):
    """Remembers whether the test failed, so that its pages can be pictured."""
    report = yield
    if report.when == "call":
        item.stash[FAILED] = report.failed
    return report


FAILED = pytest.StashKey[bool]()
