"""What a load test says (报告): one JSON object, or a table for people.

Invariant: stdout carries the result and nothing else; progress goes to stderr. ``ratio`` compares
with a bare loop or a peer of the same run, ``aim`` is its limit, and ``aim_met`` is true only when
every line of ``aims`` is met.
"""

import argparse
import json
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table

from loadtests import flame
from loadtests.child import Child
from loadtests.machine import cpus

_stacks: dict[str, int] = {}  # of all measured parts of this run together


@dataclass(frozen=True, slots=True)
class Aim:
    """One thing that must hold: ``value`` at most ``limit``, or at least."""

    what: str
    value: float
    limit: float
    at_least: bool = False

    @property
    def met(self) -> bool:
        return self.value >= self.limit if self.at_least else self.value <= self.limit

    def as_json(self) -> dict[str, Any]:
        return {
            "what": self.what,
            "value": round(self.value, 4),
            "limit": round(self.limit, 4),
            "at_least": self.at_least,
            "met": self.met,
        }


@dataclass(slots=True)
class Report:
    """``figures``: whatever was measured, by name; times in ms unless the name says otherwise."""

    name: str
    ratio: float
    aim: float
    aims: list[Aim]
    figures: dict[str, Any]
    absent: list[str] = field(default_factory=list)
    at_least: bool = False  # whether ``aim`` is a lower limit of ``ratio``

    def as_json(self) -> dict[str, Any]:
        return {
            "name": self.name,
            "ratio": round(self.ratio, 3),
            "aim": self.aim,
            "at_least": self.at_least,
            "aim_met": all(aim.met for aim in self.aims),
            "aims": [aim.as_json() for aim in self.aims],
            "cpus": cpus(),
            "absent": self.absent,
            "figures": self.figures,
        }


def say(text: str) -> None:
    """Progress, for whoever waits."""
    print(text, file=sys.stderr, flush=True)


def options(name: str, sizes: str) -> argparse.ArgumentParser:
    """What every load test understands."""
    parser = argparse.ArgumentParser(prog=f"python -m loadtests.{name}")
    parser.set_defaults(title=name)
    parser.add_argument("--json", action="store_true", help="one JSON object, alone, on stdout")
    parser.add_argument("--small", action="store_true", help="within 45 s on two cores")
    parser.add_argument("--count", type=int, default=0, help=f"{sizes} (default: by --small)")
    parser.add_argument(
        "--synchronous",
        choices=("FULL", "OFF"),
        default="FULL",
        help="OFF: the journal without fsync; a test of this test",
    )
    parser.add_argument("--profile", action="store_true", help="the loop's top costs, on stderr")
    parser.add_argument(
        "--flame", type=Path, metavar="FILE.svg", help="a flame graph of the server"
    )
    return parser


@contextmanager
def watched(server: Child, arguments: argparse.Namespace) -> Iterator[None]:
    """The measured part of a load test, profiled or sampled where somebody has asked for it; both
    cost what they look at a few per cent.
    """
    if arguments.profile:
        server.ask("profile", on=True)
    recorder = flame.Recorder(server.pid) if arguments.flame else None
    yield
    if recorder is not None:
        for stack, count in recorder.stop().items():
            _stacks[stack] = _stacks.get(stack, 0) + count
        flame.write(_stacks, arguments.flame, arguments.title)
    if arguments.profile:
        say(server.ask("profile", on=False))


def run(measure: Callable[[argparse.Namespace], Report], parser: argparse.ArgumentParser) -> None:
    """Measures and prints. The exit code says whether it could be measured, not whether aims are
    met: a shared machine misses them for reasons of its own.
    """
    arguments = parser.parse_args()
    report = measure(arguments).as_json()
    if arguments.json:
        print(json.dumps(report, ensure_ascii=False))
    else:
        show(report)


def show(report: dict[str, Any]) -> None:
    """The table for people."""
    console = Console()
    aims = Table(title=f"{report['name']}: ratio {report['ratio']} (aim {report['aim']})")
    for column in ("aim", "value", "limit", "met"):
        aims.add_column(column)
    for aim in report["aims"]:
        limit = f"{'>=' if aim['at_least'] else '<='} {aim['limit']}"
        aims.add_row(aim["what"], str(aim["value"]), limit, "yes" if aim["met"] else "NO")
    console.print(aims)
    figures = Table(title=f"figures, {report['cpus']} cpus")
    figures.add_column("figure")
    figures.add_column("value")
    for name, value in report["figures"].items():
        figures.add_row(name, json.dumps(value, ensure_ascii=False))
    console.print(figures)
    if report["absent"]:
        console.print("absent: " + ", ".join(report["absent"]))
