"""reconnect_storm (重连风暴): ten thousand clients cut off at once, back with resume.

All lines are reset in the same moment, and events go on. Every client then does what ours do: first
try within half a second, a 503's Retry-After obeyed, a hello with the epoch and seq that it has.
The server lets in as many a second as it is shipped with. A client is complete when it has read its
first event after the cut; every client's seqs are followed through the cut, so that nothing can be
missed or come twice unseen.
"""

import argparse
import time
from typing import Any

from loadtests import machine
from loadtests.report import Aim, Report, options, run, say, watched
from loadtests.site import SiteUnderLoad
from server.config import Limits

ROOM = "storm"
CLIENTS, SMALL_CLIENTS = 10_000, 2000
PARTICIPANTS = 100
EVERY_MS_MIN, CLIENTS_PER_MS = 100, 20
EVENTS_BEFORE = 4
ALL_BACK_S = 10.0
WITHIN_S = 60.0
# Where nobody has to wait there is nothing to be first in, and the two differ by chance.
FIRST_RATIO = 1.1
PLAN = {"window_ms": 36_000_000}


def measure(arguments: argparse.Namespace) -> Report:
    clients = arguments.count or (SMALL_CLIENTS if arguments.small else CLIENTS)
    participants = min(PARTICIPANTS, max(3, clients // 10))
    viewers = clients - participants
    every_ms = max(EVERY_MS_MIN, clients // CLIENTS_PER_MS)
    rate = arguments.handshakes or Limits().handshakes_per_s
    with SiteUnderLoad(synchronous=arguments.synchronous, seats=clients) as site:
        (one,) = site.prepare([(ROOM, PLAN)], participants)
        site.server.ask("start_window", room=ROOM)
        say(f"{viewers} viewers and {participants} participants take their seats")
        site.enter_bidders("participants", [one])
        site.enter_viewers("viewers", one.stream, viewers)
        idle_bytes = site.rss_bytes()
        site.server.ask("handshakes_per_s", rate=rate)
        people = [bid.person for bid in one.bids]
        site.server.ask("hosts_begin", rooms=[ROOM], every_ms=every_ms)
        say("cut")
        with watched(site.server, arguments):
            site.server.ask("lag_begin")
            cpu = site.cpu_s()
            cut_ns = time.perf_counter_ns() + EVENTS_BEFORE * every_ms * 1_000_000
            tickets = site.server.ask("tickets", people=people)
            orders = [
                {
                    "origin": site.origin,
                    "stream": one.stream,
                    "cut_ns": cut_ns,
                    "within_s": WITHIN_S,
                    "rows": {
                        "participants": [tickets[n] for n in few],
                        "viewers": [None] * len(many),
                    },
                }
                for few, many in zip(site.shares(participants), site.shares(viewers), strict=True)
            ]
            for crowd, order in zip(site.crowds, orders, strict=True):
                crowd.tell("comeback", **order)
            time.sleep(max(0.0, (cut_ns - time.perf_counter_ns()) / 1e9) + ALL_BACK_S / 2)
            # Events go on until everybody should be back; then the crowds hear silence.
            while site.server.ask("seated", room=ROOM) < clients:
                if time.perf_counter_ns() > cut_ns + int(WITHIN_S * 0.8 * 1e9):
                    break
                time.sleep(0.2)
            time.sleep(2 * every_ms / 1000)
            changes = site.server.ask("hosts_end")
            stories = [crowd.answer() for crowd in site.crowds]
            cpu = site.cpu_s() - cpu
            lags = site.server.ask("lag_end")
        last = site.server.ask("status", room=ROOM)["hall"]
        turned_away = site.server.ask("turned_away")
    return _report(
        stories, cut_ns, last, clients, rate, every_ms, changes, cpu, lags, turned_away, idle_bytes
    )


def _report(
    stories: list[dict[str, Any]],
    cut_ns: int,
    last: int,
    clients: int,
    rate: int,
    every_ms: int,
    changes: int,
    cpu: float,
    lags: list[float],
    turned_away: dict[str, int],
    idle_bytes: int,
) -> Report:
    def after_cut(kind: str, row: str) -> list[float]:
        """Seconds; one that never came back counts as the whole patience."""
        return [(ns - cut_ns) / 1e9 if ns else WITHIN_S for s in stories for ns in s[row][kind]]

    rows = ("participants", "viewers")
    back = {row: after_cut("caught_up_ns", row) for row in rows}
    seated = {row: after_cut("welcome_ns", row) for row in rows}
    everybody = back["participants"] + back["viewers"]
    behind = sum(n != last for s in stories for row in rows for n in s[row]["newest"])

    def total(what: str) -> Any:
        return sum(s[row][what] for s in stories for row in rows)

    ratio = max(everybody) / ALL_BACK_S
    # From each one's own first try: how long it lets itself wait before is chance.
    waited = {
        row: [max(0.0, b - t) for b, t in zip(seated[row], after_cut("tried_ns", row), strict=True)]
        for row in rows
    }
    first = machine.quantile(waited["participants"], 0.9) / machine.quantile(waited["viewers"], 0.9)
    aims = [
        Aim("last client complete, s", max(everybody), ALL_BACK_S),
        Aim("events missed", total("missed"), 0),
        Aim("events twice", total("twice"), 0),
        Aim("clients that did not hear the last event", behind, 0),
        Aim("participants' wait from first try to welcome / viewers', p90", first, FIRST_RATIO),
    ]
    figures: dict[str, Any] = {
        "clients": clients,
        "participants": len(back["participants"]),
        "handshakes_per_s": rate,
        "lost": behind,
        "every_ms": every_ms,
        "events_through_the_cut": changes,
        "events_read": total("events"),
        "complete_ms": {row: machine.spread_ms(back[row]) for row in rows},
        "welcome_ms": {row: machine.spread_ms(seated[row]) for row in rows},
        "first_try_to_welcome_ms": {row: machine.spread_ms(waited[row]) for row in rows},
        "answers_503": total("refused"),
        "turned_away": turned_away,
        "lines_failed": total("failed"),
        "loop_lag_ms": machine.spread_ms([lag / 1000 for lag in lags]),
        "server_cpu_s": round(cpu, 2),
        "server_mib": round(idle_bytes / (1 << 20), 1),
        "generator_cpu_s": round(total("cpu_s"), 2),
    }
    return Report("reconnect_storm", ratio, 1.0, aims, figures)


if __name__ == "__main__":
    asked = options("reconnect_storm", "clients")
    asked.add_argument("--handshakes", type=int, default=0, help="a second; 0: as shipped")
    run(measure, asked)
