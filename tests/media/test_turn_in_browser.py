"""Real Chromium publishes and watches through Debian's coturn only, with credentials of ours.

A missing coturn or browser is a failure, never a skip.
"""

import asyncio
import contextlib
import socket
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from aioice import stun
from playwright.async_api import BrowserContext

from loadtests.ports import free_port
from media.grants import Label
from server.live.turn import LIFETIME_MS, Relay
from tests.media.sfu_lab import running
from tests.media.test_sfu_in_browser import a_page, browser, decoded, publish, until, watch

__all__ = ["browser"]
pytestmark = [pytest.mark.browser, pytest.mark.alone]

SECRET = "shared by the site and its relay"
SMALL = {"width": 320, "height": 180, "simulcast": False}


@asynccontextmanager
async def coturn(folder: Path) -> AsyncIterator[int]:
    """Debian's turnserver on loopback, as the operator's page says; its port."""
    port = free_port()
    options = [
        "-n", "--no-cli", "--no-tls", "--no-dtls", "--use-auth-secret",
        f"--static-auth-secret={SECRET}", "--realm=kaibiao", "--listening-ip=127.0.0.1",
        "--relay-ip=127.0.0.1", f"--listening-port={port}", "--allow-loopback-peers",
        f"--pidfile={folder}/pid", f"--userdb={folder}/db", "--log-file=stdout", "--simple-log",
    ]  # fmt: skip
    with (folder / "coturn.log").open("wb") as log:
        process = await asyncio.create_subprocess_exec("turnserver", *options, stdout=log)
    try:
        async with asyncio.timeout(20):
            while not await asyncio.to_thread(answers, port):
                pass
        yield port
    finally:
        process.terminate()
        await process.wait()


def answers(port: int) -> bool:
    """Whether a binding request is answered within a tenth of a second."""
    request = stun.Message(stun.Method.BINDING, stun.Class.REQUEST)
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as asking:
        asking.settimeout(0.1)
        asking.connect(("127.0.0.1", port))
        with contextlib.suppress(OSError):
            asking.send(bytes(request))
            return bool(asking.recv(1500))
    return False


def relayed(port: int, secret: str = SECRET, *, ago_ms: int = 0) -> dict[str, Any]:
    relay = Relay((f"turn:127.0.0.1:{port}?transport=udp",), secret)
    servers = relay.ice_servers("person-1", time.time_ns() // 1_000_000 - ago_ms)
    return {"iceServers": servers, "iceTransportPolicy": "relay"}


async def pair_of(page: Any, name: str) -> tuple[str, str]:
    """Kinds of the two candidates that are in use."""
    return await page.evaluate(
        """async (name) => {
          const stats = await connections[name].getStats();
          let found = ["", ""];
          stats.forEach((one) => {
            if (one.type === "transport" && one.selectedCandidatePairId) {
              const pair = stats.get(one.selectedCandidatePairId);
              found = [pair.localCandidateId, pair.remoteCandidateId].map(
                (id) => stats.get(id).candidateType);
            }
          });
          return found;
        }""",
        name,
    )


async def test_a_browser_behind_a_relay_publishes_and_watches(
    browser: BrowserContext, tmp_path: Path
) -> None:
    async with coturn(tmp_path) as port, running() as hall:
        host, viewer = await a_page(browser), await a_page(browser)
        for page in (host, viewer):
            await page.evaluate("(given) => { window.relayed = given; }", relayed(port))
        tracks = await publish(hall, host, **SMALL)
        await watch(hall, viewer, {tracks[Label.CAMERA]: 180, tracks[Label.MICROPHONE]: 1})
        await until(viewer, "viewer", lambda stats: decoded(stats) > 20)
        for page, name in ((host, "host"), (viewer, "viewer")):
            local, remote = await pair_of(page, name)
            assert local == "relay"
            assert remote == "host"


async def test_who_has_made_up_a_login_or_kept_one_gets_no_relay(
    browser: BrowserContext, tmp_path: Path
) -> None:
    async with coturn(tmp_path) as port:
        forged = relayed(port, "another secret of some length")
        old = relayed(port, ago_ms=LIFETIME_MS + 10_000)
        for given, errors in ((forged, [401]), (old, [401]), (relayed(port), [])):
            page = await a_page(browser)
            await page.evaluate("(given) => { window.relayed = given; }", given)
            assert await errors_of(page) == errors


async def errors_of(page: Any) -> list[int]:
    """What the relay says to a page that gathers."""
    return await page.evaluate(
        """async () => {
          const pc = new RTCPeerConnection(window.relayed);
          const errors = new Set();
          pc.onicecandidateerror = ({errorCode}) => errors.add(errorCode);
          pc.addTransceiver("audio");
          const done = new Promise((resolve) => {
            pc.onicegatheringstatechange = () => pc.iceGatheringState === "complete" && resolve();
          });
          await pc.setLocalDescription();
          await done;
          return [...errors];
        }"""
    )
