"""Rooms on a real journal, on asyncio's own loop and on uvloop: the server runs on the latter."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path

import pytest
import uvloop

from server.storage.journal import Journal
from tests.domain.play import Play
from tests.rooms.open_room import OPENING, OpenRoom, journaled


def pytest_asyncio_loop_factories(config: pytest.Config, item: pytest.Item):
    return {"asyncio": asyncio.SelectorEventLoop, "uvloop": uvloop.new_event_loop}


@pytest.fixture
async def open_room(tmp_path: Path) -> AsyncIterator[Callable[..., Awaitable[OpenRoom]]]:
    """Opens the room of a play on the test's journal; again, it is the room after a restart."""
    opened: list[Journal] = []

    async def open_(play: Play | None = None, stream: str = OPENING) -> OpenRoom:
        for journal in opened:
            journal.close()
        loop = asyncio.get_running_loop()
        journal = Journal.open(tmp_path / "journal", loop=loop, on_failure=_unexpected)
        opened.append(journal)
        now_ms = await journaled(journal, stream, play) if play is not None else 0
        return OpenRoom(stream, journal, now_ms)

    yield open_
    for journal in opened:
        journal.close()


def _unexpected(error: BaseException) -> None:
    raise AssertionError("the journal failed") from error
