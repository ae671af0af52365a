"""One end of the line between the site and its media process (进程间线路).

Frames over a socketpair::

    frame = u32 length (big-endian) || msgpack [kind, number, name, value]

``ask`` gets an answer or a refusal by code, ``note`` gets nothing. Both ends speak alike.
Invariant: what is on its way is bounded on both ends; whatever happens to the line, everybody who
waits on it is refused at once and by the same code.
"""

import asyncio
import logging
import socket
from collections.abc import Awaitable, Callable
from typing import Any, Final

import msgspec

FRAME_BYTES_MAX: Final = 4 << 20
ASKED_MAX: Final = 1000
UNWRITTEN_BYTES_MAX: Final = 16 << 20
ASK_S: Final = 8.0
HEAD_BYTES: Final = 4
ASK, ANSWER, REFUSAL, NOTE = range(4)
AWAY: Final = "media.away"

Answerer = Callable[[str, Any], Any | Awaitable[Any]]
Hearer = Callable[[str, Any], None]

log = logging.getLogger("kaibiao.live")


class LineRefused(Exception):
    """What was asked of the other end is refused; ``code`` is stable, ``detail`` is for logs."""

    def __init__(self, code: str, detail: str = "") -> None:
        super().__init__(f"{code}: {detail}" if detail else code)
        self.code = code
        self.detail = detail


class Line:
    """``answer(name, value)`` answers what the other end asks: at once, or by an awaitable, and by
    an exception that has a ``code``. ``hear(name, value)`` takes notes. Both are called in the
    order in which frames came, so a note never overtakes what was answered at once.
    """

    def __init__(
        self,
        reader: asyncio.StreamReader,
        writer: asyncio.StreamWriter,
        answer: Answerer,
        hear: Hearer,
    ) -> None:
        self._reader = reader
        self._writer = writer
        self._answer = answer
        self._hear = hear
        self._asked: dict[int, asyncio.Future[Any]] = {}
        self._number = 0
        self._tasks: set[asyncio.Task[None]] = set()
        self.is_lost = False

    async def ask(self, name: str, value: Any = None, *, within_s: float = ASK_S) -> Any:
        """Raises LineRefused: the other end's code, or ``media.away``."""
        if self.is_lost or len(self._asked) >= ASKED_MAX:
            raise LineRefused(AWAY, "the line")
        self._number += 1
        number = self._number
        future = self._asked[number] = asyncio.get_running_loop().create_future()
        try:
            self._write(ASK, number, name, value)
            async with asyncio.timeout(within_s):
                return await future
        except TimeoutError:
            raise LineRefused(AWAY, "too slow") from None
        finally:
            del self._asked[number]

    def note(self, name: str, value: Any = None) -> None:
        """Nothing comes back; nothing happens where the line is lost."""
        if not self.is_lost:
            self._write(NOTE, 0, name, value)

    async def run(self) -> None:
        """Until the other end is gone, or `close`."""
        try:
            while True:
                head = await self._reader.readexactly(HEAD_BYTES)
                size = int.from_bytes(head, "big")
                if size > FRAME_BYTES_MAX:
                    log.error("live.frame_too_large %d", size)
                    return
                self._take(msgspec.msgpack.decode(await self._reader.readexactly(size)))
        except (asyncio.IncompleteReadError, OSError):
            return
        finally:
            self.close()

    def close(self) -> None:
        """Idempotent; whoever waits is refused."""
        if self.is_lost:
            return
        self.is_lost = True
        for future in self._asked.values():
            if not future.done():
                future.set_exception(LineRefused(AWAY, "lost"))
        for task in self._tasks:
            task.cancel()
        self._writer.close()

    def _take(self, frame: list[Any]) -> None:
        kind, number, name, value = frame
        if kind == ASK:
            self._asked_for(number, name, value)
        elif kind == NOTE:
            try:
                self._hear(name, value)
            except Exception:
                log.exception("live.note %s", name)
        else:
            future = self._asked.get(number)
            if future is None or future.done():
                return  # it took too long, and nobody waits any more
            if kind == ANSWER:
                future.set_result(value)
            else:
                future.set_exception(LineRefused(name, value))

    def _asked_for(self, number: int, name: str, value: Any) -> None:
        if len(self._tasks) >= ASKED_MAX:
            self._write(REFUSAL, number, AWAY, "busy")
            return
        try:
            found = self._answer(name, value)
        except Exception as error:
            self._refuse(number, name, error)
            return
        if isinstance(found, Awaitable):
            task = asyncio.ensure_future(self._answer_later(number, name, found))
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)
        else:
            self._write(ANSWER, number, "", found)

    async def _answer_later(self, number: int, name: str, found: Awaitable[Any]) -> None:
        try:
            value = await found
        except Exception as error:
            self._refuse(number, name, error)
        else:
            self._write(ANSWER, number, "", value)

    def _refuse(self, number: int, name: str, error: Exception) -> None:
        code = getattr(error, "code", None)
        if not isinstance(code, str):
            log.error("live.trouble %s", name, exc_info=error)
            self._write(REFUSAL, number, "server.trouble", "")
            return
        detail = getattr(error, "detail", "")
        self._write(REFUSAL, number, code, detail if isinstance(detail, str) else "")

    def _write(self, kind: int, number: int, name: str, value: Any) -> None:
        if self.is_lost:
            return
        frame = msgspec.msgpack.encode((kind, number, name, value))
        assert len(frame) <= FRAME_BYTES_MAX, f"a frame of {len(frame)} bytes: {name}"
        self._writer.write(len(frame).to_bytes(HEAD_BYTES, "big") + frame)
        if self._writer.transport.get_write_buffer_size() > UNWRITTEN_BYTES_MAX:
            log.error("live.not_read: the other end does not read")
            self.close()


async def open_line(sock: socket.socket, answer: Answerer, hear: Hearer) -> Line:
    """A line over one end of a socketpair, which it closes with itself."""
    reader, writer = await asyncio.open_unix_connection(sock=sock)
    return Line(reader, writer, answer, hear)
