"""Four tenders of one site on one day: another suite, two lots with masked names, one that is
unattended and releases all accepted bids, and one whose prices are opened in a second session.
"""

import asyncio
import json
from pathlib import Path
from typing import Any

from crypto.manifest import trustee_message
from crypto.verifier import verify
from server.demo.people import Host
from tests.journeys.people import bundle_of, opened, refused
from tests.journeys.sites import Centre, a_centre

ODD_SIZES = 0xFF01


async def test_four_tenders_of_different_kinds_open_at_the_same_time(tmp_path: Path):
    async with (
        asyncio.timeout(120),
        a_centre(tmp_path / "data", test_suites=True) as centre,
        asyncio.TaskGroup() as day,
    ):
        day.create_task(under_another_suite(centre, tmp_path / "odd.zip"))
        day.create_task(two_lots_with_masked_names(centre, tmp_path / "lots.zip"))
        day.create_task(unattended_and_all_accepted(centre, tmp_path / "all.zip"))
        day.create_task(two_sessions(centre, tmp_path / "sessions.zip"))


async def under_another_suite(centre: Centre, into: Path) -> None:
    """Other sizes, other primitives, the same hall: nobody hard-coded an offset."""
    room = "odd-sizes"
    await centre.publish(room, 5000, suite=ODD_SIZES)
    firms, host = await centre.firms(room, 3), await centre.host(room)
    keyholders = await centre.keyholders(room)
    prices = ["71000000.00", "70500000.00", "69900000.00"]
    await asyncio.gather(*(f.register_and_bid(p) for f, p in zip(firms, prices, strict=True)))
    assert {len(f.sealed[1][0].bidder_half) for f in firms} == {48}
    await asyncio.gather(*(f.fetch_receipt() for f in firms))
    await host.until(lambda e: e.kind == "checkpoint_reached" and e.body["of"] == "closing")
    await host.do("start_window", session=1)
    for firm in firms:
        await firm.enter(f"party:{firm.person.org}")
    window = await host.until_kind("window_opened")
    await asyncio.gather(*(firm.unlock(window) for firm in firms))
    ended = await host.until_kind("window_ended")
    assert (ended["early"], ended["locked"]) == (True, [])
    await asyncio.gather(*(k.release() for k in keyholders[1:]))
    await host.until_kind("replies_ended")
    readout = await opened(host)
    assert sorted(readout["amounts"].values()) == sorted(prices)
    await so_many(host, "body_decided", 3)
    assert {b["state"] for b in host.all("body_decided")} == {"opened"}
    report = await asyncio.to_thread(verify, await bundle_of(host, into))
    # The verifier knows the suites for real tenders, and says that this is none of them.
    assert report.verdict == "mismatch"
    (only,) = report.mismatches
    assert (only.check, only.member, only.found) == ("manifest.suite", "manifest.json", "65281")


async def two_lots_with_masked_names(centre: Centre, into: Path) -> None:
    room = "two-lots"

    def change(manifest: dict[str, Any]) -> None:
        manifest["names_masked"] = True
        manifest["lots"] = [{"lot": 1, "name": "第一标段"}, {"lot": 2, "name": "第二标段"}]

    await centre.publish(room, 5000, body=False, change=change)
    firms, host = await centre.firms(room, 4), await centre.host(room)
    keyholders = await centre.keyholders(room)
    lots = [(1, 2), (1, 2), (1,), (2,)]
    await asyncio.gather(
        *(
            f.register_and_bid(f"7{n}000000.00", *own)
            for n, (f, own) in enumerate(zip(firms, lots, strict=True))
        )
    )
    await asyncio.gather(*(f.fetch_receipt() for f in firms))
    announced = await host.until_kind("bidders_announced")
    assert announced["count"] == 6
    assert {(bid["org"], bid["name"]) for bid in announced["bids"]} == {("", "")}
    assert sorted(bid["lot"] for bid in announced["bids"]) == [1, 1, 1, 2, 2, 2]
    await host.until(lambda e: e.kind == "checkpoint_reached" and e.body["of"] == "closing")
    await host.do("start_window", session=1)
    window = await host.until_kind("window_opened")
    for firm in firms:
        await firm.enter(f"party:{firm.person.org}")
        await firm.unlock(window)  # one message for both lots
    assert (await host.until_kind("window_ended"))["early"]
    heard = json.dumps([event.body for event in host.heard], default=str, ensure_ascii=False)
    for firm in firms:
        assert firm.person.org not in heard
    await asyncio.gather(*(k.release() for k in keyholders[:2]))
    await host.until_kind("replies_ended")
    readout = await opened(host)
    assert len(readout["amounts"]) == 6
    rows = json.loads(readout["readout"])["rows"]
    assert {row["bidder"]["code"] for row in rows} == {firm.person.org for firm in firms}
    report = await asyncio.to_thread(verify, await bundle_of(host, into))
    assert report.mismatches == []
    assert (report.facts["bids"], report.facts["state_opened"]) == ("6", "6")


async def unattended_and_all_accepted(centre: Centre, into: Path) -> None:
    """Nobody presses anything: it starts, ends, opens and reads out by itself."""
    room = "unattended"

    def change(manifest: dict[str, Any]) -> None:
        for envelope in manifest["envelopes"]:
            envelope["mode"] = 1

    await centre.publish(room, 5000, unattended=True, window_ms=2500, change=change)
    firms, host = await centre.firms(room, 3), await centre.host(room)
    keyholders = await centre.keyholders(room)
    await asyncio.gather(*(f.register_and_bid(f"7{n}000000.00") for n, f in enumerate(firms)))
    await asyncio.gather(*(f.fetch_receipt() for f in firms))
    window = await host.until_kind("window_opened")
    for firm in firms[:2]:
        await firm.enter(f"party:{firm.person.org}")
        await firm.unlock(window)
    ended = await host.until_kind("window_ended")
    assert (len(ended["unlocked"]), len(ended["locked"])) == (2, 1)
    # With all accepted, the trustees answer for the locked bid too; it stays locked all the same.
    await asyncio.gather(*(k.release() for k in keyholders[:2]))
    readout = await host.until_kind("prices_read_out")
    assert len(readout["amounts"]) == 2
    assert [event["by"] for event in host.all("all_opened")] == ["unattended"]
    report = await asyncio.to_thread(verify, await bundle_of(host, into))
    assert report.mismatches == []
    assert (report.facts["state_opened"], report.facts["state_locked"]) == ("2", "1")


async def two_sessions(centre: Centre, into: Path) -> None:
    """First what is judged without prices; then the prices, as a window with keys of its own."""
    room = "two-sessions"

    def change(manifest: dict[str, Any]) -> None:
        first = manifest["envelopes"][0]
        manifest["envelopes"].append({**first, "envelope": 3, "name": "报价文件"})
        manifest["sessions"].append({**manifest["sessions"][0], "session": 2, "envelopes": [3]})
        for listed, keys in zip(manifest["trustees"], centre.world.trustees, strict=True):
            listed["envelopes"] = [1, 2, 3]
            claim = (listed["expiry_ms"], keys.box.public, keys.sign.public, [1, 2, 3])
            listed["proof"] = keys.sign.sign(trustee_message(*claim)).hex()

    await centre.publish(room, 5000, change=change)
    firms, host = await centre.firms(room, 3), await centre.host(room)
    keyholders = await centre.keyholders(room)
    await asyncio.gather(*(f.register_and_bid(f"7{n}000000.00") for n, f in enumerate(firms)))
    await asyncio.gather(*(f.fetch_receipt() for f in firms))
    for firm in firms:
        await firm.enter(f"party:{firm.person.org}")
    await host.until(lambda e: e.kind == "checkpoint_reached" and e.body["of"] == "closing")
    assert await refused(host.do("start_window", session=2)) == "window.session_unknown"
    for session in (1, 2):
        await host.do("start_window", session=session)
        window = await of_session(host, "window_opened", session)
        assert [n["envelope"] for n in window["nonces"]] == ([1, 2] if session == 1 else [3])
        await asyncio.gather(*(firm.unlock(window) for firm in firms))
        await of_session(host, "window_ended", session)
        for keyholder in keyholders[session - 1 : session + 1]:
            keyholder.window = (session, 1)
            await keyholder.release()
        await so_many(host, "replies_ended", session)
        await host.do("open_all")
        await so_many(host, "prices_read_out", session)
    await so_many(host, "body_decided", 3)
    assert {b["state"] for b in host.all("body_decided")} == {"opened"}
    report = await asyncio.to_thread(verify, await bundle_of(host, into))
    assert report.mismatches == []
    assert (report.facts["bids"], report.facts["state_opened"]) == ("3", "6")


async def so_many(host: Host, kind: str, count: int) -> None:
    await host.until(lambda _: len(host.all(kind)) == count)


async def of_session(host: Host, kind: str, session: int) -> dict[str, Any]:
    return await host.until(lambda e: e.kind == kind and e.body["session"] == session)
