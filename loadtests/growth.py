"""How cost grows with the work (增长): every load test at 1x, 4x and 16x, and a picture of it.

`python -m loadtests.growth [--small] [--out DIR] [--picture FILE.svg]`. A straight line through the
origin is drawn from the first point: what lies on it costs the same per piece at any size.
"""

import argparse
import json
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from loadtests import pictures
from loadtests.report import say

TIMES = (1, 4, 16)
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


ALL = (
    Growing("unlock_storm", "bids unlocked", 1600, 800, _unlock),
    Growing("reveal", "bids revealed", 1600, 800, _reveal),
    Growing("decrypt", "MiB decrypted", 4096, 1024, _decrypt),
    Growing("fanout", "viewers of one event", 8000, 1600, _fanout),
    # As many as come, so that the work is seen and not the limit.
    Growing("reconnect_storm", "clients back", 9600, 3200, _storm, ("--handshakes", "20000")),
)


def measured(one: Growing, work: int) -> dict[str, float]:
    """Seconds by line."""
    say(f"== {one.name} {work}")
    command = [sys.executable, "-m", f"loadtests.{one.name}", "--json", "--small"]
    done = subprocess.run(
        [*command, "--count", str(work), *one.more],
        stdout=subprocess.PIPE,
        timeout=WITHIN_S,
        check=True,
    )
    return {name: round(s, 6) for name, s in one.lines(json.loads(done.stdout)["figures"]).items()}


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m loadtests.growth")
    parser.add_argument("--small", action="store_true", help="a fraction of the work")
    parser.add_argument("--out", type=Path, default=Path("build/bench"), help="for growth.json")
    parser.add_argument("--picture", type=Path, help="growth.svg beside it by default")
    arguments = parser.parse_args()
    found: pictures.Grown = {}
    for one in ALL:
        most = one.most_small if arguments.small else one.most
        works = [most * times // TIMES[-1] for times in TIMES]
        found[one.name] = {str(work): measured(one, work) for work in works}
    arguments.out.mkdir(parents=True, exist_ok=True)
    text = json.dumps(found, ensure_ascii=False, indent=1)
    (arguments.out / "growth.json").write_text(text + "\n", encoding="utf-8")
    units = {one.name: one.unit for one in ALL}
    pictures.growth(found, units, arguments.picture or arguments.out / "growth.svg")
    return 0


if __name__ == "__main__":
    sys.exit(main())
