"""Simulated people (模拟人物) end with whoever started them, killed or not."""

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

pytestmark = pytest.mark.slow

START = """
import sys, time
from server.demo.auto import task_of
from server.demo.person_process import PersonProcess
from server.demo.world import World
person = World(b"orphans".ljust(32, b"."), 1).bidders[0]
outlives = sys.argv[2] == "outlives"
task = task_of(sys.argv[1], person, room="nowhere", outlives_hall=outlives)
print(PersonProcess(task).pid, flush=True)
time.sleep(600)
"""
PATIENCE_S = 20.0


@pytest.fixture
def silent_hall() -> Iterator[str]:
    """Takes connections and says nothing: whoever comes waits."""
    with socket.create_server(("127.0.0.1", 0)) as door:
        yield f"http://127.0.0.1:{door.getsockname()[1]}"


def started(hall: str, how: str) -> int:
    """The pid of a person whose starter has been killed."""
    starter = subprocess.Popen(
        [sys.executable, "-c", START, hall, how], stdout=subprocess.PIPE, text=True
    )
    assert starter.stdout is not None
    pid = int(starter.stdout.readline())
    starter.kill()
    starter.wait()
    starter.stdout.close()
    return pid


def lives(pid: int) -> bool:
    try:
        return b"forkserver" in Path(f"/proc/{pid}/cmdline").read_bytes()
    except OSError:
        return False


def test_a_person_ends_when_its_hall_is_killed(silent_hall: str):
    pid = started(silent_hall, "ends")
    end_s = time.monotonic() + PATIENCE_S
    while lives(pid) and time.monotonic() < end_s:
        time.sleep(0.05)
    assert not lives(pid)


def test_a_person_that_waits_for_the_next_hall_stays(silent_hall: str):
    mayfly, stayer = started(silent_hall, "ends"), started(silent_hall, "outlives")
    try:
        end_s = time.monotonic() + PATIENCE_S
        while lives(mayfly) and time.monotonic() < end_s:
            time.sleep(0.05)
        assert not lives(mayfly)
        assert lives(stayer)
    finally:
        os.kill(stayer, signal.SIGTERM)
