"""All load tests, one after the other (全部压测): `python -m loadtests`, a table at the end.

Small by default: within ten minutes on two cores. ``--full`` takes the figures of
docs/performance.md, in about two hours on a machine that does nothing else. ``--out DIR`` keeps
each report as DIR/NAME.json, from which `python -m loadtests.page DIR` writes the page's tables.
Exit code 1 when one could not be measured; aims that are missed are shown, not punished: the
machine may be shared.
"""

import argparse
import json
import subprocess
import sys
import time
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from subprocess import PIPE
from typing import Any

from rich.console import Console
from rich.table import Table

from loadtests.report import say

SMALL_WITHIN_S, FULL_WITHIN_S = 180, 3600


@dataclass(frozen=True, slots=True)
class Planned:
    """One run: its name (also of its report), its module, and what it is asked in full."""

    name: str
    module: str
    full: tuple[str, ...] = ()
    is_only_full: bool = False


PLAN = (
    Planned("unlock_storm", "unlock_storm"),
    Planned("reveal", "reveal"),
    Planned("decrypt", "decrypt"),
    Planned("fanout", "fanout"),
    Planned("fanout-4000", "fanout", ("--count", "4000"), is_only_full=True),
    Planned("fanout-10000", "fanout", ("--count", "10000"), is_only_full=True),
    Planned("many_rooms", "many_rooms"),
    Planned("reconnect_storm", "reconnect_storm"),
    Planned("edges", "edges"),
    Planned("forwarding", "forwarding"),
    Planned("scoring", "scoring"),
    Planned("soak", "soak"),
)


def measured(planned: Planned, *, full: bool, out: Path | None) -> dict[str, Any] | None:
    """The report of one load test; None when it failed."""
    say(f"== {planned.name}")
    size = planned.full if full else ("--small",)
    command = [sys.executable, "-m", f"loadtests.{planned.module}", "--json", *size]
    began = time.monotonic()
    try:
        done = subprocess.run(
            command,
            stdout=subprocess.PIPE,
            timeout=FULL_WITHIN_S if full else SMALL_WITHIN_S,
            check=True,
        )
    except (subprocess.CalledProcessError, subprocess.TimeoutExpired) as error:
        say(f"{planned.name}: {error}")
        return None
    report = json.loads(done.stdout)
    report["command"] = " ".join(["python", *command[1:]])
    report["date"] = time.strftime("%Y-%m-%d", time.gmtime())
    report["took_s"] = round(time.monotonic() - began, 1)
    if out is not None:
        out.mkdir(parents=True, exist_ok=True)
        text = json.dumps(report, ensure_ascii=False, indent=1)
        (out / f"{planned.name}.json").write_text(text + "\n", encoding="utf-8")
    return report


def table(reports: dict[str, dict[str, Any] | None], title: str) -> Table:
    """One line a test."""
    made = Table(title=title)
    for column in ("test", "ratio", "aim", "aim_met", "s", "missed"):
        made.add_column(column)
    for name, report in reports.items():
        if report is None:
            made.add_row(name, "-", "-", "-", "-", "could not be measured")
            continue
        missed = [f"{a['what']}: {a['value']}" for a in report["aims"] if not a["met"]]
        sign = ">=" if report.get("at_least") else "<="
        made.add_row(
            name,
            str(report["ratio"]),
            f"{sign} {report['aim']}",
            "yes" if report["aim_met"] else "no",
            str(report["took_s"]),
            "\n".join(missed),
        )
    return made


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m loadtests")
    parser.add_argument("names", nargs="*", help="some of them (default: all)")
    parser.add_argument("--full", action="store_true", help="the figures of docs/performance.md")
    parser.add_argument("--out", type=Path, help="a folder for the reports, NAME.json")
    arguments = parser.parse_args()
    chosen = [
        planned
        for planned in PLAN
        if (arguments.full or not planned.is_only_full)
        and (not arguments.names or planned.name in arguments.names)
        and find_spec(f"loadtests.{planned.module}") is not None
    ]
    reports = {p.name: measured(p, full=arguments.full, out=arguments.out) for p in chosen}
    if arguments.full and arguments.out and not arguments.names:
        say("== costs, growth")
        costs = subprocess.run([sys.executable, "-m", "loadtests.costs", "--json"], stdout=PIPE)
        (arguments.out / "costs.json").write_bytes(costs.stdout)
        subprocess.run([sys.executable, "-m", "loadtests.growth", "--out", str(arguments.out)])
    Console().print(table(reports, "load tests" if arguments.full else "load tests, small"))
    return 1 if None in reports.values() else 0


if __name__ == "__main__":
    sys.exit(main())
