"""A bidder's machine for large files: a Chromium with a profile on the disk, its memory, its files.

The profile is persistent, because a private window keeps its private disk (OPFS) in memory. What
the hall stored is opened here offline, with the bidder's key file and two trustees' keys.
"""

import asyncio
import contextlib
import hashlib
import os
import re
import shutil
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from pathlib import Path
from typing import Any, Final

import pytest
from playwright.async_api import BrowserContext, ConsoleMessage, Page, async_playwright

from crypto.header import Header, parse_header
from crypto.keyfile import KeyFile, open_keyfile
from crypto.sealing import bidder_half, bidder_half_matches, content_key, open_to, unseal_seed
from crypto.shares import find_host_half, open_share
from crypto.stream import RootHasher, chunk_size
from server.storage.upload_state import UploadState, read
from tests.browser.conftest import FLAGS, STEP_MS, HallUnderTest, press, see
from tests.cli.program import run

MIB: Final = 1 << 20
PASSPHRASE: Final = "correct horse battery"
SAMPLE_S: Final = 0.05
UPLOAD_MS: Final = 600_000  # 2 GiB on a machine that has other things to do
SEALED: Final = "已封"

# Every value that the progress bar ever shows, with its label.
WATCH_PROGRESS = """
() => {
  globalThis.shown = [];
  const look = () => {
    const bar = document.querySelector("progress");
    if (bar) shown.push([bar.getAttribute("aria-label"), bar.value]);
  };
  const watched = { subtree: true, childList: true, attributes: true, attributeFilter: ["value"] };
  new MutationObserver(look).observe(document.body, watched);
}
"""
# The most that the private disk ever held.
WATCH_DISK = """
() => {
  globalThis.diskPeak = 0;
  setInterval(async () => {
    const { usage } = await navigator.storage.estimate();
    diskPeak = Math.max(diskPeak, usage);
  }, 500);
}
"""
# What lies in the private disk: every file's path and size.
PRIVATE_DISK = """
async () => {
  const files = {};
  const walk = async (folder, path) => {
    for await (const [name, entry] of folder.entries()) {
      if (entry.kind === "directory") await walk(entry, `${path}${name}/`);
      else files[`${path}${name}`] = (await entry.getFile()).size;
    }
  };
  await walk(await navigator.storage.getDirectory(), "");
  return files;
}
"""


def make_file(path: Path, size: int) -> str:
    """A file of which no two blocks are alike, without holes; its SHA-256."""
    block, digest = os.urandom(MIB - 8), hashlib.sha256()
    with path.open("wb") as file:
        for number in range(-(-size // MIB)):
            piece = (number.to_bytes(8, "big") + block)[: size - number * MIB]
            file.write(piece)
            digest.update(piece)
    # A browser compares times to the second: the file must not look as if it was just written.
    an_hour_ago_s = path.stat().st_mtime - 3600
    os.utime(path, (an_hour_ago_s, an_hour_ago_s))
    return digest.hexdigest()


# -- the browser


class Machine:
    """A bidder's browser. ``profile`` outlives it, as on a real desk."""

    def __init__(self, profile: Path, context: BrowserContext) -> None:
        self.profile, self.context = profile, context
        self.requests: list[tuple[str, str]] = []
        self.answers: list[tuple[str, int]] = []
        self.complaints: list[str] = []
        context.on("request", lambda r: self.requests.append((r.method, _path(r.url))))
        context.on("response", lambda r: self.answers.append((_path(r.url), r.status)))
        context.on("console", self._heard)

    def _heard(self, message: ConsoleMessage) -> None:
        if "Content Security Policy" in message.text:
            self.complaints.append(message.text)

    async def open_tab(self, url: str) -> Page:
        """A tab whose script errors, and its workers', fail the test."""
        page = await self.context.new_page()
        page.on("pageerror", lambda error: pytest.fail(f"a script failed: {error}"))
        await page.goto(url)
        return page

    def uploads_made(self) -> int:
        return self.requests.count(("POST", "/uploads"))


def _path(url: str) -> str:
    return re.sub(r"^https?://[^/]*|[?#].*$", "", url)


@contextlib.asynccontextmanager
async def machine(profile: Path) -> AsyncIterator[Machine]:
    """Chromium with its profile on the disk; it ends with the block."""
    path = shutil.which("chromium")
    assert path is not None, "browser journeys need Debian's chromium: apt-get install chromium"
    async with async_playwright() as playwright:
        context = await playwright.chromium.launch_persistent_context(
            profile,
            executable_path=path,
            args=FLAGS,
            viewport={"width": 1440, "height": 1000},
            locale="zh-CN",
            accept_downloads=True,
        )
        context.set_default_timeout(STEP_MS)
        try:
            yield Machine(profile, context)
        finally:
            await context.close()


# -- memory


def _processes(profile: Path) -> Iterator[tuple[int, str]]:
    """(pid, command line) of the browser with this profile and of all its descendants."""
    parents: dict[int, int] = {}
    lines: dict[int, str] = {}
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            with contextlib.suppress(OSError):
                pid, raw = int(entry.name), (entry / "cmdline").read_bytes()
                lines[pid] = raw.replace(b"\0", b" ").decode(errors="replace")
                parents[pid] = int((entry / "stat").read_text().rpartition(")")[2].split()[1])
    own = {pid for pid, line in lines.items() if f"--user-data-dir={profile} " in line}
    for pid, line in lines.items():
        above = pid
        while above in parents and above not in own:
            above = parents[above]
        if above in own:
            yield pid, line


def _resident(pid: int) -> int:
    with contextlib.suppress(OSError):
        found = re.search(r"VmRSS:\s+(\d+) kB", Path(f"/proc/{pid}/status").read_text())
        return int(found.group(1)) * 1024 if found else 0
    return 0


class RendererMemory:
    """Peak resident bytes of the tab while the block runs.

    Page and worker are threads of one renderer process. Chromium keeps others in reserve, smaller
    and idle; the largest is the tab's.
    """

    def __init__(self, profile: Path) -> None:
        self._profile, self.peak = profile, 0

    async def _watch(self) -> None:
        pids = [pid for pid, line in _processes(self._profile) if "--type=renderer" in line]
        assert pids, "the browser has renderer processes"
        while True:
            self.peak = max(self.peak, *map(_resident, pids))
            await asyncio.sleep(SAMPLE_S)

    async def __aenter__(self) -> "RendererMemory":
        self._task = asyncio.create_task(self._watch())
        return self

    async def __aexit__(self, *_: object) -> None:
        self._task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await self._task


# -- what a bidder does


async def register(page: Page, kept_as: Path) -> None:
    """Make the key; the browser saves the key file."""
    await page.locator("#pass-1").fill(PASSPHRASE)
    await page.locator("#pass-2").fill(PASSPHRASE)
    async with page.expect_download() as download:
        await press(page, "生成钥匙并登记")
    await (await download.value).save_as(kept_as)


async def open_key(page: Page) -> None:
    """The key file of an earlier visit is on this machine: the passphrase opens it."""
    await page.locator("#pass-open").fill(PASSPHRASE)
    await press(page, "打开钥匙")


async def fill_form(page: Page, document: Path | None) -> None:
    await page.get_by_label("投标报价").fill("71234567.89")
    await page.get_by_label("工期").fill("180")
    await page.get_by_label("项目经理").fill("沈岚")
    if document is not None:
        await page.locator("input[type=file]").first.set_input_files(document)


async def start_sealing(page: Page) -> None:
    """Press the button and wait until bytes are at the server."""
    await press(page, "封装并")
    await see(page, "正在上传")


async def delivered(page: Page) -> None:
    """The receipt is here and was verified by the page."""
    await page.locator("progress").first.wait_for(state="detached", timeout=UPLOAD_MS)
    await see(page, "投标已送达，完好封存")
    await see(page, "本机已核对，有效")


async def eventually(what: str, holds: Callable[[], Awaitable[bool]]) -> None:
    """Waits for something that no page shows."""
    end_s = time.monotonic() + STEP_MS / 1000
    while not await holds():
        assert time.monotonic() < end_s, what
        await asyncio.sleep(SAMPLE_S)


async def private_disk_is_empty(page: Page) -> bool:
    return await page.evaluate(PRIVATE_DISK) == {}


# -- what the hall has


def store_of(hall: HallUnderTest) -> Path:
    return Path(hall.plan["data"]) / "store"


def uploads_under_way(hall: HallUnderTest) -> list[UploadState]:
    """What the hall has of payloads that are not complete, as it would read it after a crash."""
    found = (read(path) for path in (store_of(hall) / "uploads").glob("*.state"))
    return [state for state in found if state is not None]


async def submitted(page: Page) -> list[dict[str, Any]]:
    """What the hall says it accepted from this bidder."""
    return await page.evaluate(
        """async () => {
          const session = sessionStorage.getItem("kaibiao.session");
          const headers = session ? { "X-Kaibiao-Session": session } : {};
          const room = location.pathname.split("/").pop();
          const answer = await fetch(`/tenders/${room}/mine`, { headers });
          return (await answer.json()).submits;
        }"""
    )


def bodies(hall: HallUnderTest, key: KeyFile) -> dict[str, Header]:
    """Technical files that the hall stored of this bidder, by bid_id."""
    headers = [parse_header(path.read_bytes()) for path in store_of(hall).glob("blobs/*/*.kbh")]
    own = key.signing_key.public
    return {h.bid_id.hex(): h for h in headers if h.bidder_pk == own and h.envelope == 2}


def key_of(saved: Path) -> KeyFile:
    return open_keyfile(saved.read_bytes(), PASSPHRASE)


def halves_of(hall: HallUnderTest, header: Header, key: KeyFile) -> tuple[bytes, bytes]:
    """The bidder's half by its key file, the other by two trustees' keys."""
    s_B = bidder_half(header.suite, unseal_seed(header, key.box_key))
    assert bidder_half_matches(header, s_B)
    shares = {
        i: open_share(header, i, trustee.box)[1]
        for i, trustee in enumerate(hall.world.trustees[:2], 1)
    }
    found = find_host_half(header, shares)
    assert found is not None
    return s_B, found.host_half


def payload_of(hall: HallUnderTest, header: Header) -> Path:
    """Where the hall keeps this envelope's ciphertext."""
    name = header.bid_id.hex()
    return store_of(hall) / "blobs" / name[:2] / f"{name}.kbc"


def open_with_program(hall: HallUnderTest, header: Header, key: KeyFile, into: Path) -> None:
    """`kaibiao open` on what the hall stored."""
    payload = payload_of(hall, header)
    s_B, s_H = (half.hex() for half in halves_of(hall, header, key))
    done = run(
        "open", payload.with_suffix(".kbh"), payload,
        "--bidder-half", s_B, "--host-half", s_H, "--out", into,
    )  # fmt: skip
    assert done.code == 0, done


def opened_sha256(hall: HallUnderTest, header: Header, key: KeyFile, size: int) -> str:
    """SHA-256 of the file inside a stored envelope; its payload is checked against ct_root."""
    s_B, s_H = halves_of(hall, header, key)
    opened = content_key(header, s_B, s_H)
    assert opened is not None
    root = RootHasher(header.suite, header.pt_len, header.log2_chunk)
    digest, left = hashlib.sha256(), size
    with payload_of(hall, header).open("rb") as payload:

        def read_chunk(index: int) -> bytes:
            chunk = payload.read(chunk_size(header.suite, header.pt_len, header.log2_chunk, index))
            root.update(chunk)
            return chunk

        def write(plaintext: Any) -> None:
            nonlocal left
            digest.update(memoryview(plaintext)[:left])
            left -= min(left, len(plaintext))

        open_to(header, opened, read_chunk, write)
    assert root.root() == header.ct_root
    return digest.hexdigest()
