"""fanout (扇出): one event of one hall to every viewer, beside a bare loop and other servers.

Ours is the whole way: the host's command is decided, journaled with a real fsync, then sent; the
others only send. CPU is per delivered event and above what the process spends when idle, by the
kernel's accounting; latency is from commit (ours) or from the first write (theirs) to each
client's read. Rounds of all contestants alternate, so that they share the machine's moods.
"""

import argparse
import shutil
import time
from array import array
from dataclasses import dataclass, field
from typing import Any

from loadtests import machine
from loadtests.centrifugo import Centrifugo, program
from loadtests.child import ask_all
from loadtests.contestants import KIND, PEERS, STREAM, Contestant, NodePeer, Ours, Peer
from loadtests.report import Aim, Report, options, run, say, watched
from loadtests.site import SiteUnderLoad

VIEWERS = 1000
ROUNDS, SMALL_ROUNDS = 5, 3
EVENTS, SMALL_EVENTS = 40, 20
RATIO = 1.25
IDLE_BYTES_MAX = 16 << 10
WITHIN_S = 60.0
# Below, the time to decide and to sync is as long as the fan-out; only ours has that.
P99_FROM_VIEWERS = 10_000
# Time between two events: long enough for the slowest to finish one before the next.
EVERY_MS_MIN, VIEWERS_PER_MS = 50, 20
PLAN = {"window_ms": 3_600_000}


@dataclass(slots=True)
class Measured:
    """One contestant; a list has one item per round."""

    cpu_us: list[float] = field(default_factory=list)  # per delivered event, above idle
    idle_cpu: list[float] = field(default_factory=list)  # share of one core
    latency_s: list[float] = field(default_factory=list)
    crowd_cpu_us: list[float] = field(default_factory=list)
    missing: int = 0
    disorder: int = 0
    bytes_per_viewer: float = 0.0


def seat(site: SiteUnderLoad, who: Contestant, viewers: int, into: Measured) -> None:
    before = who.rss_bytes()
    who.expect(viewers)
    ask_all(site.crowds, "join", [who.seats(part) for part in site.shares(viewers)])
    who.all_in()
    into.bytes_per_viewer = (who.rss_bytes() - before) / viewers


def one_round(
    site: SiteUnderLoad, who: Contestant, payloads: list[bytes], every_ms: int, into: Measured
) -> None:
    """Idle for a moment, then every payload to everybody."""
    idle_s = len(payloads) * every_ms / 1000 / 4
    cpu, began = who.cpu_s(), time.perf_counter()
    time.sleep(idle_s)
    idle = (who.cpu_s() - cpu) / (time.perf_counter() - began)
    order = {"row": who.name, "kind": KIND, "count": len(payloads), "within_s": WITHIN_S}
    for crowd in site.crowds:
        crowd.tell("listen", **order)
    time.sleep(0.05)
    cpu, began = who.cpu_s(), time.perf_counter()
    commits = who.fan(payloads, every_ms)
    heard = [crowd.answer() for crowd in site.crowds]
    spent = who.cpu_s() - cpu - idle * (time.perf_counter() - began)
    delivered = 0
    seqs = sorted({seq for h in heard for seq in h["times"]})
    committed = dict(zip(seqs, commits, strict=False))
    for h in heard:
        for seq, raw in h["times"].items():
            times = array("q", raw)
            delivered += len(times)
            into.latency_s += [(ns - committed[seq]) / 1e9 for ns in times]
        into.missing += h["missing"]
        into.disorder += h["disorder"]
    into.cpu_us.append(spent / delivered * 1e6)
    into.idle_cpu.append(idle)
    into.crowd_cpu_us.append(sum(h["cpu_s"] for h in heard) / delivered * 1e6)


def peers(site: SiteUnderLoad) -> tuple[list[Contestant], list[str]]:
    """(those that can run here, the names of those that cannot)."""
    found: list[Contestant] = [
        Peer("bare loop", "loadtests.peers.bare_sockets", site, greets=False),
        Peer("websockets.broadcast", "loadtests.peers.websockets_server", site, greets=True),
    ]
    absent: list[str] = []
    if shutil.which("node") and (PEERS / "node_modules" / "ws").exists():
        found.append(NodePeer(site))
    else:
        absent.append("ws (Node): type npm --prefix loadtests/peers ci")
    centrifugo = program()
    if centrifugo is not None:
        found.append(Centrifugo(centrifugo, site))
    else:
        absent.append("Centrifugo: type make build/peers/centrifugo, which needs Go")
    return found, absent


def measure(arguments: argparse.Namespace) -> Report:
    viewers = arguments.count or VIEWERS
    rounds = arguments.rounds or (SMALL_ROUNDS if arguments.small else ROUNDS)
    events = arguments.events or (SMALL_EVENTS if arguments.small else EVENTS)
    every_ms = max(EVERY_MS_MIN, viewers // VIEWERS_PER_MS)
    with SiteUnderLoad(synchronous=arguments.synchronous, seats=viewers) as site:
        site.prepare([(STREAM.split(":", 1)[1], PLAN)], 3)
        site.server.ask("start_window", room=STREAM.split(":", 1)[1])
        ours = Ours(site)
        ours.fan([b""] * 3, every_ms)
        payloads = ours.payloads(events)
        others, absent = peers(site)
        everybody: list[Contestant] = [ours, *others]
        measured = {who.name: Measured() for who in everybody}
        try:
            for who in everybody:
                say(f"{viewers} viewers of {who.name}")
                seat(site, who, viewers, measured[who.name])
            with watched(site.server, arguments):
                _race(site, everybody, measured, rounds, payloads, every_ms)
        finally:
            for who in everybody:
                who.close()
    return _report(viewers, rounds, payloads, measured, absent, every_ms)


def _race(
    site: SiteUnderLoad,
    everybody: list[Contestant],
    measured: dict[str, Measured],
    rounds: int,
    payloads: list[bytes],
    every_ms: int,
) -> None:
    for number in range(rounds):
        for who in everybody:
            say(f"round {number + 1}: {who.name}")
            one_round(site, who, payloads, every_ms, measured[who.name])


def _report(
    viewers: int,
    rounds: int,
    payloads: list[bytes],
    measured: dict[str, Measured],
    absent: list[str],
    every_ms: int,
) -> Report:
    ours, bare = measured["kaibiao"], measured["bare loop"]
    ratio = machine.median([a / b for a, b in zip(ours.cpu_us, bare.cpu_us, strict=True)])
    aims = [
        Aim("CPU per delivered event / bare loop", ratio, RATIO),
        Aim("bytes of server memory per idle viewer", ours.bytes_per_viewer, IDLE_BYTES_MAX),
        Aim("events not read", ours.missing, 0),
        Aim("events out of order", ours.disorder, 0),
    ]
    ahead: dict[str, float] = {}
    for name, other in measured.items():
        if name in ("kaibiao", "bare loop"):
            continue
        share = machine.median([a / b for a, b in zip(ours.cpu_us, other.cpu_us, strict=True)])
        aims.append(Aim(f"CPU per delivered event / {name}", share, 1.0))
        tails = [machine.quantile(m.latency_s, 0.99) for m in (ours, other)]
        ahead[name] = round(tails[0] / tails[1], 3)
        if viewers >= P99_FROM_VIEWERS:
            aims.append(Aim(f"p99 / {name}", tails[0] / tails[1], 1.0))
    figures: dict[str, Any] = {
        "viewers": viewers,
        "events": len(payloads) * rounds,
        "payload_bytes": len(payloads[0]),
        "every_ms": every_ms,
        "lost": ours.missing,
        "p99_ratio_to_peers": ahead,
    }
    for name, one in measured.items():
        figures[name] = {
            "cpu_us_per_delivery": round(machine.median(one.cpu_us), 3),
            "commit_to_read_ms": machine.spread_ms(one.latency_s),
            "not_read": one.missing,
            "idle_cpu_percent": round(machine.median(one.idle_cpu) * 100, 2),
            "memory_bytes_per_viewer": round(one.bytes_per_viewer),
            "generator_cpu_us_per_delivery": round(machine.median(one.crowd_cpu_us), 3),
        }
    return Report("fanout", ratio, RATIO, aims, figures, absent)


if __name__ == "__main__":
    asked = options("fanout", "viewers: 1000, 4000 or 10000")
    asked.add_argument("--rounds", type=int, default=0, help="of all contestants: 5, or 3")
    asked.add_argument("--events", type=int, default=0, help="of a round: 40, or 20")
    run(measure, asked)
