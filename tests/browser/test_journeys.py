"""What people live through, in a real browser (开标全程): smooth, never unlocked, server killed,
WebSocket blocked.
"""

import asyncio
import json
import re
from pathlib import Path

import pytest
from playwright.async_api import BrowserContext, Page

from crypto.verifier import verify
from tests.browser.conftest import (
    Detour,
    HallUnderTest,
    assert_accessible,
    open_tab,
    picture,
    press,
    seal_a_bid,
    see,
)
from tests.browser.detours import RefusingProxy

pytestmark = [pytest.mark.browser, pytest.mark.slow]


async def unlock(page: Page) -> None:
    await press(page, "解密我的投标")
    await see(page, "您已解密")


async def unlock_card(page: Page, photo: Path) -> list[str]:
    """The first card's groups, and a photograph of the whole sheet's code."""
    await page.locator(".card-sheet svg").screenshot(path=photo)
    return (await page.locator(".card-groups").first.inner_text()).split()


async def unlock_by_card(phone: Page, groups: list[str], photo: Path) -> None:
    """On a device that knows nothing: a card with a slip in it, then a photograph of the sheet."""
    await see(phone, "用解锁卡解密")
    await assert_accessible(phone, "card")
    slip = ["A" * 4 if groups[5] != "A" * 4 else "B" * 4]
    await phone.locator("#card-text").fill(" ".join(groups[:5] + slip + groups[6:]))
    await press(phone, "用解锁卡解密")
    await see(phone, "有一个字母打错了（第 1 行）")
    await picture(phone, "card-slip")
    await phone.locator("#card-photo").set_input_files(photo)
    await press(phone, "用解锁卡解密")
    await see(phone, "号已用解锁卡解密")
    await see(phone, "现在不需要您做什么")
    await picture(phone, "card-done")
    await assert_accessible(phone, "card used")


async def start_countdown(host: Page) -> None:
    await press(host, "开始解密，时限")


async def release(trustee: Page, public: Page) -> None:
    """The trustee reads the last four characters from the hall's screen, then hands over its
    share.
    """
    await see(trustee, "请核对，再交出")
    await picture(trustee, "trustee")
    await assert_accessible(trustee, "trustee")
    shown = re.search(r"[A-Z2-7]{4}(?: [A-Z2-7]{4}){5}", await public.inner_text("body"))
    assert shown is not None
    await trustee.get_by_label("请输入开标室大屏上指纹的后四位").fill(shown.group()[-4:])
    await press(trustee, "交出我的份额")
    await see(trustee, "您已交出份额")


async def open_all(host: Page) -> None:
    await press(host, "同时开启")


async def download_bundle(page: Page, into: Path) -> Path:
    async with page.expect_download() as download:
        await page.get_by_text("下载开标存证包").first.click()
    await (await download.value).save_as(into)
    return into


@pytest.mark.parametrize("hall", [{"trustees": 1}], indirect=True)
async def test_a_smooth_opening_from_seal_to_verified_record(
    hall: HallUnderTest, context: BrowserContext, a_phone: BrowserContext, tmp_path: Path
) -> None:
    bidder = await open_tab(context, hall.guest)
    await see(bidder, "先为这个项目生成钥匙")
    await assert_accessible(bidder, "keys")
    await seal_a_bid(bidder, tmp_path)
    card = await unlock_card(bidder, tmp_path / "card.png")
    await picture(bidder, "bid-delivered")
    await assert_accessible(bidder, "receipt")
    async with bidder.expect_download() as download:
        await bidder.get_by_text("下载回执文件").first.click()
    receipt = tmp_path / "own.receipt.json"
    await (await download.value).save_as(receipt)
    if await bidder.get_by_role("button", name="签到", exact=True).count():
        await press(bidder, "签到", exact=True)

    host = await open_tab(context, hall.host)
    trustee = await open_tab(context, hall.trustee)
    phone = await open_tab(a_phone, f"{hall.url}/unlock/jz-2026-sg-0417")
    await see(phone, "现在还不到用解锁卡的时候")
    await picture(phone, "card-early")
    public = await open_tab(context, f"{hall.url}/hall/jz-2026-sg-0417")
    await start_countdown(host)
    await see(bidder, "轮到您了")
    await picture(bidder, "bid-countdown")
    await assert_accessible(bidder, "countdown")
    await see(host, "在线的人（1）")  # the bidder's page was open before it had bid
    await picture(host, "host-countdown")
    await assert_accessible(host, "host")
    await assert_accessible(public, "hall")
    # The bidder's computer is of no use to it today: a phone without any login has the card.
    await unlock_by_card(phone, card, tmp_path / "card.png")
    await see(bidder, "您已解密")

    await release(trustee, public)
    await open_all(host)
    await see(bidder, "71,234,567.89")
    await see(public, "71,234,567.89")
    await press(host, "宣读第一家")
    await picture(bidder, "bid-read-out")
    await picture(public, "hall-read-out")
    await assert_accessible(public, "read-out")

    bundle = await download_bundle(public, tmp_path / "opening.zip")
    report = verify(bundle, receipts=[receipt])
    assert report.verdict == "agree", report.mismatches


@pytest.mark.parametrize("hall", [{"window_s": 12}], indirect=True)
async def test_a_bidder_who_never_unlocks_stays_sealed(
    hall: HallUnderTest, context: BrowserContext, tmp_path: Path
) -> None:
    bidder = await open_tab(context, hall.guest)
    await seal_a_bid(bidder, tmp_path, price="66666666.66")
    host = await open_tab(context, hall.host)
    await start_countdown(host)
    await see(bidder, "轮到您了")
    await open_all(host)
    await see(bidder, "您的投标没有打开")
    await picture(bidder, "bid-not-opened")
    await assert_accessible(bidder, "not opened")
    assert "66,666,666.66" not in await host.content()
    supervisor = await open_tab(context, hall.supervisor)
    await two_officers_decide(host, supervisor, tmp_path)
    await see(bidder, "认定为视为撤销")
    await bidder.wait_for_timeout(2500)  # until the decision is under a signed checkpoint
    bundle = await download_bundle(bidder, tmp_path / "opening.zip")
    report = verify(bundle)
    assert report.verdict == "agree", report.mismatches
    assert "decision.none" not in {remark.code for remark in report.word_of}
    assert b"66666666.66" not in bundle.read_bytes()


async def two_officers_decide(host: Page, supervisor: Page, folder: Path) -> None:
    """The host confirms what the system suggests, the supervisor signs it: by keyboard, the second
    time, after a first proposal was declined.
    """
    await see(host, "1 家没有打开：责任认定")
    await picture(host, "host-grounds")
    await assert_accessible(host, "grounds")
    async with host.expect_download() as download:
        await press(host, "下载这份投标的证据")
    evidence = folder / "evidence.json"
    await (await download.value).save_as(evidence)
    assert json.loads(evidence.read_bytes())["suggested"]["why"] == "no_try"
    await press(host, "签名提出，等监督人会签")
    await see(supervisor, "本机已核对：您签的就是以上内容")
    await press(supervisor, "不同意，退回")
    await supervisor.get_by_label("理由（对方会看到，并写入记录）").fill("先核对证据")
    await press(supervisor, "确认：不同意，退回")
    await see(host, "退回或撤下了提议：先核对证据")
    await press(host, "签名提出，等监督人会签")
    await see(supervisor, "我已核对，签名同意")
    await see(supervisor, "本机已核对：您签的就是以上内容")
    await picture(supervisor, "supervisor-sign")
    await assert_accessible(supervisor, "countersigning")
    await supervisor.emulate_media(color_scheme="dark")
    await press(supervisor, "English")
    await see(supervisor, "I have checked it; sign")
    await picture(supervisor, "supervisor-sign-en-dark")
    await assert_accessible(supervisor, "countersigning in the dark")
    sign = supervisor.get_by_role("button", name="I have checked it; sign")
    await sign.focus()
    await supervisor.keyboard.press("Enter")
    await see(supervisor, "Signed by host and supervisor")
    await see(host, "主持人和监督人都已签名")
    await picture(host, "host-ground-decided")


async def test_a_server_killed_in_the_countdown_comes_back_and_loses_nothing(
    hall: HallUnderTest, context: BrowserContext, tmp_path: Path
) -> None:
    bidder = await open_tab(context, hall.guest)
    await seal_a_bid(bidder, tmp_path)
    host = await open_tab(context, hall.host)
    await start_countdown(host)
    await see(bidder, "轮到您了")
    await asyncio.sleep(3)  # the two others unlock meanwhile
    hall.kill()
    await see(bidder, "连接断开，正在重连")
    await picture(bidder, "bid-connection-lost")
    await hall.start()
    await see(bidder, "连接正常")
    await unlock(bidder)
    await open_all(host)
    await see(bidder, "71,234,567.89")
    await see(bidder, "服务器中断过，时限顺延到")
    await picture(bidder, "bid-after-restart")
    bundle = await download_bundle(host, tmp_path / "opening.zip")
    report = verify(bundle)
    assert report.verdict == "agree", report.mismatches


async def test_where_websocket_is_blocked_the_fallback_carries_the_whole_opening(
    hall: HallUnderTest, behind_a_wall: Detour[RefusingProxy], tmp_path: Path
) -> None:
    context = behind_a_wall.context
    bidder = await open_tab(context, hall.guest)
    await seal_a_bid(bidder, tmp_path, price="70123456.00")
    await see(bidder, "已改用备用连接")
    host = await open_tab(context, hall.host)
    await start_countdown(host)
    await see(bidder, "轮到您了")
    await unlock(bidder)
    await open_all(host)
    await see(bidder, "70,123,456.00")
    await picture(bidder, "bid-fallback")
    bundle = await download_bundle(bidder, tmp_path / "opening.zip")
    report = verify(bundle)
    assert report.verdict == "agree", report.mismatches
    assert behind_a_wall.proxy.refused > 2  # it was asked, each time by HTTP, and never let through
