"""Debian's redis-server as a child (Redis 进程): on a free loopback port, with nothing on disk.

Invariant: it is ended by its process id, and whoever started it ends it; started again on the same
port it knows nothing any more.
"""

import shutil
import socket
import subprocess
import tempfile
import time
from typing import Self

from loadtests.ports import free_port

START_S_MAX = 60.0
MISSING = "redis-server is missing: apt-get install redis-server"


class RedisProcess:
    """Use as a context; ``kill`` and ``start`` in between are up to the test."""

    def __init__(self) -> None:
        assert shutil.which("redis-server"), MISSING
        self.port = free_port()
        self._folder = tempfile.TemporaryDirectory(prefix="redis-")
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        return f"redis://127.0.0.1:{self.port}/0"

    @property
    def pid(self) -> int:
        assert self._process is not None
        return self._process.pid

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *exc: object) -> None:
        self.kill()
        self._folder.cleanup()

    def start(self) -> None:
        """Returns when it takes connections."""
        assert self._process is None
        options = {"port": str(self.port), "bind": "127.0.0.1", "save": "", "appendonly": "no"}
        options |= {"dir": self._folder.name, "logfile": "redis.log"}
        command = ["redis-server", *(word for k, v in options.items() for word in (f"--{k}", v))]
        self._process = subprocess.Popen(command, stdin=subprocess.DEVNULL)
        give_up = time.monotonic() + START_S_MAX
        while True:
            assert self._process.poll() is None, "redis-server has ended"
            assert time.monotonic() < give_up, "redis-server does not listen"
            with socket.socket() as sock:
                sock.settimeout(1)
                if sock.connect_ex(("127.0.0.1", self.port)) == 0:
                    return
            time.sleep(0.02)

    def kill(self) -> None:
        """kill -9, as a machine that falls; nothing is left of what it knew."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            self._process = None
