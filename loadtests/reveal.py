"""reveal (开启): from the last needed RELEASE sent to the read-out read by every viewer.

Every bid is one sealed form. Before the clock starts all are unlocked and the first of two needed
trustees has released; then the second one's prebuilt RELEASE is written to its socket. The bare
loop (`bare_reveal`) does the same work on the same bids in one thread and writes to as many
sockets; the pure primitives are timed beside both.
"""

import argparse
import time
from array import array
from dataclasses import dataclass
from typing import Any

from nacl import bindings

from crypto.keys import SigningKey
from crypto.messages import build_unlock
from crypto.suites import get_suite
from loadtests import machine
from loadtests.bids import Bid, release
from loadtests.child import Child, ask_all
from loadtests.report import Aim, Report, options, run, say, watched
from loadtests.site import Prepared, SiteUnderLoad
from loadtests.wire import packed
from server.demo.world import World

BIDS = 1000
ROUNDS, SMALL_ROUNDS = 3, 1
VIEWERS = 200
RATIO = 1.5
WITHIN_S = 30.0
KIND = "prices_read_out"
PLAN = {"window_ms": 600_000, "reply_ms": 600_000, "unattended": True}
LAST_PLACE = 1  # of the trustee whose release completes the threshold (from 0)


@dataclass(slots=True)
class Reveal:
    """Seconds from the write of the last RELEASE."""

    read_s: list[float]  # by each viewer
    handed_over_s: dict[str, float]  # each hall event, to the fan-out: after its commit
    missing: int
    server_cpu_s: float
    releases: list[bytes]


def unlock_all(site: SiteUnderLoad, one: Prepared) -> None:
    window = site.server.ask("window", room=one.room)
    suite = get_suite(window["suite"])
    messages = [
        (
            bid.number,
            build_unlock(
                suite,
                tender_id=window["tender_id"],
                opening_nonce=window["nonce"],
                envelope=1,
                w=window["w"],
                items=[(bid.bid_id, bid.half)],
                key=SigningKey(bid.seed),
            ).raw,
        )
        for bid in one.bids
    ]
    site.server.ask("unlock", room=one.room, messages=messages)


def reveal(site: SiteUnderLoad, one: Prepared, viewers: int) -> Reveal:
    unlock_all(site, one)
    terms = site.server.ask("release_terms", room=one.room)
    messages = [release(site.seed, place, terms, one.bids) for place in (0, LAST_PLACE)]
    site.server.ask("release", room=one.room, place=0, message=messages[0])
    site.enter_viewers(one.room, one.stream, viewers)
    trustee = World(site.seed, 0).trustees[LAST_PLACE].person.person
    site.enter_one("trustee", trustee, [[one.stream, "hall", 0, 0]])
    command = packed(["cmd", 1, "release-last", one.stream, "release", {"messages": messages[1:]}])
    cpu = site.cpu_s()
    orders = {"row": one.room, "kind": KIND, "count": 1, "within_s": WITHIN_S}
    for crowd in site.crowds:
        crowd.tell("listen", **orders)
    time.sleep(0.2)  # so that both listen before the clock starts
    sent_ns, _ = site.hand.ask("send", row="trustee", number=0, payload=command)
    heard = [crowd.answer() for crowd in site.crowds]
    cpu = site.cpu_s() - cpu
    read_ns = [ns for h in heard for raw in h["times"].values() for ns in array("q", raw)]
    published = site.server.ask("published_ns", room=one.room)
    for crowd in site.crowds:
        crowd.ask("leave", row=one.room)
    site.hand.ask("leave", row="trustee")
    return Reveal(
        read_s=[(ns - sent_ns) / 1e9 for ns in read_ns],
        handed_over_s={kind: (ns - sent_ns) / 1e9 for kind, ns in published if ns > sent_ns},
        missing=sum(h["missing"] for h in heard),
        server_cpu_s=cpu,
        releases=messages,
    )


def bare(site: SiteUnderLoad, one: Prepared, releases: list[bytes], viewers: int) -> dict[str, Any]:
    """The bare loop on the same bids and as many sockets; adds ``read_s`` of the last viewer."""
    trustee = World(site.seed, 0).trustees[LAST_PLACE].sign.public
    with Child("loadtests.bare_reveal") as child:
        port = child.ask("listen")
        orders = [site.raw_seats("bare", part, port) for part in site.shares(viewers)]
        ask_all(site.crowds, "join", orders)
        child.ask("accept", count=viewers)
        order = {"row": "bare", "kind": KIND, "count": 1, "within_s": WITHIN_S}
        for crowd in site.crowds:
            crowd.tell("listen", **order)
        done = child.ask(
            "run",
            directory=str(site.directory),
            releases=releases,
            trustee=trustee,
            bids=[_ready(bid) for bid in one.bids],
        )
        heard = [crowd.answer() for crowd in site.crowds]
        for crowd in site.crowds:
            crowd.ask("leave", row="bare")
    read_ns = [ns for h in heard for raw in h["times"].values() for ns in array("q", raw)]
    assert len(read_ns) == viewers
    return done | {"read_s": (max(read_ns) - done["start_ns"]) / 1e9}


def _ready(bid: Bid) -> dict[str, Any]:
    """What a server holds of a bid before the reveal."""
    header = bid.header
    return {
        "bid_id": bid.bid_id,
        "org": bid.org,
        "ad": header.ad,
        "c_H": header.c_H,
        "c_K": header.c_K,
        "c_P": header.c_P,
        "trustees": [[row.xpk, row.box] for row in header.trustees],
        "half": bid.half,
        "payload": bid.handed_in["payload"],
    }


def primitives_s(bids: int) -> float:
    """libsodium's part alone: two X25519 multiplications for each of three boxes of each bid."""
    public = bindings.crypto_scalarmult_base(bytes([9]) * 32)
    started = time.process_time()
    for _ in range(min(bids, 200) * 3):
        bindings.crypto_scalarmult_base(public)
        bindings.crypto_box_beforenm(public, public)
    return (time.process_time() - started) * bids / min(bids, 200)


def measure(arguments: argparse.Namespace) -> Report:
    bids = arguments.count or BIDS
    viewers = arguments.viewers
    rounds = SMALL_ROUNDS if arguments.small else ROUNDS
    rooms = [(f"reveal-{n + 1}", PLAN) for n in range(rounds)]
    reveals: list[Reveal] = []
    loops: list[dict[str, Any]] = []
    with SiteUnderLoad(synchronous=arguments.synchronous) as site:
        say(f"preparing {rounds} openings of {bids} bids")
        if arguments.stub_parser:
            site.server.ask("stub_parser")
        for one in site.prepare(rooms, bids):
            say(one.room)
            with watched(site.server, arguments):
                reveals.append(reveal(site, one, viewers))
            loops.append(bare(site, one, reveals[-1].releases, viewers))
        opened = sum(site.server.ask("status", room=room)["opened"] for room, _ in rooms)
        fsync = site.fsync_s()
    pairs = list(zip(reveals, loops, strict=True))
    ratios = [max(r.read_s) / loop["read_s"] for r, loop in pairs]
    ratio = machine.median(ratios)
    missing = sum(r.missing for r in reveals)
    aims = [
        Aim("last viewer has read / bare loop", ratio, RATIO),
        # In a hall there is no second one that a median could hide it behind.
        Aim("... in the first reveal after the start", ratios[0], RATIO),
        Aim("read-outs not read", missing, 0),
        Aim("forms not opened", bids * rounds - opened, 0),
    ]
    figures: dict[str, Any] = {
        "bids": bids,
        "viewers": viewers,
        "opened": opened,
        "lost": missing,
        "ratios": [round(each, 3) for each in ratios],
        "last_viewer_ms": [round(max(r.read_s) * 1000, 1) for r in reveals],
        "first_viewer_ms": [round(min(r.read_s) * 1000, 1) for r in reveals],
        "committed_and_handed_to_fan_out_ms": {
            kind: round(machine.median([r.handed_over_s[kind] for r in reveals]) * 1000, 1)
            for kind in reveals[0].handed_over_s
        },
        "server_cpu_ms": [round(r.server_cpu_s * 1000, 1) for r in reveals],
        "bare_loop_ms": [round(loop["read_s"] * 1000, 1) for loop in loops],
        "bare_loop_cpu_ms": [round(loop["cpu_s"] * 1000, 1) for loop in loops],
        "cpu_ratio": round(machine.median([r.server_cpu_s / b["cpu_s"] for r, b in pairs]), 3),
        "bare_loop_parts_ms": {
            part: round(machine.median([loop[f"{part}_s"] for loop in loops]) * 1000, 1)
            for part in ("halves", "forms", "journal", "writes")
        },
        "x25519_alone_ms": round(primitives_s(bids) * 1000, 1),
        "read_out_bytes": loops[0]["frame_bytes"],
        "fsync_ms": machine.spread_ms(fsync),
    }
    return Report("reveal", ratio, RATIO, aims, figures)


if __name__ == "__main__":
    asked = options("reveal", "bids")
    asked.add_argument("--viewers", type=int, default=VIEWERS)
    asked.add_argument("--stub-parser", action="store_true", help="a test of this test")
    run(measure, asked)
