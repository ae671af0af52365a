"""The bare loop of `fanout` (裸循环): a prebuilt frame, one `send` per socket, nothing else.

`python -m loadtests.peers.bare_sockets`, orders on stdin.
"""

import gc
import socket
import time

from loadtests.child import obey
from loadtests.wire import server_frame

_listener: list[socket.socket] = []
_sockets: list[socket.socket] = []


def listen() -> int:
    listener = socket.create_server(("127.0.0.1", 0), backlog=4096)
    _listener.append(listener)
    return listener.getsockname()[1]


def accept(count: int) -> None:
    """Takes everybody in; sockets are set up as our server sets up its own."""
    for _ in range(count):
        sock, _ = _listener[0].accept()
        sock.setblocking(False)
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        _sockets.append(sock)
    gc.collect()
    gc.freeze()


def fan(payloads: list[bytes], every_ms: int, rooms: int = 1) -> list[int]:
    """Each payload at its time to everybody, or to one room after the other. When each was begun,
    in ns.
    """
    begun: list[int] = []
    started = time.perf_counter()
    for number, payload in enumerate(payloads):
        frame = server_frame(payload)
        time.sleep(max(0.0, started + number * every_ms / 1000 - time.perf_counter()))
        begun.append(time.perf_counter_ns())
        for sock in _sockets[number % rooms :: rooms]:
            sent = sock.send(frame)
            assert sent == len(frame)
    return begun


if __name__ == "__main__":
    obey({"listen": listen, "accept": accept, "fan": fan})
