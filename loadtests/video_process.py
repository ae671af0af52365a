"""The media process as shipped (媒体进程), without a site: ``server.live_process`` and its line.

What the site's process orders is ordered here: who may what, what pages ask. Recording, fragments
and everything else of it run as they do.
"""

import asyncio
import socket
import subprocess
import sys
from contextlib import suppress
from pathlib import Path
from typing import Any, Self

from loadtests.video_peer import ThinPeer
from server.live.child import MODULE
from server.live.link import Line, open_line

LABELS = {"0": "camera", "1": "microphone"}
ENDS_WITHIN_S = 20.0
SECRET = bytes(32)  # of the fragments' tokens
ORIGIN = "http://load.example"
PUBLISHER = {"publish": ["camera", "microphone"], "watch": True}
VIEWER = {"publish": [], "watch": True}


class MediaProcess:
    """One process with one room, ``room``; ``tracks`` by number are who publishes them.

    ``counts`` is what it told last of its counters; ``told`` what it told of its recordings.
    """

    def __init__(self, room: str, recordings: Path, address: str = "127.0.0.1") -> None:
        self.room, self.address = room, address
        self.recordings = recordings
        self.tracks: dict[int, str] = {}
        self.counts: dict[str, int] = {}
        self.told: list[dict[str, Any]] = []
        self.udp_port = self.http_port = 0

    async def __aenter__(self) -> Self:
        ours, theirs = socket.socketpair()
        pages = socket.create_server((self.address, 0))
        self.http_port = pages.getsockname()[1]
        with theirs, pages:
            self._process = subprocess.Popen(  # noqa: ASYNC220 - nothing waits for us yet
                [sys.executable, "-m", MODULE, str(theirs.fileno())],
                stdin=subprocess.DEVNULL,
                pass_fds=[theirs.fileno(), pages.fileno()],
                start_new_session=True,  # as the site does
            )
            self.pid = self._process.pid
            self._line: Line = await open_line(ours, lambda name, value: {}, self._hear)
            self._reading = asyncio.ensure_future(self._line.run())
            answer = await self._line.ask("open", self._opening(pages.fileno()), within_s=30)
        self.udp_port = answer["udp_port"]
        return self

    def _opening(self, pages: int) -> dict[str, Any]:
        return {
            "host": self.address,
            "port": 0,
            "is_port_fixed": True,
            "public_addresses": [self.address],
            "listener": pages,
            "origin": ORIGIN,
            "proxies": [],
            "secret": SECRET,
            "recordings": str(self.recordings),
            "limits": {"bytes_max": 1 << 40, "keep_ms": 1 << 40},
        }

    async def __aexit__(self, *exc: object) -> None:
        self._line.close()
        await asyncio.gather(self._reading, return_exceptions=True)
        try:
            await asyncio.to_thread(self._process.wait, ENDS_WITHIN_S)
        finally:
            self._process.kill()
            self._process.wait()

    def _hear(self, name: str, value: dict[str, Any]) -> None:
        if name == "beat":
            self.counts = value
        elif name == "recording":
            self.told.append(value)
        elif name == "media" and value["kind"] == "track":
            self.tracks[value["track"]] = value["member"]
        elif name == "media" and value["kind"] == "track_gone":
            self.tracks.pop(value["track"], None)

    def admit(self, member: str, grants: dict[str, Any]) -> None:
        self._line.note("admit", {"room": self.room, "member": member, "grants": grants})

    async def ask(self, name: str, member: str, **more: Any) -> dict[str, Any]:
        return await self._line.ask(name, {"room": self.room, "member": member, **more})

    async def end(self) -> None:
        """The room is over, and its recording complete; then the process closes in order."""
        self._line.note("end_room", {"room": self.room})
        await self._line.ask("close", within_s=ENDS_WITHIN_S)

    # ---- people

    async def publish(self, peer: ThinPeer) -> None:
        self.admit(peer.name, PUBLISHER)
        said = await self.ask("publish", peer.name, offer=peer.offer(), labels=LABELS)
        await peer.connect(said["answer"])

    async def offer(self, member: str) -> str:
        """To a viewer of everything there is."""
        self.admit(member, VIEWER)
        wanted = {str(track): 720 for track in self.tracks}
        return (await self.ask("watch", member, wanted=wanted))["offer"]

    async def answer(self, member: str, answer: str) -> None:
        await self.ask("answer", member, answer=answer)

    async def watch(self, peer: ThinPeer) -> None:
        offer = await self.offer(peer.name)
        await self.answer(peer.name, peer.answer(offer))
        await peer.connect(offer)

    async def settle(self) -> None:
        """It has done so itself when it began."""

    async def received(self, packets: int, within_s: float = 10.0) -> None:
        """Until so many have come in, by its own beats."""
        async with asyncio.timeout(within_s):
            while self.counts.get("received", 0) < packets:  # noqa: ASYNC110 - a beat a second
                await asyncio.sleep(0.1)


def open_sockets(pid: int) -> set[str]:
    """The inodes of a process's sockets."""
    found: set[str] = set()
    for one in Path(f"/proc/{pid}/fd").iterdir():
        with suppress(FileNotFoundError):  # closed meanwhile
            target = str(one.readlink())
            if target.startswith("socket:["):
                found.add(target[8:-1])
    return found


def udp_sockets(pid: int) -> int:
    """How many UDP sockets a process has, by the kernel."""
    bound = {
        line.split()[9]
        for name in ("udp", "udp6")
        for line in Path(f"/proc/{pid}/net/{name}").read_text().splitlines()[1:]
    }
    return len(bound & open_sockets(pid))
