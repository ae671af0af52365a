"""An opening with every role, every byte of every socket and answer recorded: nobody receives a
byte of what the audience table does not grant; before the deadline nobody can tell who or how many;
nothing on the disk opens a bid early (issue: Real time; sealing.md C13, §9).
"""

import asyncio
import re
import zipfile
from collections.abc import Iterable
from contextlib import AsyncExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import aiohttp

from server.demo.people import now_ms
from server.demo.world import Person
from server.domain.model import Role
from server.storage.metrics import SECONDS_BOUNDS
from tests.faults.bid_secrets import KnownBidder, Secrets
from tests.faults.casts import OPENING
from tests.faults.recording import Ears, found
from tests.faults.site_process import ROOM, Nursery, SiteProcess, plan_of
from tests.faults.steady_people import Steady, SteadyHost, SteadyTrustee
from tests.faults.watching import Anonymous, Watcher, seat

NAMES = (
    "anonymous",
    "bidder A",
    "bidder B",
    "bidder C",
    "host",
    "supervisor",
    "purchaser",
    "trustee 1",
    "trustee 2",
    "trustee 3",  # looks on, and never releases
    "witness",
)
STAFF = frozenset(NAMES[4:])
PRICES = ("71234567.89", "72345678.91", "73456789.12")
BEFORE_DEADLINE = {"opening_scheduled", "sign_in_opened", "deadline_moved"}
UNLOCK_STATES = {"bid_unlocked", "own_bid_unlocked", "attempt_seen", "attempt_failed"}
DOORS_CLOSED = {"channel.not_yours", "auth.required", "room.unknown"}
NOBODY = Person("nobody", Role.VIEWER, "", "", "", bytes(32))
# Whole samples, never a family: how many commits or commands there were would count the bids.
# What the site's own clock moves, and how long its own work took:
LE = r"(\d+(\.\d+)?|\d+(\.\d+)?e[+-]?\d+|\+Inf)"
OWN_FIGURES = (
    r'kaibiao_journal_fsync_seconds\{quantile="0\.\d+"\}',
    rf'kaibiao_signaling_loop_lag_ms_bucket\{{le="{LE}"\}}',
    r"kaibiao_signaling_loop_lag_ms_(sum|count)",
    # What counts how often anybody read a public page; the watchers do so all the time:
    r'kaibiao_http_public_reads_total\{route="[a-z_/{}.-]+",status="[2-5]xx"\}',
)
OWN_FIGURE = re.compile("|".join(OWN_FIGURES))


@dataclass
class Hall:
    """Everybody, listening."""

    site: SiteProcess
    watchers: dict[str, Watcher]

    def __getitem__(self, name: str) -> Any:
        return self.watchers[name].person

    @property
    def bidders(self) -> list[KnownBidder]:
        return [self[name] for name in NAMES[1:4]]

    def others(self, bidder: str) -> Iterable[Watcher]:
        return (watcher for name, watcher in self.watchers.items() if name != bidder)

    async def metrics(self) -> dict[str, str]:
        async with (
            aiohttp.ClientSession() as session,
            session.get(f"{self.site.health}/metrics") as answer,
        ):
            lines = (await answer.text()).splitlines()
        return dict(line.rsplit(" ", 1) for line in lines if not line.startswith("#"))


async def test_nobody_receives_what_is_not_theirs(nursery: Nursery, tmp_path: Path):
    async with AsyncExitStack() as stack, asyncio.timeout(120):
        hall = await a_hall(nursery, tmp_path, stack)
        looking = asyncio.gather(*(w.look() for w in hall.watchers.values()))
        try:
            await log_of(hall, 2)
            before = {name: await w.sweep() for name, w in hall.watchers.items()}
            figures = await hall.metrics()
            size, at_ms = await tree_size(hall), now_ms()
            for watcher in hall.watchers.values():
                for record in watcher.ears.records:
                    record.begin()
            await deliver(hall)
            await check_before_deadline(hall, before, figures)
            assert abs(await tree_size(hall) - size - (now_ms() - at_ms) // 1000) <= 1
            await hall["host"].until_kind("bidders_announced")
            deadline_ms = first_ms(hall, "bidders_announced")
            ended_ms = await play_window(hall)
            opened_ms = await play_release(hall)
            await hear_all(hall)
        finally:
            looking.cancel()
            await asyncio.gather(looking, return_exceptions=True)
        bundles = {name: await bundle_of(w, tmp_path) for name, w in hall.watchers.items()}
    check_identities(hall, deadline_ms)
    check_halves(hall, ended_ms, opened_ms)
    check_contents(hall, opened_ms)
    check_channels(hall, ended_ms)
    for members in bundles.values():
        check_bundle(hall, members)


# ---- the play


async def a_hall(nursery: Nursery, directory: Path, stack: AsyncExitStack) -> Hall:
    ears = {name: await Ears.open(name, stack) for name in NAMES}
    hosts = [f"127.0.0.1:{each.http.port}" for each in ears.values()]
    plan = plan_of(9_000, body=True, window_ms=5_000)
    site = SiteProcess(nursery, directory, {ROOM: plan}, public_hosts=hosts)
    await stack.enter_async_context(site)
    await site.start()
    world = site.world
    people: dict[str, Steady] = {}
    officials = (world.host, world.supervisor, world.purchaser, world.witness)
    staff = {person.role.value: person for person in officials}
    for name in NAMES:
        base = f"http://127.0.0.1:{ears[name].http.port}"
        ways: dict[str, Any] = {"ws_port": ears[name].ws.port, "origin": site.base}
        if name == "anonymous":
            people[name] = Anonymous(base, NOBODY, ROOM, **ways)
        elif name.startswith("bidder"):
            people[name] = KnownBidder(base, world.bidders["ABC".index(name[-1])], ROOM, **ways)
        elif name.startswith("trustee"):
            keys = world.trustees[int(name[-1]) - 1]
            trustee = people[name] = SteadyTrustee(base, keys.person, ROOM, **ways)
            trustee.box, trustee.sign = keys.box, keys.sign
        else:
            kind = SteadyHost if name == "host" else Steady
            people[name] = kind(base, staff[name], ROOM, **ways)
    host = people["host"]
    assert isinstance(host, SteadyHost)
    host.officers = (world.host_officer, world.supervisor_officer)
    watchers: dict[str, Watcher] = {}
    for name, person in people.items():
        own = (f"party:{person.person.org}",) if name.startswith("bidder") else ()
        audiences = ("staff",) if name in STAFF else own
        watchers[name] = await seat(site, stack, ears[name], person, *audiences)
    # Experts sit in meetings alone.
    assert {p.person.role for p in people.values()} == set(Role) - {Role.SYSTEM, Role.EXPERT}
    parties = [f"party:{bidder.org}" for bidder in world.bidders]
    await asyncio.gather(*(watcher.enter(parties) for watcher in watchers.values()))
    return Hall(site, watchers)


async def deliver(hall: Hall) -> None:
    host, bidders = hall["host"], hall.bidders
    waiting = asyncio.create_task(
        host.keep_open(lambda: all(b.receipt for b in bidders), asyncio.Event(), 4_000)
    )
    for bidder, price in zip(bidders, PRICES, strict=True):
        await bidder.deliver_all(price)
        await bidder.do("sign_in")
    await same_for_a_foreign_and_for_no_upload(hall)
    await waiting


async def same_for_a_foreign_and_for_no_upload(hall: Hall) -> None:
    """B cannot tell A's upload from one that never was, by anything it does."""
    a, b = hall["bidder A"], hall["bidder B"]
    sealed = a.sealed[0]
    location = await a.http.uploads.create(ROOM, sealed.header.core, len(sealed.payload))
    await a.http.uploads.send(location, sealed.payload)
    never = location[:-32] + "0123456789abcdef" * 2
    tus = {"Tus-Resumable": "1.0.0", "Upload-Offset": "0"}
    patch = {**tus, "Content-Type": "application/offset+octet-stream"}
    for method, end, headers, body in (
        ("HEAD", "", tus, None),
        ("PATCH", "", patch, b"x"),
        ("DELETE", "", tus, None),
        ("PUT", "/header", {}, sealed.header.raw),
        ("PUT", "/header", {}, hall["bidder B"].sealed[0].header.raw[:-1]),
    ):
        answers: list[Any] = []
        for where in (location, never):
            async with b.http.session.request(
                method, where + end, headers=headers, data=body
            ) as response:
                shown = {k: v for k, v in response.headers.items() if k != "Date"}
                answers.append((response.status, shown, await response.read()))
        assert answers[0] == answers[1], (method, end)
        assert answers[0][0] >= 400
    await a.http.uploads.drop(location)


async def play_window(hall: Hall) -> int:
    """A and B unlock, C never does: when the window ended, by the host's ears."""
    host = hall["host"]
    await host.until(lambda e: e.kind == "checkpoint_reached" and e.body["of"] == "closing")
    await host.do("start_window", session=1)
    window = await host.until_kind("window_opened")
    a, b, c = hall.bidders
    await a.do("unlock", messages=a.unlock_messages(window))
    await c.do("report_attempt", bid_id=c.sealed[0].header.bid_id, code="unlock.key_mismatch")
    world, disk = hall.site.world, contents_of(hall.site)
    for bidder in hall.bidders:
        assert found(disk, bidder.contents(world)) == []
    for bidder in (b, c):
        assert found(disk, bidder.bidder_halves()) == []
    assert found(disk, a.bidder_halves()), "the search finds what is there"
    await b.do("unlock", messages=b.unlock_messages(window))
    await host.until_kind("window_ended")
    return first_ms(hall, "window_ended")


async def play_release(hall: Hall) -> int:
    """When "open all" was pressed."""
    host = hall["host"]
    await asyncio.gather(hall["trustee 1"].release(), hall["trustee 2"].release())
    await host.until_kind("replies_ended")
    opened_ms = now_ms()
    await host.do("open_all")
    await host.until_kind("prices_read_out")
    while len(host.all("body_decided")) < 2:
        await host.until_count(host.heard, len(host.heard) + 1)
    return opened_ms


async def hear_all(hall: Hall) -> None:
    for watcher in hall.watchers.values():
        for audience, heard in watcher.person.channels.items():
            told = await watcher.person.http.events(OPENING, audience)
            await watcher.person.until_count(heard, len(told["events"]))
            await watcher.until_polled(audience, len(told["events"]))


async def bundle_of(watcher: Watcher, directory: Path) -> dict[str, bytes]:
    path = directory / f"{watcher.ears.who}.zip"
    await watcher.person.fetch(lambda: watcher.person.http.bundle(ROOM, path))
    with zipfile.ZipFile(path) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


async def tree_size(hall: Hall) -> int:
    nobody = hall["anonymous"]
    return int((await nobody.fetch(nobody.http.checkpoint)).splitlines()[1])


async def log_of(hall: Hall, entries: int) -> None:
    """Until the log's pages answer, and are counted: so many seconds after the start."""
    async with asyncio.timeout(20):
        while True:
            if await tree_size(hall) >= entries:
                return
            await asyncio.sleep(0.1)


def first_ms(hall: Hall, kind: str) -> int:
    """The server's moment of the first such event."""
    return next(e.server_ms for e in hall["host"].heard if e.kind == kind)


def contents_of(site: SiteProcess) -> bytes:
    """Every file of the site as it lies on the disk now, and what it has printed."""
    files = [path for path in site.data.rglob("*") if path.is_file()]
    return b"\n".join(path.read_bytes() for path in (*files, site.log))


# ---- what was found


async def check_before_deadline(
    hall: Hall, before: dict[str, dict[str, bytes]], figures: dict[str, str]
) -> None:
    """Three bids are in and three bidders wait: for everybody else the site is as it was."""
    own = f"/tenders/{ROOM}/mine"
    for name, watcher in hall.watchers.items():
        now = await watcher.sweep()
        for path, body in before[name].items():
            if path == own and name.startswith("bidder"):
                assert now[path] != body
                others = [b for b in hall.bidders if b is not watcher.person]
                assert found(now[path], merged(b.identity() for b in others)) == []
            elif "/events" not in path:
                assert now[path] == body, f"{name} {path}: {now[path][:300]!r}"
    check_figures(figures, await hall.metrics())
    await check_log(hall)
    disk = contents_of(hall.site)
    for bidder in hall.bidders:
        assert found(disk, bidder.contents(hall.site.world)) == []
        assert found(disk, bidder.bidder_halves()) == []
        assert found(disk, {"bid_id": bidder.sealed[0].header.bid_id}), "the search searches"


def check_figures(before: dict[str, str], now: dict[str, str]) -> None:
    """No sample came or went, and none moved but those listed; a quantile is not a count."""
    assert set(now) == set(before)
    moved = {name for name in now if now[name] != before[name]}
    assert {name for name in moved if not OWN_FIGURE.fullmatch(name)} == set()
    for name in now:
        if name.startswith("kaibiao_journal_fsync_seconds{"):
            seconds = float(now[name])
            assert seconds in SECONDS_BOUNDS or not seconds.is_integer(), (name, now[name])


async def check_log(hall: Hall) -> None:
    """What the server prints for its operator names nobody either."""
    await hall.site.obey("tasks")
    said = hall.site.log.read_bytes()
    assert b"hall_process.py" in said, "its output is what is searched"
    for bidder in hall.bidders:
        who = {"person": bidder.person.person, "name": bidder.person.name}
        assert found(said, bidder.identity() | who) == []


def check_identities(hall: Hall, deadline_ms: int) -> None:
    for name, bidder in zip(NAMES[1:4], hall.bidders, strict=True):
        for watcher in hall.others(name):
            for record in watcher.ears.records:
                seen = found(record.until(deadline_ms), bidder.identity())
                assert seen == [], f"{record.who} saw before the deadline: {seen}"
        told = b"".join(r.until(deadline_ms) for r in hall.watchers[name].ears.records)
        assert found(told, bidder.identity()), "the search searches"


def check_halves(hall: Hall, ended_ms: int, opened_ms: int) -> None:
    """Before the end nobody, then those who may release, until the record shows the forms' own."""
    halves = merged(bidder.bidder_halves() for bidder in hall.bidders)
    granted = {"trustee 1", "trustee 2", "trustee 3", "supervisor", "purchaser"}
    for name, watcher in hall.watchers.items():
        for record in watcher.ears.records:
            assert found(record.until(ended_ms), halves) == [], record.who
        later = b"".join(record.until(opened_ms) for record in watcher.ears.records)
        # Two bids of two envelopes were unlocked.
        assert len(found(later, halves)) == (4 if name in granted else 0), name
        always = b"".join(record.until() for record in watcher.ears.records)
        assert found(always, hall["bidder C"].bidder_halves()) == [], name
        if name not in granted:
            bodies = {n: half for n, half in halves.items() if n.endswith(" 2")}
            assert found(always, bodies) == [], name


def check_contents(hall: Hall, opened_ms: int) -> None:
    world = hall.site.world
    for watcher in hall.watchers.values():
        for record in watcher.ears.records:
            early, all_of_it = record.until(opened_ms), record.until()
            for bidder in hall.bidders:
                secrets = bidder.contents(world)
                assert found(early, secrets) == [], record.who
                assert found(all_of_it, bidder.of_bodies(secrets)) == [], record.who
            never = hall["bidder C"].contents(world)
            assert found(all_of_it, never) == [], record.who
    heard = hall.watchers["anonymous"].ears.ws.record.until()
    assert found(heard, {"price": PRICES[0]}), "the search searches"
    disk = contents_of(hall.site)
    assert found(disk, hall["bidder C"].contents(world)) == []
    assert found(disk, hall["bidder C"].bidder_halves()) == []


def check_channels(hall: Hall, ended_ms: int) -> None:
    """The same by meaning: what kinds of events came in which channel, and when."""
    for name, watcher in hall.watchers.items():
        heard = watcher.person.channels
        assert set(heard) == set(watcher.audiences)
        for audience in heard:
            live = [(e.seq, e.kind, e.hash) for e in heard[audience]]
            assert [(row[0], row[2], row[4]) for row in watcher.polled[audience]] == live
        early = [e.kind for e in heard["hall"] if e.server_ms < first_ms(hall, "bidders_announced")]
        assert set(early) <= BEFORE_DEADLINE
        in_window = {e.kind for e in heard["hall"] if e.server_ms < ended_ms}
        assert not in_window & {
            "bid_unlocked",
            "own_bid_unlocked",
            "attempt_seen",
            "attempt_failed",
        }
        if name.startswith("bidder"):
            (party,) = set(heard) - {"hall"}
            unlocks = [e.body["org"] for e in heard[party] if e.kind == "own_bid_unlocked"]
            assert set(unlocks) <= {watcher.person.person.org}
            assert len(unlocks) == (0 if name == "bidder C" else 1)
        if name in STAFF:
            assert [e.kind for e in heard["staff"]].count("bid_unlocked") == 2
        assert set(watcher.refused.values()) <= {
            "channel.not_yours",
            "auth.required",
            "room.unknown",
        }
        assert len(watcher.refused) >= 2 * 9


def check_bundle(hall: Hall, members: dict[str, bytes]) -> None:
    """The record shows forms with their halves, and nothing of the technical envelopes."""
    world = hall.site.world
    whole = b"\n".join(members.values())
    for bidder in hall.bidders:
        assert found(whole, bidder.of_bodies(bidder.contents(world))) == []
        assert found(whole, bidder.of_bodies(bidder.bidder_halves())) == []
    c = hall["bidder C"]
    assert found(whole, {**c.contents(world), **c.bidder_halves()}) == []
    assert found(whole, {"price": PRICES[0]}) == ["price"]


def merged(parts: Iterable[Secrets]) -> Secrets:
    return {name: secret for part in parts for name, secret in part.items()}
