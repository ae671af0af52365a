"""A crowd of clients in a process of its own, for measuring: ``python -m tests.signaling.crowd``.

Prints ``ready`` when all are welcomed. Then obeys lines on its standard input: ``burst`` sends one
command from each at once and prints when all are answered; ``heard`` prints how many events came.
"""

import asyncio
import base64
import json
import os
import sys
import time

import uvloop
from websockets.frames import BINARY, Frame

from signaling.codec import pack
from signaling.options import SUBPROTOCOL
from tests.signaling.hall import ORIGIN


class Guest(asyncio.Protocol):
    """As light as can be: counts bytes, and messages only while they are counted."""

    def __init__(self, crowd, number):
        self.crowd = crowd
        self.number = number
        self.octets = 0
        self.is_open = False

    def connection_made(self, transport):
        self.transport = transport
        key = base64.b64encode(os.urandom(16)).decode()
        transport.write(
            f"GET /ws HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
            f"Origin: {ORIGIN}\r\nSec-WebSocket-Key: {key}\r\nSec-WebSocket-Version: 13\r\n"
            f"Sec-WebSocket-Protocol: {SUBPROTOCOL}\r\n\r\n".encode()
        )

    def data_received(self, data):
        if not self.is_open:
            assert data.startswith(b"HTTP/1.1 101"), data
            self.is_open = True
            ticket = f"bidder-{self.number}" if self.crowd.are_bidders else None
            hello = ["hello", 1, ticket, [["tender:1", "hall", 0, 0]]]
            self.say(hello)
            return
        if not self.octets:
            self.crowd.welcomed()
        self.octets += len(data)
        if self.crowd.is_bursting and b"\xa2ok" in data:
            self.crowd.answered()

    def say(self, frame):
        self.transport.write(Frame(BINARY, pack(frame)).serialize(mask=True))


class Crowd:
    def __init__(self, port, count, are_bidders):
        self.port, self.count, self.are_bidders = port, count, are_bidders
        self.guests = []
        self.waiting = count
        self.done = asyncio.Event()
        self.is_bursting = False

    def welcomed(self):
        self.waiting -= 1
        if not self.waiting:
            self.done.set()

    answered = welcomed

    async def come(self):
        loop = asyncio.get_running_loop()
        for number in range(self.count):
            # Several addresses of one's own: one has only 28,000 ports.
            source = (f"127.0.0.{2 + number % 50}", 0)
            _, guest = await loop.create_connection(
                lambda number=number: Guest(self, number),
                "127.0.0.1",
                self.port,
                local_addr=source,
            )
            self.guests.append(guest)
        await self.done.wait()

    async def burst(self):
        frames = [
            Frame(
                BINARY, pack(["cmd", 1, f"cmd-{n:08}", "tender:1", "unlock", {"half": bytes(200)}])
            ).serialize(mask=True)
            for n in range(self.count)
        ]
        self.waiting = self.count
        self.done.clear()
        self.is_bursting = True
        began = time.perf_counter()
        for guest, frame in zip(self.guests, frames, strict=True):
            guest.transport.write(frame)
        sent = time.perf_counter()
        await self.done.wait()
        return {
            "sent_ms": (sent - began) * 1000,
            "answered_ms": (time.perf_counter() - began) * 1000,
        }


async def main(port, count, are_bidders):
    crowd = Crowd(port, count, are_bidders)
    await crowd.come()
    print("ready", flush=True)
    loop = asyncio.get_running_loop()
    while line := (await loop.run_in_executor(None, sys.stdin.readline)).strip():
        if line == "burst":
            print(json.dumps(await crowd.burst()), flush=True)


if __name__ == "__main__":
    uvloop.run(main(int(sys.argv[1]), int(sys.argv[2]), sys.argv[3] == "bidders"))
