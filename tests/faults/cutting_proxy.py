"""A network that fails (断网代理): a TCP proxy that cuts each line after a random number of bytes,
or of seconds when nobody has anything to say.

The last bytes before a cut arrive, so a frame is cut in its middle as often as not. Invariant:
while it cuts, no line lives on, so the number of cuts grows whatever is said.
"""

import asyncio
import random
from typing import Self


class CuttingProxy:
    """Use ``async with``. ``port`` is where clients connect; ``cuts`` how often a line was cut.

    A line carries up to one of ``bytes_max`` bytes each way, and is quiet for ``quiet_s_max``.
    """

    def __init__(
        self,
        target_port: int,
        chance: random.Random,
        bytes_max: tuple[int, ...],
        quiet_s_max: float,
    ) -> None:
        self._target_port = target_port
        self._chance = chance
        self._bytes_max = bytes_max
        self._quiet_s_max = quiet_s_max
        self.cuts = 0
        self.is_cutting = True

    async def __aenter__(self) -> Self:
        self._server = await asyncio.start_server(self._carry, "127.0.0.1", 0)
        self.port: int = self._server.sockets[0].getsockname()[1]
        return self

    async def __aexit__(self, *exc: object) -> None:
        self._server.close()

    async def _carry(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            far_reader, far_writer = await asyncio.open_connection("127.0.0.1", self._target_port)
        except OSError:
            writer.transport.abort()
            return
        ways = ((reader, far_writer), (far_reader, writer))
        most = self._chance.choice(self._bytes_max)
        limits = [self._chance.randrange(1, most) for _ in ways]
        flows = [
            asyncio.ensure_future(self._flow(*way, limit))
            for way, limit in zip(ways, limits, strict=True)
        ]
        done, pending = await asyncio.wait(flows, return_when=asyncio.FIRST_COMPLETED)
        self.cuts += any(flow.result() for flow in done)
        for flow in pending:
            flow.cancel()
        writer.transport.abort()
        far_writer.transport.abort()

    async def _flow(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, limit: int
    ) -> bool:
        """Carries one way; True when it is to be cut."""
        carried = 0
        try:
            while piece := await self._read(reader):
                if self.is_cutting and carried + len(piece) >= limit:
                    writer.write(piece[: max(0, limit - carried)])
                    await writer.drain()
                    return True
                carried += len(piece)
                writer.write(piece)
                await writer.drain()
        except TimeoutError:
            return True
        except ConnectionError:
            pass
        return False

    async def _read(self, reader: asyncio.StreamReader) -> bytes:
        """What comes next. ``TimeoutError``: nothing for as long as this line is quiet."""
        quiet_s = self._chance.uniform(0.1, 1) * self._quiet_s_max
        while True:
            try:
                async with asyncio.timeout(quiet_s):
                    return await reader.read(65536)
            except TimeoutError:
                if self.is_cutting:
                    raise
