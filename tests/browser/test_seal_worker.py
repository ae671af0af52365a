"""The sealing worker on a bad day (加密后台线程): the hall killed under it, the session gone.

Under the real server's content security policy, of which nobody may complain.
"""

import json
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import pytest
from playwright.async_api import Page

from tests.browser.bidder_machine import (
    MIB,
    SEALED,
    Machine,
    bodies,
    delivered,
    eventually,
    fill_form,
    key_of,
    machine,
    make_file,
    open_key,
    opened_sha256,
    register,
    start_sealing,
    uploads_under_way,
)
from tests.browser.conftest import HallUnderTest, see
from tests.browser.hall_process import GUEST, ROOM

SIZE: Final = 200 * MIB
# As an administrator would, or time: the hall forgets the session, and the tab is not told.
END_SESSION = """
async () => {
  const headers = {
    "X-Kaibiao-Session": sessionStorage.getItem("kaibiao.session"),
    "Content-Type": "application/json",
  };
  const answer = await fetch("/auth/logout", { method: "POST", headers, body: "{}" });
  if (!answer.ok) throw new Error(`logout: ${answer.status}`);
}
"""

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


async def sealing_tab(desk: Machine, hall: HallUnderTest, document: Path) -> Page:
    """A tab whose worker is sending ``document``."""
    page = await desk.open_tab(hall.guest)
    await register(page, document.parent / "own.kbk")
    await fill_form(page, document)
    await start_sealing(page)
    return page


def assert_arrived(hall: HallUnderTest, saved_key: Path, digest: str) -> None:
    key = key_of(saved_key)
    [header] = bodies(hall, key).values()
    assert opened_sha256(hall, header, key, SIZE) == digest


async def was_refused(desk: Machine) -> bool:
    return any(path.startswith("/uploads/") and code == 401 for path, code in desk.answers)


async def test_a_hall_killed_during_the_upload_gets_the_rest_when_it_is_back(
    hall: HallUnderTest, tmp_path: Path
) -> None:
    document = tmp_path / "technical.pdf"
    digest = make_file(document, SIZE)
    async with machine(tmp_path / "profile") as desk:
        page = await sealing_tab(desk, hall, document)
        hall.kill()
        [cut] = uploads_under_way(hall)
        assert 0 < cut.durable < cut.size
        await see(page, "连接断开，正在重连")
        await hall.start()
        await delivered(page)  # nobody pressed anything
        assert ("HEAD", f"/uploads/{cut.upload_id}") in desk.requests
        assert desk.uploads_made() == 2, "one for the body, one for the form"
        assert desk.complaints == []
    assert_arrived(hall, tmp_path / "own.kbk", digest)


async def test_a_session_that_ends_during_the_upload_is_renewed_by_the_tab(
    hall: HallUnderTest, tmp_path: Path
) -> None:
    document = tmp_path / "technical.pdf"
    digest = make_file(document, SIZE)
    async with machine(tmp_path / "profile") as desk:
        page = await sealing_tab(desk, hall, document)
        await page.evaluate(END_SESSION)
        assert len(uploads_under_way(hall)) == 1
        await delivered(page)
        assert await was_refused(desk), "the worker met the end of the session"
        assert desk.uploads_made() == 2
        assert desk.complaints == []
    assert_arrived(hall, tmp_path / "own.kbk", digest)


async def test_a_tab_without_a_login_key_waits_for_a_person_to_log_in(
    hall: HallUnderTest, tmp_path: Path
) -> None:
    document = tmp_path / "technical.pdf"
    digest = make_file(document, SIZE)
    login = tmp_path / "login.json"
    login.write_text(json.dumps({"seed": hall.world.bidders[GUEST].seed.hex()}))
    async with machine(tmp_path / "profile") as desk:
        page = await sealing_tab(desk, hall, document)
        hall.kill()  # with it every session ends
        [cut] = uploads_under_way(hall)
        await see(page, SEALED)
        await page.evaluate('sessionStorage.removeItem("kaibiao.login")')
        await hall.start()
        await see(page, "请先登录")
        await eventually("the worker was refused", lambda: was_refused(desk))
        asked = len(desk.requests)
        await page.wait_for_timeout(2000)
        again = [r for r in desk.requests[asked:] if r[1].startswith("/uploads")]
        assert again == [], "a refused worker waits, it does not hammer at the door"
        assert uploads_under_way(hall) == [cut]

        await page.goto(f"{hall.url}/login")
        await page.locator("input[type=file]").first.set_input_files(login)
        await see(page, hall.world.bidders[GUEST].org_name)
        await page.goto(f"{hall.url}/bid/{ROOM}")
        await open_key(page)
        await see(page, "上次已在本机封装：technical.pdf")
        await fill_form(page, None)
        await start_sealing(page)
        await delivered(page)
        assert desk.uploads_made() == 2
        assert desk.complaints == []
    assert_arrived(hall, tmp_path / "own.kbk", digest)
