"""forwarding (转发): packets forwarded per CPU-second, by us, a bare loop, Debian's janus.

The trace is recorded H.264 and Opus of 1.6 Mbit/s, the same for all. Three comparisons, one run:

- the engine and two bare loops of what cannot be left out, in this process, the second of which
  takes the publisher's SRTP off as well (`loadtests.video_engine`), with few viewers and with many;
- our whole unit and janus' videoroom, each a process of its own, with real ICE, DTLS and SRTP, one
  publisher and the same viewers, counted at the viewers; and the media process as shipped, which
  records as well, as janus does not (`loadtests.video_beside`);
- viewers of the same rate by fragments over WebSocket (`loadtests.fragment_viewers`).

A peer that is not installed is named in ``absent``. CPU is the kernel's account of the process.
"""

import argparse

from loadtests import fragment_viewers, video_janus
from loadtests.report import Aim, Report, options, run, say
from loadtests.video_beside import beside
from loadtests.video_engine import idle, measured
from server.collector import calm_the_collector

VIEWERS, SMALL_VIEWERS = 100, 40
FEW = (1, 4, 10)  # viewers; where what comes in weighs most
SECONDS, SMALL_SECONDS = 4, 2  # of the trace, per round
ROUNDS, SMALL_ROUNDS = 7, 5
BESIDE_VIEWERS_MAX = 60  # one process plays all of them
BESIDE_ROUNDS, SMALL_BESIDE_ROUNDS = 5, 2
FRAGMENT_VIEWERS, SMALL_FRAGMENT_VIEWERS = 300, 100
FRAGMENT_SECONDS, SMALL_FRAGMENT_SECONDS = 6, 3
RATIO = 0.6


def measure(arguments: argparse.Namespace) -> Report:
    calm_the_collector()  # as the process that forwards does
    small = arguments.small
    viewers = arguments.count or (SMALL_VIEWERS if small else VIEWERS)
    seconds = SMALL_SECONDS if small else SECONDS
    rounds = SMALL_ROUNDS if small else ROUNDS
    idle_cost = idle()  # first: memory that was given back would be taken again, unseen
    loop = measured(viewers, seconds, rounds)
    few = {count: measured(count, 4 * seconds, rounds) for count in FEW if count < viewers}
    processes = beside(
        min(viewers, BESIDE_VIEWERS_MAX),
        seconds,
        SMALL_BESIDE_ROUNDS if small else BESIDE_ROUNDS,
    )
    say("viewers by fragments")
    fragments = fragment_viewers.measured(
        min(viewers, SMALL_FRAGMENT_VIEWERS) if small else FRAGMENT_VIEWERS,
        SMALL_FRAGMENT_SECONDS if small else FRAGMENT_SECONDS,
    )
    ours, janus = processes["ours"], processes.get("janus")
    lost = loop.lost + ours["lost"] + processes["recorded"]["lost"] + fragments["lost"]
    return Report(
        name="forwarding",
        ratio=loop.ratio,
        aim=RATIO,
        at_least=True,
        aims=[
            Aim("packets per CPU-second, of the bare loop's", loop.ratio, RATIO, at_least=True),
            Aim("packets lost", lost, 0),
        ],
        figures={
            "viewers": viewers,
            "packets": loop.packets,
            "lost": lost,
            "send_failures": loop.counters.send_failures,
            "ratio_to_bare_loop": round(loop.ratio, 3),
            "ratio_to_bare_loop_with_srtp_off": round(loop.ratio_srtp_off, 3),
            "ratio_to_janus": round(ours["per_cpu_s"] / janus["per_cpu_s"], 3) if janus else None,
            **{_to(count): one.as_json() for count, one in {**few, viewers: loop}.items()},
            "processes": processes,
            "idle": idle_cost,
            "fragments": fragments,
        },
        absent=[] if video_janus.is_here() else ["janus: not installed"],
    )


def _to(viewers: int) -> str:
    return f"to {viewers} viewer{'s' if viewers > 1 else ''}"


if __name__ == "__main__":
    run(measure, options("forwarding", "viewers"))
