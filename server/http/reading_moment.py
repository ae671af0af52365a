"""When the bytes of a request were read (接收时刻), for commands that come by HTTP.

A frame of signaling is dated in the very call in which it is read. aiohttp wakes its handler one or
two turns of the loop later, and a loop that has just been stuck may take long over a turn; so the
moment is taken here, where the library is handed the bytes, and waits for the handler on the
connection.

The other half of the rule (``signaling.pass_clock``): whoever decides an end ``t`` waits for one
whole pass that began after ``t`` and then for ``TURNS_AFTER_READ`` further turns
(``asyncio.sleep(0)``). Every request whose last byte had arrived at ``t`` is in its room's queue
then:

1. the pass reads the bytes (``data_received``), which wakes the connection's task;
2. the next turn runs that task, which starts the handler (or wakes it, if it waited for its body);
3. the next turn runs the handler, which reads, decodes and puts the command without waiting.

Where the connection itself had only just been made, accepting it takes some turns before that.

Invariant: between the end of its body and its room's queue a command's handler awaits nothing.
"""

from collections.abc import Callable
from typing import Any, Final

from aiohttp import web

TURNS_AFTER_READ: Final = 8  # three were ever needed; on an idle loop a turn costs nothing


class DatedConnection(web.RequestHandler):
    """An HTTP connection that remembers when it was last handed bytes."""

    __slots__ = ("_received_ms", "read_ms")

    def __init__(
        self, manager: web.Server, *, received_ms: Callable[[], int], **options: Any
    ) -> None:
        super().__init__(manager, **options)
        self._received_ms = received_ms
        self.read_ms = 0

    def data_received(self, data: bytes) -> None:
        """The loop's own call, in the turn in which the socket was read.

        The library also calls it itself, with nothing, to look again at what it holds.
        """
        if data:
            self.read_ms = self._received_ms()
        super().data_received(data)


def read_ms(request: web.Request) -> int:
    """When the newest bytes of this request's connection count as received."""
    connection = request.protocol
    assert isinstance(connection, DatedConnection)
    return connection.read_ms
