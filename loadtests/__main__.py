"""All load tests, one after the other (全部压测): `python -m loadtests`, a table at the end.

Small by default: within ten minutes on two cores. ``--full`` takes the figures of
docs/performance.md, in about 25 minutes on a machine that does nothing else; the half hour of
``soak`` and ``growth`` only where they are named: ``--full --only soak``. ``--only a,b`` chooses.
``--out DIR`` keeps each report as DIR/NAME.json, from which `python -m loadtests.page DIR` writes
the page's tables. One that fails, or is not done in its time, is named as not measured and the
others go on; ``--minutes M`` begins none later than that. Exit code 1 when one could not be
measured; aims that are missed are shown, not punished: the machine may be shared.
"""

import argparse
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table

from loadtests.report import say

SMALL_WITHIN_S, FULL_WITHIN_S, LONG_WITHIN_S = 180, 480, 3600
END_WITHIN_S = 10


@dataclass(frozen=True, slots=True)
class Planned:
    """One run: its name (also of its report), its module, and what it is asked in full."""

    name: str
    module: str
    full: tuple[str, ...] = ()
    is_only_full: bool = False
    is_long: bool = False  # in full only where it is named

    def within_s(self, *, full: bool) -> int:
        """Whoever takes longer is stuck."""
        if not full:
            return SMALL_WITHIN_S
        return LONG_WITHIN_S if self.is_long else FULL_WITHIN_S


# Of large crowds: each event takes long, and what one costs does not move from event to event.
FEWER = ("--rounds", "3", "--events", "20")
PLAN = (
    Planned("unlock_storm", "unlock_storm"),
    Planned("reveal", "reveal"),
    Planned("decrypt", "decrypt"),
    Planned("fanout", "fanout"),
    Planned("many_rooms", "many_rooms"),
    Planned("reconnect_storm", "reconnect_storm"),
    Planned("edges", "edges"),
    Planned("fanout-10000", "fanout", ("--count", "10000", *FEWER), is_only_full=True),
    Planned("fanout-4000", "fanout", ("--count", "4000", *FEWER), is_only_full=True),
    Planned("forwarding", "forwarding"),
    Planned("scoring", "scoring"),
    Planned("soak", "soak", is_long=True),
)
GROWTH, COSTS = "growth", "costs"  # written to DIR, in no table


class NotMeasured(Exception):
    """A load test that failed, or was not done in its time; says why."""


def said_by(command: Sequence[str], within_s: float) -> bytes:
    """What a command prints on stdout. It and everything that it started has ended afterwards.
    Raises NotMeasured.
    """
    with subprocess.Popen(command, stdout=subprocess.PIPE, start_new_session=True) as process:
        try:
            said, _ = process.communicate(timeout=within_s)
        except subprocess.TimeoutExpired:
            raise NotMeasured(f"not done within {within_s} s") from None
        finally:
            _end_all_of(process)
    if process.returncode:
        raise NotMeasured(f"ended with {process.returncode}")
    return said


def _end_all_of(process: subprocess.Popen[bytes]) -> None:
    """First politely: it may have begun sessions of its own, and ends those."""
    with suppress(ProcessLookupError, subprocess.TimeoutExpired):
        if process.poll() is None:
            os.killpg(process.pid, signal.SIGTERM)
            process.wait(END_WITHIN_S)
    with suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)


def end_in_order() -> None:
    """Who is told to go ends what it has begun."""
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(128 + signal.SIGTERM))


def measured(planned: Planned, *, full: bool, out: Path | None) -> dict[str, Any] | None:
    """The report of one load test; None when it could not be measured."""
    say(f"== {planned.name}")
    size = planned.full if full else ("--small",)
    command = [sys.executable, "-m", f"loadtests.{planned.module}", "--json", *size]
    began = time.monotonic()
    try:
        report = json.loads(said_by(command, planned.within_s(full=full)))
    except (NotMeasured, ValueError) as why:
        say(f"{planned.name}: {why}")
        return None
    report["command"] = " ".join(["python", *command[1:]])
    report["date"] = time.strftime("%Y-%m-%d", time.gmtime())
    report["took_s"] = round(time.monotonic() - began, 1)
    if out is not None:
        kept(out, planned.name, report)
    return report


def kept(out: Path, name: str, report: dict[str, Any]) -> None:
    out.mkdir(parents=True, exist_ok=True)
    text = json.dumps(report, ensure_ascii=False, indent=1)
    (out / f"{name}.json").write_text(text + "\n", encoding="utf-8")


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


def chosen(only: set[str], *, full: bool) -> list[Planned]:
    """What is run; whatever somebody names is run as they name it."""
    return [
        planned
        for planned in PLAN
        if find_spec(f"loadtests.{planned.module}") is not None
        and (
            planned.name in only
            if only
            else not (planned.is_long and full) and (full or not planned.is_only_full)
        )
    ]


def beside_the_reports(only: set[str], out: Path) -> list[str]:
    """What the page shows besides the reports; the names of those that failed."""
    commands = {
        COSTS: ["-m", "loadtests.costs", "--json"],
        GROWTH: ["-m", "loadtests.growth", "--out", str(out)],
    }
    failed: list[str] = []
    for name in (COSTS, GROWTH) if only else (COSTS,):
        if only and name not in only:
            continue
        say(f"== {name}")
        try:
            said = said_by([sys.executable, *commands[name]], LONG_WITHIN_S)
            if name == COSTS:
                kept(out, name, json.loads(said))
        except (NotMeasured, ValueError) as why:
            say(f"{name}: {why}")
            failed.append(name)
    return failed


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m loadtests")
    parser.add_argument("--only", default="", metavar="A,B", help="some of them (default: all)")
    parser.add_argument("--full", action="store_true", help="the figures of docs/performance.md")
    parser.add_argument("--out", type=Path, help="a folder for the reports, NAME.json")
    parser.add_argument("--minutes", type=float, help="none is begun later than that")
    arguments = parser.parse_args()
    only = set(filter(None, arguments.only.split(",")))
    if unknown := only - {planned.name for planned in PLAN} - {GROWTH, COSTS}:
        parser.error(f"there is no {', '.join(sorted(unknown))}")
    end_in_order()
    began = time.monotonic()

    def minutes() -> float:
        return (time.monotonic() - began) / 60

    failed: list[str] = []
    reports: dict[str, dict[str, Any] | None] = {}
    if arguments.out and (arguments.full or only):
        failed = beside_the_reports(only, arguments.out)
    for planned in chosen(only, full=arguments.full):
        is_late = arguments.minutes is not None and minutes() >= arguments.minutes
        if is_late:
            say(f"{planned.name}: not begun, {arguments.minutes:g} minutes are over")
        reports[planned.name] = (
            None if is_late else measured(planned, full=arguments.full, out=arguments.out)
        )
    size = "in full" if arguments.full else "small"
    Console().print(table(reports, f"load tests, {size}, {minutes():.1f} minutes"))
    return 1 if failed or None in reports.values() else 0


if __name__ == "__main__":
    sys.exit(main())
