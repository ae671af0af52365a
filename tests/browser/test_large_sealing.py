"""Half a gigabyte sealed in the browser (大文件封装): memory, progress, pause, changed files.

Real page, worker, private disk and hall; what arrives is opened offline and compared with the file.
"""

import hashlib
import os
import shutil
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import pytest
from playwright.async_api import Page

from tests.browser.bidder_machine import (
    MIB,
    PRIVATE_DISK,
    SEALED,
    UPLOAD_MS,
    WATCH_DISK,
    WATCH_PROGRESS,
    Machine,
    RendererMemory,
    bodies,
    delivered,
    eventually,
    fill_form,
    key_of,
    machine,
    make_file,
    open_key,
    open_with_program,
    opened_sha256,
    private_disk_is_empty,
    register,
    start_sealing,
    submitted,
    uploads_under_way,
)
from tests.browser.conftest import HallUnderTest, picture, press, see

SMALL: Final = 100 * MIB
LARGE: Final = 500 * MIB
LARGEST: Final = (2 << 30) - 1  # padded it is the 2 GiB that the tender allows
# Measured: peaks of 270-282 and 293-302 MiB, half of it code; they vary by when V8 collects. The
# bound is a seventh of the 400 MiB more that are sealed: whatever keeps the file exceeds it.
GROWTH_MAX: Final = 60 * MIB
RENDERER_MAX: Final = 400 * MIB  # five times less than the file; measured: see docs/performance.md
PAUSED_FOR_MS: Final = 1000

ALONE = {"deadline_s": 1800, "behaviours": [], "trustees": 0}
pytestmark = [
    pytest.mark.browser,
    pytest.mark.slow,
    pytest.mark.parametrize("hall", [ALONE], indirect=True),
]


@pytest.fixture(autouse=True)
def _no_gigabytes_left(tmp_path: Path) -> Iterator[None]:
    """Runs after hall and browser have ended: pytest would keep their files for three runs."""
    yield
    shutil.rmtree(tmp_path, ignore_errors=True)


async def first_visit(desk: Machine, hall: HallUnderTest, folder: Path) -> Page:
    """A tab with the key made, at the form; the key file lies at ``folder``/own.kbk."""
    page = await desk.open_tab(hall.guest)
    await register(page, folder / "own.kbk")
    await see(page, "填写并封装投标")
    return page


async def pause_and_resume(desk: Machine, page: Page, hall: HallUnderTest) -> None:
    """While it is paused no byte moves, on the page and at the hall; then it goes on."""
    await press(page, "暂停上传")
    await see(page, "已暂停，完成")
    # What was under way when the line was cut is still being written.
    await page.wait_for_timeout(PAUSED_FOR_MS)
    [before] = uploads_under_way(hall)
    bar, requests = page.locator("progress").first, len(desk.requests)
    value = await bar.get_attribute("value")
    await page.wait_for_timeout(PAUSED_FOR_MS)
    [after] = uploads_under_way(hall)
    assert 0 < before.durable == after.durable < before.size
    assert await bar.get_attribute("value") == value
    assert [r for r in desk.requests[requests:] if r[1].startswith("/uploads")] == []
    await picture(page, "bid-paused")
    await press(page, "接着传")
    await see(page, "正在上传")


async def test_half_a_gigabyte_takes_no_more_memory_than_a_fifth_of_it(
    hall: HallUnderTest, tmp_path: Path
) -> None:
    small, large = tmp_path / "small.pdf", tmp_path / "large.pdf"
    make_file(small, SMALL)
    digest = make_file(large, LARGE)

    async with machine(tmp_path / "profile") as desk:
        page = await first_visit(desk, hall, tmp_path)
        await fill_form(page, small)
        async with RendererMemory(desk.profile) as of_small:
            await start_sealing(page)
            await delivered(page)
        assert desk.complaints == []

    # The same desk another day, a fresh process: the bid is replaced by one five times as large.
    async with machine(tmp_path / "profile") as desk:
        page = await desk.open_tab(hall.guest)
        await press(page, "替换投标文件")
        await open_key(page)
        await fill_form(page, large)
        await page.evaluate(WATCH_PROGRESS)
        async with RendererMemory(desk.profile) as of_large:
            await start_sealing(page)
            await pause_and_resume(desk, page, hall)
            await delivered(page)
        shown = await page.evaluate("shown")
        await eventually("nothing is left on the private disk", lambda: private_disk_is_empty(page))
        assert desk.complaints == []
        assert len(await submitted(page)) == 2

    print(f"renderer peak: {of_small.peak / MIB:.0f} and {of_large.peak / MIB:.0f} MiB")
    assert of_large.peak - of_small.peak < GROWTH_MAX
    values = [value for label, value in shown if label.startswith("正在上传")]
    assert values == sorted(values)
    assert len(set(values)) > 10
    assert values[-1] >= LARGE
    key = key_of(tmp_path / "own.kbk")
    [header] = [h for h in bodies(hall, key).values() if h.pt_len > LARGE]
    assert opened_sha256(hall, header, key, LARGE) == digest


@pytest.mark.skipif(os.environ.get("KAIBIAO_LARGE") != "1", reason="takes minutes and 8 GB of disk")
async def test_two_gibibytes_take_no_more_memory_than_half_a_gigabyte(
    hall: HallUnderTest, tmp_path: Path
) -> None:
    """The largest file that the demo's tender takes: its sizes do not fit into 31 bits."""
    document = tmp_path / "largest.pdf"
    digest = make_file(document, LARGEST)
    async with machine(tmp_path / "profile") as desk:
        page = await first_visit(desk, hall, tmp_path)
        await fill_form(page, document)
        await page.evaluate(WATCH_PROGRESS)
        await page.evaluate(WATCH_DISK)
        began_s = time.monotonic()
        async with RendererMemory(desk.profile) as renderer:
            await start_sealing(page)
            await see(page, SEALED, within_ms=UPLOAD_MS)
            sealed_s = time.monotonic() - began_s
            await delivered(page)
        sent_s = time.monotonic() - began_s
        shown, disk = await page.evaluate("[shown, diskPeak]")
        await eventually("nothing is left on the private disk", lambda: private_disk_is_empty(page))
        assert desk.complaints == []
    print(
        f"2 GiB: sealed in {sealed_s:.0f} s, delivered in {sent_s:.0f} s, renderer at most "
        f"{renderer.peak / MIB:.0f} MiB, private disk {disk / MIB:.0f} MiB"
    )
    assert renderer.peak < RENDERER_MAX
    assert disk > LARGEST
    values = [value for label, value in shown if label.startswith("正在上传")]
    assert values == sorted(values)
    assert values[-1] >= LARGEST
    key = key_of(tmp_path / "own.kbk")
    [header] = bodies(hall, key).values()
    assert header.pt_len == LARGEST + 1
    opened = tmp_path / "opened.pdf"
    open_with_program(hall, header, key, opened)
    with opened.open("rb") as file:
        assert hashlib.file_digest(file, "sha256").hexdigest() == digest


async def test_a_page_that_was_closed_after_sealing_sends_the_stored_ciphertext(
    hall: HallUnderTest, tmp_path: Path
) -> None:
    document = tmp_path / "technical.pdf"
    digest = make_file(document, SMALL)
    async with machine(tmp_path / "profile") as desk:
        page = await first_visit(desk, hall, tmp_path)
        await fill_form(page, document)
        await start_sealing(page)
        hall.kill()
        [cut] = uploads_under_way(hall)
        assert cut.durable < cut.size
        # Without a line the rest is sealed all the same; from here on a closed page loses nothing.
        await see(page, SEALED)
        stored = await page.evaluate(PRIVATE_DISK)
        await page.goto("about:blank")
        document.unlink()  # the plaintext is never needed again
        await hall.start()

        made = desk.uploads_made()
        page = await desk.open_tab(hall.guest)
        await open_key(page)
        await see(page, "上次已在本机封装：technical.pdf")
        await picture(page, "bid-stored")
        await fill_form(page, None)
        await start_sealing(page)
        await delivered(page)
        assert desk.complaints == []
        assert desk.uploads_made() == made + 1, "the form's alone: the body's upload went on"
        assert ("HEAD", f"/uploads/{cut.upload_id}") in desk.requests
        await eventually("nothing is left on the private disk", lambda: private_disk_is_empty(page))
    assert [size for path, size in stored.items() if path.endswith(".kbc")] == [cut.size]
    key = key_of(tmp_path / "own.kbk")
    [header] = bodies(hall, key).values()
    assert opened_sha256(hall, header, key, SMALL) == digest


async def test_a_disk_that_fills_up_while_sealing_is_said_and_the_bid_still_goes(
    hall: HallUnderTest, tmp_path: Path
) -> None:
    """There was room when it began. Sealed anew, the ciphertext waits in memory, a little of it."""
    document = tmp_path / "technical.pdf"
    digest = make_file(document, 2 * SMALL)
    async with machine(tmp_path / "profile") as desk:
        page = await first_visit(desk, hall, tmp_path)
        await fill_form(page, document)
        await start_sealing(page)
        browser = await desk.context.new_cdp_session(page)
        quota = {"origin": hall.url, "quotaSize": 20 * MIB}
        await browser.send("Storage.overrideQuotaForOrigin", quota)
        await see(page, "本机存储空间不够")
        await see(page, "什么也没有递交")
        await picture(page, "bid-disk-full")
        await press(page, "接着传")
        await delivered(page)
        await eventually("nothing is left on the private disk", lambda: private_disk_is_empty(page))
    key = key_of(tmp_path / "own.kbk")
    [header] = bodies(hall, key).values()
    assert opened_sha256(hall, header, key, 2 * SMALL) == digest


async def test_a_file_edited_during_a_pause_is_refused_and_nothing_is_submitted(
    hall: HallUnderTest, tmp_path: Path
) -> None:
    document = tmp_path / "technical.pdf"
    make_file(document, LARGE)
    async with machine(tmp_path / "profile") as desk:
        page = await first_visit(desk, hall, tmp_path)
        await fill_form(page, document)
        await start_sealing(page)
        await press(page, "暂停上传")
        await see(page, "已暂停，完成")
        with document.open("r+b") as file:  # same size, other bytes near the end
            file.seek(LARGE - MIB)
            file.write(b"another price")
        await press(page, "接着传")
        await refused(page, hall)
        await picture(page, "bid-file-changed")

        # Sealed anew, the edited file is as good as any.
        await press(page, "取消这次上传")
        digest = make_file(document, 3 * MIB)
        await fill_form(page, document)
        await start_sealing(page)
        await delivered(page)
    key = key_of(tmp_path / "own.kbk")
    [header] = bodies(hall, key).values()
    assert opened_sha256(hall, header, key, 3 * MIB) == digest


async def test_a_file_cut_short_after_it_was_chosen_is_refused(
    hall: HallUnderTest, tmp_path: Path
) -> None:
    document = tmp_path / "technical.pdf"
    make_file(document, 9 * MIB)
    async with machine(tmp_path / "profile") as desk:
        page = await first_visit(desk, hall, tmp_path)
        await fill_form(page, document)
        with document.open("r+b") as file:
            file.truncate(5 * MIB)
        await press(page, "封装并上传")
        await refused(page, hall)


async def refused(page: Page, hall: HallUnderTest) -> None:
    """The page says why, and that nothing was submitted; that is true."""
    await see(page, "文件在封装时读不到或变了")
    await see(page, "什么也没有递交")
    assert await submitted(page) == []
    assert all(state.durable < state.size for state in uploads_under_way(hall))
    assert await page.locator("text=投标已送达").count() == 0
