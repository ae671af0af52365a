"""Real halls in processes of their own, to be killed (可杀进程).

``python -m tests.faults.hall_process SOCKET`` imports everything once and then forks a hall for
every line it is sent on a connection to its UNIX socket: a start in a tenth of a second instead of
two. The hall itself answers on that connection ``{"ready": ...}`` with its ports; its process id
and how it ended are said by the one that forked it, ``{"forked": pid}`` and ``{"ended": [pid,
status]}``. A connection that closes takes its hall with it.

Besides, a hall listens at ``control`` for what no client could do to it: ``stall SECONDS`` stops
its loop as a long computation would.
"""

import asyncio
import contextlib
import json
import os
import selectors
import signal
import socket
import sys
import time
from pathlib import Path
from typing import Any

import uvloop

from server.app import Running, running
from server.config import Config, Edges, Limits, Listen, Site
from server.demo.auto import publish, register_command
from server.demo.world import TenderPlan, World
from server.rooms import snapshot_keeper
from tests.faults import points

LOG_ORIGIN = "hall.jiangzhou.example/kaibiao/log"
FORCED_STALL_S_MAX = 15.0


# ---- one hall


def hurry_snapshots() -> None:
    """Halls live for seconds here: nearly every start is from snapshots, taken in the middle of
    things. Said in the process of its own, never in one that only imports this module.
    """
    snapshot_keeper.ROWS_BETWEEN, snapshot_keeper.ROWS_AT_END = 1, 1
    snapshot_keeper.LOOK_S = 0.05
    snapshot_keeper.HURRIED = frozenset()


async def hall(plan: dict[str, Any], answers: socket.socket) -> None:
    """A site until SIGTERM."""
    stop = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, stop.set)
    async with running(config_of(plan)) as site:
        await prepare(site, plan)
        control = await asyncio.start_unix_server(obey, plan["control"])
        ready = {
            "origin": site.config.site.origin,
            "http_port": site.http_port,
            "ws_port": site.ws_port,
            "health_port": plan["health_port"],
            "ms": time.time_ns() // 1_000_000,
        }
        answers.sendall(json.dumps({"ready": ready}).encode() + b"\n")
        await stop.wait()
        control.close()


def config_of(plan: dict[str, Any]) -> Config:
    return Config(
        site=Site(
            data=plan["data"],
            origin=plan["origin"],
            log_origin=LOG_ORIGIN,
        ),
        listen=Listen(
            http_port=plan["http_port"],
            ws_port=plan["ws_port"],
            health_port=plan["health_port"],
            public_hosts=plan.get("public_hosts", []),
        ),
        limits=Limits(decrypt_workers=2, requests_per_minute=60_000),
        edges=Edges(**plan["edges"]),
    )


async def prepare(site: Running, plan: dict[str, Any]) -> None:
    """People and tenders, where an earlier life has not left them."""
    world = World(bytes.fromhex(plan["world"]), plan["bidders"])
    for person in world.everybody():
        await site.hall.register_person(register_command(person))
    for room, members in plan["tenders"].items():
        found = site.hall.find_room(f"opening:{room}")
        if found is None or found.state.manifest is None:
            # A busy machine may have taken longer to come here than a deadline is away.
            members["deadline_ms"] += time.time_ns() // 1_000_000 - plan["sent_ms"]
            await publish(site, world, TenderPlan(**members), room)


async def obey(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """``stall SECONDS``; or ``stall_at MS SECONDS``: from that moment (UTC ms) on."""
    async for line in reader:
        words = line.decode().split()
        match words:
            case ["stall", seconds]:
                _stall(float(seconds))
            case ["stall_at", at_ms, seconds]:
                wait_s = (int(at_ms) - time.time_ns() // 1_000_000) / 1000
                asyncio.get_running_loop().call_later(wait_s, _stall, float(seconds))
            case ["tasks"]:
                for task in asyncio.all_tasks():
                    task.print_stack()
            case _:
                raise AssertionError(line)
        writer.write(b"done\n")
    writer.close()


def _stall(seconds: float) -> None:
    assert seconds <= FORCED_STALL_S_MAX
    time.sleep(seconds)


def be_a_hall(plan: dict[str, Any], answers: socket.socket) -> None:
    """The forked child's whole life; what it says goes into a file beside its data."""
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    signal.set_wakeup_fd(-1)
    said = os.open(plan["log"], os.O_WRONLY | os.O_CREAT | os.O_APPEND)
    nothing = os.open(os.devnull, os.O_RDONLY)
    os.dup2(nothing, 0)
    os.dup2(said, 1)
    os.dup2(said, 2)
    points.install(plan.get("point", ""))
    uvloop.run(hall(plan, answers))


# ---- the one that forks


class Nursery:
    """Accepts connections and forks; knows nothing of halls but their process ids."""

    def __init__(self, path: str) -> None:
        self._selector = selectors.DefaultSelector()
        self._halls: dict[int, socket.socket] = {}
        self._rests: dict[socket.socket, bytes] = {}
        self._listener = socket.socket(socket.AF_UNIX)
        self._listener.bind(path)
        self._listener.listen()
        self._selector.register(self._listener, selectors.EVENT_READ, self._accept)
        woken, waker = socket.socketpair()
        waker.setblocking(False)
        woken.setblocking(False)
        self._woken, self._waker = woken, waker
        signal.signal(signal.SIGCHLD, lambda *_: None)
        signal.set_wakeup_fd(waker.fileno())
        self._selector.register(woken, selectors.EVENT_READ, self._reap)
        self._selector.register(sys.stdin, selectors.EVENT_READ, self._leave)

    def run(self) -> None:
        """Until standard input ends."""
        while True:
            for key, _ in self._selector.select():
                key.data()

    def _accept(self) -> None:
        connection, _ = self._listener.accept()
        self._rests[connection] = b""
        self._selector.register(connection, selectors.EVENT_READ, lambda: self._read(connection))

    def _read(self, connection: socket.socket) -> None:
        got = connection.recv(65536)
        if not got:
            self._selector.unregister(connection)
            for pid in [p for p, c in self._halls.items() if c is connection]:
                os.kill(pid, signal.SIGKILL)
            connection.close()
            del self._rests[connection]
            return
        *lines, self._rests[connection] = (self._rests[connection] + got).split(b"\n")
        for line in lines:
            self._fork(json.loads(line), connection)

    def _fork(self, plan: dict[str, Any], connection: socket.socket) -> None:
        pid = os.fork()
        if pid:
            self._halls[pid] = connection
            connection.sendall(json.dumps({"forked": pid}).encode() + b"\n")
            return
        code = 1
        try:
            self._listener.close()
            for other in self._rests:
                if other is not connection:
                    other.close()
            be_a_hall(plan, connection)
            code = 0
        except BaseException:
            sys.excepthook(*sys.exc_info())
            sys.stderr.flush()
        finally:
            os._exit(code)

    def _reap(self) -> None:
        with contextlib.suppress(BlockingIOError):
            self._woken.recv(4096)
        while self._halls:
            pid, status = os.waitpid(-1, os.WNOHANG)
            if not pid:
                return
            connection = self._halls.pop(pid)
            with contextlib.suppress(OSError):
                connection.sendall(json.dumps({"ended": [pid, status]}).encode() + b"\n")

    def _leave(self) -> None:
        for pid in self._halls:
            os.kill(pid, signal.SIGKILL)
        sys.exit(0)


if __name__ == "__main__":
    hurry_snapshots()
    Path(sys.argv[1]).unlink(missing_ok=True)
    Nursery(sys.argv[1]).run()
