"""A full hall under attack: every attempt has its stable code, leaves nothing behind that should
not be there, and costs neither the connection nor the hall.
"""

import asyncio
from collections import Counter
from collections.abc import Awaitable, Iterable
from dataclasses import dataclass
from typing import Any

import apsw
import pytest

from server.http.client import HallRefused
from signaling.client import CommandRefused
from signaling.client_wire import Loss, open_wire
from signaling.codec import pack, unpack_server_frame
from tests.faults.casts import Cast
from tests.faults.steady_people import Steady, SteadyBidder

# Rooms write these by themselves, at their own time.
BY_ITSELF = frozenset({"sign_in_opened", "checkpoint_reached", "store_checked", "deadline_changed"})
BY_ITSELF |= {"deadline_moved", "window_ended", "body_decided"}


@dataclass
class Arena:
    """A cast, and the books of its site as they lie on the disk."""

    cast: Cast
    withdrawn: SteadyBidder | None = None  # somebody whose bid does not count any more

    def rows(self) -> Counter[str]:
        """How many events of each kind all streams hold, but those that come by themselves."""
        path = str(self.cast.site.data / "journal" / "journal.db")
        connection = apsw.Connection(path, flags=apsw.SQLITE_OPEN_READONLY)
        try:
            counted = connection.execute("SELECT type, count(*) FROM event GROUP BY type")
            return Counter({t: n for t, n in counted.fetchall() if t not in BY_ITSELF})
        finally:
            connection.close()

    async def refused(
        self, code: str, asked: Awaitable[Any], *, leaves: Iterable[str] = ()
    ) -> dict[str, Any]:
        """Awaits what must be refused with this code, and leaves these events: its detail."""
        before = self.rows()
        with pytest.raises((CommandRefused, HallRefused)) as caught:
            await asked
        assert caught.value.code == code, (caught.value.code, caught.value.detail)
        assert self.rows() - before == Counter(leaves)
        return dict(caught.value.detail)

    async def assert_sound(self) -> None:
        """It lives, answers, and has had no trouble."""
        await self.cast.host.http.get("/tenders")
        assert self.cast.site.alive
        assert "Traceback" not in self.cast.site.said(), self.cast.site.said()[-3000:]


class RawSocket:
    """A WebSocket that says what it likes, and keeps what it hears."""

    def __init__(self, base: str, ws_port: int) -> None:
        self._base = base
        self._url = f"ws://127.0.0.1:{ws_port}/ws"
        self.frames: list[Any] = []
        self._came = asyncio.Event()

    async def open(self, ticket: str | None, *, origin: str | None = None) -> "RawSocket":
        self._wire = await open_wire(self._url, origin or self._base, tls=None, timeout_s=10)
        self._wire.on_message = self._hear
        self.send(["hello", 1, ticket, []])
        return self

    def send(self, frame: list[Any]) -> None:
        self.send_raw(pack(frame))

    def send_raw(self, payload: bytes) -> None:
        self._wire.send(payload)

    async def until(self, tag: str, count: int = 1) -> list[Any]:
        """Frames of this kind, once there are so many."""
        async with asyncio.timeout(20):
            while True:
                found = [frame for frame in self.frames if frame[0] == tag]
                if len(found) >= count:
                    return found
                await self.stirred()

    async def stirred(self) -> None:
        """Until something comes."""
        self._came.clear()
        await self._came.wait()

    async def lost(self) -> Loss:
        async with asyncio.timeout(20):
            return await self._wire.lost

    def close(self) -> None:
        self._wire.abort()

    def _hear(self, payload: bytes) -> None:
        self.frames.append(unpack_server_frame(payload))
        self._came.set()


async def socket_of(arena: Arena, person: Steady) -> RawSocket:
    """A welcomed one."""
    site = arena.cast.site
    raw = await RawSocket(site.base, site.ready["ws_port"]).open(await person.ticket())
    await raw.until("welcome")
    return raw


async def raw_answer(arena: Arena, person: Steady, room: str, op: str, args: Any) -> str:
    """What a socket of its own is told: a command's code, why the line was ended, "" for yes."""
    raw = await socket_of(arena, person)
    raw.send(["cmd", 1, f"raw-{person.person.person}-{op}", room, op, args])
    async with asyncio.timeout(20):
        while True:
            for frame in raw.frames:
                if frame[0] in ("ok", "err", "bye"):
                    raw.close()
                    return str({"ok": "", "err": frame[3], "bye": frame[2]}[frame[0]])
            await raw.stirred()


async def stored_bid(bidder: SteadyBidder, price: str = "71000000.00") -> list[Any]:
    """Sealed and uploaded, not submitted."""
    await bidder.read_rules()
    sealed = bidder.seal({"price": price, "days": 160, "manager": "何川"}, b"technical")
    for one in sealed:
        await bidder.http.store_steadily(bidder.room_id, one)
    return sealed
