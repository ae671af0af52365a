"""A real edge as a child (边缘进程): `kaibiao edge` on free ports, beside a site that has a Redis.

Invariant: it is ended by its process id, by whoever started it.
"""

import json
import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from typing import Any, Self
from urllib.error import URLError
from urllib.request import urlopen

from loadtests.ports import free_ports

SECRET = "a secret between a site and its edges"  # of tests: it guards nothing
READY_S_MAX = 180.0
STOP_S_MAX = 60.0


def edge_settings(redis: str, **more: Any) -> dict[str, Any]:
    """The section ``edges`` of a site with edges."""
    return {"redis": redis, "secret": SECRET} | more


class EdgeProcess:
    """Use as a context; ``kill``, ``terminate`` and ``start`` in between are up to the test."""

    def __init__(self, redis: str, origin: str, *, limits: dict[str, int] | None = None) -> None:
        """``origin``: of the site, which is also where its pages are."""
        self.port = free_ports(2)
        self._health = self.port + 1
        self._process: subprocess.Popen[bytes] | None = None
        self._errors = tempfile.TemporaryFile()  # noqa: SIM115 - a pipe that nobody reads fills
        edges = edge_settings(redis, owner=origin, ws_port=self.port, health_port=self._health)
        self._environment = os.environ | {"KAIBIAO_SITE__ORIGIN": origin}
        self._environment |= {f"KAIBIAO_EDGES__{k.upper()}": str(v) for k, v in edges.items()}
        limits = limits or {}
        self._environment |= {f"KAIBIAO_LIMITS__{k.upper()}": str(v) for k, v in limits.items()}
        if "handshakes_per_s" in limits:
            total = str(limits["handshakes_per_s"] * 2)
            self._environment["KAIBIAO_EDGES__HANDSHAKES_PER_S"] = total

    @property
    def url(self) -> str:
        return f"ws://127.0.0.1:{self.port}/ws"

    @property
    def pid(self) -> int:
        assert self._process is not None
        return self._process.pid

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *exc: object) -> None:
        self.kill()
        self._errors.close()

    def start(self) -> None:
        assert self._process is None
        self._process = subprocess.Popen(
            [sys.executable, "-m", "server.cli", "edge"],
            env=self._environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=self._errors,
        )

    def until_ready(self, rooms: int) -> None:
        """Until it lets viewers in and knows so many rooms."""
        self._until(lambda: self.reasons() == [])
        # Its listener comes a moment after its first answer of the owner.
        self._until(lambda: self.metrics().get("kaibiao_edge_rooms", 0) >= rooms)

    def until_not_ready(self, reason: str) -> None:
        self._until(lambda: self.reasons() == [reason])

    def _until(self, is_so: Callable[[], bool]) -> None:
        give_up = time.monotonic() + READY_S_MAX
        while not is_so():
            assert self._process is not None
            assert self._process.poll() is None, f"the edge has ended: {self.said()}"
            assert time.monotonic() < give_up, f"the edge says {self.reasons()}"
            time.sleep(0.05)

    def reasons(self) -> list[str] | None:
        """Why it is not ready; none: it is; None: it does not answer."""
        try:
            return json.loads(self._get("readyz"))["reasons"]
        except OSError:
            return None

    def metrics(self) -> dict[str, float]:
        """Every sample, by name and labels as they are printed."""
        lines = [line for line in self._get("metrics").splitlines() if not line.startswith("#")]
        return {name: float(value) for name, value in (line.rsplit(" ", 1) for line in lines)}

    def kill(self) -> None:
        """kill -9."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            self._process = None

    def terminate(self) -> tuple[int, str]:
        """The orderly end: (exit code, what it wrote to stderr)."""
        assert self._process is not None
        self._process.send_signal(signal.SIGTERM)
        code = self._process.wait(STOP_S_MAX)
        self._process = None
        return code, self.said()

    def said(self) -> str:
        """Everything that its lives have written to stderr."""
        number = self._errors.fileno()
        return os.pread(number, os.fstat(number).st_size, 0).decode()

    def _get(self, path: str) -> str:
        try:
            with urlopen(f"http://127.0.0.1:{self._health}/{path}", timeout=READY_S_MAX) as answer:
                return answer.read().decode()
        except URLError as error:
            body = getattr(error, "read", None)
            if body is None:
                raise
            return body().decode()
