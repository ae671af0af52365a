"""The media process's entry (媒体进程入口): ``python -m server.live_process <fd>``, by our site.

The one argument is the number of its end of the line (`server/live/link.py`). Invariant: it ends
with that line, also when the site was killed; signals to the whole site are the site's to answer.
"""

import logging
import signal
import socket
import sys
from collections.abc import Awaitable, Callable
from typing import Any

import uvloop

from server.collector import calm_the_collector
from server.http.live_listener import listen_fragments
from server.live.link import open_line
from server.live.worker import Worker


async def serve(number: int) -> None:
    worker = Worker(_listen)
    line = worker.line = await open_line(socket.socket(fileno=number), worker.answer, worker.hear)
    calm_the_collector()
    await line.run()
    await worker.close()


async def _listen(worker: Worker, opening: dict[str, Any]) -> Callable[[], Awaitable[None]]:
    sock = socket.socket(fileno=opening["listener"])
    return await listen_fragments(
        sock,
        stream=worker.stream,
        admitted=worker.admitted,
        origin=opening["origin"],
        proxies=frozenset(opening["proxies"]),
    )


def main() -> None:
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, signal.SIG_IGN)
    logging.basicConfig(format="%(asctime)s %(name)s %(levelname)s %(message)s")
    uvloop.run(serve(int(sys.argv[1])))


if __name__ == "__main__":
    main()
