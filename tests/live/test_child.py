"""The media process's life: with the site, after its own death, and not a moment longer than us."""

import asyncio
import os
import signal
import socket
import time
from pathlib import Path

import pytest

from tests.cli.test_serve import served, settings
from tests.domain.cast import HOST
from tests.live.live_lab import live_site

GONE_S = 20.0
pytestmark = pytest.mark.slow


def children(pid: int) -> list[int]:
    """Media processes of a process."""
    found = [
        int(child)
        for task in Path(f"/proc/{pid}/task").iterdir()
        for child in (task / "children").read_text().split()
    ]
    return [one for one in found if b"server.live_process" in command(one)]


def command(pid: int) -> bytes:
    try:
        return Path(f"/proc/{pid}/cmdline").read_bytes()
    except OSError:
        return b""


def is_gone(pid: int) -> bool:
    """Also as a zombie that nobody has asked after yet."""
    return b"server.live_process" not in command(pid)


def until(holds: object, within_s: float = GONE_S) -> None:
    end_s = time.monotonic() + within_s
    while not holds():  # type: ignore[operator]
        assert time.monotonic() < end_s
        time.sleep(0.05)


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM], ids=lambda n: n.name)
def test_it_ends_with_the_site_however_that_ends(tmp_path: Path, number: signal.Signals) -> None:
    with served(settings(tmp_path)) as site:
        assert site.stdout is not None
        site.stdout.readline()
        until(lambda: children(site.pid))
        found = children(site.pid)
        site.send_signal(number)
        site.wait(timeout=GONE_S)
        until(lambda: all(map(is_gone, found)))


async def test_signals_to_everybody_are_the_sites_to_answer(tmp_path: Path) -> None:
    """A service manager's stop reaches it too; it must not lose what is being recorded."""
    async with live_site(tmp_path) as live:
        await live.is_up()
        child = live.kill_child(signal.SIGTERM)
        live.kill_child(signal.SIGINT)
        assert os.getpgid(child) != os.getpgid(0), "a terminal's Ctrl-C does not even reach it"
        host = await live.guest(HOST)
        await host.come_in()
        live.sending(await host.publish())
        assert live.child_pid == child


async def test_one_that_dies_again_and_again_is_waited_for_longer_each_time(
    tmp_path: Path,
) -> None:
    async with live_site(tmp_path) as live:
        await live.is_up()
        keeper = live.video.desk.child
        seen: list[int] = []
        for _ in range(3):
            seen.append(live.kill_child(signal.SIGKILL))
            async with asyncio.timeout(GONE_S):
                while keeper.pid in (0, *seen) or not keeper.is_up:  # noqa: ASYNC110
                    await asyncio.sleep(0.02)
        assert len({*seen, keeper.pid}) == 4
        assert keeper.boots == 4
        host = await live.guest(HOST)
        assert (await host.come_in())["boot"] == keeper.boot
        assert keeper.boot.endswith(".4")


async def test_one_stands_by_and_goes_with_the_site_too(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("server.live.child.SPARE_AFTER_S", 0.0)
    async with live_site(tmp_path) as live:
        await live.is_up()
        own = os.getpid()
        async with asyncio.timeout(GONE_S):
            while len(both := children(own)) < 2:  # noqa: ASYNC110 - nobody tells
                await asyncio.sleep(0.02)
        killed = live.kill_child(signal.SIGKILL)
        async with asyncio.timeout(GONE_S):
            while live.child_pid in (0, killed):  # noqa: ASYNC110
                await asyncio.sleep(0.01)
        assert live.child_pid in both, "no new one had to be started"
        await live.is_up()
    assert all(map(is_gone, both))


async def test_one_that_hangs_is_replaced(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("server.live.child.SILENT_S", 2.0)
    monkeypatch.setattr("server.live.child.CLOSE_S", 0.5)
    async with live_site(tmp_path) as live:
        await live.is_up()
        keeper = live.video.desk.child
        hanging = live.kill_child(signal.SIGSTOP)
        async with asyncio.timeout(GONE_S):
            while keeper.pid in (0, hanging) or not keeper.is_up:  # noqa: ASYNC110
                await asyncio.sleep(0.02)
        assert is_gone(hanging)


async def test_a_port_that_is_taken_costs_the_pictures_and_nothing_else(tmp_path: Path) -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as taken:
        taken.bind(("127.0.0.1", 0))
        async with live_site(tmp_path, port=taken.getsockname()[1]) as live:
            host = await live.guest(HOST)
            await host.come_in()
            await live.act(host, "hold", person="bidder-1", held=True)
            await host.told("floor", held=["bidder-1"])
            assert not live.video.desk.child.is_up
