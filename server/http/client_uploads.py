"""The uploading half of a client (上传客户端): tus 1.0.0, with everything a bad line asks for.

Invariant: an upload that is interrupted carries on from the offset that the server holds durably,
and is given up only when several attempts in a row brought nothing.
"""

import asyncio
import io
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import BinaryIO, Final

import aiohttp

from server.http.client_answers import HallRefused, raise_refusal, read_value
from server.http.tus import PATCH_TYPE, TUS_VERSION, format_metadata

PATCH_SIZE: Final = 8 << 20
PIECE_SIZE: Final = 256 << 10
ATTEMPTS_MAX: Final = 6  # in a row, without a byte of progress
RETRY_S: Final = 0.2
TUS: Final = {"Tus-Resumable": TUS_VERSION}

Progress = Callable[[int, int], None]  # (durable, size)


class Uploads:
    """The uploads of one logged-in bidder; ``location`` is the path of an upload."""

    def __init__(self, session: aiohttp.ClientSession) -> None:
        self._session = session

    async def create(self, tender: str, core: bytes, size: int) -> str:
        """Announces a payload of ``size`` bytes: its location."""
        named = {"tender": tender.encode(), "core": core}
        headers = {**TUS, "Upload-Length": str(size), "Upload-Metadata": format_metadata(named)}
        async with self._session.post("/uploads", headers=headers) as response:
            await raise_refusal(response)
            return response.headers["Location"]

    async def offset(self, location: str) -> int:
        """How many bytes are durable."""
        async with self._session.head(location, headers=TUS) as response:
            await raise_refusal(response)
            return int(response.headers["Upload-Offset"])

    async def send(
        self,
        location: str,
        payload: bytes | Path,
        *,
        patch_size: int = PATCH_SIZE,
        progress: Progress | None = None,
    ) -> None:
        """Sends what is missing, carrying on after cut lines and busy answers."""
        size, failures = size_of(payload), 0
        offset = await self.offset(location)
        while offset < size:
            try:
                length = min(patch_size, size - offset)
                after = await self.patch(location, payload, offset, length)
            except (aiohttp.ClientError, TimeoutError, HallRefused) as error:
                failures += 1
                is_final = isinstance(error, HallRefused) and not error.retryable
                if is_final or failures >= ATTEMPTS_MAX:
                    raise
                await asyncio.sleep(RETRY_S * 2**failures)
                after = await self.offset(location)
            if after > offset:
                failures = 0
            offset = after
            if progress is not None:
                progress(offset, size)

    async def patch(self, location: str, payload: bytes | Path, offset: int, length: int) -> int:
        """One PATCH: the durable offset after it."""
        headers = {
            **TUS,
            "Content-Type": PATCH_TYPE,
            "Upload-Offset": str(offset),
            "Content-Length": str(length),
        }
        # Opened here: a generator that a cut line leaves behind would keep its file open.
        with _opened(payload) as source:
            data = _pieces(source, offset, length)
            async with self._session.patch(location, headers=headers, data=data) as response:
                await raise_refusal(response)
                return int(response.headers["Upload-Offset"])

    async def put_header(self, location: str, header: bytes) -> str:
        """The whole header: the upload becomes an envelope with this bid_id, in hex."""
        async with self._session.put(f"{location}/header", data=header) as response:
            await raise_refusal(response)
            return (await read_value(response))["bid_id"]

    async def drop(self, location: str) -> None:
        """Gives an upload up."""
        async with self._session.delete(location, headers=TUS) as response:
            await raise_refusal(response)


def size_of(payload: bytes | Path) -> int:
    """Bytes of a payload, in memory or in a file."""
    return len(payload) if isinstance(payload, bytes) else payload.stat().st_size


def _opened(payload: bytes | Path) -> BinaryIO:
    return io.BytesIO(payload) if isinstance(payload, bytes) else payload.open("rb")


async def _pieces(source: BinaryIO, offset: int, length: int) -> AsyncIterator[bytes]:
    source.seek(offset)
    while length > 0 and (piece := await asyncio.to_thread(_read, source, length)):
        length -= len(piece)
        yield piece


def _read(file: BinaryIO, length: int) -> bytes:
    return file.read(min(PIECE_SIZE, length))
