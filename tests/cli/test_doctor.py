"""`kaibiao doctor`: one line per finding, and an exit code that a script can act upon."""

import socket
from pathlib import Path

from tests.cli.program import Ran, run


def doctor(data: Path, ports: list[int]) -> Ran:
    names = ("HTTP_PORT", "WS_PORT", "HEALTH_PORT")
    listen = {f"KAIBIAO_LISTEN__{name}": str(p) for name, p in zip(names, ports, strict=True)}
    return run("doctor", env=listen | {"KAIBIAO_SITE__DATA": str(data)})


def findings(done: Ran) -> dict[str, str]:
    """ok or BAD by subject."""
    lines = [line.split(maxsplit=2) for line in done.out.splitlines()]
    return {subject.rstrip(":"): verdict for verdict, subject, *_ in lines}


def test_it_looks_at_everything_and_leaves_nothing_behind(tmp_path: Path) -> None:
    done = doctor(tmp_path / "data", [0, 0, 0])
    found = findings(done)
    assert set(found) == {"libraries", "disk", "fsync", "open", "ports", "clock", "built"}
    assert found["libraries"] == found["ports"] == "ok"
    assert done.code == (1 if "BAD" in found.values() else 0)
    assert list(tmp_path.iterdir()) == []


def test_a_port_that_is_taken_is_named(tmp_path: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        done = doctor(tmp_path, [0, port, 0])
    assert done.code == 1
    assert findings(done)["ports"] == "BAD"
    assert f"busy: {port}" in done.out


def test_a_disk_that_cannot_be_written_is_a_finding_not_a_crash(tmp_path: Path) -> None:
    done = doctor(Path("/proc/nowhere"), [0, 0, 0])
    assert done.code == 1
    assert findings(done)["ports"] == "ok"
    assert "Traceback" not in done.err
