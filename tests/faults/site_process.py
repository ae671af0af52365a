"""A hall in a process of its own, as tests handle it: start, kill, stop, start again.

One nursery (``hall_process``) serves a whole test session; each ``SiteProcess`` has one data
directory, and the same ports in all its lives.
"""

import asyncio
import contextlib
import json
import os
import signal
import subprocess
import sys
import tempfile
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any, Self

from loadtests.ports import free_ports
from server.demo.people import now_ms
from server.demo.world import TenderPlan, World

ROOT = Path(__file__).parents[2]
ROOM = "jz-2026-sg-0417"
START_S_MAX = 180.0
PLACE = ("http_port", "ws_port", "health_port", "origin")


class Nursery:
    """The process that forks halls. ``close`` ends it and every hall."""

    def __init__(self) -> None:
        self.directory = tempfile.TemporaryDirectory(prefix="halls-")
        self.path = str(Path(self.directory.name) / "nursery")
        command = [sys.executable, "-m", "tests.faults.hall_process", self.path]
        self._process = subprocess.Popen(command, cwd=ROOT, stdin=subprocess.PIPE)

    async def connect(self) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        """Waits for the imports of the first start."""
        async with asyncio.timeout(START_S_MAX):
            while True:
                with contextlib.suppress(FileNotFoundError, ConnectionRefusedError):
                    return await asyncio.open_unix_connection(self.path)
                assert self._process.poll() is None, "the nursery has ended"
                await asyncio.sleep(0.05)

    def close(self) -> None:
        assert self._process.stdin is not None
        self._process.stdin.close()
        self._process.wait(START_S_MAX)
        self.directory.cleanup()


def free_place() -> dict[str, Any]:
    """Where a site shall be in all its lives: its ports, and the origin that they make."""
    http_port = free_ports(5)  # the last two are live video's
    places = http_port, http_port + 1, http_port + 2, f"http://127.0.0.1:{http_port}"
    return dict(zip(PLACE, places, strict=True))


def plan_of(deadline_in_ms: int, **more: Any) -> TenderPlan:
    """A tender whose deadline is so far from now; envelopes are forms alone unless said."""
    return TenderPlan(
        **{
            "number": "JZ-2026-SG-0417",
            "title": "滨河东路道路改造工程（施工）",
            "deadline_ms": now_ms() + deadline_in_ms,
            "window_ms": 6_000,
            "reply_ms": 20_000,
            "body": False,
            **more,
        }
    )


@dataclass
class SiteProcess:
    """One site through all its lives. Use ``async with``; leaving kills what lives."""

    nursery: Nursery
    directory: Path
    tenders: dict[str, TenderPlan]
    bidders: int = 3
    world_seed: bytes = bytes(range(32))
    public_hosts: list[str] = field(default_factory=list)  # of proxies before the pages
    edges: dict[str, Any] = field(default_factory=dict)  # the section of its configuration
    ready: dict[str, Any] = field(default_factory=free_place)
    lives: int = 0
    alive: bool = False

    def __post_init__(self) -> None:
        self.directory.mkdir(parents=True, exist_ok=True)
        self.data = self.directory / "data"
        self.log = self.directory / "said.log"
        self.world = World(self.world_seed, self.bidders)
        self._made_ms = now_ms()
        self._forked = asyncio.Event()
        self._ended = asyncio.Event()
        self._became_ready = asyncio.Event()
        self.pid = self.status = 0

    async def __aenter__(self) -> Self:
        self._reader, self._writer = await self.nursery.connect()
        self._listening = asyncio.get_running_loop().create_task(self._listen())
        return self

    async def __aexit__(self, *exc: Any) -> None:
        if self.alive:
            self.kill()
            await self.ended()
        self._listening.cancel()
        self._writer.close()
        with contextlib.suppress(ConnectionError):
            await self._writer.wait_closed()

    # ---- life

    async def start(self, point: str = "", *, wait: bool = True) -> dict[str, Any]:
        """The next life, on the same ports. With ``wait`` until it listens, or has ended."""
        assert not self.alive
        if not self.lives:
            self._count_from_now()
        self.lives += 1
        self._control = str(Path(self.nursery.directory.name) / f"c{id(self)}-{self.lives}")
        plan = {
            "data": str(self.data),
            "log": str(self.log),
            "control": self._control,
            "world": self.world_seed.hex(),
            "bidders": self.bidders,
            "tenders": {room: asdict(tender) for room, tender in self.tenders.items()},
            "public_hosts": self.public_hosts,
            "edges": self.edges,
            "point": point,
            "sent_ms": now_ms(),
        }
        plan |= {name: self.ready[name] for name in PLACE}
        self.alive = True
        for event in (self._forked, self._ended, self._became_ready):
            event.clear()
        self._writer.write(json.dumps(plan).encode() + b"\n")
        await self._forked.wait()
        if wait:
            await self.until_ready()
        return self.ready

    def _count_from_now(self) -> None:
        """A busy machine may have taken longer to import everything than a deadline is away."""
        late_ms = now_ms() - self._made_ms
        self.tenders = {
            room: replace(tender, deadline_ms=tender.deadline_ms + late_ms)
            for room, tender in self.tenders.items()
        }

    async def until_ready(self) -> bool:
        """Whether it listens; False when it has ended before."""
        ready = asyncio.ensure_future(self._became_ready.wait())
        ended = asyncio.ensure_future(self._ended.wait())
        async with asyncio.timeout(START_S_MAX):
            await asyncio.wait({ready, ended}, return_when=asyncio.FIRST_COMPLETED)
        ready.cancel()
        ended.cancel()
        return self._became_ready.is_set()

    def signal(self, number: int) -> None:
        os.kill(self.pid, number)

    def kill(self) -> None:
        """kill -9. Nothing happens to one that has ended by itself."""
        if self.alive:
            with contextlib.suppress(ProcessLookupError):
                self.signal(signal.SIGKILL)

    async def ended(self) -> int:
        """Waits for the end: the wait status."""
        async with asyncio.timeout(START_S_MAX):
            await self._ended.wait()
        return self.status

    async def kill_and_start(self, point: str = "", *, wait: bool = True) -> dict[str, Any]:
        self.kill()
        await self.ended()
        return await self.start(point, wait=wait)

    async def terminate(self) -> int:
        """The orderly end, as at a restart by hand."""
        self.signal(signal.SIGTERM)
        return await self.ended()

    async def obey(self, order: str) -> None:
        """Something for ``hall_process.obey``; returns when it was done, or noted."""
        reader, writer = await asyncio.open_unix_connection(self._control)
        writer.write(order.encode() + b"\n")
        assert await reader.readline() == b"done\n"
        writer.close()

    async def _listen(self) -> None:
        while line := await self._reader.readline():
            told = json.loads(line)
            if "forked" in told:
                self.pid = told["forked"]
                self._forked.set()
            elif "ready" in told:
                self.ready = told["ready"]
                self._became_ready.set()
            else:
                self.alive = False
                self.status = told["ended"][1]
                self._ended.set()

    # ---- where it is

    @property
    def base(self) -> str:
        return self.ready["origin"]

    @property
    def health(self) -> str:
        return f"http://127.0.0.1:{self.ready['health_port']}"

    def said(self) -> str:
        """Everything that its lives have written to their outputs."""
        return self.log.read_text() if self.log.exists() else ""
