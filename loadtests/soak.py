"""soak (长跑): half an hour of a busy centre; memory, open files and the loop's lag must stay flat.

Fifty openings in their countdowns, each host changing its own every ten seconds; a thousand viewers
of whom some leave and come every second, by turns with resume and from the start; two bidders
uploading 2 GiB again and again. Once the first fifth is over, a straight line is fitted through
each series: its slope is told with its standard error, and with what it would make in a day. A
channel's history is part of what a hall must remember, so memory grows by the events that happened;
how many there were is among the figures.
"""

import argparse
import math
import os
import time
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from typing import Any

from loadtests import machine
from loadtests.child import Child, ask_all
from loadtests.report import Aim, Report, options, run, say, watched
from loadtests.site import SiteUnderLoad

ROOMS, SMALL_ROOMS = 50, 8
VIEWERS_PER_ROOM = 20
BIDDERS, UPLOADERS = 3, 2
EVERY_MS, SMALL_EVERY_MS = 10_000, 1000
LEAVES_PER_S = 20.0
MINUTES, SMALL_MINUTES = 30.0, 0.3
UPLOAD_BYTES, SMALL_UPLOAD_BYTES = 2 << 30, 64 << 20
UPLOAD_BYTES_PER_S = 10e6
SAMPLES, SAMPLE_S_MIN = 180, 0.1
TAIL_S = 1.0  # life goes on for so long after the last look
WARM_UP = 0.2
# Over the fitted span; what a run of minutes cannot tell from noise is not called growth.
GROWTH_MAX, FILES_MAX, LAG_P99_MS = 1.05, 4.0, 20.0
PLAN = {"window_ms": 36_000_000}
OPEN_ROOM = "uploads"


@dataclass(frozen=True, slots=True)
class Line:
    """A least-squares line; ``slope`` and its standard error per second."""

    start: float
    end: float
    slope: float
    error: float

    def as_json(self, scale: float = 1.0) -> dict[str, float]:
        return {
            "start": round(self.start / scale, 3),
            "end": round(self.end / scale, 3),
            "per_day": round(self.slope * 86_400 / scale, 3),
            "per_day_error": round(self.error * 86_400 / scale, 3),
        }


def fitted(times: Sequence[float], values: Sequence[float]) -> Line:
    """The line through the points after the warm-up."""
    points = [(t, v) for t, v in zip(times, values, strict=True) if t >= WARM_UP * times[-1]]
    n = len(points)
    assert n >= 3
    t_mean, v_mean = sum(t for t, _ in points) / n, sum(v for _, v in points) / n
    spread = sum((t - t_mean) ** 2 for t, _ in points)
    slope = sum((t - t_mean) * (v - v_mean) for t, v in points) / spread
    rest = sum((v - v_mean - slope * (t - t_mean)) ** 2 for t, v in points)
    error = math.sqrt(rest / (n - 2) / spread)
    first, last = points[0][0] - t_mean, points[-1][0] - t_mean
    return Line(v_mean + slope * first, v_mean + slope * last, slope, error)


@dataclass(slots=True)
class Series:
    """What was looked at, sample by sample."""

    at_s: list[float] = field(default_factory=list)
    rss: list[float] = field(default_factory=list)
    files: list[float] = field(default_factory=list)
    lag_p99_ms: list[float] = field(default_factory=list)
    lag_ms: list[float] = field(default_factory=list)

    def look(self, site: SiteUnderLoad, at_s: float) -> None:
        before_s = self.at_s[-1] if self.at_s else 0.0
        # No timer fired at all: the loop stood still for as long as that.
        lags = site.server.ask("lag_take") or [(at_s - before_s) * 1000]
        site.server.ask("forget_published")
        self.at_s.append(at_s)
        self.rss.append(site.rss_bytes())
        self.files.append(len(os.listdir(f"/proc/{site.server.pid}/fd")))
        self.lag_p99_ms.append(machine.quantile(lags, 0.99))
        self.lag_ms += lags


def measure(arguments: argparse.Namespace) -> Report:
    rooms = arguments.count or (SMALL_ROOMS if arguments.small else ROOMS)
    minutes = arguments.minutes or (SMALL_MINUTES if arguments.small else MINUTES)
    every_ms = SMALL_EVERY_MS if arguments.small else EVERY_MS
    size = SMALL_UPLOAD_BYTES if arguments.small else UPLOAD_BYTES
    seconds, series = minutes * 60, Series()
    with ExitStack() as stack:
        site = stack.enter_context(SiteUnderLoad(synchronous=arguments.synchronous))
        names = [f"soak-{n + 1}" for n in range(rooms)]
        say(f"preparing {rooms} openings")
        prepared = site.prepare([(name, PLAN) for name in names], BIDDERS)
        for name in names:
            site.server.ask("start_window", room=name)
        site.server.ask("publish_open", room=OPEN_ROOM, hours=24)
        streams = [one.stream for one in prepared for _ in range(VIEWERS_PER_ROOM)]
        orders = [
            site.seats("viewers", part)
            | {"positions": [[[streams[n], "hall", 0, 0]] for n in part]}
            for part in site.shares(len(streams))
        ]
        ask_all(site.crowds, "join", orders)
        say(f"{minutes:g} minutes of {rooms} rooms and {len(streams)} viewers")
        site.server.ask("hosts_begin", rooms=names, every_ms=every_ms)
        site.server.ask("lag_begin")
        uploaders = [stack.enter_context(Child("loadtests.uploader")) for _ in range(UPLOADERS)]
        for number, uploader in enumerate(uploaders):
            uploader.tell(
                "upload",
                base=site.origin,
                seed=site.seed,
                bidders=BIDDERS,
                number=number,
                room=OPEN_ROOM,
                size=size,
                directory=str(site.directory),
                seconds=seconds + TAIL_S,
                bytes_per_s=UPLOAD_BYTES_PER_S,
            )
        for crowd, part in zip(site.crowds, site.shares(len(streams)), strict=True):
            crowd.tell(
                "live",
                row="viewers",
                origin=site.origin,
                streams=[streams[n] for n in part],
                seconds=seconds + TAIL_S,
                leaves_per_s=LEAVES_PER_S / len(site.crowds),
            )
        cpu, waited, began = site.cpu_s(), machine.core_wait_s(site.server.pid), time.monotonic()
        with watched(site.server, arguments):
            samples = min(SAMPLES, round(seconds / SAMPLE_S_MIN))
            for number in range(1, samples + 1):
                time.sleep(max(0.0, began + seconds * number / samples - time.monotonic()))
                series.look(site, time.monotonic() - began)
        cpu = (site.cpu_s() - cpu) / seconds
        waited = (machine.core_wait_s(site.server.pid) - waited) / seconds
        stories = [crowd.answer() for crowd in site.crowds]
        sent = [uploader.answer() for uploader in uploaders]
        changes = site.server.ask("hosts_end")
    return _report(series, stories, sent, rooms, len(streams), minutes, changes, cpu, waited)


def _report(
    series: Series,
    stories: list[dict[str, Any]],
    sent: list[dict[str, Any]],
    rooms: int,
    viewers: int,
    minutes: float,
    changes: int,
    cpu: float,
    waited: float,
) -> Report:
    memory = fitted(series.at_s, series.rss)
    files = fitted(series.at_s, series.files)
    lag = fitted(series.at_s, series.lag_p99_ms)

    def total(what: str) -> Any:
        return sum(story[what] for story in stories)

    ratio = memory.end / memory.start
    aims = [
        Aim("memory at the end / at the beginning, fitted", ratio, GROWTH_MAX),
        Aim("open files more at the end, fitted", files.end - files.start, FILES_MAX),
        Aim(
            "loop lag, median of the samples' p99, ms",
            machine.median(series.lag_p99_ms),
            LAG_P99_MS,
        ),
        Aim("loop lag p99 more at the end, fitted, ms", lag.end - lag.start, LAG_P99_MS / 4),
        Aim("events missed", total("missed"), 0),
        Aim("events twice", total("twice"), 0),
        Aim("lines that broke", total("failed"), 0),
    ]
    figures: dict[str, Any] = {
        "minutes": minutes,
        "rooms": rooms,
        "viewers": viewers,
        "lost": total("missed"),
        "leaves": total("left"),
        "answers_503": total("refused"),
        "countdowns_changed": changes,
        "events_read": total("events"),
        "upload_mib": round(sum(one["bytes"] for one in sent) / (1 << 20)),
        "uploads_complete": sum(one["uploads"] for one in sent),
        "slowest_patch_ms": round(max(one["slowest_s"] for one in sent) * 1000, 1),
        "memory_mib": memory.as_json(1 << 20),
        "open_files": files.as_json(),
        "loop_lag_p99_ms": lag.as_json(),
        "loop_lag_ms": machine.spread_ms([ms / 1000 for ms in series.lag_ms]),
        "server_cpu_percent": round(cpu * 100, 1),
        "loop_waits_for_a_core_percent": round(waited * 100, 1),
        "generator_cpu_s": round(total("cpu_s"), 2),
        "series": {
            "at_s": [round(t, 1) for t in series.at_s],
            "memory_mib": [round(v / (1 << 20), 2) for v in series.rss],
            "open_files": series.files,
            "loop_lag_p99_ms": [round(v, 2) for v in series.lag_p99_ms],
        },
    }
    return Report("soak", ratio, GROWTH_MAX, aims, figures)


if __name__ == "__main__":
    asked = options("soak", "rooms")
    asked.add_argument("--minutes", type=float, default=0.0, help="30, or 0.3 with --small")
    run(measure, asked)
