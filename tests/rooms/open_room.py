"""One room with its journal, its clock and a list of what left it."""

import asyncio
import contextlib
import threading
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import replace
from typing import Any

from crypto.ack import build_ack
from server.domain.commands import Command
from server.domain.model import SYSTEM, Actor
from server.domain.promises import Promise
from server.rooms.clock import Clock
from server.rooms.room import Answer, Request, Room, Stopped
from server.rooms.rows import Published, RowMaker
from server.storage.journal import Append, Journal, Row
from tests.domain.cast import RECEIPT_KEY
from tests.domain.play import Play

OPENING, TENDER = "opening:jz-0417", "tender:jz-0417"


class SetClock(Clock):
    """A clock that a test sets."""

    def __init__(self, at_ms: int) -> None:
        super().__init__()
        self.at_ms = at_ms

    def now_ms(self) -> int:
        return self.at_ms


async def journaled(journal: Journal, stream: str, play: Play) -> int:
    """Writes what a play has come to into the journal; gives the moment at which it stands."""
    maker = RowMaker(stream, journal.epoch, journal.head(stream), lambda audience: 0)
    kind = stream.split(":", 1)[0]
    rows = [
        maker.make(one.event, actor="system", cmd_id="", ts_ms=one.ts_ms)[0]
        for one in play.journal
        if one.stream == kind
    ]
    await journal.append(Append(rows))
    return play.now_ms


class OpenRoom:
    """A room; ``left``: what it told and answered, in order."""

    def __init__(self, stream: str, journal: Journal, now_ms: int) -> None:
        self.journal = journal
        self.clock = SetClock(now_ms)
        self.left: list[tuple[str, str]] = []
        self.published: list[Published] = []
        self.answers: dict[str, Answer] = {}
        self._answered = asyncio.Event()
        self.room = Room(
            stream,
            journal,
            self.clock,
            publish=self._publish,
            sign_ack=_sign,
            allow_test=True,
            changed=lambda room: None,
        )

    def _publish(self, room: Room, events: list[Published]) -> None:
        self.left += [("published", event.type) for event in events]
        self.published += events

    @property
    def state(self) -> Any:
        return self.room.state

    @asynccontextmanager
    async def running(self) -> AsyncIterator["OpenRoom"]:
        """The room lives for as long as the context lasts."""
        task = asyncio.ensure_future(self.room.run())
        try:
            yield self
        finally:
            task.cancel()
            with contextlib.suppress(asyncio.CancelledError, Stopped):
                await task

    def put(
        self, command: Command, actor: Actor = SYSTEM, cmd_id: str = "", ago_ms: int = 0
    ) -> None:
        """Queues a command; its answer is kept under ``cmd_id``."""

        def reply(answer: Answer) -> None:
            self.left.append(("answered", cmd_id))
            self.answers[cmd_id] = answer
            self._answered.set()

        self.room.put(Request(command, actor, cmd_id, self.clock.at_ms - ago_ms, reply))

    async def ask(
        self, command: Command, actor: Actor = SYSTEM, cmd_id: str = "", ago_ms: int = 0
    ) -> Answer:
        async with asyncio.timeout(20):
            return await self.room.ask(command, actor, cmd_id, self.clock.at_ms - ago_ms)

    async def answered(self, *cmd_ids: str) -> None:
        """Returns when all of these have their answer."""
        async with asyncio.timeout(20):
            while not set(cmd_ids) <= self.answers.keys():
                self._answered.clear()
                await self._answered.wait()

    @contextmanager
    def stalled_disk(self) -> Iterator[None]:
        """While it lasts nothing becomes durable: the writer thread stands still in its queue."""
        standing, go_on = threading.Event(), threading.Event()

        def stand(_: Any) -> None:
            standing.set()
            go_on.wait(20)

        self.journal.transact(stand)
        standing.wait(20)
        try:
            yield
        finally:
            go_on.set()

    def instead(self, **rules: Callable[..., Any]) -> None:
        """The room plays by other rules (decide, evolve) from now on."""
        self.room.kind = replace(self.room.kind, **rules)

    def rows(self) -> list[Row]:
        return self.journal.read(self.room.stream, 0, 10_000)


def _sign(tender_id: bytes, promise: Promise) -> bytes:
    return build_ack(
        RECEIPT_KEY,
        tender_id,
        promise.kind,
        promise.digest,
        promise.result,
        promise.received_ms,
        signed_ms=promise.signed_ms,
    ).raw
