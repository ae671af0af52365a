"""Debian's janus beside us (对照): its videoroom, driven over its Unix socket.

Janus is started with a folder of its own and as little as a videoroom needs: one transport, one
plugin, ICE-lite as we are, no log. Where it is not installed `is_here` says so.
"""

import asyncio
import json
import shutil
import socket
import subprocess
import tempfile
from itertools import count
from pathlib import Path
from typing import Any, Self

PROGRAM = "janus"
PLUGINS = Path("/usr/lib/x86_64-linux-gnu/janus")
ROOM = 1234
VIDEOROOM = "janus.plugin.videoroom"
STARTS_WITHIN_S = 40.0
ANSWERS_WITHIN_S = 40.0
MESSAGE_BYTES = 1 << 18
KEEPALIVE_S = 20


def is_here() -> bool:
    return shutil.which(PROGRAM) is not None


def _write_settings(folder: Path, address: str) -> None:
    (folder / "janus.jcfg").write_text(
        f"""general: {{ configs_folder = "{folder}" debug_level = 2 }}
nat: {{ ice_lite = true ice_enforce_list = "{address}" }}
transports: {{ disable = "libjanus_http.so,libjanus_websockets.so,libjanus_mqtt.so,\
libjanus_nanomsg.so,libjanus_rabbitmq.so" }}
plugins: {{ disable = "{",".join(_others())}" }}
events: {{ broadcast = false }}
"""
    )
    (folder / "janus.transport.pfunix.jcfg").write_text(
        f"""general: {{ enabled = true json = "compact" path = "{folder}/api" }}
admin: {{ admin_enabled = false }}
"""
    )
    (folder / "janus.plugin.videoroom.jcfg").write_text(
        f"""general: {{ }}
room-{ROOM}: {{
  publishers = 2 bitrate = 0 fir_freq = 0 audiocodec = "opus" videocodec = "h264"
  h264_profile = "42e01f" transport_wide_cc_ext = true audiolevel_ext = false
}}
"""
    )


def _others() -> list[str]:
    """The plugins that are not asked for anything."""
    return [one.name for one in (PLUGINS / "plugins").glob("*.so") if "videoroom" not in one.name]


class Handle:
    """One plugin handle: one peer connection of Janus."""

    def __init__(self, janus: "Janus", number: int) -> None:
        self._janus, self.number = janus, number
        self.events: asyncio.Queue[dict[str, Any]] = asyncio.Queue()
        self.is_up = asyncio.Event()

    def heard(self, message: dict[str, Any]) -> None:
        if message["janus"] == "webrtcup":
            self.is_up.set()
        elif "plugindata" in message:
            self.events.put_nowait(message)

    async def ask(self, body: dict[str, Any], jsep: dict[str, str] | None = None) -> dict[str, Any]:
        """The event that answers."""
        more = {"jsep": jsep} if jsep else {}
        await self._janus.ask("message", handle_id=self.number, body=body, **more)
        async with asyncio.timeout(ANSWERS_WITHIN_S):
            event = await self.events.get()
        data = event["plugindata"]["data"]
        if "error" in data:
            raise RuntimeError(data["error"])
        return event


class Janus:
    """The process and one session with it. ``pid`` is for the kernel's accounting."""

    def __init__(self, address: str) -> None:
        self.folder = Path(tempfile.mkdtemp(prefix="janus"))
        _write_settings(self.folder, address)
        self._numbers = count(1)
        self._waiting: dict[str, asyncio.Future[dict[str, Any]]] = {}
        self._handles: dict[int, Handle] = {}
        self._session = 0
        self._tasks: list[asyncio.Task[None]] = []

    async def __aenter__(self) -> Self:
        self._process = subprocess.Popen(  # noqa: ASYNC220 - nothing waits for us yet
            [PROGRAM, "-F", str(self.folder), "-C", str(self.folder / "janus.jcfg")],
            stdin=subprocess.DEVNULL,
            stdout=(self.folder / "log").open("wb"),
            stderr=subprocess.STDOUT,
        )
        self.pid = self._process.pid
        try:
            await self._meet()
        except BaseException:
            await self.__aexit__()
            raise
        return self

    async def __aexit__(self, *exc: object) -> None:
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        self._process.terminate()
        try:
            await asyncio.to_thread(self._process.wait, 10)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        shutil.rmtree(self.folder, ignore_errors=True)

    async def _meet(self) -> None:
        loop = asyncio.get_running_loop()
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        self._socket.setblocking(False)
        async with asyncio.timeout(STARTS_WITHIN_S):
            while True:
                try:
                    await loop.sock_connect(self._socket, str(self.folder / "api"))
                    break
                except OSError:
                    if self._process.poll() is not None:
                        said = (self.folder / "log").read_text(errors="replace")[-500:]
                        raise RuntimeError(f"janus did not start: {said}") from None
                    await asyncio.sleep(0.1)
        self._tasks.append(asyncio.ensure_future(self._read()))
        self._session = (await self.ask("create"))["data"]["id"]
        self._tasks.append(asyncio.ensure_future(self._stay()))

    async def _read(self) -> None:
        loop = asyncio.get_running_loop()
        while raw := await loop.sock_recv(self._socket, MESSAGE_BYTES):
            message = json.loads(raw)
            if "sender" in message:
                # An event carries the transaction of its question, and may come before the ack.
                self._handles[message["sender"]].heard(message)
            elif message.get("transaction") in self._waiting:
                self._waiting.pop(message["transaction"]).set_result(message)

    async def _stay(self) -> None:
        while True:
            await asyncio.sleep(KEEPALIVE_S)
            await self.ask("keepalive")

    async def ask(self, janus: str, **more: Any) -> dict[str, Any]:
        """Its acknowledgement or success."""
        loop = asyncio.get_running_loop()
        transaction = str(next(self._numbers))
        waiting = self._waiting[transaction] = loop.create_future()
        message = {"janus": janus, "transaction": transaction, **more}
        if self._session:
            message["session_id"] = self._session
        await loop.sock_sendall(self._socket, json.dumps(message).encode())
        async with asyncio.timeout(ANSWERS_WITHIN_S):
            said = await waiting
        if said["janus"] == "error":
            raise RuntimeError(said["error"])
        return said

    async def _handle(self) -> Handle:
        number = (await self.ask("attach", plugin=VIDEOROOM))["data"]["id"]
        made = self._handles[number] = Handle(self, number)
        return made

    async def publish(self, offer: str) -> tuple[Handle, str]:
        """The publisher's handle, and the answer to his offer. There is one publisher."""
        handle = await self._handle()
        body = {"request": "joinandconfigure", "room": ROOM, "ptype": "publisher", "id": 1}
        event = await handle.ask(body, {"type": "offer", "sdp": offer})
        return handle, event["jsep"]["sdp"]

    async def watch(self) -> tuple[Handle, str]:
        """A subscriber's handle and the offer to him."""
        handle = await self._handle()
        body = {"request": "join", "room": ROOM, "ptype": "subscriber", "streams": [{"feed": 1}]}
        event = await handle.ask(body)
        return handle, event["jsep"]["sdp"]

    async def answer(self, handle: Handle, answer: str) -> None:
        await handle.ask({"request": "start"}, {"type": "answer", "sdp": answer})
