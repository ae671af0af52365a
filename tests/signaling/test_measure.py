"""The measuring script still runs, and everything it counts was delivered."""

import json
import subprocess
import sys
from pathlib import Path

import pytest


@pytest.mark.slow
@pytest.mark.parametrize("loop", [[], ["--asyncio"]], ids=["uvloop", "asyncio"])
def test_the_measuring_script_runs(loop):
    done = subprocess.run(
        [sys.executable, "-m", "tests.signaling.measure", "--small", "--json", *loop],
        cwd=Path(__file__).parents[2],
        capture_output=True,
        text=True,
        timeout=120,
        check=True,
    )
    report = json.loads(done.stdout)
    assert [row["viewers"] for row in report["fan_out"]] == [50]
    assert report["burst"]["bidders"] == 50
