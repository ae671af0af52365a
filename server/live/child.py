"""The media process, kept alive (媒体进程的看护): started, again when it dies, ended with us.

Another one stands by, started and told nothing, so that the next begins at once. Invariant: at most
one is open; each holds the other end of a socketpair that nobody else has, so it sees our end, also
by kill -9, and goes. While none is open, whatever is asked is refused with ``media.away``, and
nothing waits for it that is not about pictures and sound.
"""

import asyncio
import contextlib
import logging
import secrets
import socket
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Final

from server.domain.refusals import Refused
from server.live.link import AWAY, Answerer, Hearer, Line, LineRefused, open_line

MODULE: Final = "server.live_process"
OPEN_S: Final = 30.0
SPARE_AFTER_S: Final = 10.0
CLOSE_S: Final = 5.0
SILENT_S: Final = 15.0  # it tells something each second; so long a silence is a hang
WAIT_S: Final = 6.0  # how long a question waits for a process that is being started
BACKOFF_S: Final = (0.05, 0.5, 1.0, 2.0, 5.0, 10.0, 30.0)
FORGOTTEN_S: Final = 30.0  # one that has lived so long may die as often again

log = logging.getLogger("kaibiao.live")


class Child:
    """``opening`` is what the process is first told; ``began(answer)`` is called with what it
    answers before anybody else may ask it, ``back()`` when they may, ``ended()`` when it is gone.
    ``inherited``: sockets that it gets by number, as ``opening`` says.
    """

    def __init__(
        self,
        opening: Callable[[], dict[str, Any]],
        *,
        began: Callable[[Line, Any], None],
        back: Callable[[], None],
        ended: Callable[[], None],
        answer: Answerer,
        hear: Hearer,
        inherited: Sequence[socket.socket] = (),
    ) -> None:
        self._opening = opening
        self._began = began
        self._back = back
        self._ended = ended
        self._answer = answer
        self._hear = hear
        self._inherited = inherited
        self._line: Line | None = None
        self._up = asyncio.Event()
        self._heard_s = 0.0
        self._keeper: asyncio.Task[None] | None = None
        self._waiting: asyncio.TimerHandle | None = None
        self._spare: asyncio.Task[_Started] | None = None
        self._is_closing = False
        self.pid = 0
        self.boots = 0
        self._token = secrets.token_hex(4)

    @property
    def is_up(self) -> bool:
        return self._line is not None

    @property
    def boot(self) -> str:
        """Which process it is, or will be where none has come yet: another one of another site's
        life too, so that a page which has slept through a restart sees it.
        """
        return f"{self._token}.{max(1, self.boots)}"

    @property
    def is_begun(self) -> bool:
        """Whether there is or should be a process."""
        return self._keeper is not None

    def begin(self) -> None:
        """From now on there is one. Idempotent."""
        if self._keeper is None:
            self._keeper = asyncio.get_running_loop().create_task(self._keep(), name="live child")

    async def close(self) -> None:
        """Lets it end what it has begun, for a bounded time."""
        if self._keeper is None:
            return
        self._is_closing = True
        line = self._line
        if line is not None:
            with contextlib.suppress(LineRefused):
                await line.ask("close", within_s=CLOSE_S)
        self._keeper.cancel()
        await asyncio.gather(self._keeper, return_exceptions=True)
        if self._waiting is not None:
            self._waiting.cancel()
        if self._spare is not None:
            with contextlib.suppress(OSError):
                await (await self._spare).end()

    async def ask(self, name: str, value: Any = None, **more: float) -> Any:
        """Raises Refused: the process's code, or ``media.away``."""
        if self._line is None and self.is_begun:
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(WAIT_S):
                    await self._up.wait()
        line = self._line
        if line is None:
            raise Refused(AWAY)
        try:
            return await line.ask(name, value, **more)
        except LineRefused as refused:
            raise _refused(refused) from None

    def note(self, name: str, value: Any = None) -> None:
        """Nothing comes back; a process that is not there hears it not."""
        if self._line is not None:
            self._line.note(name, value)

    # ---- inside

    async def _keep(self) -> None:
        failures, loop = 0, asyncio.get_running_loop()
        while True:
            began_s = loop.time()
            try:
                await self._life()
            except (OSError, LineRefused) as error:
                log.error("live.child_failed %s", error)
            if loop.time() - began_s > FORGOTTEN_S:
                failures = 0
            await asyncio.sleep(BACKOFF_S[min(failures, len(BACKOFF_S) - 1)])
            failures += 1

    async def _life(self) -> None:
        """One process from its opening to its end."""
        one = await self._next()
        self.pid = one.process.pid
        try:
            answer = await one.line.ask("open", self._opening(), within_s=OPEN_S)
            self._heard_s = asyncio.get_running_loop().time()
            self._began(one.line, answer)
            self.boots += 1
            self._line = one.line
            self._up.set()
            self._back()
            # Later: starting takes a second of a core.
            loop = asyncio.get_running_loop()
            self._waiting = loop.call_later(SPARE_AFTER_S, self._stand_by)
            await self._until_gone(one.reading)
            if not self._is_closing:
                log.error("live.child_gone pid=%d", self.pid)
        finally:
            self._up.clear()
            was_up, self._line = self._line is not None, None
            await one.end()
            self.pid = 0
            if was_up:
                self._ended()

    async def _next(self) -> "_Started":
        """The one that stands by, if it does; or a new one."""
        if self._waiting is not None:
            self._waiting.cancel()
        spare, self._spare = self._spare, None
        if spare is not None:
            found = await spare
            if not found.line.is_lost:
                return found
            await found.end()
        return await self._start()

    def _stand_by(self) -> None:
        self._spare = asyncio.get_running_loop().create_task(self._start())

    async def _start(self) -> "_Started":
        ours, theirs = socket.socketpair()
        with contextlib.closing(theirs):
            numbers = [theirs.fileno(), *(sock.fileno() for sock in self._inherited)]
            process = await asyncio.create_subprocess_exec(
                sys.executable, "-m", MODULE, str(theirs.fileno()),
                stdin=asyncio.subprocess.DEVNULL, pass_fds=numbers, start_new_session=True,
            )  # fmt: skip
        line = await open_line(ours, self._answer, self._listen)
        return _Started(process, line, asyncio.ensure_future(line.run()))

    def _listen(self, name: str, value: Any) -> None:
        self._heard_s = asyncio.get_running_loop().time()
        self._hear(name, value)

    async def _until_gone(self, reading: "asyncio.Future[None]") -> None:
        """Until the line ends, or it has said nothing for too long."""
        loop = asyncio.get_running_loop()
        while not reading.done():
            left_s = self._heard_s + SILENT_S - loop.time()
            if left_s <= 0:
                log.error("live.child_hangs pid=%d", self.pid)
                return
            await asyncio.wait({reading}, timeout=left_s)


@dataclass(frozen=True, slots=True)
class _Started:
    """A process with our end of its line."""

    process: asyncio.subprocess.Process
    line: Line
    reading: "asyncio.Future[None]"

    async def end(self) -> None:
        """It goes by itself when its line ends; who does not is made to."""
        self.line.close()
        self.reading.cancel()
        try:
            async with asyncio.timeout(CLOSE_S):
                await self.process.wait()
        except TimeoutError:
            with contextlib.suppress(ProcessLookupError):
                self.process.kill()
            await self.process.wait()
        await asyncio.gather(self.reading, return_exceptions=True)


def _refused(refused: LineRefused) -> Refused:
    return Refused(refused.code, why=refused.detail) if refused.detail else Refused(refused.code)
