"""edges (边缘): the same viewers on the owner, then on two edges beside it, with a real Redis.

An event goes the whole way each time: the host's command is decided, journaled with a real fsync,
published, read by every viewer. What the owner spends on an event, above idle, and how late its
loop runs, is what participants have of it. CPU is the kernel's word about each process.
"""

import argparse
import shutil
import time
from array import array
from contextlib import ExitStack
from dataclasses import dataclass, field
from typing import Any

from loadtests import machine
from loadtests.child import ask_all
from loadtests.contestants import KIND, STREAM
from loadtests.edge_process import EdgeProcess, edge_settings
from loadtests.machine import cpu_s
from loadtests.redis_process import MISSING, RedisProcess
from loadtests.report import Aim, Report, options, run, say, watched
from loadtests.site import SiteUnderLoad

VIEWERS, SMALL_VIEWERS = 10_000, 1000
EVENTS, SMALL_EVENTS = 60, 30
EDGES = 2
RATIO = 0.25
WITHIN_S = 30.0  # after the last event should have been said
IDLE_S = 2.0
# Time between two events: long enough for the slowest to finish one before the next.
EVERY_MS_MIN, VIEWERS_PER_MS = 50, 20
ROOMS = 2
ROOM = STREAM.split(":", 1)[1]
PLAN = {"window_ms": 3_600_000}
LIMITS = {"handshakes_per_s": 50_000, "connections": 15_000}


@dataclass(slots=True)
class Phase:
    """The same events with the viewers somewhere. CPU is above what is spent when idle."""

    name: str
    cpu_us: dict[str, float] = field(default_factory=dict)  # by process, per event
    lag_ms: list[float] = field(default_factory=list)  # of the owner's loop
    latency_s: list[float] = field(default_factory=list)  # from commit to each viewer's read
    missing: int = 0
    disorder: int = 0
    cut: int = 0  # lines that did not last


def one_phase(
    site: SiteUnderLoad, phase: Phase, pids: dict[str, int], events: int, every_ms: int
) -> None:
    """A moment of idleness, then every event to whoever sits in the row of this name."""
    before = {name: cpu_s(pid) for name, pid in pids.items()}
    time.sleep(IDLE_S)
    idle = {name: (cpu_s(pid) - before[name]) / IDLE_S for name, pid in pids.items()}
    crowds = site.crowds if phase.name != "nobody" else []
    within_s = events * every_ms / 1000 + WITHIN_S
    for crowd in crowds:
        crowd.tell("listen", row=phase.name, kind=KIND, count=events, within_s=within_s)
    time.sleep(0.05)
    site.server.ask("lag_begin")
    began, before = time.perf_counter(), {name: cpu_s(pid) for name, pid in pids.items()}
    commits = site.server.ask("extend", room=ROOM, times=events, every_ms=every_ms)
    heard = [crowd.answer() for crowd in crowds]
    took_s = time.perf_counter() - began
    for name, pid in pids.items():
        spent = cpu_s(pid) - before[name] - idle[name] * took_s
        phase.cpu_us[name] = max(0.0, spent) / events * 1e6
    phase.lag_ms = site.server.ask("lag_end")
    seqs = sorted({seq for h in heard for seq in h["times"]})
    committed = dict(zip(seqs, commits, strict=False))
    for h in heard:
        for seq, raw in h["times"].items():
            phase.latency_s += [(ns - committed[seq]) / 1e9 for ns in array("q", raw)]
        phase.missing += h["missing"]
        phase.disorder += h["disorder"]
        phase.cut += h["lost"]


def seat(site: SiteUnderLoad, row: str, viewers: int, ports: list[int]) -> None:
    """Every crowd at one of these ports, in turn."""
    say(f"{viewers} viewers: {row}")
    positions = [[STREAM, "hall", 0, 0]]
    orders = [
        site.raw_seats(row, part, ports[number % len(ports)])
        | {"origin": site.origin, "positions": [positions] * len(part)}
        for number, part in enumerate(site.shares(viewers))
    ]
    ask_all(site.crowds, "join", orders)


def leave(site: SiteUnderLoad, row: str) -> None:
    ask_all(site.crowds, "leave", [{"row": row}] * len(site.crowds))


def measure(arguments: argparse.Namespace) -> Report:
    viewers = arguments.count or (SMALL_VIEWERS if arguments.small else VIEWERS)
    events = SMALL_EVENTS if arguments.small else EVENTS
    every_ms = max(EVERY_MS_MIN, viewers // VIEWERS_PER_MS)
    if not shutil.which("redis-server"):
        raise SystemExit(MISSING)
    phases = [Phase(name) for name in ("nobody", "owner", "edges")]
    with ExitStack() as stack:
        bus = stack.enter_context(RedisProcess())
        site = stack.enter_context(
            SiteUnderLoad(
                synchronous=arguments.synchronous, seats=viewers, edges=edge_settings(bus.url)
            )
        )
        site.prepare([(ROOM, PLAN)], 3)
        site.server.ask("start_window", room=ROOM)
        edges = [
            stack.enter_context(EdgeProcess(bus.url, site.origin, limits=LIMITS))
            for _ in range(EDGES)
        ]
        for edge in edges:
            edge.until_ready(ROOMS)
        pids = {"owner": site.server.pid, "redis": bus.pid}
        pids |= {f"edge {number}": edge.pid for number, edge in enumerate(edges, 1)}
        ports = {"owner": [site.ws_port], "edges": [edge.port for edge in edges]}
        with watched(site.server, arguments):
            for phase in phases:
                if phase.name in ports:
                    seat(site, phase.name, viewers, ports[phase.name])
                pace_ms = every_ms if phase.name in ports else EVERY_MS_MIN
                one_phase(site, phase, pids, events, pace_ms)
                if phase.name in ports:
                    leave(site, phase.name)
        from_journal = sum(e.metrics()['kaibiao_edge_events_total{way="journal"}'] for e in edges)
    return _report(viewers, events, every_ms, phases, int(from_journal))


def _report(
    viewers: int, events: int, every_ms: int, phases: list[Phase], from_journal: int
) -> Report:
    _, owner, edges = phases
    ratio = edges.cpu_us["owner"] / owner.cpu_us["owner"]
    lags = [machine.quantile(phase.lag_ms, 0.99) for phase in phases]
    tails = [machine.quantile(phase.latency_s, 0.99) for phase in (owner, edges)]
    aims = [
        Aim("owner's CPU per event, viewers on edges / on the owner", ratio, RATIO),
        Aim("owner's loop lag p99, viewers on edges / on the owner", lags[2] / lags[1], 1.0),
        Aim("p99 from commit to read, on edges / on the owner", tails[1] / tails[0], 1.0),
        Aim("events not read", owner.missing + edges.missing, 0),
        Aim("events out of order", owner.disorder + edges.disorder, 0),
    ]
    figures: dict[str, Any] = {
        "viewers": viewers,
        "edges": EDGES,
        "events": events,
        "every_ms": every_ms,
        "lost": owner.missing + edges.missing,
        "events_edges_took_from_the_journal": from_journal,
    }
    for phase, lag in zip(phases, lags, strict=True):
        figures[f"viewers_on_{phase.name}"] = {
            "cpu_us_per_event": {name: round(us) for name, us in phase.cpu_us.items()},
            "owner_loop_lag_p99_ms": round(lag, 3),
        }
    for phase in (owner, edges):
        figures[f"viewers_on_{phase.name}"] |= {
            "commit_to_read_ms": machine.spread_ms(phase.latency_s),
            "not_read": phase.missing,
            "cut": phase.cut,
        }
    return Report("edges", ratio, RATIO, aims, figures)


if __name__ == "__main__":
    run(measure, options("edges", "viewers"))
