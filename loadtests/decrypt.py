"""decrypt (大文件解密): gigabytes of large envelopes opened while a hall goes on.

The server's own pool opens them, to a discarding sink and to disk; beside it, on the same files: a
bare loop of the same AEAD on all cores, the bare loops that also do the hashing that C3 asks for,
`age -d` in as many processes as cores, and `openssl speed`. Meanwhile 500 connections hear their
host change the countdown ten times a second, whoever is being measured.
"""

import argparse
import re
import shutil
import subprocess
import time
from array import array
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from loadtests import machine
from loadtests.child import Child, ask_all
from loadtests.envelopes import Age, Envelope, seal_files
from loadtests.report import Aim, Report, options, run, say, watched
from loadtests.site import SiteUnderLoad

MIB = 1 << 20
ROOM = "decrypt"
FILES, TOTAL_MIB, SMALL_MIB = 16, 4096, 256
ROUNDS, SMALL_ROUNDS = 3, 2
DISK_FILES_SMALL = 4
CONNECTIONS, EVERY_MS = 500, 100
IDLE_S, SMALL_IDLE_S = 3.0, 1.5  # a round, so that idle and busy share the machine's moods
RATIO, AGE_RATIO = 0.85, 1.0
LAG_P99_MS, LAG_RATIO = 20.0, 3.0
# A timer of 5 ms is late by this much on an idle machine too: below, three times is no trouble.
LAG_FLOOR_MS = 1.0
PLAN = {"window_ms": 36_000_000}
KIND = "window_changed"
WITHIN_S = 900.0

OURS, OURS_ALL, DISK = "kaibiao, sink", "kaibiao, sink, root too", "kaibiao, disk"
BARE = {"bare aead": "aead", "bare checked": "checked", "bare checks": "checks"}


@dataclass(slots=True)
class Measured:
    """One contestant; a list has one item per round."""

    gb_per_s: list[float] = field(default_factory=list)
    lag_ms: list[float] = field(default_factory=list)  # of the server's loop meanwhile
    core_wait: list[float] = field(default_factory=list)  # share of the time, of the loop's thread
    heard_ms: list[float] = field(default_factory=list)  # commit to the 500 clients' reads
    server_cpu_s: list[float] = field(default_factory=list)
    crowd_cpu_s: list[float] = field(default_factory=list)


class Race:
    """The contestants over the same files, the hall in use."""

    def __init__(self, site: SiteUnderLoad, envelopes: list[Envelope], bare: list[Child]) -> None:
        self.site = site
        self.envelopes = envelopes
        self.bare = bare
        self.measured: dict[str, Measured] = {}
        self.lost = 0  # lines that did not last, and events out of order
        self.bare_cpu_s: dict[str, list[float]] = {way: [] for way in BARE.values()}

    def beside_the_hall(self, name: str, size: int, work: Callable[[], float]) -> None:
        """``work`` gives its seconds; ``size`` bytes were opened in them."""
        say(name)
        server, into = self.site.server, self.measured.setdefault(name, Measured())
        order = {"row": "hall", "kind": KIND, "count": 0, "within_s": WITHIN_S}
        for crowd in self.site.crowds:
            crowd.tell("listen", **order)
        server.ask("hosts_begin", rooms=[ROOM], every_ms=EVERY_MS)
        server.ask("lag_begin")
        cpu, waited_s = self.site.cpu_s(), machine.core_wait_s(server.pid)
        took_s = work()
        into.core_wait.append((machine.core_wait_s(server.pid) - waited_s) / took_s)
        into.server_cpu_s.append(self.site.cpu_s() - cpu)
        into.lag_ms += server.ask("lag_end")
        time.sleep(EVERY_MS / 1000)  # even the shortest work hears one event
        assert server.ask("hosts_end")
        heard = [crowd.answer() for crowd in self.site.crowds]
        self.lost += sum(h["disorder"] + h["lost"] for h in heard)
        committed = dict(server.ask("committed_ns", room=ROOM))
        for one in heard:
            for seq, raw in one["times"].items():
                into.heard_ms += [(ns - committed[seq]) / 1e6 for ns in array("q", raw)]
        into.gb_per_s.append(size / took_s / 1e9)
        into.crowd_cpu_s.append(sum(h["cpu_s"] for h in heard))

    def ours(self, *, target: str = "", is_checked: bool, count: int) -> float:
        bodies = [envelope.handed_over for envelope in self.envelopes[:count]]
        done = self.site.server.ask(
            "open_bodies", bodies=bodies, target=target, is_checked=is_checked
        )
        assert done["states"] == ["opened"], done
        return done["took_s"]

    def loop(self, way: str) -> float:
        parts = [self.envelopes[n :: len(self.bare)] for n in range(len(self.bare))]
        orders = [{"files": [e.opened_up for e in part], "way": way} for part in parts]
        began = time.perf_counter()
        done = ask_all(self.bare, "run", orders)
        self.bare_cpu_s[way].append(sum(one["cpu_s"] for one in done))
        return time.perf_counter() - began


def age_over(age: Age, paths: list[Path]) -> float:
    began = time.perf_counter()
    with ThreadPoolExecutor(machine.cpus()) as processes:
        list(processes.map(age.decrypt, paths))
    return time.perf_counter() - began


def openssl_gb_per_s() -> float | None:
    """What this machine's `openssl speed` says of the same AEAD on all cores; None without it."""
    if not shutil.which("openssl"):
        return None
    command = [
        "openssl",
        "speed",
        "-seconds",
        "1",
        "-bytes",
        "1048576",
        "-evp",
        "chacha20-poly1305",
        "-multi",
    ]
    done = subprocess.run([*command, str(machine.cpus())], capture_output=True, text=True)
    found = re.findall(r"([\d.]+)k\s*$", done.stdout, re.MULTILINE)
    return float(found[-1]) * 1000 / 1e9 if found else None


def measure(arguments: argparse.Namespace) -> Report:
    total = (arguments.count or (SMALL_MIB if arguments.small else TOTAL_MIB)) * MIB
    size, absent = total // FILES, []
    openssl = openssl_gb_per_s()
    if openssl is None:
        absent.append("openssl")
    program = shutil.which("age")
    with ExitStack() as stack:
        site = stack.enter_context(SiteUnderLoad(synchronous=arguments.synchronous))
        say(f"sealing {FILES} files of {size >> 20} MiB")
        envelopes = seal_files(site.directory, FILES, size)
        site.prepare([(ROOM, PLAN)], 3)
        site.server.ask("start_window", room=ROOM)
        site.enter_viewers("hall", f"opening:{ROOM}", CONNECTIONS)
        bare = [stack.enter_context(Child("loadtests.bare_decrypt")) for _ in range(machine.cpus())]
        race = Race(site, envelopes, bare)
        idle_s = SMALL_IDLE_S if arguments.small else IDLE_S
        age, paths = None, []
        if program is None:
            absent.append("age: Debian's package of that name")
        else:
            say("encrypting for age")
            age = Age(site.directory, program)
            paths = age.encrypt(FILES, size)
        for _ in range(arguments.rounds or (SMALL_ROUNDS if arguments.small else ROUNDS)):
            race.beside_the_hall("idle", 0, lambda: (time.sleep(idle_s), idle_s)[1])
            for name, is_checked in ((OURS, True), (OURS_ALL, False)):
                with watched(site.server, arguments):
                    race.beside_the_hall(
                        name, total, lambda c=is_checked: race.ours(is_checked=c, count=FILES)
                    )
            for name, way in BARE.items():
                race.beside_the_hall(name, total, lambda w=way: race.loop(w))
            if age is not None:
                race.beside_the_hall("age -d", total, lambda a=age: age_over(a, paths))
        count = DISK_FILES_SMALL if arguments.small else FILES
        opened = str(site.directory / "opened")
        with watched(site.server, arguments):
            race.beside_the_hall(
                DISK,
                size * count,
                lambda: race.ours(target=opened, is_checked=True, count=count),
            )
        fsync = site.fsync_s()
    return _report(race, total, openssl, age, absent, fsync)


def _report(
    race: Race,
    total: int,
    openssl: float | None,
    age: Age | None,
    absent: list[str],
    fsync: list[float],
) -> Report:
    measured = race.measured

    def share(name: str, other: str) -> float:
        pairs = zip(measured[name].gb_per_s, measured[other].gb_per_s, strict=True)
        return machine.median([a / b for a, b in pairs])

    ratio = share(OURS, "bare aead")
    idle = machine.quantile(measured["idle"].lag_ms, 0.99)
    under = machine.quantile([lag for n in (OURS, DISK) for lag in measured[n].lag_ms], 0.99)
    lag_ratio = under / max(idle, LAG_FLOOR_MS)
    aims = [
        Aim("throughput to the sink / bare AEAD loop", ratio, RATIO, at_least=True),
        Aim("throughput / bare loop with c_P", share(OURS, "bare checked"), RATIO, at_least=True),
        Aim(
            "throughput, root too / bare loop with c_P and ct_root",
            share(OURS_ALL, "bare checks"),
            RATIO,
            at_least=True,
        ),
        Aim("loop lag meanwhile, p99, ms", under, LAG_P99_MS),
        Aim("loop lag meanwhile / idle, p99", lag_ratio, LAG_RATIO),
        Aim("lines that broke, events out of order", race.lost, 0),
    ]
    if age is not None:
        aims.append(
            Aim("throughput to the sink / age -d", share(OURS, "age -d"), AGE_RATIO, at_least=True)
        )
    figures: dict[str, Any] = {
        "mib": total // MIB,
        "files": FILES,
        "connections": CONNECTIONS,
        "lost": race.lost,
        "openssl_speed_gb_per_s": openssl and round(openssl, 2),
        "age_version": age.version if age is not None else None,
        "fsync_ms": machine.spread_ms(fsync),
        "cpu_s": {name: round(min(race.bare_cpu_s[way]), 3) for name, way in BARE.items()},
    }
    for name, one in measured.items():
        figures[name] = {
            "gb_per_s": round(machine.median(one.gb_per_s), 3),
            "server_cpu_s": round(machine.median(one.server_cpu_s), 3),
            "generator_cpu_s": round(machine.median(one.crowd_cpu_s), 3),
            "loop_waits_for_a_core_percent": round(machine.median(one.core_wait) * 100, 1),
            "loop_lag_ms": machine.spread_ms([lag / 1000 for lag in one.lag_ms]),
            "commit_to_read_ms": machine.spread_ms([ms / 1000 for ms in one.heard_ms]),
        }
    figures["idle"].pop("gb_per_s")
    return Report("decrypt", ratio, RATIO, aims, figures, absent, at_least=True)


if __name__ == "__main__":
    asked = options("decrypt", "MiB in all: 4096, or 16384")
    asked.add_argument("--rounds", type=int, default=0, help="of all contestants: 3, or 2")
    run(measure, asked)
