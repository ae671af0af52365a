"""Roads between browser and hall that are not straight (绕路): a wall that lets no upgrade
through.

Only the browser's WebSockets take them; pages, uploads and the simulated people go straight.
"""

import asyncio
import contextlib
from typing import Self

HEAD_BYTES_MAX = 16_384
ANSWER = b"HTTP/1.1 426 Upgrade Required\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"


def detour(ws_port: int, proxy_port: int) -> str:
    """The flag by which a browser finds ``proxy_port`` where pages say ``ws_port``."""
    return f"--host-resolver-rules=MAP 127.0.0.1:{ws_port} 127.0.0.1:{proxy_port}"


class RefusingProxy:
    """What a proxy does that has never heard of WebSocket: it answers the upgrade with 426.

    Use ``async with``. ``refused`` counts upgrades that were asked for.
    """

    refused = 0

    async def __aenter__(self) -> Self:
        self._server = await asyncio.start_server(
            self._refuse, "127.0.0.1", 0, limit=HEAD_BYTES_MAX
        )
        self.port: int = self._server.sockets[0].getsockname()[1]
        return self

    async def __aexit__(self, *exc: object) -> None:
        self._server.close()

    async def _refuse(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(asyncio.IncompleteReadError, ConnectionError):
            head = await reader.readuntil(b"\r\n\r\n")
            self.refused += b"upgrade: websocket" in head.lower()
            writer.write(ANSWER)
            await writer.drain()
        writer.close()
