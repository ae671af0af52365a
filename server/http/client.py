"""A client of the HTTP side (客户端): for the rehearsal's people, load tests, tools and tests.

Invariant: a refusal becomes ``HallRefused`` with the server's code, whatever the address; an upload
that is interrupted carries on from the offset that the server holds durably, and gives up only when
several attempts in a row brought nothing.
"""

import asyncio
import uuid
from collections.abc import Callable, Mapping
from pathlib import Path
from types import TracebackType
from typing import Any, BinaryIO, Final, Self
from urllib.parse import urlsplit

import aiohttp
import msgspec

from crypto.header import parse_header
from crypto.keys import SigningKey
from server.http.login_message import login_message
from server.http.refusals import CODE_HEADER, RETRY_AFTER_S
from server.http.tus import PATCH_TYPE, TUS_VERSION, format_metadata
from server.http.wire import MSGPACK

PATCH_SIZE: Final = 8 << 20
PIECE_SIZE: Final = 256 << 10
ATTEMPTS_MAX: Final = 6  # in a row, without a byte of progress
RETRY_S: Final = 0.2
TUS: Final = {"Tus-Resumable": TUS_VERSION}


class HallRefused(Exception):
    """The server said no. ``code`` is stable, ``retryable`` says whether later may be better."""

    def __init__(self, status: int, code: str, retryable: bool, detail: Mapping[str, Any]) -> None:
        super().__init__(f"{status} {code} {dict(detail)}")
        self.status = status
        self.code = code
        self.retryable = retryable
        self.detail = detail


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

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        await self.session.close()

    # ---- who

    async def bootstrap(self) -> dict[str, Any]:
        return await self._get("/bootstrap.json")

    async def login(self, key: SigningKey) -> dict[str, Any]:
        """Answers a challenge; the session stays in the cookie jar. Who I am now."""
        public = key.public.hex()
        given = await self._post("/auth/challenge", {"public": public})
        question, expiry_ms = bytes.fromhex(given["challenge"]), given["expiry_ms"]
        message = login_message(self.origin, question, expiry_ms, key.public)
        answer = {
            "public": public,
            "challenge": given["challenge"],
            "expiry_ms": expiry_ms,
            "signature": key.sign(message).hex(),
        }
        return (await self._post("/auth/login", answer))["me"]

    async def logout(self) -> None:
        await self._post("/auth/logout", None)

    async def me(self) -> dict[str, Any]:
        return await self._get("/auth/me")

    async def ticket(self) -> str:
        """For one WebSocket hello."""
        return (await self._post("/auth/ticket", None))["ticket"]

    # ---- rooms

    async def command(
        self, room: str, op: str, args: Mapping[str, Any], *, cmd_id: str | None = None
    ) -> Any:
        """A command over HTTP, in msgpack: bytes are bytes. Its result, or HallRefused."""
        asked = {"cmd_id": cmd_id or uuid.uuid4().hex, "op": op, "args": args}
        answer = await self._request(
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
        return await self._request(
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
        return (await self._get("/tenders"))["tenders"]

    async def manifest(self, tender: str) -> tuple[bytes, bytes]:
        """(manifest.json, manifest.sig.json), verbatim."""
        return (
            await self._bytes(f"/tenders/{tender}/manifest.json"),
            await self._bytes(f"/tenders/{tender}/manifest.sig.json"),
        )

    async def mine(self, tender: str) -> dict[str, Any]:
        return await self._get(f"/tenders/{tender}/mine")

    async def checkpoint(self) -> str:
        return (await self._bytes("/log/checkpoint")).decode()

    async def consistency(self, from_size: int, to_size: int) -> dict[str, Any]:
        return await self._get(f"/log/consistency?from={from_size}&to={to_size}")

    async def closed_list(self, opening: str) -> list[str]:
        return (await self._get(f"/openings/{opening}/closed.json"))["submits"]

    async def closed_path(self, opening: str, submit_sha256: bytes) -> dict[str, Any]:
        return await self._get(f"/openings/{opening}/closed-path?sha256={submit_sha256.hex()}")

    async def proofs(self, opening: str) -> dict[str, Any]:
        return await self._get(f"/openings/{opening}/proofs")

    async def envelopes(self, opening: str) -> dict[str, Any]:
        return await self._get(f"/openings/{opening}/envelopes")

    async def halves(self, opening: str) -> dict[str, str]:
        return (await self._get(f"/openings/{opening}/halves"))["halves"]

    async def demo_people(self) -> dict[str, Any]:
        return await self._get("/demo/people.json")

    async def bundle(self, opening: str, into: Path) -> int:
        """Downloads opening.zip into a file: its size."""
        async with self._open("GET", f"/openings/{opening}/opening.zip") as response:
            await _raise_refusal(response)
            size = 0
            with into.open("wb") as file:
                async for piece in response.content.iter_chunked(PIECE_SIZE):
                    size += await asyncio.to_thread(file.write, piece)
            return size

    # ---- uploads

    async def store(
        self,
        tender: str,
        header: bytes,
        payload: bytes | Path,
        *,
        progress: Callable[[int, int], None] | None = None,
    ) -> str:
        """Uploads a whole envelope, payload first: its bid_id in hex. It still wants a SUBMIT."""
        location = await self.create_upload(tender, parse_header(header).core, _size_of(payload))
        await self.send(location, payload, progress=progress)
        return await self.put_header(location, header)

    async def create_upload(self, tender: str, core: bytes, size: int) -> str:
        """Announces a payload of ``size`` bytes: the path of its upload."""
        named = {"tender": tender.encode(), "core": core}
        headers = {
            **TUS,
            "Upload-Length": str(size),
            "Upload-Metadata": format_metadata(named),
        }
        async with self._open("POST", "/uploads", headers=headers) as response:
            await _raise_refusal(response)
            return response.headers["Location"]

    async def offset(self, location: str) -> int:
        """How many bytes of an upload are durable."""
        async with self._open("HEAD", location, headers=TUS) as response:
            await _raise_refusal(response)
            return int(response.headers["Upload-Offset"])

    async def send(
        self,
        location: str,
        payload: bytes | Path,
        *,
        patch_size: int = PATCH_SIZE,
        progress: Callable[[int, int], None] | None = None,
    ) -> None:
        """Sends what is missing, carrying on after cut lines and busy answers."""
        size, failures = _size_of(payload), 0
        offset = await self.offset(location)
        while offset < size:
            length = min(patch_size, size - offset)
            try:
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
        data = _pieces(payload, offset, length)
        async with self._open("PATCH", location, headers=headers, data=data) as response:
            await _raise_refusal(response)
            return int(response.headers["Upload-Offset"])

    async def put_header(self, location: str, header: bytes) -> str:
        """The whole header: the upload becomes an envelope with this bid_id."""
        answer = await self._request("PUT", f"{location}/header", data=header)
        return answer["bid_id"]

    async def drop_upload(self, location: str) -> None:
        async with self._open("DELETE", location, headers=TUS) as response:
            await _raise_refusal(response)

    # ---- inside

    def _open(self, method: str, path: str, **options: Any) -> Any:
        return self.session.request(method, path, **options)

    async def _request(self, method: str, path: str, **options: Any) -> Any:
        async with self._open(method, path, **options) as response:
            await _raise_refusal(response)
            raw = await response.read()
            if not raw:
                return None
            if response.content_type == MSGPACK:
                return msgspec.msgpack.decode(raw, strict=False)
            return msgspec.json.decode(raw)

    async def _get(self, path: str) -> Any:
        return await self._request("GET", path)

    async def _post(self, path: str, value: Mapping[str, Any] | None) -> Any:
        return await self._request("POST", path, json=value)

    async def _bytes(self, path: str) -> bytes:
        async with self._open("GET", path) as response:
            await _raise_refusal(response)
            return await response.read()


async def _raise_refusal(response: aiohttp.ClientResponse) -> None:
    if response.status < 400:
        return
    raw = await response.read()
    try:
        decode = msgspec.msgpack.decode if response.content_type == MSGPACK else msgspec.json.decode
        body = decode(raw) if raw else {}
    except msgspec.DecodeError:
        body = {}
    raise HallRefused(
        response.status,
        response.headers.get(CODE_HEADER) or f"http.{response.status}",
        body.get("retryable", response.status in RETRY_AFTER_S),
        body.get("detail", {}),
    )


def _size_of(payload: bytes | Path) -> int:
    return len(payload) if isinstance(payload, bytes) else payload.stat().st_size


async def _pieces(payload: bytes | Path, offset: int, length: int) -> Any:
    if isinstance(payload, bytes):
        for at in range(offset, offset + length, PIECE_SIZE):
            yield payload[at : min(at + PIECE_SIZE, offset + length)]
        return
    with payload.open("rb") as file:
        file.seek(offset)
        while length > 0 and (piece := await asyncio.to_thread(_read, file, length)):
            length -= len(piece)
            yield piece


def _read(file: BinaryIO, length: int) -> bytes:
    return file.read(min(PIECE_SIZE, length))
