"""How cost grows with the work (增长): every load test at 1x, 4x and 16x, and a picture of it.

`python -m loadtests.growth [--small] [--only A,B] [--out DIR]`: DIR/growth.json and growth.svg. A
straight line through the origin is drawn from the first point: what lies on it costs the same per
piece at any size.
"""

import argparse
import json
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from loadtests import pictures
from loadtests.__main__ import NotMeasured, end_in_order, said_by
from loadtests.report import say

TIMES = (1, 4, 16)
PLACES = ("owner", "edges")
WITHIN_S = 1800
Figures = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Growing:
    """``most``: the work at 16x, and with --small; ``lines``: seconds by name from the figures."""

    name: str
    unit: str
    most: int
    most_small: int
    lines: Callable[[Figures], dict[str, float]]
    more: tuple[str, ...] = ()


def _unlock(f: Figures) -> dict[str, float]:
    instant = f["instant-1"]
    return {
        "server, in one instant": instant["first_write_to_last_answer_ms"] / 1000,
        "server's CPU": instant["server_cpu_ms"] / 1000,
        "bare loop": f["bare_loop_ms"][0] / 1000,
    }


def _reveal(f: Figures) -> dict[str, float]:
    return {
        "last viewer has read": f["last_viewer_ms"][0] / 1000,
        "bare loop": f["bare_loop_ms"][0] / 1000,
        "X25519 alone": f["x25519_alone_ms"] / 1000,
    }


def _decrypt(f: Figures) -> dict[str, float]:
    gb = f["mib"] * (1 << 20) / 1e9
    names = {"kaibiao, sink": "to the sink", "bare checked": "bare loop with c_P"}
    names |= {"bare aead": "bare AEAD", "age -d": "age -d"}
    return {said: gb / f[name]["gb_per_s"] for name, said in names.items() if name in f}


def _fanout(f: Figures) -> dict[str, float]:
    # CPU of one event to everybody.
    return {
        name: f[name]["cpu_us_per_delivery"] * f["viewers"] / 1e6
        for name in ("kaibiao", "bare loop", "websockets.broadcast")
    }


def _storm(f: Figures) -> dict[str, float]:
    return {
        "last client complete": f["complete_ms"]["viewers"]["max"] / 1000,
        "server's CPU": f["server_cpu_s"],
    }


def _edges(f: Figures) -> dict[str, float]:
    # CPU of one event to everybody.
    on_owner, on_edges = (f[f"viewers_on_{where}"]["cpu_us_per_event"] for where in PLACES)
    return {
        "owner, viewers on it": on_owner["owner"] / 1e6,
        "owner, viewers on edges": on_edges["owner"] / 1e6,
        "each of two edges": (on_edges["edge 1"] + on_edges["edge 2"]) / 2e6,
    }


ALL = (
    Growing("unlock_storm", "bids unlocked", 1600, 800, _unlock),
    Growing("reveal", "bids revealed", 1600, 800, _reveal),
    Growing("decrypt", "MiB decrypted", 4096, 1024, _decrypt),
    Growing("fanout", "viewers of one event", 8000, 1600, _fanout),
    # As many as come, so that the work is seen and not the limit.
    Growing("reconnect_storm", "clients back", 9600, 3200, _storm, ("--handshakes", "20000")),
    Growing("edges", "viewers of one event", 8000, 1600, _edges),
)


def measured(one: Growing, work: int) -> dict[str, float]:
    """Seconds by line. Raises NotMeasured."""
    say(f"== {one.name} {work}")
    command = [sys.executable, "-m", f"loadtests.{one.name}", "--json", "--small"]
    said = said_by([*command, "--count", str(work), *one.more], WITHIN_S)
    return {name: round(s, 6) for name, s in one.lines(json.loads(said)["figures"]).items()}


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m loadtests.growth")
    parser.add_argument("--small", action="store_true", help="a fraction of the work")
    parser.add_argument("--only", default="", metavar="A,B", help="some of them; the rest stays")
    parser.add_argument("--out", type=Path, default=Path("build/bench"), help="for growth.json")
    arguments = parser.parse_args()
    end_in_order()
    only = set(filter(None, arguments.only.split(",")))
    kept = arguments.out / "growth.json"
    found: pictures.Grown = json.loads(kept.read_text(encoding="utf-8")) if kept.exists() else {}
    arguments.out.mkdir(parents=True, exist_ok=True)
    failed: list[str] = []
    for one in ALL:
        if only and one.name not in only:
            continue
        most = one.most_small if arguments.small else one.most
        works = [most * times // TIMES[-1] for times in TIMES]
        try:
            found[one.name] = {str(work): measured(one, work) for work in works}
        except NotMeasured as why:
            say(f"{one.name}: {why}")
            failed.append(one.name)
            continue
        # One at a time, so that whoever is interrupted keeps what there is.
        kept.write_text(json.dumps(found, ensure_ascii=False, indent=1) + "\n", encoding="utf-8")
    units = {one.name: one.unit for one in ALL}
    pictures.growth(found, units, arguments.out / "growth.svg")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
