"""A client of the HTTP side (客户端): for the rehearsal's people, load tests, tools and tests.

Invariant: a refusal becomes ``HallRefused`` with the server's code, whatever the address. It sends
the site's Origin with everything, as the door asks of whoever carries a session (``guard``).
"""

import asyncio
import uuid
from collections.abc import Mapping
from pathlib import Path
from types import TracebackType
from typing import Any, Self
from urllib.parse import urlsplit

import aiohttp
import msgspec

from crypto.header import parse_header
from crypto.keys import SigningKey
from server.http.client_answers import HallRefused, raise_refusal, read_value
from server.http.client_uploads import PIECE_SIZE, Progress, Uploads, size_of
from server.http.login_message import login_message
from server.http.wire import MSGPACK

__all__ = ["HallHttp", "HallRefused"]


class HallHttp:
    """One person's connection to a hall. Use as ``async with HallHttp(url) as hall``."""

    def __init__(self, base: str, *, origin: str | None = None, timeout_s: float = 60.0) -> None:
        """``origin``: the site's public origin where it is not ``base`` itself."""
        parts = urlsplit(base)
        self.base = f"{parts.scheme}://{parts.netloc}"
        self.origin = origin or self.base
        self._timeout = aiohttp.ClientTimeout(total=None, sock_connect=10, sock_read=timeout_s)
        self._session: aiohttp.ClientSession | None = None

    async def __aenter__(self) -> Self:
        self._session = aiohttp.ClientSession(
            base_url=self.base,
            headers={"Origin": self.origin},
            cookie_jar=aiohttp.CookieJar(unsafe=True),  # a hall may have no name but an address
            timeout=self._timeout,
        )
        return self

    @property
    def session(self) -> aiohttp.ClientSession:
        """The connection underneath, with the cookies of this person."""
        assert self._session is not None, "use as: async with HallHttp(...)"
        return self._session

    @property
    def uploads(self) -> Uploads:
        """tus, step by step; ``store`` takes all of them."""
        return Uploads(self.session)

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        await self.session.close()

    # ---- who

    async def bootstrap(self) -> dict[str, Any]:
        return await self.get("/bootstrap.json")

    async def login(self, key: SigningKey) -> dict[str, Any]:
        """Answers a challenge; the session stays in the cookie jar. Who I am now."""
        public = key.public.hex()
        given = await self.post("/auth/challenge", {"public": public})
        question, expiry_ms = bytes.fromhex(given["challenge"]), given["expiry_ms"]
        message = login_message(self.origin, question, expiry_ms, key.public)
        answer = {
            "public": public,
            "challenge": given["challenge"],
            "expiry_ms": expiry_ms,
            "signature": key.sign(message).hex(),
        }
        return (await self.post("/auth/login", answer))["me"]

    async def logout(self) -> None:
        await self.post("/auth/logout")

    async def me(self) -> dict[str, Any]:
        return await self.get("/auth/me")

    async def ticket(self) -> str:
        """For one WebSocket hello."""
        return (await self.post("/auth/ticket"))["ticket"]

    # ---- rooms

    async def command(
        self, room: str, op: str, args: Mapping[str, Any], *, cmd_id: str | None = None
    ) -> Any:
        """A command over HTTP, in msgpack: bytes are bytes. Its result, or HallRefused."""
        asked = {"cmd_id": cmd_id or uuid.uuid4().hex, "op": op, "args": args}
        answer = await self.request(
            "POST",
            f"/rooms/{room}/commands",
            data=msgspec.msgpack.encode(asked),
            headers={"Content-Type": MSGPACK},
        )
        return answer["result"]

    async def events(
        self, room: str, audience: str, *, epoch: int = 0, after: int = 0, wait_ms: int = 0
    ) -> dict[str, Any]:
        """{epoch, server_ms, events: [[seq, server_ms, type, body, hash]]}, in msgpack."""
        query = {"audience": audience, "epoch": epoch, "after": after, "wait_ms": wait_ms}
        return await self.request(
            "GET", f"/rooms/{room}/events", params=query, headers={"Accept": MSGPACK}
        )

    async def register(
        self, tender: str, bidder_pk: bytes, bidder_xpk: bytes, expiry_ms: int, sig: bytes
    ) -> Any:
        """Registers the bidder's keys for a tender."""
        args = {
            "bidder_pk": bidder_pk,
            "bidder_xpk": bidder_xpk,
            "expiry_ms": expiry_ms,
            "sig": sig,
        }
        return await self.command(f"tender:{tender}", "register", args)

    async def submit(self, tender: str, message: bytes) -> Any:
        """A SUBMIT or WITHDRAW: {seq, acks}."""
        return await self.command(f"tender:{tender}", "submit", {"message": message})

    # ---- tenders, log, openings

    async def tenders(self) -> list[dict[str, Any]]:
        return (await self.get("/tenders"))["tenders"]

    async def manifest(self, tender: str) -> tuple[bytes, bytes]:
        """(manifest.json, manifest.sig.json), verbatim."""
        return (
            await self.read(f"/tenders/{tender}/manifest.json"),
            await self.read(f"/tenders/{tender}/manifest.sig.json"),
        )

    async def mine(self, tender: str) -> dict[str, Any]:
        return await self.get(f"/tenders/{tender}/mine")

    async def checkpoint(self) -> str:
        return (await self.read("/log/checkpoint")).decode()

    async def consistency(self, from_size: int, to_size: int) -> dict[str, Any]:
        return await self.get(f"/log/consistency?from={from_size}&to={to_size}")

    async def closed_list(self, opening: str) -> list[str]:
        return (await self.get(f"/openings/{opening}/closed.json"))["submits"]

    async def closed_path(self, opening: str, submit_sha256: bytes) -> dict[str, Any]:
        return await self.get(f"/openings/{opening}/closed-path?sha256={submit_sha256.hex()}")

    async def sealed_bid(self, opening: str, start: bytes) -> dict[str, Any]:
        return await self.get(f"/openings/{opening}/sealed-bid?bid_id_start={start.hex()}")

    async def proofs(self, opening: str) -> dict[str, Any]:
        return await self.get(f"/openings/{opening}/proofs")

    async def envelopes(self, opening: str, size: int = 0) -> dict[str, Any]:
        return await self.get(f"/openings/{opening}/envelopes?size={size}")

    async def halves(self, opening: str) -> dict[str, str]:
        return (await self.get(f"/openings/{opening}/halves"))["halves"]

    async def demo_people(self) -> dict[str, Any]:
        return await self.get("/demo/people.json")

    async def bundle(self, opening: str, into: Path) -> int:
        """Downloads opening.zip into a file: its size."""
        async with self.session.get(f"/openings/{opening}/opening.zip") as response:
            await raise_refusal(response)
            size = 0
            with into.open("wb") as file:
                async for piece in response.content.iter_chunked(PIECE_SIZE):
                    size += await asyncio.to_thread(file.write, piece)
            return size

    # ---- uploads

    async def store(
        self, tender: str, header: bytes, payload: bytes | Path, *, progress: Progress | None = None
    ) -> str:
        """Uploads a whole envelope, payload first: its bid_id in hex. It still wants a SUBMIT."""
        core, size = parse_header(header).core, size_of(payload)
        location = await self.uploads.create(tender, core, size)
        await self.uploads.send(location, payload, progress=progress)
        return await self.uploads.put_header(location, header)

    # ---- anything

    async def request(self, method: str, path: str, **options: Any) -> Any:
        """Any address: the decoded body, or HallRefused. ``options`` are aiohttp's."""
        async with self.session.request(method, path, **options) as response:
            await raise_refusal(response)
            return await read_value(response)

    async def get(self, path: str) -> Any:
        return await self.request("GET", path)

    async def post(self, path: str, value: Mapping[str, Any] | None = None) -> Any:
        return await self.request("POST", path, json=value)

    async def read(self, path: str) -> bytes:
        """The body of a GET as it is."""
        async with self.session.get(path) as response:
            await raise_refusal(response)
            return await response.read()
