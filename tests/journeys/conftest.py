"""Journeys run where the server runs: on uvloop; the long one on asyncio's own loop too."""

import asyncio

import pytest
import uvloop


def pytest_asyncio_loop_factories(config: pytest.Config, item: pytest.Item):
    factories = {"uvloop": uvloop.new_event_loop}
    if item.get_closest_marker("both_loops") is not None:
        factories["asyncio"] = asyncio.SelectorEventLoop
    return factories


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line("markers", "both_loops: on asyncio's own loop and on uvloop")
