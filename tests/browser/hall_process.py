"""A hall of its own process for a browser journey: `python -m tests.browser.hall_process`, a
plan as JSON on stdin.

Simulated bidders and trustees, as many as the plan names, play beside the browser. The data
directory survives a kill, so that the same plan starts the same hall again.
"""

import asyncio
import contextlib
import json
import signal
import sys
from pathlib import Path
from typing import Any

import uvloop

from server.app import Running, running
from server.config import Config, Limits, Listen, Site
from server.demo.auto import publish, task_of
from server.demo.meeting import open_meeting
from server.demo.person_process import PersonProcess, Task
from server.demo.world import TenderPlan, World

ROOM = "jz-2026-sg-0417"
SEED = b"journey".ljust(32, b".")
CAST = "cast.json"  # beside the data: process ids of the simulated people
GUEST = 2  # index of the bidder that the browser plays
LIMITS = Limits(connections_per_address=4000, requests_per_minute=60_000)


async def live(plan: dict[str, Any]) -> None:
    world = World(SEED, 3)
    config = Config(
        site=Site(
            origin=f"http://127.0.0.1:{plan['port']}",
            log_origin="journey.example/kaibiao/log",
            data=plan["data"],
            demo=True,
        ),
        listen=Listen(
            http_port=plan["port"], ws_port=plan["port"] + 1, health_port=plan["port"] + 2
        ),
        limits=LIMITS,
    )
    again = (Path(plan["data"]) / "journal").exists()
    async with running(config) as site:
        if site.video is not None:
            site.video.begin()  # as `kaibiao serve` does
        if not again:
            await publish(site, world, tender(plan), ROOM)
            if plan.get("meeting"):
                await open_meeting(site.hall, world)
        with contextlib.ExitStack() as cast:
            if not again:
                pids = send_cast(site, world, plan, cast)
                (Path(plan["data"]).parent / CAST).write_text(json.dumps(pids))
            stop = asyncio.Event()
            asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, stop.set)
            print("ready", flush=True)
            await stop.wait()


def tender(plan: dict[str, Any]) -> TenderPlan:
    return TenderPlan(
        number="JZ-2026-SG-0417",
        title="滨河东路道路改造工程（施工）",
        deadline_ms=plan["deadline_ms"],
        window_ms=plan["window_ms"],
        reply_ms=60_000,
    )


def send_cast(
    site: Running, world: World, plan: dict[str, Any], cast: contextlib.ExitStack
) -> list[int]:
    """Their process ids: they outlive a hall that is killed, and somebody has to end them."""
    base = site.config.site.origin
    tasks: list[Task] = []
    for number, behaviour in enumerate(plan["behaviours"]):
        task = task_of(
            base,
            world.bidders[number],
            room=ROOM,
            amount=f"7{number}000000.00",
            manager="何川",
            behaviour=behaviour,
            outlives_hall=True,
        )
        tasks.append(task)
    for trustee in world.trustees[: plan["trustees"]]:
        keys = {"box": trustee.box.seed.hex(), "sign": trustee.sign.seed.hex()}
        more = {**keys, "room": ROOM, "outlives_hall": True}
        tasks.append(task_of(base, trustee.person, **more))
    people = [PersonProcess(task) for task in tasks]
    for person in people:
        cast.callback(person.end)
    return [person.pid for person in people]


if __name__ == "__main__":
    uvloop.run(live(json.loads(sys.stdin.readline())))
