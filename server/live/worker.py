"""The media process (媒体进程) behind its line: forwarding, recording, and the fragments' gate.

Invariant: it does only what the site's process orders, keeps nothing that it could not be told
again, and ends when its line does, whatever the reason.
"""

import asyncio
import logging
import socket
import time
from collections.abc import Awaitable, Callable, Coroutine
from pathlib import Path
from typing import Any, Final

from media.fragments.room import RoomStream
from media.recording.disk import RoomLimits
from media.rooms import SfuOptions
from server.live.forwarding import Forwarding
from server.live.link import Line, LineRefused
from server.live.recordings import Recordings
from server.live.tokens import Admitted, Gate

TICK_S: Final = 0.25
BEAT_TICKS: Final = 4

log = logging.getLogger("kaibiao.live")


class Worker:
    """``line`` is set once, before anything comes by it. ``listen(worker, opening)`` opens the
    fragments' listener and returns what closes it.
    """

    def __init__(
        self, listen: Callable[["Worker", dict[str, Any]], Awaitable[Callable[[], Awaitable[None]]]]
    ) -> None:
        self._listen = listen
        self._forwarding: Forwarding | None = None
        self._unlisten: Callable[[], Awaitable[None]] | None = None
        self._ticking: asyncio.Task[None] | None = None
        self._tasks: set[asyncio.Task[None]] = set()
        self.line: Line | None = None
        self.gate = Gate(b"")

    # ---- from the line

    def answer(self, name: str, value: Any) -> Any:
        if name == "ready":
            return {}
        if name == "open":
            return self._open(value)
        if name == "close":
            return self.close()
        forwarding = self._forwarding
        if forwarding is None:
            raise LineRefused("media.away", "not open")
        if name == "publish":
            return forwarding.publish(value)
        if name == "watch":
            return forwarding.watch(value)
        if name == "answer":
            return forwarding.answer(value)
        if name == "own":
            return forwarding.own(value)
        if name == "restart":
            return forwarding.restart(value)
        if name == "recording_remove":
            return self._remove(forwarding, value["recording"])
        raise LineRefused("media.unknown", name)

    def hear(self, name: str, value: Any) -> None:
        forwarding = self._forwarding
        if forwarding is None:
            return
        if name == "admit":
            forwarding.admit(value)
        elif name == "dismiss":
            forwarding.dismiss(value)
        elif name == "fetch":
            forwarding.fetching.fetch(value)
        elif name == "floor":
            forwarding.floor(value)
        elif name == "end_room":
            self._spawn(forwarding.end_room(value))
        elif name == "recording_order":
            forwarding.order(value)
        elif name == "take_back":
            self.gate.take_back(value["room"], value["subject"], value["at_ms"])
        else:
            log.error("live.unknown_note %s", name)

    @staticmethod
    async def _remove(forwarding: Forwarding, recording: str) -> dict[str, Any]:
        removed = await forwarding.recordings.remove(recording)
        return {"bytes": removed.bytes}

    def _spawn(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    # ---- for the fragments' listener

    def stream(self, room: str, of: str) -> RoomStream | None:
        """Raises FragmentRefused, see `RoomMedia.stream_of`."""
        media = self._forwarding.room_media(room) if self._forwarding is not None else None
        return media.stream_of(of) if media is not None else None

    def admitted(self, room: str, token: str, of: str) -> Admitted | None:
        """Who asks by this token for these fragments, if he may have them."""
        held = self.gate.admit(room, token, now_ms())
        if held is None:
            return None

        def still() -> bool:
            forwarding = self._forwarding
            if forwarding is None or self.gate.is_taken_back(held):
                return False
            return forwarding.may_watch(room, held.subject, of)

        return Admitted(held.subject, still) if still() else None

    # ---- life

    async def _open(self, value: dict[str, Any]) -> dict[str, Any]:
        assert self._forwarding is None, "it is opened once"
        self.gate = Gate(value["secret"])
        root = Path(value["recordings"])
        await asyncio.to_thread(root.mkdir, parents=True, exist_ok=True)
        limits = RoomLimits(**value["limits"])
        options = SfuOptions(
            host=value["host"],
            port=_free_port(value),
            public_addresses=tuple(value["public_addresses"]),
        )
        forwarding = Forwarding(options, Recordings(root, limits=limits), self._notify)
        await forwarding.open()
        self._forwarding = forwarding
        self._unlisten = await self._listen(self, value)
        self._ticking = asyncio.get_running_loop().create_task(self._tick())
        self._watch(self._ticking)
        self._watch(asyncio.ensure_future(forwarding.sfu.until_broken()))
        _, udp_port = forwarding.sfu.candidates[0]
        return {"udp_port": udp_port}

    async def close(self) -> None:
        """Idempotent; what was recorded is on the disk then."""
        forwarding, self._forwarding = self._forwarding, None
        if self._ticking is not None:
            self._ticking.cancel()
            await asyncio.gather(self._ticking, return_exceptions=True)
            self._ticking = None
        if self._unlisten is not None:
            unlisten, self._unlisten = self._unlisten, None
            await unlisten()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        if forwarding is not None:
            await forwarding.close()

    def _watch(self, task: "asyncio.Future[None]") -> None:
        """Its failure ends this process: a half-dead one would be a lie. Another comes soon."""

        def over(done: "asyncio.Future[None]") -> None:
            if not done.cancelled() and done.exception() is not None:
                log.critical("live.broken", exc_info=done.exception())
                if self.line is not None:
                    self.line.close()

        task.add_done_callback(over)

    async def _tick(self) -> None:
        turn = 0
        while True:
            forwarding = self._forwarding
            if forwarding is None:
                return
            forwarding.tick()
            if turn % BEAT_TICKS == 0:
                self._notify("beat", forwarding.counts())
                for room, n in forwarding.watching().items():
                    self._notify("media", {"kind": "watching", "room": room, "n": n})
            turn += 1
            await asyncio.sleep(TICK_S)

    def _notify(self, name: str, value: dict[str, Any]) -> None:
        if self.line is not None:
            self.line.note(name, value)


def now_ms() -> int:
    return time.time_ns() // 1_000_000


def _free_port(value: dict[str, Any]) -> int:
    """The port that was configured; else the one near the pages', where it is free."""
    if value["is_port_fixed"]:
        return value["port"]
    family = socket.AF_INET6 if ":" in value["host"] else socket.AF_INET
    with socket.socket(family, socket.SOCK_DGRAM) as probe:
        try:
            probe.bind((value["host"], value["port"]))
        except OSError:
            return 0
    return value["port"]
