"""`make run`: a populated hall at once, and a cast that plays whatever you leave to it.

Three tenders: one that is opened, read out and closed by itself within minutes, one whose deadline
comes in three minutes (take the host's seat, or a bidder's; who does not act is played), one of
tomorrow in which there is time to seal a bid of your own. And one meeting of evaluation, of three
venues.
"""

import asyncio
import contextlib
import random
import shutil
import signal
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from crypto.keys import random_bytes
from server.app import Running, running
from server.config import Config, Listen, Site
from server.demo.auto import publish, task_of
from server.demo.files import make_files
from server.demo.meeting import MEETING, VENUES, open_meeting
from server.demo.officers import Officer, suggestions
from server.demo.people import Host, Visitor, now_ms
from server.demo.person_process import PersonProcess, warm_up
from server.demo.world import MANAGERS, TenderPlan, World
from server.domain.model import Role
from signaling.outbox import CommandRefused

DATA = Path("data/demo")
FILES = Path("build/bid-files")
GUESTS = 2  # bidders whom nobody plays: yours
MINUTE_MS = 60_000
PATIENCE_S = 40.0  # how long a step is left to you before the cast takes it
READ_EVERY_S = 4.0
BEHAVIOURS = ("plain", "wrong_key", "dropped", "late", "never")

# Who has a sentence on the page of what can be done; its words are `demo.note.*` of the locale.
NOTES = {
    "host": "host",
    "supervisor": "supervisor",
    "trustee-supervisor": "trustee",
}


@dataclass(frozen=True, slots=True)
class Scene:
    """One tender of the demo and who plays in it."""

    room: str
    plan: TenderPlan
    bidders: range
    with_cast: bool = True


def scenes(bidders: int) -> list[Scene]:
    now = now_ms()
    soon = TenderPlan(
        number="JZ-2026-SG-0398",
        title="澄江二桥引道照明工程",
        deadline_ms=now + 45_000,
        window_ms=30_000,
        reply_ms=10_000,
        unattended=True,
    )
    main = TenderPlan(
        number="JZ-2026-SG-0417",
        title="滨河东路道路改造工程（施工）",
        deadline_ms=now + 3 * MINUTE_MS,
        window_ms=4 * MINUTE_MS,
        reply_ms=3 * MINUTE_MS,
    )
    later = TenderPlan(
        number="JZ-2026-JL-0052",
        title="江州市第三水厂扩建工程（监理）",
        deadline_ms=now + 24 * 60 * MINUTE_MS,
        window_ms=30 * MINUTE_MS,
        reply_ms=15 * MINUTE_MS,
    )
    return [
        Scene("jz-2026-sg-0417", main, range(bidders)),
        Scene("jz-2026-sg-0398", soon, range(min(5, bidders))),
        Scene("jz-2026-jl-0052", later, range(0), with_cast=False),
    ]


def cast_list(world: World, room: str) -> dict[str, Any]:
    """/demo/people.json: everybody's seeds. Demo keys protect nothing."""
    trustees = {t.person.person: t for t in world.trustees}
    offices = {"host": world.host_officer, "supervisor": world.supervisor_officer}
    people: list[dict[str, Any]] = []
    played = {p.person for p in world.bidders[:-GUESTS]}
    seats = [{"venue": name, "seat": seat} for _, name, _, seats in VENUES for seat in seats]
    seat_of = dict(zip((p.person for p in world.experts), seats, strict=True))
    for person in world.everybody():
        if person.person in played:
            continue
        line: dict[str, Any] = {
            "person": person.person,
            "role": str(person.role),
            "name": person.name,
            "org": person.org,
            "org_name": person.org_name,
            "seed": person.seed.hex(),
        }
        if person.role is Role.BIDDER:
            line["note"] = "bidder"
        elif person.person in seat_of:
            line |= seat_of[person.person]
        elif person.person in NOTES:
            line["note"] = NOTES[person.person]
        if key := offices.get(person.person):
            line["officer_seed"] = key.seed.hex()
        if keys := trustees.get(person.person):
            line |= {"xpk_seed": keys.box.seed.hex(), "spk_seed": keys.sign.seed.hex()}
        people.append(line)
    attendants = [world.host.person, world.supervisor.person]
    return {"people": people, "tender": room, "meeting": MEETING, "attendants": attendants}


async def run(port: int, bidders: int, *, fresh: bool) -> None:
    """Until interrupted, or cancelled by SIGTERM."""
    this = asyncio.current_task()
    assert this is not None
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, this.cancel)
    warm_up()
    data = DATA / str(port)  # another demo may be running on another port
    if fresh:
        await asyncio.to_thread(shutil.rmtree, data, ignore_errors=True)
    documents = await asyncio.to_thread(make_files, FILES)
    world = World(random_bytes(32), bidders + GUESTS)
    config = Config(
        site=Site(
            origin=f"http://127.0.0.1:{port}",
            log_origin="hall.jiangzhou.example/kaibiao/log",
            data=str(data),
            demo=True,
            name="江州市公共资源交易中心",
            help_phone="0790-555-0142",
        ),
        listen=Listen(http_port=port, ws_port=port + 1, health_port=port + 2),
    )
    played = scenes(bidders)
    people = cast_list(world, played[0].room)
    async with running(config, demo_people=people) as site:
        if site.video is not None:
            site.video.begin()
        for scene in played:
            await publish(site, world, scene.plan, scene.room)
        await open_meeting(site.hall, world)
        print(
            f"\n  kaibiao 演示大厅   {site.config.site.origin}/demo   (Ctrl-C ends it)\n",
            flush=True,
        )
        async with contextlib.AsyncExitStack() as stack, asyncio.TaskGroup() as tasks:
            for scene in played:
                if scene.with_cast:
                    _send_cast(site, world, scene, documents, stack)
                    play = _read_out_and_close if scene.plan.unattended else _stand_in
                    tasks.create_task(play(site, world, scene))
            await asyncio.Event().wait()


def _send_cast(
    site: Running,
    world: World,
    scene: Scene,
    documents: list[Path],
    stack: contextlib.AsyncExitStack,
) -> None:
    base = site.config.site.origin
    dice = random.Random(scene.room)  # noqa: S311 - who behaves how
    odd = list(BEHAVIOURS[1:]) if not scene.plan.unattended else []
    for number in scene.bidders:
        behaviour = odd[number - 1] if 1 <= number <= len(odd) else "plain"
        fen = 6_950_000_000 + dice.randrange(400_000_000)
        task = task_of(
            base,
            world.bidders[number],
            room=scene.room,
            amount=f"{fen // 100}.{fen % 100:02d}",
            days=dice.randrange(140, 190),
            manager=MANAGERS[number % len(MANAGERS)],
            document=str(documents[number % len(documents)].resolve()),
            behaviour=behaviour,
            think_s=dice.uniform(1.0, 25.0) if not scene.plan.unattended else dice.uniform(0, 4),
        )
        stack.callback(PersonProcess(task).end)
    for trustee, think_s in zip(world.trustees[:2], (6.0, 12.0), strict=True):
        more = {"box": trustee.box.seed.hex(), "sign": trustee.sign.seed.hex()}
        task = task_of(base, trustee.person, room=scene.room, think_s=think_s, **more)
        stack.callback(PersonProcess(task).end)


async def _read_out_and_close(site: Running, world: World, scene: Scene) -> None:
    """What an unattended opening leaves to its host: it decrypts and opens by itself."""
    async with Host(site.config.site.origin, world.host, scene.room) as host:
        await host.enter("staff")
        ended = await host.until_kind("prices_read_out", "opening_failed")
        if "amounts" not in ended:
            return  # nobody bid in time, on a machine that is very slow
        await _read_rows(host, ended)
        await host.attempt("close_opening")


async def _read_rows(host: Host, readout: Mapping[str, Any]) -> None:
    for no in sorted(readout["amounts"]):
        await host.attempt("read_row", no=no)
        await asyncio.sleep(READ_EVERY_S)


async def _stand_in(site: Running, world: World, scene: Scene) -> None:
    """The seats of host and supervisor: take each step that nobody took within a while."""
    base = site.config.site.origin
    async with (
        Host(base, world.host, scene.room) as host,
        Visitor(base, world.supervisor, scene.room) as supervisor,
    ):
        await host.enter("staff")
        await supervisor.enter("staff")

        async def left_to_you(*kinds: str) -> bool:
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(PATIENCE_S):
                    await host.until_kind(*kinds)
                    return False
            return True

        await host.until(lambda e: e.kind == "checkpoint_reached" and e.body["of"] == "closing")
        if await left_to_you("window_opened"):
            await host.attempt("start_window", session=1)
        await host.until_kind("replies_ended", "opening_failed")
        if await left_to_you("all_opened"):
            await host.attempt("open_all")
        readout = await host.until_kind("prices_read_out")
        if await left_to_you("row_read"):
            await _read_rows(host, readout)
        await _decide_what_is_left(
            Officer(host, world.host_officer), Officer(supervisor, world.supervisor_officer)
        )
        if await left_to_you("opening_closed"):
            await host.attempt("close_opening")


async def _decide_what_is_left(host: Officer, supervisor: Officer) -> None:
    """The cast confirms what nobody has taken in hand: each officer in turn, after a while."""
    for suggestion in suggestions(host.desk):
        bid_id = suggestion["bid_id"]

        def stands(own: bytes = bid_id) -> list[Any]:
            seen = host.desk.all("ground_decided") + host.desk.all("ground_proposed")
            return [event for event in seen if event["bid_id"] == own]

        await asyncio.sleep(PATIENCE_S)
        with contextlib.suppress(CommandRefused):
            if not stands():
                await host.propose_ground(suggestion)
                await asyncio.sleep(PATIENCE_S)
            newest = stands()[-1]
            if newest.get("by") == "host":
                await supervisor.countersign_ground(newest)
