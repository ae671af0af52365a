"""The real media process under a test's orders, as the site gives them; and its journal."""

import asyncio
import socket
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from media.grants import Label
from server.live.child import Child
from server.live.link import Line
from server.live.recording_acts import RecordingActs
from tests.live.publishing import ANYTHING, PATIENCE_S, Publisher
from tests.live.test_recording_acts import Journal

NO_QUOTA = 1 << 62
GRANTS = asdict(ANYTHING) | {"publish": sorted(ANYTHING.publish)}


@dataclass
class MediaProcess:
    """``rooms``: who is let in each time the process begins. One journal for each room."""

    root: Path
    quota: int = NO_QUOTA
    rooms: dict[str, str] = field(default_factory=lambda: {"opening:x": "host"})
    notices: list[dict[str, Any]] = field(default_factory=list)
    journals: dict[str, Journal] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self._sock = socket.create_server(("127.0.0.1", 0))
        self.acts = RecordingActs(
            lambda room, command: self.journal(room).ask("opening:x", command),
            lambda room: self.journal(room).floor,
            lambda message: self.child.note("recording_order", message),
        )
        self.child = Child(
            self._opening, began=self._began, back=lambda: None, ended=self.acts.away,
            answer=lambda name, value: None, hear=self._hear, inherited=[self._sock],
        )  # fmt: skip
        self._came = asyncio.Event()

    def journal(self, room: str = "opening:x") -> Journal:
        return self.journals.setdefault(room, Journal())

    def _opening(self) -> dict[str, Any]:
        return {
            "host": "127.0.0.1", "port": 0, "is_port_fixed": False,
            "public_addresses": ["127.0.0.1"], "listener": self._sock.fileno(),
            "origin": "http://127.0.0.1", "proxies": [], "secret": bytes(32),
            "recordings": str(self.root), "limits": {"bytes_max": self.quota, "keep_ms": 0},
        }  # fmt: skip

    def _began(self, line: Line, answer: Any) -> None:
        for room, member in self.rooms.items():
            line.note("admit", {"room": room, "member": member, "grants": GRANTS})

    def _hear(self, name: str, value: Any) -> None:
        if name == "recording":
            self.notices.append(value)
            self.acts.heard(value)
            self._came.set()

    def let_in(self, room: str, member: str) -> None:
        self.rooms[room] = member
        self.child.note("admit", {"room": room, "member": member, "grants": GRANTS})

    def end_room(self, room: str) -> None:
        self.rooms.pop(room, None)
        self.child.note("end_room", {"room": room})

    async def up(self) -> None:
        """Once it can be asked."""
        async with asyncio.timeout(PATIENCE_S):
            while not self.child.is_up:  # noqa: ASYNC110 - nobody tells
                await asyncio.sleep(0.05)

    async def publisher(self, name: str, room: str = "opening:x") -> Publisher:
        async def publish(offer: str, labels: dict[str, Label]) -> str:
            asked = {
                "room": room, "member": self.rooms[room], "offer": offer,
                "labels": {mid: label.value for mid, label in labels.items()},
            }  # fmt: skip
            return (await self.child.ask("publish", asked))["answer"]

        await self.up()
        return await Publisher.join(publish, name)

    def told(self, kind: str, **members: Any) -> list[dict[str, Any]]:
        fit = [one for one in self.notices if one["kind"] == f"recording_{kind}"]
        return [one for one in fit if members.items() <= one.items()]

    async def until(self, holds: Callable[[], Any]) -> Any:
        async with asyncio.timeout(PATIENCE_S):
            while not (found := holds()):
                self._came.clear()
                await self._came.wait()
        return found


@asynccontextmanager
async def media_process(root: Path, **more: Any) -> AsyncIterator[MediaProcess]:
    found = MediaProcess(root, **more)
    found.child.begin()
    try:
        yield found
    finally:
        await found.child.close()
        await found.acts.close()
        found._sock.close()
