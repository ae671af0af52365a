"""Every asynchronous test of signaling runs on both loops: asyncio's own and uvloop."""

import asyncio
import gc

import pytest
import uvloop


def pytest_asyncio_loop_factories(config, item):
    return {"asyncio": asyncio.new_event_loop, "uvloop": uvloop.new_event_loop}


@pytest.fixture(autouse=True)
def no_leaked_sockets():
    """Unclosed sockets warn when they are collected: let that happen inside the test."""
    yield
    gc.collect()
