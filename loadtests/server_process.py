"""The real server as a child (服务端进程): `python -m loadtests.server_process`, orders on stdin.

`server.app.running` is the whole site, with real listeners, journal and site log. The first order
must be ``start``; the others are methods of `busy.Busy`.
"""

import asyncio
import contextlib
import cProfile
import io
import logging
import pstats
from collections.abc import Callable
from typing import Any

import msgpack
import uvloop

from loadtests.busy import Busy
from loadtests.child import LENGTH, answers_fd, packed_answer, write_all
from server.app import Running, calm_the_collector, running
from server.config import Config, Edges, Journal, Limits, Listen, Site

PROFILE_LINES = 45

Reader = asyncio.StreamReader


def config_of(
    data: str, synchronous: str, connections: int, edges: dict[str, Any] | None = None
) -> Config:
    """Every limit as shipped, but how fast a crowd may come in: that is not what is measured."""
    return Config(
        site=Site(data=data, log_origin="load.example/kaibiao/log"),
        listen=Listen(http_port=0, ws_port=0, health_port=0),
        limits=Limits(handshakes_per_s=50_000, connections=connections),
        edges=Edges(**edges or {}),
        journal=Journal(synchronous=synchronous),
    )


async def main() -> None:
    fd = answers_fd()
    loop = asyncio.get_running_loop()
    reader = asyncio.StreamReader()
    stdin = open(0, "rb", buffering=0)  # noqa: ASYNC230, SIM115 - a pipe, for as long as we live
    await loop.connect_read_pipe(lambda: asyncio.StreamReaderProtocol(reader), stdin)
    order, arguments = await _next(reader)
    assert order == "start"
    async with running(config_of(**arguments)) as site:
        calm_the_collector()  # as `kaibiao serve` does
        write_all(fd, packed_answer(_where(site)))
        await _obey(reader, fd, Busy(site))


def _where(site: Running) -> dict[str, Any]:
    return {"ws_port": site.ws_port, "origin": site.config.site.origin}


async def _obey(reader: Reader, fd: int, openings: Busy) -> None:
    profile = cProfile.Profile()
    while True:
        try:
            order, arguments = await _next(reader)
        except asyncio.IncompleteReadError:
            return
        try:
            if order == "profile":
                value: Any = _profile(profile, **arguments)
            else:
                act: Callable[..., Any] = getattr(openings, order)
                value = act(**arguments)
                if asyncio.iscoroutine(value):
                    value = await value
            raw = packed_answer(value)
        except Exception as error:
            logging.getLogger(__name__).exception("order failed: %s", order)
            raw = packed_answer(f"{order}: {type(error).__name__}: {error}", done=False)
        write_all(fd, raw)


def _profile(profile: cProfile.Profile, *, on: bool) -> str:
    """Profiles the loop's thread between two orders; the table of the second one."""
    if on:
        profile.enable()
        return ""
    profile.disable()
    out = io.StringIO()
    pstats.Stats(profile, stream=out).sort_stats("tottime").print_stats(PROFILE_LINES)
    profile.clear()
    return out.getvalue()


async def _next(reader: Reader) -> tuple[str, dict[str, Any]]:
    (length,) = LENGTH.unpack(await reader.readexactly(LENGTH.size))
    order, arguments = msgpack.unpackb(await reader.readexactly(length), strict_map_key=False)
    return order, arguments


if __name__ == "__main__":
    with contextlib.suppress(KeyboardInterrupt):
        uvloop.run(main())
