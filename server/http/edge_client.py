"""An edge's line to the rooms' process (回源): positions and pages of public channels.

Invariant: whatever goes wrong is ``OwnerAway``, after ``ASK_S_MAX`` at the latest, and what comes
is checked for shape before it is believed.
"""

from typing import Any, Self, TypeVar
from urllib.parse import urlsplit

import aiohttp
import msgspec

from server.http.edge_door import HEADS_PATH, SECRET_HEADER
from server.http.wire import MSGPACK
from signaling.gateway import Event

ASK_S_MAX = 3.0
T = TypeVar("T")


class OwnerAway(Exception):
    """No answer, or none that can be used."""


class HeadsTold(msgspec.Struct, frozen=True):
    """``heads``: rooms that changed, with the last seq of their public channel."""

    boot: str
    version: int
    epoch: int
    heads: dict[str, int]


class _Page(msgspec.Struct, frozen=True):
    epoch: int
    events: list[tuple[int, int, str, msgspec.Raw, bytes]]


class OwnerLine:
    """Use as ``async with OwnerLine(...) as owner``. ``base``: the owner's pages listener."""

    def __init__(self, base: str, *, origin: str, secret: str) -> None:
        self._base = base
        self._headers = {
            "Host": urlsplit(origin).netloc,
            "Accept": MSGPACK,
            SECRET_HEADER: secret,
        }
        self._session: aiohttp.ClientSession | None = None

    async def __aenter__(self) -> Self:
        self._session = aiohttp.ClientSession(
            base_url=self._base,
            headers=self._headers,
            timeout=aiohttp.ClientTimeout(total=ASK_S_MAX),
        )
        return self

    async def __aexit__(self, *exc: object) -> None:
        assert self._session is not None
        await self._session.close()

    async def heads(self, boot: str, version: int) -> HeadsTold:
        """What changed since. Raises OwnerAway."""
        return await self._ask(HEADS_PATH, HeadsTold, boot=boot, version=version)

    async def page(
        self, room: str, audience: str, epoch: int, after: int, limit: int
    ) -> list[Event]:
        """Durable events after ``after`` of ``epoch``, dense. Raises OwnerAway, also when the
        owner knows another epoch by now.
        """
        page = await self._ask(
            f"/rooms/{room}/events",
            _Page,
            audience=audience,
            epoch=epoch,
            after=after,
            wait_ms=0,
        )
        events = [Event(*row[:3], bytes(row[3]), row[4]) for row in page.events[:limit]]
        is_dense = all(event.seq == after + n for n, event in enumerate(events, 1))
        if page.epoch != epoch or not is_dense:
            raise OwnerAway(f"{room}: epoch {page.epoch}, not {epoch}, or not dense")
        return events

    async def _ask(self, path: str, shape: type[T], **query: Any) -> T:
        assert self._session is not None
        try:
            async with self._session.get(path, params=query) as response:
                raw = await response.read()
                if response.status != 200:
                    raise OwnerAway(f"{path}: {response.status}")
        except (aiohttp.ClientError, OSError, TimeoutError) as error:
            raise OwnerAway(f"{path}: {type(error).__name__}") from None
        try:
            return msgspec.msgpack.decode(raw, type=shape)
        except msgspec.DecodeError as error:
            raise OwnerAway(f"{path}: {error}") from None
