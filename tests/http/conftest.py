"""A site on real sockets, on asyncio's own loop and on uvloop: the server runs on the latter."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack
from pathlib import Path

import pytest
import uvloop

from tests.http.site import Site, open_site


def pytest_asyncio_loop_factories(config: pytest.Config, item: pytest.Item):
    return {"asyncio": asyncio.SelectorEventLoop, "uvloop": uvloop.new_event_loop}


@pytest.fixture
async def open_a_site(tmp_path: Path) -> AsyncIterator[Callable]:
    """Opens the site of the test; again after ``close`` it is the same site, restarted."""
    async with AsyncExitStack() as stack:

        async def open_(**options) -> Site:
            return await stack.enter_async_context(open_site(tmp_path, **options))

        yield open_


@pytest.fixture
async def site(open_a_site: Callable) -> Site:
    return await open_a_site()
