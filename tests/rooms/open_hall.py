"""A hall over real storage, in one process and one loop, with a clock that a test sets."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from server.decryption.pool import Pool
from server.domain.commands import Command
from server.domain.model import SYSTEM, Actor
from server.http.upload_note import new_hasher
from server.rooms.hall import Hall
from server.rooms.room import Answer
from server.rooms.rows import Published
from server.storage.blobs import BlobStore
from server.storage.journal import Journal
from server.storage.site_log import SiteLog
from signaling.pass_clock import PassClock
from tests.domain.cast import LOG_KEY, RECEIPT_KEY
from tests.domain.play import Play
from tests.domain.tender_rules import ORIGIN
from tests.rooms.open_room import SetClock, journaled


class OpenHall:
    """A hall that lives, and everything it has published: (stream, event)."""

    def __init__(self, hall: Hall, clock: SetClock) -> None:
        self.hall = hall
        self.clock = clock
        self.published: list[tuple[str, Published]] = []
        self._told = asyncio.Event()
        hall.publish = self._publish

    def _publish(self, stream: str, event: Published, epoch: int) -> None:
        self.published.append((stream, event))
        self._told.set()

    async def ask(
        self, stream: str, command: Command, actor: Actor = SYSTEM, cmd_id: str = ""
    ) -> Answer:
        async with asyncio.timeout(30):
            return await self.hall.ask(stream, command, actor, cmd_id, self.clock.at_ms)

    async def told(self, fits: Callable[[str, Published], bool]) -> Published:
        """The first published event that fits, told already or yet to come."""
        async with asyncio.timeout(30):
            while True:
                for stream, event in self.published:
                    if fits(stream, event):
                        return event
                self._told.clear()
                await self._told.wait()

    async def until(self, holds: Callable[[], bool]) -> None:
        """Waits for what nobody tells."""
        async with asyncio.timeout(30):
            while not holds():  # noqa: ASYNC110 - there is no event to wait for
                await asyncio.sleep(0.02)

    async def told_type(self, type_: str) -> Published:
        return await self.told(lambda _, event: event.type == type_)


@asynccontextmanager
async def open_hall(
    directory: Path, plays: Mapping[str, Play] | None = None, *, now_ms: int
) -> AsyncIterator[OpenHall]:
    """The hall of ``directory``. ``plays``: streams that are written into its journal before."""
    loop = asyncio.get_running_loop()
    failed: list[BaseException] = []
    async with contextlib.AsyncExitStack() as stack:
        journal = Journal.open(directory / "journal", loop=loop, on_failure=failed.append)
        stack.callback(journal.close)
        for stream, play in (plays or {}).items():
            await journaled(journal, stream, play)
        clock = SetClock(now_ms)
        blobs = BlobStore(directory / "store", new_hasher)
        stack.callback(blobs.close)
        pool = Pool(1)
        stack.callback(pool.close)
        passes = PassClock(loop, clock.now_ms)
        passes.start()
        stack.callback(passes.close)
        hall = Hall(
            directory,
            journal,
            SiteLog(journal, ORIGIN, LOG_KEY, software="kaibiao test"),
            blobs,
            receipt_key=RECEIPT_KEY,
            clock=clock,
            pool=pool,
            pass_clock=passes,
            allow_test=True,
        )
        opened, ready = OpenHall(hall, clock), asyncio.Event()
        life = asyncio.ensure_future(hall.run(ready))
        stack.push_async_callback(_end, life)
        async with asyncio.timeout(30):
            waiting = asyncio.ensure_future(ready.wait())
            await asyncio.wait({waiting, life}, return_when=asyncio.FIRST_COMPLETED)
            if life.done():
                waiting.cancel()
                life.result()
        yield opened
        assert not failed


async def _end(task: "asyncio.Task[Any]") -> None:
    task.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await task
