"""unlock_storm (解密风暴): every bidder hands over its half, over its own socket.

Three ways on one site: spread over a second; all in one instant; in the last 50 ms of the window.
Latency is from before the client's write to after its read of ``ok``. The bare loop does the same
work on the very same frames (`bare_unlock`), the disk's fsync is measured beside each storm.
"""

import argparse
import time
from dataclasses import dataclass, field
from typing import Any

from loadtests import machine
from loadtests.bids import Bid
from loadtests.child import Child, ask_all
from loadtests.report import Aim, Report, options, run, say, watched
from loadtests.site import Prepared, SiteUnderLoad

BIDDERS = 1000
ROUNDS = 3
LONG_WINDOW_MS = 300_000
SHORT_WINDOW_MS = 4_000
LEAD_S = 0.4
ANSWER_WITHIN_S = 15.0
# The last writes: from 50 ms to 2 ms before the end of the window.
LAST_FROM_NS, LAST_TO_NS = 50_000_000, 2_000_000
SPREAD_P99_MS, SPREAD_FSYNCS = 20.0, 3
INSTANT_RATIO, INSTANT_FSYNCS = 2.0, 2


@dataclass(slots=True)
class Storm:
    """What came of one storm; one item per bidder in each list."""

    latency_s: list[float]
    span_s: float  # from the first write to the last answer
    lost: int
    codes: list[str]
    early_ms: list[float]  # of those refused as late: how long before the end their write was done
    server_cpu_s: float
    crowd_cpu_s: float
    fsync_s: list[float]
    payloads: list[bytes] = field(repr=False)
    window: dict[str, Any] = field(repr=False)

    @property
    def refused_in_time(self) -> list[float]:
        return [early for early in self.early_ms if early > 0]


def storm(site: SiteUnderLoad, one: Prepared, way: str) -> Storm:
    """Opens the window and lets them loose."""
    window = site.server.ask("start_window", room=one.room)
    parts = [[one.bids[n] for n in part] for part in site.shares(len(one.bids))]
    orders = [
        {"name": one.room, "room": one.stream, "window": window, "bids": [_kept(b) for b in part]}
        for part in parts
    ]
    payloads = [p for part in ask_all(site.crowds, "prebuild", orders) for p in part]
    due = _due(way, len(one.bids), window["end_ms"])
    fsync = site.fsync_s()
    cpu = site.cpu_s()
    orders = [
        {
            "row": "bidders",
            "name": one.room,
            "due_ns": due[part.start : part.stop],
            "within_s": ANSWER_WITHIN_S,
        }
        for part in site.shares(len(one.bids))
    ]
    answers = ask_all(site.crowds, "storm", orders)
    cpu = site.cpu_s() - cpu
    return _judged(answers, window, cpu, sorted(fsync + site.fsync_s()), payloads)


def _kept(bid: Bid) -> list[bytes]:
    return [bid.seed, bid.bid_id, bid.half]


def _due(way: str, count: int, end_ms: int) -> list[int]:
    """When each bidder writes, in CLOCK_MONOTONIC ns."""
    now_ns = time.perf_counter_ns()
    start = now_ns + int(LEAD_S * 1e9)
    if way == "instant":
        return [start] * count
    if way == "spread":
        return [start + n * 1_000_000_000 // count for n in range(count)]
    end = end_ms * 1_000_000 - time.time_ns() + now_ns
    span = LAST_FROM_NS - LAST_TO_NS
    return [end - LAST_FROM_NS + n * span // count for n in range(count)]


def _judged(
    answers: list[dict[str, Any]],
    window: dict[str, Any],
    cpu: float,
    fsync: list[float],
    payloads: list[bytes],
) -> Storm:
    sent = [ns for a in answers for ns in a["sent_ns"]]
    wall = [ns for a in answers for ns in a["sent_wall_ns"]]
    answered = [ns for a in answers for ns in a["answered_ns"]]
    codes = [code for a in answers for code in a["codes"]]
    late = [n for n, code in enumerate(codes) if code == "unlock.window_closed"]
    heard = [(s, a) for s, a in zip(sent, answered, strict=True) if a]
    return Storm(
        latency_s=[(a - s) / 1e9 for s, a in heard],
        span_s=(max(answered) - min(sent)) / 1e9,
        lost=len(sent) - len(heard),
        codes=[code for code in codes if code],
        early_ms=[window["end_ms"] - wall[n] / 1e6 for n in late],
        server_cpu_s=cpu,
        crowd_cpu_s=sum(a["cpu_s"] for a in answers),
        fsync_s=fsync,
        payloads=payloads,
        window=window,
    )


def bare(site: SiteUnderLoad, one: Prepared, made: Storm) -> dict[str, float]:
    """The same frames through the bare loop, in a process of its own, on the same disk."""
    bids = [
        [bid.bid_id, header.bidder_pk, header.ad, header.c_B, bid.person, bid.org]
        for bid in one.bids
        for header in (bid.header,)
    ]
    with Child("loadtests.bare_unlock") as child:
        return child.ask(
            "run",
            directory=str(site.directory),
            payloads=made.payloads,
            bids=bids,
            window=made.window | {"end_ms": 1 << 60},
        )


def measure(arguments: argparse.Namespace) -> Report:
    bidders = arguments.count or BIDDERS
    rounds = 1 if arguments.small else ROUNDS
    ways = ["spread", *(f"instant-{n + 1}" for n in range(rounds)), "last"]
    rooms = [
        (way, {"window_ms": SHORT_WINDOW_MS if way == "last" else LONG_WINDOW_MS}) for way in ways
    ]
    storms: dict[str, Storm] = {}
    loops: list[dict[str, float]] = []
    with SiteUnderLoad(synchronous=arguments.synchronous) as site:
        say(f"preparing {len(rooms)} openings of {bidders} bids")
        prepared = site.prepare(rooms, bidders)
        site.enter_bidders("bidders", prepared)
        streams = [
            [one.stream, audience, 0, 0] for one in prepared for audience in ("hall", "staff")
        ]
        site.enter_one("host", "host", streams)
        for way, one in zip(ways, prepared, strict=True):
            say(way)
            with watched(site.server, arguments):
                storms[way] = storm(site, one, way.split("-")[0])
            if way.startswith("instant"):
                loops.append(bare(site, one, storms[way]))
        halves = sum(site.server.ask("status", room=one.room)["halves"] for one in prepared)
        journal = site.server.ask("journal")
    return _report(bidders, storms, loops, halves, journal)


def _report(
    bidders: int,
    storms: dict[str, Storm],
    loops: list[dict[str, float]],
    halves: int,
    journal: dict[str, float],
) -> Report:
    fsync = machine.median([machine.quantile(s.fsync_s, 0.5) for s in storms.values()])
    instants = [s for way, s in storms.items() if way.startswith("instant")]
    pairs = list(zip(instants, loops, strict=True))
    ratio = machine.median(
        [max(0.0, s.span_s - INSTANT_FSYNCS * fsync) / loop["total_s"] for s, loop in pairs]
    )
    cpu_ratio = machine.median([s.server_cpu_s / loop["cpu_s"] for s, loop in pairs])
    spread = storms["spread"]
    in_time = [early for s in storms.values() for early in s.refused_in_time]
    lost = sum(s.lost for s in storms.values())
    refused = [c for s in storms.values() for c in s.codes if c != "unlock.window_closed"]
    late = sum(len(s.early_ms) for s in storms.values())
    assert halves + late + len(refused) + lost >= bidders * len(storms)
    spread_p99_ms = machine.quantile(spread.latency_s, 0.99) * 1000
    aims = [
        Aim("instant: last accept / bare loop, after 2 fsyncs", ratio, INSTANT_RATIO),
        Aim(
            "spread: p99 accept, ms",
            spread_p99_ms,
            SPREAD_P99_MS + SPREAD_FSYNCS * fsync * 1000,
        ),
        Aim("answers lost", lost, 0),
        Aim("refused as late though on the socket in time", len(in_time), 0),
        Aim("refused for another reason", len(refused), 0),
    ]
    figures: dict[str, Any] = {
        "bidders": bidders,
        "fsync_ms": machine.spread_ms([f for s in storms.values() for f in s.fsync_s]),
        "bare_loop_ms": [round(loop["total_s"] * 1000, 2) for loop in loops],
        "bare_loop_cpu_ms": [round(loop["cpu_s"] * 1000, 2) for loop in loops],
        "instant_cpu_ratio": round(cpu_ratio, 3),
        "accepted": halves,
        "lost": lost,
        "refused_late": late,
        "refused_in_time": len(in_time),
        "refused_in_time_by_ms": machine.spread_ms([e / 1000 for e in in_time]) if in_time else {},
        "refused": sorted(set(refused)),
        "journal": journal,
    }
    for way, s in storms.items():
        figures[way] = {
            "accept_ms": machine.spread_ms(s.latency_s),
            "first_write_to_last_answer_ms": round(s.span_s * 1000, 2),
            "server_cpu_ms": round(s.server_cpu_s * 1000, 1),
            "generator_cpu_ms": round(s.crowd_cpu_s * 1000, 1),
        }
    return Report("unlock_storm", ratio, INSTANT_RATIO, aims, figures)


if __name__ == "__main__":
    run(measure, options("unlock_storm", "bidders"))
