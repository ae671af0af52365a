"""The client over a line that keeps breaking."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress

import pytest

from loadtests.ports import free_port
from server.http import client_uploads
from server.http.client import HallHttp, HallRefused
from tests.http.site import Site, refused
from tests.http.small_hall import PEOPLE, TENDER, sealed

BODY = sealed(size=1 << 20)


@asynccontextmanager
async def breaking_line(port: int, to_port: int, cuts: list[int]) -> AsyncIterator[None]:
    """Relays connections; those that carry an upload are cut after so many bytes, in turn."""

    async def relay(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        up_reader, up_writer = await asyncio.open_connection("127.0.0.1", to_port)

        async def forward() -> None:
            sent, limit = 0, None
            while data := await reader.read(16_384):
                if data.startswith(b"PATCH") and cuts:
                    sent, limit = 0, cuts.pop(0)
                sent += len(data)
                if limit is not None and sent > limit:
                    writer.transport.abort()
                    break
                up_writer.write(data)
                await up_writer.drain()
                await asyncio.sleep(0.001)  # a line, not a memory copy: the other end reads along
            up_writer.close()

        async def back() -> None:
            while data := await up_reader.read(16_384):
                writer.write(data)
                await writer.drain()
            writer.close()

        with suppress(ConnectionError):
            await asyncio.gather(forward(), back())
        for each in (writer, up_writer):
            each.close()
            with suppress(ConnectionError):
                await each.wait_closed()

    server = await asyncio.start_server(relay, "127.0.0.1", port)
    try:
        yield
    finally:
        server.close()
        await server.wait_closed()


@pytest.fixture(autouse=True)
def quick_retries(monkeypatch):
    monkeypatch.setattr(client_uploads, "RETRY_S", 0.01)


async def test_an_upload_gets_through_a_line_that_breaks_again_and_again(open_a_site):
    port, cuts = free_port(), [300_000, 100_000, 0, 200_000]
    site: Site = await open_a_site(hosts=frozenset({f"127.0.0.1:{port}"}))
    seen: list[int] = []
    async with (
        breaking_line(port, site.port, cuts),
        HallHttp(f"http://127.0.0.1:{port}", origin=site.url) as hall,
    ):
        await hall.login(PEOPLE["bidder-a"][0])
        bid_id = await hall.store(
            TENDER, BODY.header.raw, BODY.payload, progress=lambda at, _: seen.append(at)
        )
    assert cuts == []
    assert bid_id == BODY.header.bid_id.hex()
    assert site.blobs.path(BODY.header.bid_id).read_bytes() == BODY.payload
    # What came before each cut was kept: the offset never went back.
    assert seen == sorted(seen)
    assert any(0 < at < len(BODY.payload) for at in seen)


async def test_a_client_gives_up_when_nothing_gets_through(open_a_site):
    port, cuts = free_port(), [0] * 99
    site: Site = await open_a_site(hosts=frozenset({f"127.0.0.1:{port}"}))
    async with (
        breaking_line(port, site.port, cuts),
        HallHttp(f"http://127.0.0.1:{port}", origin=site.url) as hall,
    ):
        await hall.login(PEOPLE["bidder-a"][0])
        with pytest.raises(OSError):  # noqa: PT011 (whatever way a line breaks)
            await hall.store(TENDER, BODY.header.raw, BODY.payload)
    assert len(cuts) == 99 - client_uploads.ATTEMPTS_MAX


async def test_what_is_final_is_not_tried_again(site: Site):
    async with site.person("bidder-a") as hall:
        location = await hall.uploads.create(TENDER, BODY.header.core, len(BODY.payload))
        await hall.uploads.drop(location)
        error = await refused("upload.unknown", hall.uploads.send(location, BODY.payload))
        assert not error.retryable


async def test_an_answer_that_is_none_of_ours_is_still_a_refusal():
    async def not_ours(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"HTTP/1.1 502 Bad Gateway\r\nContent-Length: 6\r\n\r\n<html>")
        writer.close()

    server = await asyncio.start_server(not_ours, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    async with HallHttp(f"http://127.0.0.1:{port}") as hall:
        with pytest.raises(HallRefused) as caught:
            await hall.tenders()
    assert (caught.value.status, caught.value.code) == (502, "http.502")
    server.close()
    await server.wait_closed()
