"""kill -9 at random moments: the acknowledged rows are a prefix of what is found, none twice."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
ROUNDS = 40


@pytest.mark.parametrize("seed", [1])
def test_a_killed_writer_has_kept_everything_it_acknowledged(tmp_path, seed):
    program = ROOT / "tests" / "storage" / "killed_writer.py"
    command = [sys.executable, str(program), str(tmp_path), str(ROUNDS), str(seed)]
    told = subprocess.run(
        command,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
    )
    assert told.returncode == 0, told.stderr
    found = json.loads(told.stdout)
    assert found["rounds"] == ROUNDS
    assert found["acknowledged"] > 50  # the kills met a journal at work
    assert found["found"] >= found["acknowledged"]
