"""In time (及时) while the server's loop stands still (design.md §4), on real processes.

What had reached the socket before the end is in time however late it is read; what is sent when
the stall is over is late. What comes in the stall itself, after the end, is dated back to the last
moment at which a whole pass is known to have begun: the bidder does not pay for our lag. That is
at most 10 s.
"""

import asyncio
import signal
from collections.abc import Awaitable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import aiohttp

from crypto.verifier import verify
from server.demo.people import now_ms
from tests.faults.books import open_books
from tests.faults.casts import OPENING, TENDER, Cast
from tests.faults.raw_lines import HttpLine, Sent, by_socket
from tests.faults.site_process import ROOM, Nursery, plan_of
from tests.faults.steady_people import SteadyBidder

WINDOW_MS = 1_500
LAG_MS_MAX = 60  # between a test's own clock reading and the kernel, on a busy machine
PASSES_S = 0.1  # two heartbeats of the pass clock, and much more
BACKDATE_MS_MAX = 10_000


@dataclass(frozen=True)
class Stall:
    """The loop stands still from ``at_ms`` before an end, for ``length_s``; ``by_signal``: the
    whole process does.
    """

    at_ms: int
    length_s: float
    by_signal: bool = False

    async def begin(self, cast: Cast, end_ms: int) -> None:
        """Returns when it has been arranged."""
        if not self.by_signal:
            await cast.site.obey(f"stall_at {end_ms - self.at_ms} {self.length_s}")
            return
        loop = asyncio.get_running_loop()
        loop.call_later((end_ms - self.at_ms - now_ms()) / 1000, cast.site.signal, signal.SIGSTOP)
        over_s = (end_ms - self.at_ms - now_ms()) / 1000 + self.length_s
        loop.call_later(over_s, cast.site.signal, signal.SIGCONT)

    async def over(self, cast: Cast, end_ms: int) -> None:
        """Returns when the loop is known to have gone round a few times again."""
        await sleep_until(end_ms - self.at_ms + int(self.length_s * 1000))
        async with aiohttp.ClientSession() as session:
            while True:
                with suppress(aiohttp.ClientError, TimeoutError):
                    async with session.get(f"{cast.site.health}/livez") as answer:
                        assert answer.status == 200
                        break
        await asyncio.sleep(PASSES_S)


async def sleep_until(at_ms: int) -> None:
    await asyncio.sleep(max(0, at_ms - now_ms()) / 1000)


async def unlock_at(at_ms: int, bidder: SteadyBidder, window: Any, *, by_http: bool) -> Sent:
    args = {"messages": bidder.unlock_messages(window)}
    line = await HttpLine(bidder).open()
    await sleep_until(at_ms)
    if by_http:
        return await line.post(OPENING, "unlock", args)
    line.close()
    return await by_socket(bidder, OPENING, "unlock", args)


def check(sent: Sent, end_ms: int, over_ms: int) -> str:
    """The rule, by what really happened and not by what was planned."""
    if sent.sent_ms < end_ms:
        assert sent.ok, f"{end_ms - sent.sent_ms} ms before the end: {sent.code}"
        assert sent.received_ms < end_ms
        assert sent.received_ms <= sent.sent_ms + LAG_MS_MAX
        return "in time"
    if sent.begun_ms >= over_ms:
        assert (sent.ok, sent.code) == (False, "unlock.window_closed")
        assert sent.received_ms >= end_ms
        return "late"
    assert sent.ok == (sent.received_ms < end_ms)
    return "in the stall"


async def window_with(
    cast: Cast, stall: Stall, early: list[SteadyBidder], amid: list[SteadyBidder], w: int
) -> set[str]:
    """One countdown whose end falls into a stall: what was seen of the rule."""
    window = await cast.start_window(reason="重新开始" if w > 1 else "")
    end_ms = window["end_ms"]
    await stall.begin(cast, end_ms)
    asked: list[Awaitable[Sent]] = [
        unlock_at(end_ms - stall.at_ms // 2, bidder, window, by_http=k % 2 == 0)
        for k, bidder in enumerate(early)
    ]
    asked += [
        unlock_at(end_ms + 80, bidder, window, by_http=k % 2 == 0) for k, bidder in enumerate(amid)
    ]
    all_sent = asyncio.gather(*asked)
    await stall.over(cast, end_ms)
    over_ms = now_ms()
    late = cast.bidders[-1]
    too_late = await unlock_at(over_ms, late, window, by_http=w % 2 == 0)
    seen = {check(sent, end_ms, over_ms) for sent in (*await all_sent, too_late)}
    await cast.host.until(lambda e: e.kind == "window_ended" and e.body["w"] == w)
    return seen


async def test_in_time_is_when_it_reached_the_socket(nursery: Nursery, tmp_path: Path):
    """Three halls at once, because most of this is waiting."""
    await asyncio.gather(
        ends_in_stalls(nursery, tmp_path / "stalls"),
        ten_seconds_and_no_more(nursery, tmp_path / "ten"),
        a_deadline_in_a_stall(nursery, tmp_path / "deadline"),
    )


async def ends_in_stalls(nursery: Nursery, tmp_path: Path) -> None:
    """Four windows, each with its end in a stall of another kind; the record verifies."""
    stalls = (
        Stall(250, 0.6),
        Stall(320, 0.3),
        Stall(100, 1.5),
        Stall(300, 0.9, by_signal=True),
    )
    async with Cast(nursery, tmp_path, bids=13, plan=plan_of(6_000, window_ms=WINDOW_MS)) as cast:
        await cast.deliver()
        await cast.gather_in_hall()
        seen: set[str] = set()
        for w, stall in enumerate(stalls, 1):
            at = 3 * (w - 1)
            early, amid = cast.bidders[at : at + 2], cast.bidders[at + 2 : at + 3]
            seen |= await window_with(cast, stall, early, amid, w)
        assert seen >= {"in time", "late"}
        await cast.until_read_out()
        bundle = tmp_path / "opening.zip"
        await cast.host.fetch(lambda: cast.host.http.bundle(ROOM, bundle))
        report = verify(bundle)
        assert report.verdict == "agree", report.mismatches


async def ten_seconds_and_no_more(nursery: Nursery, tmp_path: Path) -> None:
    """The process stands still from before the end until more than 10 s after it."""
    plan = plan_of(6_000, window_ms=WINDOW_MS)
    async with Cast(nursery, tmp_path, plan=plan) as cast:
        window = await cast.until_window()
        end_ms = window["end_ms"]
        stall = Stall(600, 0.6 + BACKDATE_MS_MAX / 1000 + 0.5, by_signal=True)
        await stall.begin(cast, end_ms)
        before = await unlock_at(end_ms - 200, cast.bidders[0], window, by_http=False)
        assert (before.ok, before.code) == (False, "unlock.window_closed")
        assert before.received_ms >= end_ms
        ended = await cast.host.until_kind("window_ended")
        assert ended["unlocked"] == []
        # What was refused stands in the log with the moment it was judged by: evidence (C3).
        await cast.site.terminate()
        with open_books(cast.site.data) as books:
            (attempt,) = books.payloads(OPENING, "attempt_failed")
        assert attempt["received_ms"] == before.received_ms


async def a_deadline_in_a_stall(nursery: Nursery, tmp_path: Path) -> None:
    """A SUBMIT on each way in, sent before the deadline and read after it; and one sent after."""
    async with Cast(nursery, tmp_path, accounts=6) as cast:
        in_time = [SteadyBidder(cast.site.base, p, ROOM) for p in cast.site.world.bidders[3:]]
        await cast.admit(*in_time)
        ready = [await prepare(bidder) for bidder in in_time]
        await cast.deliver()
        deadline_ms = (await cast.host.http.tenders())[0]["deadline_ms"]
        await asyncio.gather(*(bidder.enter_own() for bidder in in_time))
        stall = Stall(300, 1.0)
        await stall.begin(cast, deadline_ms)

        async def submit_at(at_ms: int, k: int) -> Sent:
            line = await HttpLine(in_time[k]).open()
            await sleep_until(at_ms)
            if k % 2:
                return await line.post(TENDER, "submit", {"message": ready[k]})
            line.close()
            return await by_socket(in_time[k], TENDER, "submit", {"message": ready[k]})

        asked = asyncio.gather(*(submit_at(deadline_ms - 150, k) for k in range(2)))
        await stall.over(cast, deadline_ms)
        late = await submit_at(now_ms(), 2)
        for sent in await asked:
            assert sent.sent_ms < deadline_ms, "the machine was too busy for this test"
            assert sent.ok, sent.code
            assert sent.received_ms < deadline_ms
        assert (late.ok, late.code) == (False, "bid.late")
        await cast.host.enter("staff")
        announced = await cast.host.until_kind("bidders_announced")
        assert announced["count"] == 5


async def prepare(bidder: SteadyBidder) -> bytes:
    """Everything but the SUBMIT: its bytes."""
    await bidder.read_rules()
    await bidder.register()
    sealed = bidder.seal({"price": "71000000.00", "days": 160, "manager": "何川"}, b"")
    for one in sealed:
        await bidder.http.store_steadily(ROOM, one)
    return bidder.submit_bytes(sealed)
