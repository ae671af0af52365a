"""A large technical file (技术标) from `kaibiao seal` on a bidder's machine to the decrypted file
in the centre: sealed and stored in little memory, carried on after a cut line and a killed server,
decrypted behind the read-out while the hall goes on answering.

KAIBIAO_LARGE=1 plays 500 MB and 2 GiB, which takes a few minutes and four times the size on disk.
"""

import asyncio
import json
import subprocess
import time
from contextlib import AsyncExitStack
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from crypto.card import parse_card
from crypto.header import Header, parse_header
from crypto.keyfile import open_keyfile
from crypto.keys import BoxKey, SigningKey
from crypto.messages import build_submit
from crypto.verifier import verify
from server.demo.people import SealedBid
from tests.cli.program import PROGRAM
from tests.faults.site_process import ROOM, Nursery, SiteProcess, plan_of
from tests.faults.steady_people import SteadyBidder, SteadyHost, SteadyTrustee
from tests.large.measures import (
    MIB,
    Answers,
    Watched,
    forget_peak,
    peak_growth,
    sha256_of,
    write_document,
)

pytestmark = pytest.mark.slow

PASSPHRASE = "large as life"
SEAL_MEMORY_MAX = 64 * MIB  # the program and its libraries, and a few chunks of 1 MiB
UPLOAD_MEMORY_MAX = 24 * MIB
DECRYPT_MEMORY_MAX = 24 * MIB
# No promise about speed, which this machine's neighbours decide; a loop that waited for a body
# would have taken seconds.
ANSWER_MS_MAX = 1500.0
PATIENCE_S = 1200.0
SILENCE_S_MAX = 60.0
QUIET_S = 0.5
FORM = {
    "bidder": {"code": "91360800MB00000001", "name": "澄江路桥建设（江州）有限公司"},
    "fields": {"price": "71000000.00", "days": 160, "manager": "何川"},
}


class Offline:
    """A bidder's machine without network: a folder, and `kaibiao`."""

    def __init__(self, folder: Path, manifest: bytes) -> None:
        self.folder = folder
        folder.mkdir()
        (folder / "manifest.json").write_bytes(manifest)
        (folder / "passphrase").write_text(PASSPHRASE)
        (folder / "form.json").write_text(json.dumps(FORM, ensure_ascii=False), encoding="utf-8")
        self.samples: list[int] = []

    def file(self, name: str) -> Path:
        return self.folder / name

    def run(self, verb: str, *words: str) -> None:
        """Runs it; memory is sampled while the payload grows."""
        shared = ["manifest.json", "--passphrase-file", "passphrase"]
        process = subprocess.Popen([str(PROGRAM), verb, *shared, *words], cwd=self.folder)
        with Watched(process.pid, self._payload_grows) as watched:
            assert process.wait() == 0
        self.samples += watched.samples

    def _payload_grows(self) -> bool:
        """Whether the passphrase's own 64 MiB of Argon2id are behind us."""
        found = list(self.folder.glob(".body.kbc.*"))
        return bool(found) and found[0].exists() and found[0].stat().st_size > 0

    def header(self, name: str) -> Header:
        return parse_header(self.file(f"{name}.kbh").read_bytes())

    def half(self, name: str) -> bytes:
        card = self.file(f"{name}.card.txt").read_text()
        return parse_card(card, self.header(name).suite).bidder_half


class OfflineBidder(SteadyBidder):
    """A bidder whose keys and sealed files come from its offline machine."""

    offline: Offline

    def keys(self) -> tuple[SigningKey, BoxKey]:
        opened = open_keyfile(self.offline.file("bidder.kbk").read_bytes(), PASSPHRASE)
        return opened.signing_key, opened.box_key

    async def hand_in(self) -> None:
        """SUBMIT what was sealed, and wait for its receipt."""
        assert self.bid is not None
        rules, (sign, _) = await self.read_rules(), self.keys()
        self.submit_raw = build_submit(
            rules.suite_impl,
            tender_id=rules.tender_id,
            lot=1,
            seq=1,
            prev=bytes(32),
            items=[(header.envelope, header.bid_id) for header in self.bid.headers],
            key=sign,
        ).raw
        await self.http.submit(self.room_id, self.submit_raw)
        await self.wait_for_receipt()


async def seal(bidder: OfflineBidder, document: Path) -> float:
    """Both envelopes by the program; seconds that the body took."""
    offline = bidder.offline
    await asyncio.to_thread(offline.run, "keygen", "--out", "bidder.kbk")
    common = ["--key", "bidder.kbk"]
    began = time.perf_counter()
    body = ["--envelope", "2", "--file", str(document), "--out", "body"]
    await asyncio.to_thread(offline.run, "seal", *common, *body)
    took_s = time.perf_counter() - began
    form = ["--envelope", "1", "--file", "form.json", "--other", "body.kbh", "--out", "form"]
    await asyncio.to_thread(offline.run, "seal", *common, *form)
    headers = [offline.header("body"), offline.header("form")]
    bidder.bid = SealedBid(
        headers, {h.bid_id: offline.half(n) for h, n in zip(headers, ("body", "form"), strict=True)}
    )
    return took_s


async def send_over_trouble(
    site: SiteProcess, bidder: OfflineBidder, peace: asyncio.Event
) -> dict[str, Any]:
    """The line is cut after a third, the server killed after two thirds, each in the middle of a
    request: how fast the first third went, and what it cost the server.
    """
    uploads, header = bidder.http.uploads, bidder.offline.header("body")
    payload, size = bidder.offline.file("body.kbc"), header.payload_size
    location = await uploads.create(ROOM, header.core, size)
    before = forget_peak(site.pid)
    sent: dict[int, float] = {}  # durable bytes, and when we heard of them
    stirred = asyncio.Event()

    def progress(durable: int, _size: int) -> None:
        sent[durable] = time.perf_counter()
        stirred.set()

    async def until(part: int) -> None:
        while max(sent, default=0) < part:
            assert not sending.done(), sending
            stirred.clear()
            async with asyncio.timeout(SILENCE_S_MAX):
                await stirred.wait()

    began = time.perf_counter()
    sending = asyncio.create_task(uploads.send(location, payload, progress=progress))
    await until(size // 3)
    sending.cancel()
    await asyncio.wait([sending])
    first = max(sent)
    mb_per_s = first / (sent[first] - began) / 1e6
    durable = await bidder.http.insist(lambda: uploads.offset(location))
    assert first <= durable < size

    carry_on = partial(uploads.send, location, payload, progress=progress)
    sending = asyncio.create_task(bidder.http.insist(carry_on))
    await until(size * 2 // 3)
    growth = peak_growth(site.pid, before)
    await peace.wait()  # the deadline must not pass while the server is away
    assert not sending.done()
    await site.kill_and_start()
    before = forget_peak(site.pid)
    await sending
    bid_id = await bidder.http.insist(lambda: uploads.put_header(location, header.raw))
    assert bid_id == header.bid_id.hex()
    growth = max(growth, peak_growth(site.pid, before))
    return {"mb_per_s": round(mb_per_s, 1), "memory_mib": round(growth / MIB, 1)}


async def open_hall(site: SiteProcess, bidder: OfflineBidder, host: SteadyHost) -> dict[str, Any]:
    """The countdown, the read-out, and the body behind it: how the hall answered meanwhile, and
    what the body cost the server. ``loop``: a page, which needs the loop alone; ``hall``: the
    host's next row, which waits for the disk too.
    """
    window = await bidder.until_kind("window_opened")
    await bidder.unlock(window)
    await host.until_kind("replies_ended")
    before = forget_peak(site.pid)
    read_row = partial(host.do, "read_row", no=1)
    page = partial(bidder.http.get, "/bootstrap.json")
    await host.do("open_all")
    await host.until_kind("prices_read_out")
    async with Answers(read_row) as hall, Answers(page) as loop:
        decided = await host.until_kind("body_decided")
    assert decided["state"] == "opened"
    growth = peak_growth(site.pid, before)
    read_out, done = (
        next(event.server_ms for event in host.heard if event.kind == kind)
        for kind in ("prices_read_out", "body_decided")
    )
    return {
        "took_ms": done - read_out,
        "memory_mib": round(growth / MIB, 1),
        "loop": loop.summary(),
        "hall": hall.summary(),
    }


async def play(nursery: Nursery, folder: Path, body_bytes: int) -> dict[str, Any]:
    document, size = folder / "document", body_bytes // 65_536 * 65_536 - 1
    sha256 = await asyncio.to_thread(write_document, document, size)
    plan = plan_of(5_000, body=True, min_bidders=1, window_ms=60_000, reply_ms=60_000)
    figures: dict[str, Any] = {"bytes": size}
    async with AsyncExitStack() as stack, asyncio.timeout(PATIENCE_S):
        site = await stack.enter_async_context(
            SiteProcess(nursery, folder / "site", {ROOM: plan}, bidders=1)
        )
        await site.start()
        host = await stack.enter_async_context(SteadyHost.of(site.base, site.world, ROOM))
        bidder = await stack.enter_async_context(
            OfflineBidder(site.base, site.world.bidders[0], ROOM)
        )
        peace, delivered = asyncio.Event(), asyncio.Event()
        peace.set()
        open_door = asyncio.create_task(host.keep_open(delivered.is_set, peace))
        bidder.offline = Offline(folder / "offline", (await bidder.read_rules()).raw)
        seal_s = await seal(bidder, document)
        figures["seal"] = {
            "mb_per_s": round(size / seal_s / 1e6, 1),
            "memory_mib": round(max(bidder.offline.samples) / MIB, 1),
        }
        document.unlink()
        await bidder.register()
        figures["upload"] = await send_over_trouble(site, bidder, peace)
        bidder.offline.file("body.kbc").unlink()
        form = bidder.offline.header("form")
        await bidder.http.store(ROOM, form.raw, bidder.offline.file("form.kbc"))
        await bidder.hand_in()
        delivered.set()
        await open_door
        await finish(site, bidder, host, stack, figures)
        opened = next(site.data.rglob(bidder.offline.header("body").bid_id.hex()))
        assert opened.stat().st_size == size
        assert await asyncio.to_thread(sha256_of, opened) == sha256
        opened.unlink()
        async with Answers(partial(host.do, "read_row", no=1)) as quiet:
            await asyncio.sleep(QUIET_S)
        figures["quiet_hall"] = quiet.summary()
    return figures


async def finish(
    site: SiteProcess,
    bidder: OfflineBidder,
    host: SteadyHost,
    stack: AsyncExitStack,
    figures: dict[str, Any],
) -> None:
    """From the deadline to a record that verifies."""
    trustees = [
        await stack.enter_async_context(SteadyTrustee.of(site.base, keys, ROOM))
        for keys in site.world.trustees[:2]
    ]
    for person in (host, *trustees):
        await person.enter("staff")
    await bidder.enter_own()
    await host.until(lambda e: e.kind == "checkpoint_reached" and e.body["of"] == "closing")
    await host.do("start_window", session=1)
    releases = [asyncio.create_task(trustee.release()) for trustee in trustees]
    figures["decrypt"] = await open_hall(site, bidder, host)
    for release in releases:
        await release
    bundle = site.directory / "opening.zip"
    await host.fetch(lambda: host.http.bundle(ROOM, bundle))
    assert (await asyncio.to_thread(verify, bundle)).verdict == "agree"


def remove_large(folder: Path) -> None:
    """pytest keeps the folders of its last runs."""
    for path in folder.rglob("*"):
        if path.is_file() and path.stat().st_size > MIB:
            path.unlink()


async def test_a_large_body_from_the_offline_machine_to_the_decrypted_file(
    nursery: Nursery, tmp_path: Path, body_bytes: int
) -> None:
    try:
        figures = await play(nursery, tmp_path, body_bytes)
    finally:
        remove_large(tmp_path)
    print(json.dumps(figures))
    assert figures["seal"]["memory_mib"] < SEAL_MEMORY_MAX / MIB
    assert figures["upload"]["memory_mib"] < UPLOAD_MEMORY_MAX / MIB
    assert figures["decrypt"]["memory_mib"] < DECRYPT_MEMORY_MAX / MIB
    for asked in ("loop", "hall"):
        assert figures["decrypt"][asked]["answers"] > 3
        assert figures["decrypt"][asked]["worst_ms"] < ANSWER_MS_MAX
