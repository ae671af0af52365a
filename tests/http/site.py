"""The real HTTP side before a small hall: real store, real sockets, all between them real."""

import asyncio
from collections.abc import AsyncIterator, Awaitable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web
from prometheus_client import CollectorRegistry

from server.http.app import bind, build_app, listen
from server.http.client import HallHttp, HallRefused
from server.http.front import FRONT, Front
from server.http.settings import HttpSettings, Limits
from server.http.upload_note import new_hasher
from server.storage.blobs import BlobStore
from signaling.pass_clock import PassClock
from tests.http.small_hall import PEOPLE, SmallHall


def lines(site: "Site", first: str, *more: str, body: bytes = b"") -> bytes:
    """A request as bytes, on a line that ends with it."""
    head = (first, f"Host: 127.0.0.1:{site.port}", "Connection: close", *more)
    return "\r\n".join(head).encode() + b"\r\n\r\n" + body


async def raw_answer(port: int, request: bytes) -> tuple[int, dict[str, str], bytes]:
    """(status, headers in lower case, body) of bytes that no polite client would send."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(request)
    data = b""
    async with asyncio.timeout(20):
        while piece := await reader.read(65536):
            data += piece
    writer.close()
    await writer.wait_closed()
    head, _, body = data.partition(b"\r\n\r\n")
    lines = head.decode("latin-1").split("\r\n")
    headers = {name.lower(): value for name, _, value in (x.partition(": ") for x in lines[1:])}
    return int(lines[0].split()[1]), headers, body


async def refused(code: str, asked: Awaitable[Any]) -> HallRefused:
    """Awaits something that must be refused with this code."""
    with pytest.raises(HallRefused) as caught:
        await asked
    assert caught.value.code == code
    return caught.value


@dataclass
class Site:
    """One running site and its parts."""

    hall: SmallHall
    app: web.Application
    front: Front
    blobs: BlobStore
    url: str
    port: int
    directory: Path

    def visitor(self) -> HallHttp:
        return HallHttp(self.url, timeout_s=30)

    @asynccontextmanager
    async def person(self, name: str) -> AsyncIterator[HallHttp]:
        """A logged-in person."""
        async with self.visitor() as hall:
            await hall.login(PEOPLE[name][0])
            yield hall


@asynccontextmanager
async def open_site(
    directory: Path,
    *,
    limits: Limits | None = None,
    pages: Path | None = None,
    keep_free: int = 0,
    registry: CollectorRegistry | None = None,
    pass_clock: PassClock | None = None,
    **settings: Any,
) -> AsyncIterator[Site]:
    """The site of a directory, listening."""
    sock = bind("127.0.0.1", 0)
    port = sock.getsockname()[1]
    url = f"http://127.0.0.1:{port}"
    made = HttpSettings(
        **{"origin": url, "version": "test", **settings}, pages=pages, limits=limits or Limits()
    )
    hall = SmallHall(directory / "opening.zip")
    if pass_clock is not None:
        hall.pass_clock = pass_clock
    blobs = BlobStore(directory / "blobs", new_hasher, keep_free=keep_free)
    app = build_app(hall, blobs, made, registry)
    runner = await listen(app, sock)
    try:
        yield Site(hall, app, app[FRONT], blobs, url, port, directory)
    finally:
        await runner.cleanup()
        blobs.close()
