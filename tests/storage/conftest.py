"""Tests with real files run on asyncio's own loop and on uvloop: the server runs on the latter."""

import asyncio
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import uvloop

from server.storage.blobs import BlobStore
from server.storage.journal import Journal
from tests.storage.payloads import a_hasher


def pytest_asyncio_loop_factories(config: pytest.Config, item: pytest.Item):
    return {"asyncio": asyncio.SelectorEventLoop, "uvloop": uvloop.new_event_loop}


@pytest.fixture
def open_journal(tmp_path: Path) -> Iterator[Callable[..., Journal]]:
    """Opens the journal of the test's directory; call it from the test, on its loop."""
    opened: list[Journal] = []

    def open_(**options) -> Journal:
        options.setdefault("on_failure", _unexpected)
        loop = asyncio.get_running_loop()
        opened.append(Journal.open(tmp_path / "data", loop=loop, **options))
        return opened[-1]

    yield open_
    for journal in opened:
        journal.close()


def _unexpected(error: BaseException) -> None:
    raise AssertionError("the journal failed") from error


@pytest.fixture
def open_store(tmp_path: Path) -> Iterator[Callable[..., BlobStore]]:
    """Opens the store of the test's directory; call it from the test, on its loop."""
    opened: list[BlobStore] = []

    def open_(**options) -> BlobStore:
        opened.append(BlobStore(tmp_path / "files", a_hasher, **options))
        return opened[-1]

    (tmp_path / "files").mkdir()
    yield open_
    for store in opened:
        store.close()
