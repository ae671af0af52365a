"""`websockets.broadcast`, as its documentation says (同行); orders on stdin.

On uvloop, without compression and without a keepalive task per connection: its best case.
"""

import asyncio
import gc
import time
from typing import Any

import msgpack
import uvloop
from websockets.asyncio.server import ServerConnection, broadcast, serve

from loadtests.child import LENGTH, answers_fd, packed_answer, write_all

_connections: set[ServerConnection] = set()


async def _stay(connection: ServerConnection) -> None:
    _connections.add(connection)
    try:
        await connection.wait_closed()
    finally:
        _connections.discard(connection)


async def _accept(count: int) -> None:
    while len(_connections) < count:  # noqa: ASYNC110 - seats are taken, nothing is measured
        await asyncio.sleep(0.02)
    gc.collect()
    gc.freeze()


async def _fan(payloads: list[bytes], every_ms: int) -> list[int]:
    begun: list[int] = []
    started = time.perf_counter()
    for number, payload in enumerate(payloads):
        await asyncio.sleep(max(0.0, started + number * every_ms / 1000 - time.perf_counter()))
        begun.append(time.perf_counter_ns())
        broadcast(_connections, payload)
    return begun


async def main() -> None:
    fd = answers_fd()
    reader = asyncio.StreamReader()
    stdin = open(0, "rb", buffering=0)  # noqa: ASYNC230, SIM115 - a pipe, for as long as we live
    loop = asyncio.get_running_loop()
    await loop.connect_read_pipe(lambda: asyncio.StreamReaderProtocol(reader), stdin)
    async with serve(
        _stay, "127.0.0.1", 0, compression=None, ping_interval=None, backlog=4096
    ) as server:
        while True:
            try:
                (length,) = LENGTH.unpack(await reader.readexactly(LENGTH.size))
            except asyncio.IncompleteReadError:
                return
            order, arguments = msgpack.unpackb(await reader.readexactly(length))
            value: Any = None
            if order == "listen":
                value = next(iter(server.sockets)).getsockname()[1]
            elif order == "accept":
                await _accept(**arguments)
            else:
                value = await _fan(**arguments)
            write_all(fd, packed_answer(value))


if __name__ == "__main__":
    uvloop.run(main())
