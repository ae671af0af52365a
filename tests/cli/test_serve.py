"""`kaibiao serve`: a site that comes up, says where, and goes down when told."""

import json
import os
import resource
import signal
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.request import urlopen

import pytest

from loadtests.ports import free_ports
from tests.cli.program import ENGLISH, PROGRAM, run

pytestmark = pytest.mark.slow


def settings(data: Path) -> dict[str, str]:
    http = free_ports(5)  # live video takes the last two
    ws, health = http + 1, http + 2
    return {
        "KAIBIAO_SITE__DATA": str(data),
        "KAIBIAO_SITE__ORIGIN": f"http://127.0.0.1:{http}",
        "KAIBIAO_LISTEN__HTTP_PORT": str(http),
        "KAIBIAO_LISTEN__WS_PORT": str(ws),
        "KAIBIAO_LISTEN__HEALTH_PORT": str(health),
    }


@contextmanager
def served(env: dict[str, str]) -> Iterator[subprocess.Popen[str]]:
    process = subprocess.Popen(
        [str(PROGRAM), "serve"],
        env=os.environ | ENGLISH | env,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        yield process
    finally:
        process.kill()
        process.communicate()


def test_a_site_says_where_it_is_answers_and_stops_when_told(tmp_path: Path) -> None:
    env = settings(tmp_path)
    origin = env["KAIBIAO_SITE__ORIGIN"]
    with served(env) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == f"kaibiao: {origin}\n"
        with urlopen(f"{origin}/bootstrap.json", timeout=10) as answer:
            assert json.load(answer)["ws_port"] == int(env["KAIBIAO_LISTEN__WS_PORT"])
        health = f"http://127.0.0.1:{env['KAIBIAO_LISTEN__HEALTH_PORT']}"
        with urlopen(f"{health}/readyz", timeout=10) as answer:
            assert answer.status == 200
        locked = run("serve", env=env | settings(tmp_path))
        assert locked.refusal == "storage.locked"
        taken = run("serve", env=env | {"KAIBIAO_SITE__DATA": str(tmp_path / "other")})
        assert (taken.code, taken.err.count("\n")) == (1, 1)
        process.send_signal(signal.SIGTERM)
        out, err = process.communicate(timeout=30)
        assert (process.returncode, out, err) == (0, "", "")
    assert (tmp_path / "keys" / "log.key").stat().st_mode & 0o777 == 0o400


def test_a_disk_that_takes_no_more_ends_the_site_with_one_line(tmp_path: Path) -> None:
    """Nothing may grow any more (RLIMIT_FSIZE): the next row cannot be made durable."""
    with served(settings(tmp_path)) as process:
        assert process.stdout is not None
        process.stdout.readline()
        resource.prlimit(process.pid, resource.RLIMIT_FSIZE, (4096, 4096))
        out, err = process.communicate(timeout=30)  # the log writes a leaf a second
    assert process.returncode == 1
    assert out == ""
    assert err.startswith("kaibiao: storage.failed: The data disk cannot be written")
    assert err.count("\n") == 1, err
    # What it had is still good: the same directory serves again.
    with served(settings(tmp_path)) as again:
        assert again.stdout is not None
        assert again.stdout.readline().startswith("kaibiao: http")
