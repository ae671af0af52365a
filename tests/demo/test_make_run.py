"""`make run` as it is typed: a hall with people in it, whose page opens the host's seat, and which
goes when it is told to.
"""

import asyncio
import os
import shutil
import signal
import subprocess
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from urllib.request import urlopen

import pytest

from loadtests.ports import free_ports
from server.demo.live import DATA
from tests.browser.conftest import STEP_MS, launched, see

# It makes what is not up to date, where all tests find it.
pytestmark = [pytest.mark.slow, pytest.mark.browser, pytest.mark.alone]

ROOT = Path(__file__).parents[2]
MAIN, LATER = "滨河东路道路改造工程", "江州市第三水厂扩建工程"
WITHIN_S = 120.0


class MakeRun:
    """It and all whom it starts are one session of processes, as at a terminal."""

    def __init__(self, said: Path) -> None:
        self._said = said
        self.port = free_ports(5)
        # Without what a `make` that began these tests would tell it.
        told = {k: v for k, v in os.environ.items() if not k.startswith(("MAKE", "MFLAGS"))}
        with said.open("wb") as output:
            self.process = subprocess.Popen(
                ["make", "run", f"PORT={self.port}"],
                cwd=ROOT,
                env=told,
                start_new_session=True,
                # What runs in the background of a shell was told to ignore it; a terminal's is not.
                preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
            )

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}/demo"

    def said(self) -> str:
        return self._said.read_text()

    def answers(self) -> bool:
        assert self.process.poll() is None, self.said()
        try:
            with urlopen(self.url, timeout=WITHIN_S):
                return True
        except OSError:
            return False

    def members(self) -> list[int]:
        """Process ids of all who are left."""
        return [pid for pid in map(int, filter(str.isdigit, os.listdir("/proc"))) if self._has(pid)]

    def _has(self, pid: int) -> bool:
        try:
            return os.getsid(pid) == self.process.pid
        except ProcessLookupError:
            return False


async def until(is_so: Callable[[], bool]) -> None:
    await asyncio.to_thread(_wait, is_so)


def _wait(is_so: Callable[[], bool]) -> None:
    give_up = time.monotonic() + WITHIN_S
    while not is_so():
        assert time.monotonic() < give_up
        time.sleep(0.1)


@asynccontextmanager
async def make_run(folder: Path) -> AsyncIterator[MakeRun]:
    """Until the page answers; whoever is left at the end is killed."""
    running = MakeRun(folder / "said.log")
    try:
        await until(running.answers)
        yield running
    finally:
        for pid in running.members():
            os.kill(pid, signal.SIGKILL)
        running.process.wait()
        shutil.rmtree(ROOT / DATA / str(running.port), ignore_errors=True)


async def test_its_page_opens_the_host_s_seat_and_ctrl_c_leaves_nobody(tmp_path: Path):
    async with make_run(tmp_path) as running:
        async with launched() as browser:
            context = await browser.new_context(locale="zh-CN")
            context.set_default_timeout(STEP_MS)
            demo = await context.new_page()
            await demo.goto(running.url)
            await see(demo, MAIN)
            async with context.expect_page() as opened:
                await demo.get_by_role("link", name="主持人").first.click()
            host = await opened.value
            assert host.url.split("/")[3] == "host"
            await see(host, MAIN)
            await see(host, "距投标截止还有")
            await demo.goto(running.url.removesuffix("demo"))
            await see(demo, LATER)
        # At a terminal everybody gets it.
        os.killpg(running.process.pid, signal.SIGINT)
        await until(lambda: running.process.poll() is not None)
        assert running.process.returncode == -signal.SIGINT
        await until(lambda: not running.members())
        assert f"{running.url} " in running.said()
        assert "Error 130" in running.said()
        assert "Traceback" not in running.said()
        assert "Unclosed" not in running.said()


async def test_sigterm_ends_it_while_its_people_are_still_coming(tmp_path: Path):
    async with make_run(tmp_path) as running:
        running.process.terminate()
        await until(lambda: running.process.poll() is not None)
        assert running.process.returncode == -signal.SIGTERM
        await until(lambda: not running.members())
        assert "Error 143" in running.said()
        assert "Traceback" not in running.said()
        assert "Unclosed" not in running.said()
