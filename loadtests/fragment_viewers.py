"""Viewers by the fragment path per CPU-second (片段观看), to stand beside ``loadtests.forwarding``.

The real WebSocket handler serves a stream of 1.5 Mbit/s, a picture fragment and a sound fragment
every 0.3 s, at its own pace. Viewers are sockets of this process that count bytes; the server is a
process of its own, and its CPU is the kernel's account of it.

    python -m loadtests.fragment_viewers VIEWERS SECONDS
"""

import asyncio
import json
import sys
import threading
from typing import Any

from aiohttp import web

from loadtests.child import Child, obey
from loadtests.machine import cpu_s
from media.fragments.boxes import h264_format, opus_format
from media.fragments.cutter import PART_MS, Cut
from media.fragments.room import RoomStream
from media.recording.depacketise.frames import VideoFormat
from server.http.fragments import FRAGMENTS, FragmentDoor, live

PICTURE_BYTES = 52_000
SOUND_BYTES = 4_250
GOP = 6
PACKETS_PER_S = 156  # the same stream by WebRTC
SPS, PPS = bytes.fromhex("6742c014da"), bytes.fromhex("68ce3c80")
FORMATS = (h264_format(VideoFormat("h264", 1280, 720, (SPS, PPS))), opus_format())
HANDSHAKE = (
    b"GET /media/room/live HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
    b"Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\nSec-WebSocket-Version: 13\r\n\r\n"
)


class Server:
    """In the child: the loop in a thread, orders from the parent."""

    def __init__(self) -> None:
        self.loop = asyncio.new_event_loop()
        threading.Thread(target=self.loop.run_forever, daemon=True).start()
        self.room = RoomStream(lambda track: None, self.loop.call_soon_threadsafe)

    def open(self) -> int:
        return asyncio.run_coroutine_threadsafe(self._open(), self.loop).result()

    def play(self, seconds: int) -> int:
        """Returns how many bytes of fragments each viewer was to get."""
        return asyncio.run_coroutine_threadsafe(self._play(seconds), self.loop).result()

    async def _open(self) -> int:
        app = web.Application()
        app[FRAGMENTS] = FragmentDoor(
            lambda name, of: self.room,
            lambda request: lambda: True,
            lambda request: str(id(request)),
            origins=(),
        )
        app.router.add_get("/media/{room}/live", live)
        runner = web.AppRunner(app, access_log=None)
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", 0, backlog=4096).start()
        hub = self.room.hub
        hub.set_layout(("video", "audio"))
        for stream, form in enumerate(FORMATS):
            hub.set_format(stream, form)
        return runner.addresses[0][1]

    async def _play(self, seconds: int) -> int:
        began, total = self.loop.time(), 0
        for number in range(seconds * 1000 // PART_MS):
            await asyncio.sleep(max(0, began + number * PART_MS / 1000 - self.loop.time()))
            for stream, size in enumerate((PICTURE_BYTES, SOUND_BYTES)):
                ticks = FORMATS[stream].timescale * PART_MS // 1000
                is_key = stream == 1 or number % GOP == 0
                cut = Cut(number * ticks, ticks, is_key, bytes(size))
                total += len(self.room.hub.publish(stream, cut, number * PART_MS).message)
        return total


class Viewer(asyncio.Protocol):
    """Asks for the stream and counts."""

    def __init__(self) -> None:
        self.bytes = 0

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.WriteTransport)
        transport.write(HANDSHAKE)

    def data_received(self, data: bytes) -> None:
        self.bytes += len(data)


async def watched(server: Child, port: int, viewers: int, seconds: int) -> dict[str, Any]:
    loop = asyncio.get_running_loop()
    made = [await loop.create_connection(Viewer, "127.0.0.1", port) for _ in range(viewers)]
    await asyncio.sleep(1)
    before = [viewer.bytes for _, viewer in made]
    spent = cpu_s(server.pid)
    due = await asyncio.to_thread(server.ask, "play", seconds=seconds)
    async with asyncio.timeout(30):
        while any(v.bytes - b < due for (_, v), b in zip(made, before, strict=True)):  # noqa: ASYNC110
            await asyncio.sleep(0.01)  # they only count
    spent = cpu_s(server.pid) - spent
    for transport, _ in made:
        transport.abort()
    per_cpu_s = viewers * seconds / spent
    return {
        "viewers": viewers,
        "seconds": seconds,
        "mbit_per_viewer_s": round(due * 8 / seconds / 1e6, 2),
        "server_cpu_s": round(spent, 3),
        "viewers_per_cpu": round(per_cpu_s),
        "as_packets_per_cpu_s": round(per_cpu_s * PACKETS_PER_S),
        "lost": 0,  # every viewer got every byte, or this line is not reached
    }


def measured(viewers: int = 300, seconds: int = 6) -> dict[str, Any]:
    """``viewers_per_cpu``: how many one busy core serves; also as the packets a second that the
    same viewers would take by WebRTC.
    """
    with Child(command=[sys.executable, "-m", "loadtests.fragment_viewers", "server"]) as server:
        return asyncio.run(watched(server, server.ask("open"), viewers, seconds))


if __name__ == "__main__":
    if sys.argv[1:] == ["server"]:
        child = Server()
        obey({"open": child.open, "play": child.play})
    else:
        print(json.dumps(measured(*map(int, sys.argv[1:]))))
