"""All load tests, small, one after the other (全部压测): `python -m loadtests`, a table at the end.

Exit code 1 when one could not be measured; aims that are missed are shown, not punished: the
machine may be shared.
"""

import json
import subprocess
import sys
from typing import Any

from rich.console import Console
from rich.table import Table

from loadtests.report import say

NAMES = ("unlock_storm", "reveal", "fanout")
EACH_WITHIN_S = 180


def measured(name: str) -> dict[str, Any] | None:
    """The report of one load test; None when it failed."""
    say(f"== {name}")
    command = [sys.executable, "-m", f"loadtests.{name}", "--small", "--json"]
    try:
        done = subprocess.run(command, stdout=subprocess.PIPE, timeout=EACH_WITHIN_S, check=True)
    except (subprocess.CalledProcessError, subprocess.TimeoutExpired) as error:
        say(f"{name}: {error}")
        return None
    return json.loads(done.stdout)


def main() -> int:
    reports = {name: measured(name) for name in NAMES}
    table = Table(title="load tests, small")
    for column in ("test", "ratio", "aim", "all aims met", "missed"):
        table.add_column(column)
    for name, report in reports.items():
        if report is None:
            table.add_row(name, "-", "-", "-", "could not be measured")
            continue
        missed = [f"{a['what']}: {a['value']}" for a in report["aims"] if not a["met"]]
        met = "yes" if report["aim_met"] else "no"
        table.add_row(name, str(report["ratio"]), str(report["aim"]), met, "\n".join(missed))
    Console().print(table)
    return 1 if None in reports.values() else 0


if __name__ == "__main__":
    sys.exit(main())
