"""A site under attack (受攻击的现场): requests as bytes over its own sockets, and what must hold.

A site as shipped, its media process beside it, with room to ask as often as a test likes. Whatever
is asked is answered, and by a code of the table; `undisturbed` looks at what is left behind.
"""

import asyncio
import logging
import os
import socket
import time
from collections.abc import AsyncIterator, Callable, Iterator, Mapping
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from http.client import HTTPException, HTTPResponse
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import msgspec
import pytest
from hypothesis import HealthCheck, settings

from loadtests.machine import rss_bytes
from loadtests.video_process import open_sockets, udp_sockets
from server.domain.refusals import REFUSALS
from server.http import live_gate
from server.http.refusals import HTTP_REFUSALS, refusal_of
from server.http.settings import Rate
from server.http.wire import MSGPACK
from server.live import child
from tests.live.live_lab import PATIENCE_S, LiveSite, live_site

GROWTH_BYTES_MAX = 16 << 20
REFUSAL_BYTES_MAX = 2048  # most of it our security headers
SOCKET_S = 30
OF_HTTP = {416, 417}  # a Range, an Expect: the library's own answers, known to every client
Headers = Mapping[str, str]


def examples(most: int) -> settings:
    return settings(
        max_examples=most, deadline=None, database=None, suppress_health_check=list(HealthCheck)
    )


@dataclass(frozen=True)
class Answer:
    """``size``: all of its bytes; ``code``: of a refusal."""

    status: int
    headers: dict[str, str]
    body: bytes
    size: int

    @property
    def code(self) -> str:
        return self.headers.get("x-refusal", "")

    def check(self) -> "Answer":
        """Done, or refused by a code of the table, and in few bytes."""
        assert self.status < 500, (self.status, self.body[:200])
        if self.status >= 400 and self.status not in OF_HTTP:
            assert self.code in HTTP_REFUSALS or self.code in REFUSALS, (self.status, self.body)
            assert self.status == refusal_of(self.code).status
            assert self.size <= REFUSAL_BYTES_MAX
            if self.body:  # a HEAD has none
                is_msgpack = self.headers["content-type"] == MSGPACK
                said = (msgspec.msgpack if is_msgpack else msgspec.json).decode(self.body)
                assert (said["code"], said.keys()) == (self.code, {"code", "retryable", "detail"})
        return self


class Knocker:
    """One connection at a time, from a thread; heads are well formed, and nothing else need be."""

    def __init__(self, origin: str) -> None:
        parts = urlsplit(origin)
        self.origin, self.host = origin, parts.netloc
        self._address = (parts.hostname or "", parts.port or 0)
        self._sock: socket.socket | None = None

    def ask(
        self, method: str, path: str, headers: Headers | None = None, body: bytes = b"",
        *, chunked: bool = False,
    ) -> Answer:  # fmt: skip
        """Its answer. The connection is kept for the next one, as far as the site keeps it."""
        raw = self._raw(method, path, headers or {}, body, chunked=chunked)
        for _ in range(2):
            is_new = self._sock is None
            try:
                return self._asked(method, raw)
            except (HTTPException, OSError):
                self.close()
                if is_new:
                    raise
        raise AssertionError("a new connection was closed")

    def _asked(self, method: str, raw: bytes) -> Answer:
        self._sock = sock = self._sock or socket.create_connection(self._address, SOCKET_S)
        sock.sendall(raw)
        response = HTTPResponse(sock, method=method)
        response.begin()
        body = response.read()
        if response.will_close:
            self.close()
        lines = response.getheaders()
        size = len(body) + sum(len(name) + len(value) + 4 for name, value in lines) + 19
        return Answer(response.status, {n.lower(): v for n, v in lines}, body, size)

    def _raw(
        self, method: str, path: str, headers: Headers, body: bytes, *, chunked: bool
    ) -> bytes:
        lines = [f"{method} {path} HTTP/1.1", f"Host: {self.host}"]
        lines += [f"{name}: {value}" for name, value in headers.items()]
        if chunked:
            lines.append("Transfer-Encoding: chunked")
            pieces = [body[at : at + 1000] for at in range(0, len(body), 1000)]
            body = b"".join(b"%x\r\n%s\r\n" % (len(one), one) for one in pieces) + b"0\r\n\r\n"
        elif body or method in ("POST", "PATCH"):
            lines.append(f"Content-Length: {len(body)}")
        return "\r\n".join([*lines, "", ""]).encode("latin-1", "replace") + body

    def hang_up(self, method: str, path: str, headers: Headers, body: bytes) -> None:
        """Announces more than it sends, and goes."""
        self.close()
        raw = self._raw(method, path, headers, body + b"more", chunked=False)
        with socket.create_connection(self._address, SOCKET_S) as sock:
            sock.sendall(raw[:-4])

    def close(self) -> None:
        if self._sock is not None:
            self._sock.close()
            self._sock = None


class Troubles(logging.Handler):
    """What a process logs that is no notice of its own: mistakes, and what the library says."""

    def __init__(self) -> None:
        super().__init__(logging.WARNING)
        self.found: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        is_librarys = record.name.startswith("aiohttp")
        if record.exc_info or record.levelno >= logging.ERROR or is_librarys:
            self.found.append(f"{record.name}: {record.getMessage()} {record.exc_info}")


@dataclass
class Attacked:
    """A site, and what went wrong in its two processes."""

    live: LiveSite
    errors: Path  # of the media process
    troubles: Troubles = field(default_factory=Troubles)

    def knocker(self) -> Knocker:
        return Knocker(self.live.base)


@contextmanager
def errors_into(path: Path) -> Iterator[None]:
    """What is started in here writes its errors there."""
    kept = os.dup(2)
    try:
        with path.open("wb") as file:
            os.dup2(file.fileno(), 2)
        yield
    finally:
        os.dup2(kept, 2)
        os.close(kept)


@asynccontextmanager
async def attacked_site(data: Path, **media: Any) -> AsyncIterator[Attacked]:
    """With bounds of rate out of the way: they would answer nearly everything."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(live_gate, "ASK_RATE", Rate(1 << 20, 1 << 20))
        patch.setattr(live_gate, "GUESS_RATE", Rate(1 << 20, 1 << 20))
        patch.setattr(child, "SPARE_AFTER_S", 1 << 20)  # it would count as growth
        async with live_site(data, **media) as live:
            with errors_into(data / "errors"):
                await live.is_up()
            found = Attacked(live, data / "errors")
            logging.getLogger().addHandler(found.troubles)
            try:
                yield found
            finally:
                logging.getLogger().removeHandler(found.troubles)


@asynccontextmanager
async def undisturbed(attacked: Attacked) -> AsyncIterator[LiveSite]:
    """What is asked in here kills nothing, logs no mistake, and leaves nothing behind."""
    live, desk = attacked.live, attacked.live.video.desk
    pid, before = live.child_pid, rss_bytes(live.child_pid)
    mine = rss_bytes(os.getpid())
    counts: dict[str, Callable[[], int]] = {
        "its sockets": lambda: len(open_sockets(pid)),
        "our sockets": lambda: len(open_sockets(os.getpid())),
        "tasks": lambda: len(asyncio.all_tasks()),
        "people": lambda: sum(desk.counted()),
        "encoders": lambda: len(live.video.cameras._whip.sessions()),
        "tracks": lambda: desk.counts.get("tracks", 0),
    }
    quiet = {name: count() for name, count in counts.items()}
    yield live
    until = time.monotonic() + PATIENCE_S
    while grown := {name: count() for name, count in counts.items() if count() > quiet[name]}:
        assert time.monotonic() < until, (grown, quiet)
        await asyncio.sleep(0.05)
    assert (live.child_pid, desk.child.boots) == (pid, 1)
    assert udp_sockets(pid) == 1
    assert rss_bytes(pid) - before < GROWTH_BYTES_MAX
    assert rss_bytes(os.getpid()) - mine < 4 * GROWTH_BYTES_MAX  # the attacker lives here as well
    assert attacked.troubles.found == [], attacked.troubles.found
    assert attacked.errors.read_text() == ""
