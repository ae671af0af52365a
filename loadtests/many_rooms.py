"""many_rooms (多厅): fifty halls of two hundred viewers, their hosts at work in turn.

`fanout` in small pieces: each event goes to one room, so what is paid once per event is shared by
two hundred viewers and not by ten thousand. The bare loop writes frames of the same size to as many
sockets, a fiftieth of them at a time.
"""

import argparse
import time
from array import array
from dataclasses import dataclass, field
from typing import Any

from loadtests import machine
from loadtests.child import Child, ask_all
from loadtests.contestants import KIND
from loadtests.report import Aim, Report, options, run, say, watched
from loadtests.site import SiteUnderLoad
from signaling.codec import ChannelKey
from signaling.frames import event_payload
from signaling.gateway import Event

ROOMS, SMALL_ROOMS = 50, 8
VIEWERS_PER_ROOM = 200
EVENTS_PER_ROOM, ROUNDS = 6, 3
EVERY_MS = 12.0
RATIO = 1.25
WITHIN_S = 60.0
PLAN = {"window_ms": 36_000_000}


@dataclass(slots=True)
class Measured:
    """A list has one item per round, or per event read."""

    cpu_us: list[float] = field(default_factory=list)  # per delivered event, above idle
    latency_s: list[float] = field(default_factory=list)
    crowd_cpu_us: list[float] = field(default_factory=list)
    missing: int = 0
    disorder: int = 0

    def take(self, heard: list[dict[str, Any]], begun: dict[str, int], cpu: float) -> None:
        delivered = 0
        for one in heard:
            for name, raw in one["times"].items():
                times = array("q", raw)
                delivered += len(times)
                self.latency_s += [(ns - begun[name]) / 1e9 for ns in times]
            self.missing += one["missing"]
            self.disorder += one["disorder"]
        self.cpu_us.append(cpu / delivered * 1e6)
        self.crowd_cpu_us.append(sum(one["cpu_s"] for one in heard) / delivered * 1e6)


def listening(site: SiteUnderLoad, row: str) -> None:
    order = {"row": row, "kind": KIND, "count": EVENTS_PER_ROOM, "within_s": WITHIN_S}
    for crowd in site.crowds:
        crowd.tell("listen", by_room=True, **order)
    time.sleep(0.05)


def ours(site: SiteUnderLoad, names: list[str], into: Measured) -> None:
    cpu, began = site.cpu_s(), time.perf_counter()
    time.sleep(1.0)
    idle = (site.cpu_s() - cpu) / (time.perf_counter() - began)
    listening(site, "kaibiao")
    cpu, began = site.cpu_s(), time.perf_counter()
    committed = site.server.ask(
        "extend_in_turn", rooms=names, times=len(names) * EVENTS_PER_ROOM, every_ms=EVERY_MS
    )
    heard = [crowd.answer() for crowd in site.crowds]
    into.take(heard, committed, site.cpu_s() - cpu - idle * (time.perf_counter() - began))


def bare(site: SiteUnderLoad, child: Child, frames: dict[str, bytes], into: Measured) -> None:
    """The same pace, the same sizes. ``frames``: payloads by "stream seq", in order."""
    listening(site, "bare loop")
    cpu = machine.cpu_s(child.pid)
    rooms = len(frames) // EVENTS_PER_ROOM
    begun = child.ask("fan", payloads=list(frames.values()), every_ms=EVERY_MS, rooms=rooms)
    heard = [crowd.answer() for crowd in site.crowds]
    into.take(heard, dict(zip(frames, begun, strict=True)), machine.cpu_s(child.pid) - cpu)


def payloads_like(event: list[Any], streams: list[str], number: int) -> dict[str, bytes]:
    """What the bare loop sends in one round: our event's body, each room's own name and seq."""
    _, server_ms, kind, body, digest = event
    made: dict[str, bytes] = {}
    for seq in range(number * EVENTS_PER_ROOM + 1, (number + 1) * EVENTS_PER_ROOM + 1):
        for stream in streams:
            like = Event(seq, server_ms, kind, body, digest)
            made[f"{stream} {seq}"] = event_payload(ChannelKey(stream, "hall"), 1, like)
    return made


def measure(arguments: argparse.Namespace) -> Report:
    rooms = arguments.count or (SMALL_ROOMS if arguments.small else ROOMS)
    rounds = arguments.rounds or ROUNDS
    names = [f"many-{n + 1}" for n in range(rooms)]
    measured = {"kaibiao": Measured(), "bare loop": Measured()}
    with (
        SiteUnderLoad(synchronous=arguments.synchronous, seats=rooms * VIEWERS_PER_ROOM) as site,
        Child("loadtests.peers.bare_sockets") as child,
    ):
        say(f"preparing {rooms} openings")
        prepared = site.prepare([(name, PLAN) for name in names], 3)
        for name in names:
            site.server.ask("start_window", room=name)
        site.server.ask("extend", room=names[0], times=1, every_ms=1)
        event = site.server.ask("hall_events", room=names[0], after=0)[-1]
        streams = [one.stream for one in prepared]
        say(f"{rooms * VIEWERS_PER_ROOM} viewers take their seats, twice")
        parts = site.shares(rooms * VIEWERS_PER_ROOM)
        before = site.rss_bytes()
        orders = [
            site.seats("kaibiao", part)
            | {"positions": [[[streams[n % rooms], "hall", 0, 0]] for n in part]}
            for part in parts
        ]
        ask_all(site.crowds, "join", orders)
        idle_bytes = (site.rss_bytes() - before) / (rooms * VIEWERS_PER_ROOM)
        port = child.ask("listen")
        child.tell("accept", count=rooms * VIEWERS_PER_ROOM)
        ask_all(site.crowds, "join", [site.raw_seats("bare loop", p, port) for p in parts])
        child.answer()
        with watched(site.server, arguments):
            for number in range(rounds):
                say(f"round {number + 1}")
                ours(site, names, measured["kaibiao"])
                frames = payloads_like(event, streams, number)
                bare(site, child, frames, measured["bare loop"])
        fsync = site.fsync_s()
    return _report(measured, rooms, rounds, idle_bytes, fsync)


def _report(
    measured: dict[str, Measured], rooms: int, rounds: int, idle_bytes: float, fsync: list[float]
) -> Report:
    pairs = zip(measured["kaibiao"].cpu_us, measured["bare loop"].cpu_us, strict=True)
    ratio = machine.median([a / b for a, b in pairs])
    lost = sum(one.missing for one in measured.values())
    aims = [
        Aim("CPU per delivered event / bare loop", ratio, RATIO),
        Aim("events not read", lost, 0),
        Aim("events out of order", sum(one.disorder for one in measured.values()), 0),
    ]
    figures: dict[str, Any] = {
        "rooms": rooms,
        "viewers": rooms * VIEWERS_PER_ROOM,
        "events": rooms * EVENTS_PER_ROOM * rounds,
        "every_ms": EVERY_MS,
        "lost": lost,
        "memory_bytes_per_viewer": round(idle_bytes),
        "fsync_ms": machine.spread_ms(fsync),
    }
    for name, one in measured.items():
        figures[name] = {
            "cpu_us_per_delivery": round(machine.median(one.cpu_us), 3),
            "commit_to_read_ms": machine.spread_ms(one.latency_s),
            "generator_cpu_us_per_delivery": round(machine.median(one.crowd_cpu_us), 3),
        }
    return Report("many_rooms", ratio, RATIO, aims, figures)


if __name__ == "__main__":
    asked = options("many_rooms", "rooms")
    asked.add_argument("--rounds", type=int, default=0, help="of both contestants: 3")
    run(measure, asked)
