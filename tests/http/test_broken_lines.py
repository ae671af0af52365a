"""Lines that are cut, fall silent, drip or double while a payload is on its way."""

import asyncio
from contextlib import suppress

import pytest

from server.http.client import HallHttp
from server.http.settings import Limits
from server.http.tus import format_metadata
from tests.http.site import Site, refused
from tests.http.small_hall import TENDER, sealed

TUS = {"Tus-Resumable": "1.0.0"}
PATCH = {**TUS, "Content-Type": "application/offset+octet-stream"}
BODY = sealed()
SIZE = len(BODY.payload)


async def begun(hall: HallHttp) -> str:
    return await hall.uploads.create(TENDER, BODY.header.core, SIZE)


class Line:
    """A PATCH on a socket of its own, of which the test decides every byte."""

    def __init__(self, site: Site, hall: HallHttp) -> None:
        self._port = site.port
        cookies = hall.session.cookie_jar
        token = next(iter(cookies)).value
        self._lines = (
            f"Host: 127.0.0.1:{site.port}\r\nOrigin: {site.url}\r\nCookie: sid={token}\r\n"
        )

    async def patch(self, location: str, offset: int, length: int) -> None:
        self.reader, self.writer = await asyncio.open_connection("127.0.0.1", self._port)
        self.writer.write(
            f"PATCH {location} HTTP/1.1\r\n{self._lines}Tus-Resumable: 1.0.0\r\n"
            f"Content-Type: application/offset+octet-stream\r\n"
            f"Upload-Offset: {offset}\r\nContent-Length: {length}\r\n\r\n".encode()
        )

    async def send(self, data: bytes) -> None:
        self.writer.write(data)
        await self.writer.drain()

    async def answer(self) -> bytes:
        """Everything until the server ends the line; empty where it was cut."""
        data = b""
        with suppress(ConnectionError):
            while piece := await self.reader.read(65536):
                data += piece
        return data

    async def close(self) -> None:
        self.writer.close()
        with suppress(ConnectionError):
            await self.writer.wait_closed()


async def until(condition) -> None:
    """Waits for what another task of the same loop is about to bring about."""
    async with asyncio.timeout(10):
        while not condition():  # noqa: ASYNC110 (it has no event of its own)
            await asyncio.sleep(0.005)


def writer_of(site: Site, location: str):
    return site.front.uploads._writers.get(location.rsplit("/", 1)[1])


def taken(site: Site, location: str) -> int:
    return site.blobs.upload(location.rsplit("/", 1)[1]).offset


async def test_what_came_before_the_line_was_cut_is_kept(site: Site):
    async with site.person("bidder-a") as hall:
        location = await begun(hall)
        line = Line(site, hall)
        await line.patch(location, 0, SIZE)
        await line.send(BODY.payload[:40_000])
        await until(lambda: taken(site, location) == 40_000)
        line.writer.transport.abort()
        await until(lambda: writer_of(site, location) is None)
        assert await hall.uploads.offset(location) == 40_000
        await hall.uploads.send(location, BODY.payload)
        assert await hall.uploads.put_header(location, BODY.header.raw) == BODY.header.bid_id.hex()
        await line.close()


async def test_a_second_writer_waits_while_the_first_is_sending(site: Site):
    async with site.person("bidder-a") as hall:
        location = await begun(hall)
        line = Line(site, hall)
        await line.patch(location, 0, SIZE)
        await line.send(BODY.payload[:1000])
        await until(lambda: taken(site, location) == 1000)
        error = await refused("upload.busy", hall.uploads.patch(location, BODY.payload, 0, 10))
        assert (error.status, error.retryable) == (423, True)
        await refused("upload.busy", hall.uploads.drop(location))
        await line.send(BODY.payload[1000:])
        await until(lambda: writer_of(site, location) is None)
        assert await hall.uploads.offset(location) == SIZE
        await line.close()


@pytest.mark.parametrize("by", ["head", "patch", "delete"])
async def test_a_device_that_comes_back_displaces_its_own_dead_line(open_a_site, by: str):
    site: Site = await open_a_site(limits=Limits(takeover_after_s=0.05))
    async with site.person("bidder-a") as hall:
        location = await begun(hall)
        line = Line(site, hall)
        await line.patch(location, 0, SIZE)
        await line.send(BODY.payload[:1000])
        await until(lambda: taken(site, location) == 1000)
        writer = writer_of(site, location)
        await until(lambda: writer.body.silent_s() > 0.05)
        if by == "delete":
            await hall.uploads.drop(location)
        elif by == "head":
            assert await hall.uploads.offset(location) == 1000
        else:
            error = await refused(
                "upload.offset", hall.uploads.patch(location, BODY.payload, 0, 10)
            )
            assert error.detail == {"durable": 1000}
        assert await line.answer() == b""
        if by != "delete":
            await hall.uploads.send(location, BODY.payload)
            assert await hall.uploads.put_header(location, BODY.header.raw)
        await line.close()


async def test_a_line_that_sends_nothing_is_sent_away(open_a_site):
    site: Site = await open_a_site(limits=Limits(read_within_s=0.1, lingering_s=0.1))
    async with site.person("bidder-a") as hall:
        location = await begun(hall)
        line = Line(site, hall)
        await line.patch(location, 0, SIZE)
        await line.send(BODY.payload[:1000])
        answer = await line.answer()
        assert answer.startswith(b"HTTP/1.1 408")
        assert b'"upload.slow"' in answer
        assert await hall.uploads.offset(location) == 1000
        await line.close()


async def test_a_line_that_drips_is_sent_away(open_a_site):
    site: Site = await open_a_site(limits=Limits(slow_window_s=0.1, lingering_s=0.1))
    async with site.person("bidder-a") as hall:
        location = await begun(hall)
        line = Line(site, hall)
        await line.patch(location, 0, SIZE)
        answer = asyncio.ensure_future(line.answer())
        with suppress(ConnectionError):
            while not answer.done():
                await line.send(b"\0")
                await asyncio.sleep(0.01)
        assert (await answer).startswith(b"HTTP/1.1 408")
        await line.close()


async def test_slow_bytes_inside_a_creation_leave_no_orphan(open_a_site):
    site: Site = await open_a_site(limits=Limits(read_within_s=0.1, lingering_s=0.1))

    async def stuck():
        yield BODY.payload[:1000]
        await asyncio.sleep(5)

    metadata = format_metadata({"tender": TENDER.encode(), "core": BODY.header.core})
    async with site.person("bidder-a") as hall:
        headers = {**PATCH, "Upload-Length": str(SIZE), "Upload-Metadata": metadata}
        await refused(
            "upload.slow", hall.request("POST", "/uploads", headers=headers, data=stuck())
        )
    assert site.blobs.uploads() == []
