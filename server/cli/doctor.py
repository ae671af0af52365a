"""`kaibiao doctor`: is this machine fit for a hall? One line per finding; exit 1 when something
must be mended.
"""

import os
import shutil
import socket
import tempfile
import time
from collections.abc import Callable
from importlib.metadata import version
from pathlib import Path

from server import config as configuration
from server.cli.serving import configured

DISK_FREE_MIN = 10 << 30
FILES_MIN = 16_384
FSYNCS = 20
Finding = tuple[bool, str]


def _libraries() -> Finding:
    import apsw

    sqlite = apsw.sqlite_lib_version()
    # 3.51.3 mends the WAL-reset bug; older ones can lose a journal.
    wal_safe = tuple(map(int, sqlite.split("."))) >= (3, 51, 3)
    names = ("aiohttp", "cryptography", "pynacl", "uvloop", "websockets")
    others = ", ".join(f"{name} {version(name)}" for name in names)
    return wal_safe, f"libraries: sqlite {sqlite}, {others}"


def _disk(data: Path) -> Finding:
    free = shutil.disk_usage(_standing(data)).free
    return free > DISK_FREE_MIN, f"disk: {free >> 30} GiB free below {data}"


def _standing(data: Path) -> Path:
    """The data directory, or where it will be made: a check leaves nothing behind."""
    return next(folder for folder in (data, *data.absolute().parents) if folder.is_dir())


def _fsync(data: Path) -> Finding:
    """A hall waits for the disk at every acknowledged command."""
    took: list[float] = []
    with tempfile.NamedTemporaryFile(dir=_standing(data)) as file:
        for _ in range(FSYNCS):
            file.write(bytes(4096))
            file.flush()
            began = time.perf_counter()
            os.fdatasync(file.fileno())
            took.append((time.perf_counter() - began) * 1000)
    took.sort()
    median, worst = took[len(took) // 2], took[-1]
    return worst < 250, f"fsync: median {median:.2f} ms, worst of {FSYNCS} {worst:.2f} ms"


def _files() -> Finding:
    import resource

    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    return hard >= FILES_MIN, f"open files: {soft} (up to {hard}); one for each connection"


def _ports(config: configuration.Config) -> Finding:
    busy: list[str] = []
    for port in (config.listen.http_port, config.listen.ws_port, config.listen.health_port):
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind((config.listen.host, port))
            except OSError:
                busy.append(str(port))
    return not busy, f"ports: {'busy: ' + ', '.join(busy) if busy else 'free'}"


def _clock() -> Finding:
    wall, steady = time.time(), time.monotonic()
    time.sleep(0.05)
    drift = abs((time.time() - wall) - (time.monotonic() - steady)) * 1000
    return drift < 5, f"clock: wall and monotonic differ by {drift:.2f} ms in 50 ms"


def _built() -> Finding:
    root = Path(__file__).resolve().parents[2]
    parts = ("web_client/dist/index.html", "build/kaibiao-verify.pyz")
    missing = [part for part in parts if not (root / part).is_file()]
    said = f"missing, run make setup: {', '.join(missing)}" if missing else "pages, verifier"
    return not missing, f"built: {said}"


def _journal(data: Path, allow_test: bool) -> list[Finding]:
    from server.cli.journal_check import findings

    return findings(data, allow_test=allow_test)


def _tried(check: Callable[[], Finding]) -> Finding:
    try:
        return check()
    except OSError as error:
        return False, str(error)


def run(config_path: Path | None) -> int:
    """Prints all findings; 0 when every one is good."""
    config = configured(config_path)
    data = Path(config.site.data)
    checks: list[Callable[[], Finding]] = [
        _libraries,
        lambda: _disk(data),
        lambda: _fsync(data),
        _files,
        lambda: _ports(config),
        _clock,
        _built,
    ]
    bad = 0
    for good, text in [*map(_tried, checks), *_journal(data, config.site.test_suites)]:
        print(f"{'ok ' if good else 'BAD'}  {text}")
        bad += not good
    return 1 if bad else 0
