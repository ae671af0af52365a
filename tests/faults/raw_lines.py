"""Commands put on the wire by hand, so that a test knows when their bytes were with the kernel."""

import asyncio
from dataclasses import dataclass
from typing import Any

import msgpack
from yarl import URL

from crypto.ack import Ack, parse_ack
from server.demo.people import now_ms
from signaling.client import CommandRefused
from tests.faults.steady_people import Steady

ANSWER_S_MAX = 30.0


@dataclass
class Sent:
    """One command: when its bytes were surely with the kernel, and what became of it."""

    begun_ms: int
    sent_ms: int
    ok: bool = False
    code: str = ""
    ack: Ack | None = None

    @property
    def received_ms(self) -> int:
        """What the server promised, or judged by."""
        assert self.ack is not None
        return self.ack.server_ms


def judged(begun_ms: int, sent_ms: int, ok: bool, code: str, told: dict[str, Any]) -> Sent:
    acks = told.get("acks", [])
    return Sent(begun_ms, sent_ms, ok, code, parse_ack(acks[0]) if acks else None)


async def by_socket(person: Steady, room: str, op: str, args: dict[str, Any]) -> Sent:
    """Over the person's WebSocket; written at once."""
    assert person.client is not None
    begun_ms = now_ms()
    asked = asyncio.ensure_future(person.client.command(room, op, args))
    await asyncio.sleep(0)  # the task writes in its first step
    sent_ms = now_ms()
    try:
        async with asyncio.timeout(ANSWER_S_MAX):
            return judged(begun_ms, sent_ms, True, "", await asked)
    except CommandRefused as refused:
        return judged(begun_ms, sent_ms, False, refused.code, refused.detail)


class HttpLine:
    """A connection to the pages, opened before it is needed. ``post`` writes in one go."""

    def __init__(self, person: Steady) -> None:
        self._person = person

    async def open(self) -> "HttpLine":
        host, port = self._person.base.removeprefix("http://").split(":")
        self._reader, self._writer = await asyncio.open_connection(host, int(port))
        return self

    def close(self) -> None:
        self._writer.close()

    async def post(self, room: str, op: str, args: dict[str, Any]) -> Sent:
        body: bytes = msgpack.packb(
            {"cmd_id": f"{self._person.person.person}-{now_ms()}", "op": op, "args": args}
        )
        cookies = self._person.http.session.cookie_jar.filter_cookies(URL(self._person.base))
        shown = "; ".join(f"{name}={cookie.value}" for name, cookie in cookies.items())
        head = (
            f"POST /rooms/{room}/commands HTTP/1.1",
            f"Host: {self._person.base.removeprefix('http://')}",
            f"Origin: {self._person.base}",
            f"Cookie: {shown}",
            "Content-Type: application/msgpack",
            f"Content-Length: {len(body)}",
            "Connection: close",
        )
        begun_ms = now_ms()
        self._writer.write("\r\n".join(head).encode() + b"\r\n\r\n" + body)
        sent_ms = now_ms()
        async with asyncio.timeout(ANSWER_S_MAX):
            raw = await self._reader.read(-1)
        self._writer.close()
        status, _, rest = raw.partition(b"\r\n")
        told = msgpack.unpackb(rest.partition(b"\r\n\r\n")[2])
        if b" 200 " in status:
            return judged(begun_ms, sent_ms, True, "", told["result"])
        return judged(begun_ms, sent_ms, False, told["code"], told["detail"])
