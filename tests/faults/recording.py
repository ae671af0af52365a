"""Every byte that somebody receives (录音): proxies before both listeners, a pair for each person.

A record is what came down, with the moment of each piece. What is looked for is bytes, so it is
also looked for in hex, and in text as JSON may escape it.
"""

import asyncio
import json
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from typing import Any, Self

from loadtests.ports import free_port
from server.demo.people import now_ms


@dataclass
class Record:
    """What one person has received by one transport."""

    who: str
    pieces: list[tuple[int, bytes]] = field(default_factory=list)

    def until(self, end_ms: int | None = None) -> bytes:
        """Everything that came before this moment."""
        return b"".join(raw for ms, raw in self.pieces if end_ms is None or ms < end_ms)

    def begin(self) -> None:
        """From now on: what came before was an echo of what was asked."""
        self.pieces.clear()


class RecordingProxy:
    """Carries everything, notes what comes down. Use ``async with``."""

    def __init__(self, record: Record, port: int = 0) -> None:
        self.record = record
        self.port = port
        self.target_port = 0  # set when the site listens

    async def __aenter__(self) -> Self:
        self._server = await asyncio.start_server(self._carry, "127.0.0.1", self.port)
        self.port = self._server.sockets[0].getsockname()[1]
        return self

    async def __aexit__(self, *exc: object) -> None:
        self._server.close()

    async def _carry(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        far_reader, far_writer = await asyncio.open_connection("127.0.0.1", self.target_port)
        up = asyncio.ensure_future(_flow(reader, far_writer, None))
        down = asyncio.ensure_future(_flow(far_reader, writer, self.record))
        await asyncio.wait({up, down}, return_when=asyncio.FIRST_COMPLETED)
        for flow in (up, down):
            flow.cancel()
        writer.close()
        far_writer.close()


async def _flow(
    reader: asyncio.StreamReader, writer: asyncio.StreamWriter, record: Record | None
) -> None:
    try:
        while piece := await reader.read(65536):
            if record is not None:
                record.pieces.append((now_ms(), piece))
            writer.write(piece)
            await writer.drain()
    except ConnectionError:
        pass


@dataclass
class Ears:
    """The two proxies of one person."""

    who: str
    http: RecordingProxy
    ws: RecordingProxy

    @classmethod
    async def open(cls, who: str, stack: AsyncExitStack) -> "Ears":
        http = RecordingProxy(Record(f"{who} by HTTP"), free_port())
        ws = RecordingProxy(Record(f"{who} by WebSocket"))
        return cls(who, await stack.enter_async_context(http), await stack.enter_async_context(ws))

    def aim(self, ready: dict[str, Any]) -> None:
        self.http.target_port, self.ws.target_port = ready["http_port"], ready["ws_port"]

    @property
    def records(self) -> tuple[Record, Record]:
        return self.http.record, self.ws.record


def forms_of(secret: bytes | str) -> list[bytes]:
    """How it may stand in an answer: raw, in hex of either case, escaped."""
    if isinstance(secret, str):
        return [secret.encode(), json.dumps(secret)[1:-1].encode()]
    return [secret, secret.hex().encode(), secret.hex().upper().encode()]


def found(raw: bytes, secrets: dict[str, bytes | str]) -> list[str]:
    """Names of the secrets that stand in these bytes."""
    return [name for name, secret in secrets.items() if any(f in raw for f in forms_of(secret))]
