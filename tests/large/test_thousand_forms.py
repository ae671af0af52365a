"""A thousand forms in one opening: real sealed bids, real releases, and a record that verifies.

Everything is the real server in this process; only the bids come in by the rooms' own door instead
of sockets (`loadtests.openings`). KAIBIAO_LARGE=1 plays 1,000 bids, which takes a minute; else 120.
"""

import asyncio
import json
import os
import subprocess
import sys
import zipfile
from pathlib import Path
from typing import Any

import aiohttp
import uvloop

from crypto.keys import SigningKey
from crypto.messages import build_unlock
from crypto.suites import get_suite
from loadtests.bids import Bid, release, seal
from loadtests.openings import Openings
from loadtests.server_process import config_of
from server.app import running
from tests.large.conftest import ASKED

ROOT = Path(__file__).parents[2]
BIDS = 1000 if os.environ.get(ASKED) == "1" else 120
ROOM = "a-thousand"
PLAN: dict[str, Any] = {
    "window_ms": 600_000,
    "reply_ms": 600_000,
    "unattended": True,
    "min_bidders": 3,
}


def pytest_asyncio_loop_factories() -> dict[str, Any]:
    return {"uvloop": uvloop.new_event_loop}


async def test_every_price_is_read_out_and_the_record_verifies(tmp_path: Path) -> None:
    seed, bundle = os.urandom(32), tmp_path / "opening.zip"
    async with running(config_of(str(tmp_path / "site"), "FULL", 100)) as site:
        openings = Openings(site)
        await openings.cast(seed, BIDS)
        manifest = await openings.publish(ROOM, **PLAN)
        bids = await asyncio.to_thread(seal, seed, ROOM, manifest, BIDS)
        await openings.submit(ROOM, [bid.handed_in for bid in bids])
        assert await openings.announced(ROOM) == BIDS
        await open_all(openings, seed, bids)
        bundle.write_bytes(await downloaded(f"{site.config.site.origin}/openings/{ROOM}"))
    verdict = await asyncio.to_thread(verified, bundle)
    assert verdict["verdict"] == "agree"
    with zipfile.ZipFile(bundle) as members:
        frozen = json.loads(members.read("frozen.json"))
    assert [each["state"] for each in frozen["bids"]] == ["opened"] * BIDS


async def downloaded(opening: str) -> bytes:
    """opening.zip as anybody gets it, as soon as it is ready."""
    async with aiohttp.ClientSession() as session, asyncio.timeout(60):
        while True:
            async with session.get(f"{opening}/opening.zip") as answer:
                if answer.status == 200:
                    return await answer.read()
                assert (await answer.json())["code"] == "bundle.not_ready"
            await asyncio.sleep(0.1)


async def open_all(openings: Openings, seed: bytes, bids: list[Bid]) -> None:
    """Everybody unlocks, two trustees release, and the prices are read out."""
    window = await openings.window(ROOM)
    suite = get_suite(window["suite"])
    await openings.unlock(ROOM, [(bid.number, unlocking(suite, window, bid)) for bid in bids])
    terms = openings.release_terms(ROOM)
    assert len(terms["bid_ids"]) == BIDS
    for place in (0, 1):
        message = await asyncio.to_thread(release, seed, place, terms, bids)
        await openings.release(ROOM, place, message)
    await openings.opened(ROOM, BIDS)


def unlocking(suite: Any, window: dict[str, Any], bid: Bid) -> bytes:
    return build_unlock(
        suite,
        tender_id=window["tender_id"],
        opening_nonce=window["nonce"],
        envelope=1,
        w=window["w"],
        items=[(bid.bid_id, bid.half)],
        key=SigningKey(bid.seed),
    ).raw


def verified(bundle: Path) -> dict[str, Any]:
    """By the verifier alone, as a stranger runs it."""
    command = [sys.executable, "-I", str(ROOT / "build/kaibiao-verify.pyz"), str(bundle), "--json"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return json.loads(done.stdout)
