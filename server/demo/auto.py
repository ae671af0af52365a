"""`kaibiao demo --auto`: a whole opening, headless, through the real server over real sockets.

The server runs here; every bidder and every trustee is a process of its own. At the end the
bundle is fetched as anybody would fetch it and verified offline.
"""

import asyncio
import contextlib
import json
import tempfile
from collections.abc import AsyncIterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from crypto.checkpoint import parse_checkpoint
from crypto.keys import random_bytes
from crypto.verifier import verify
from server.app import Running, running
from server.config import Config, Listen, Site
from server.demo.officers import Officer, decide_grounds
from server.demo.people import Host, Visitor, now_ms
from server.demo.person_process import PersonProcess, Task
from server.demo.world import MANAGERS, Person, TenderPlan, World, build_manifest
from server.domain import commands as cmd
from server.domain.model import Role

ROOM = "jz-2026-sg-0417"
DEADLINE_BASE_MS = 4_000
DEADLINE_PER_BIDDER_MS = 200
TRIES = 4
LATER = 3  # times as far away
MISSED = ("registration.closed", "bid.late")
PATIENCE_S = 90.0
PATIENCE_PER_BIDDER_S = 2.0
WINDOW_MS = 8_000


@dataclass(frozen=True, kw_only=True)
class AutoPlan:
    """How large, and where the results go. ``never``: how many bidders do not unlock."""

    bidders: int
    out: Path
    body_bytes: int = 200_000
    never: int = 1
    window_ms: int = WINDOW_MS
    deadline_ms: int = 0  # after the start; 0: by the number of bidders
    suite: int = 1


def task_of(base: str, person: Person, **more: Any) -> Task:
    return Task(
        base=base,
        room=more.pop("room", ROOM),
        person=person.person,
        role=str(person.role),
        org=person.org,
        org_name=person.org_name,
        name=person.name,
        seed=person.seed.hex(),
        **more,
    )


async def play(plan: AutoPlan) -> dict[str, Any]:
    """The summary: what happened, with the time of each stage.

    Where the deadline passed over people who were still sealing (this machine has other things to
    do), the day begins again, with a later one. Raises RuntimeError, TimeoutError.
    """
    plan.out.mkdir(parents=True, exist_ok=True)
    for tries in range(1, TRIES):
        try:
            return await _play(plan) | {"tries": tries}
        except RuntimeError as error:
            if not any(code in str(error) for code in MISSED):
                raise
        plan = replace(plan, deadline_ms=max(_wait_ms(plan) * LATER, _wait_ms(plan, usual=True)))
    return await _play(plan) | {"tries": TRIES}


def _wait_ms(plan: AutoPlan, *, usual: bool = False) -> int:
    """From the start to the deadline."""
    by_number = DEADLINE_BASE_MS + DEADLINE_PER_BIDDER_MS * plan.bidders
    return by_number if usual else plan.deadline_ms or by_number


async def _play(plan: AutoPlan) -> dict[str, Any]:
    world = World(random_bytes(32), plan.bidders)
    with tempfile.TemporaryDirectory(prefix="kaibiao-") as data:
        config = Config(
            site=Site(
                data=data, log_origin="demo.example/kaibiao/log", test_suites=plan.suite != 1
            ),
            listen=Listen(http_port=0, ws_port=0, health_port=0),
        )
        async with (
            running(config) as site,
            asyncio.timeout(PATIENCE_S + PATIENCE_PER_BIDDER_S * plan.bidders),
        ):
            return await _play_on(site, world, plan)


async def _play_on(site: Running, world: World, plan: AutoPlan) -> dict[str, Any]:
    began = now_ms()
    tender = TenderPlan(
        number="JZ-2026-SG-0417",
        title="滨河东路道路改造工程（施工）",
        deadline_ms=began + _wait_ms(plan),
        window_ms=plan.window_ms,
        reply_ms=15_000,
        suite=plan.suite,
        min_bidders=min(3, plan.bidders),
    )
    await publish(site, world, tender, ROOM)
    base = site.config.site.origin
    tasks = [_bidder_task(base, world, plan, number) for number in range(plan.bidders)]
    tasks += [
        task_of(base, t.person, box=t.box.seed.hex(), sign=t.sign.seed.hex())
        for t in world.trustees
    ]
    async with (
        Host(base, world.host, ROOM) as host,
        Visitor(base, world.supervisor, ROOM) as supervisor,
        _processes(tasks) as people,
    ):
        await host.enter("staff")
        await supervisor.enter("staff")
        done = await _all_done(host, people)
        await _bodies_decided(host)
        grounds = await decide_grounds(
            Officer(host, world.host_officer), Officer(supervisor, world.supervisor_officer)
        )
        await _under_a_checkpoint(host)
        bundle = plan.out / "opening.zip"
        size = await _fetch(host, bundle)
        await host.do("close_opening")
        stages = _stages(host, began)
    verdict = await asyncio.to_thread(_verify, bundle)
    summary = {
        "bidders": plan.bidders,
        "stages": stages,
        "total_ms": now_ms() - began,
        "bundle": str(bundle),
        "bundle_bytes": size,
        "verdict": verdict,
        "states": _states(host),
        "grounds": grounds,
        "people": done,
    }
    (plan.out / "summary.json").write_text(json.dumps(summary, ensure_ascii=False, indent=1))
    return summary


async def publish(site: Running, world: World, tender: TenderPlan, room: str) -> None:
    """Everybody into the registry, the tender onto the board."""
    for person in world.everybody():
        await site.hall.register_person(register_command(person))
    manifest, signatures = build_manifest(
        world,
        tender,
        receipt_pk=site.keys.receipt.public,
        log_origin=site.config.site.log_origin,
        log_pk=site.keys.log.public,
    )
    await site.hall.open_tender(room, manifest, signatures)


def register_command(person: Person) -> cmd.RegisterPerson:
    return cmd.RegisterPerson(
        person=person.person,
        org=person.org,
        org_name=person.org_name,
        role=Role(person.role),
        name=person.name,
        login_pk=person.login_pk,
    )


def _bidder_task(base: str, world: World, plan: AutoPlan, number: int) -> Task:
    last = plan.bidders - 1 - number
    behaviour = "never" if last < plan.never and plan.bidders > plan.never else "plain"
    if behaviour == "plain" and number in (1, 2):
        behaviour = ("wrong_key", "dropped")[number - 1]
    return task_of(
        base,
        world.bidders[number],
        amount=f"{71_000_000 + 137_311 * number}.{number % 100:02d}",
        days=150 + number % 40,
        manager=MANAGERS[number % len(MANAGERS)],
        body_bytes=plan.body_bytes,
        behaviour=behaviour,
    )


async def _all_done(host: Host, people: list[PersonProcess]) -> list[dict[str, Any]]:
    """What everybody reports; at the first who fails nobody is waited for any more."""
    opening = asyncio.ensure_future(host.run_opening())
    reports = [asyncio.ensure_future(person.result()) for person in people]
    waiting = [opening, *reports]
    try:
        await asyncio.gather(*waiting)
    finally:
        for task in waiting:
            task.cancel()
        await asyncio.wait(waiting)
    return [report.result() for report in reports]


@contextlib.asynccontextmanager
async def _processes(tasks: list[Task]) -> AsyncIterator[list[PersonProcess]]:
    people = [PersonProcess(task) for task in tasks]
    try:
        yield people
    finally:
        for person in people:
            person.end()


async def _bodies_decided(host: Host) -> None:
    """The large envelopes of the opened bids are decrypted behind the read-out."""
    ended = host.all("window_ended")[-1]
    wanted = len(ended["unlocked"])
    while len(host.all("body_decided")) < wanted:
        await host.until(lambda e: len(host.all("body_decided")) >= wanted or e is host.heard[-1])
        await asyncio.sleep(0.05)


async def _under_a_checkpoint(host: Host) -> None:
    """What has happened by now is in the signed log, and so in the bundle: two leaves later."""
    rules = await host.read_rules()

    async def size() -> int:
        text = await host.http.checkpoint()
        return parse_checkpoint(text, rules.log.origin, rules.log.pk).size

    enough = await size() + 2
    while await size() < enough:  # noqa: ASYNC110 - the log is not ours to wait on
        await asyncio.sleep(0.3)


async def _fetch(host: Host, into: Path) -> int:
    while True:
        try:
            return await host.http.bundle(ROOM, into)
        except Exception as error:
            if getattr(error, "code", "") != "bundle.not_ready":
                raise
            await asyncio.sleep(0.3)


def _stages(host: Host, began: int) -> dict[str, int]:
    """ms from the start to the first event of each kind."""
    stages: dict[str, int] = {}
    for event in host.heard:
        stages.setdefault(event.kind, event.server_ms - began)
    return stages


def _states(host: Host) -> dict[str, int]:
    last = host.all("set_frozen")[-1]
    parts = [part for part in host.all("document_part") if part["nonce"] == last["nonce"]]
    raw = [part["raw"] for part in parts if part["of"] == "set_frozen"]
    frozen = json.loads(b"".join([*raw, last["frozen"]]))
    counts: dict[str, int] = {}
    for bid in frozen["bids"]:
        counts[bid["state"]] = counts.get(bid["state"], 0) + 1
    return counts


def _verify(bundle: Path) -> str:
    return verify(bundle).verdict
