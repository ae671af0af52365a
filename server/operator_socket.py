"""The operator's door (运行人的入口): a Unix socket in the data directory, for its owner alone.

Invariant: the socket has mode 0600 before anybody can connect to it, and goes with the hall. One
line comes in, one line goes out; a line that cannot be read is refused by a code like any other.
"""

import asyncio
import contextlib
import logging
import socket
from collections.abc import AsyncIterator
from pathlib import Path

import msgspec

from crypto.errors import Rejected
from server.domain.refusals import Refused
from server.rooms.operator import Operator
from server.rooms.operator_requests import REQUEST, REQUEST_BYTES_MAX, Told, short_path, socket_path

PATIENCE_S = 10.0  # for a whole request
BACKLOG = 8

log = logging.getLogger("kaibiao.operator")


@contextlib.asynccontextmanager
async def operator_door(data: Path, operator: Operator) -> AsyncIterator[None]:
    """Open for as long as the context lasts. Whoever calls holds the data directory's lock."""
    path = socket_path(data)
    path.unlink(missing_ok=True)  # of a hall that was killed
    listener = socket.socket(socket.AF_UNIX)
    with short_path(path) as short:
        listener.bind(short)
    path.chmod(0o600)  # nobody can connect before it listens

    async def meet(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(OSError):
            writer.write(msgspec.json.encode(await _answer(operator, reader)) + b"\n")
            await writer.drain()
        writer.close()

    listener.listen(BACKLOG)
    server = await asyncio.start_unix_server(meet, sock=listener, limit=REQUEST_BYTES_MAX)
    try:
        yield
    finally:
        server.close()
        path.unlink(missing_ok=True)


async def _answer(operator: Operator, reader: asyncio.StreamReader) -> Told:
    try:
        async with asyncio.timeout(PATIENCE_S):
            line = await reader.readline()
        return Told(result=await operator.answer(REQUEST.decode(line)))
    except Refused as refused:
        return Told(code=refused.code, detail=_shown(refused.detail))
    except Rejected as rejected:
        return Told(code=rejected.code, detail=str(rejected.detail or ""))
    except (msgspec.MsgspecError, ValueError, TimeoutError) as error:
        return Told(code="operator.request", detail=str(error)[:200])
    except Exception:
        log.exception("a request of the operator failed")
        return Told(code="operator.failed")


def _shown(detail: dict[str, object]) -> str:
    return ", ".join(
        " ".join(map(str, value)) if isinstance(value, list) else str(value)
        for value in detail.values()
    )
