"""Documents in pieces: events near the largest size, many in one turn, to quick and slow."""

import asyncio

import pytest

from tests.signaling.hall import Book, a_server, an_admitted_client

HALL = ("tender:1", "hall", 0, 0)
PIECE = "x" * (512 << 10)
PIECES = 8


@pytest.fixture
def book() -> Book:
    book = Book()
    book.open("tender:1")
    return book


async def test_pieces_told_in_one_turn_reach_a_quick_and_a_slow_viewer_whole_and_in_order(
    book: Book,
):
    async with (
        a_server(book) as server,
        an_admitted_client(server, positions=[HALL]) as slow,
        an_admitted_client(server, positions=[HALL]) as quick,
    ):
        slow.transport.pause_reading()
        for _ in range(PIECES):
            book.say(value=PIECE)
        book.say(value="the end")
        wanted = list(range(1, PIECES + 2))
        await quick.until(lambda _: quick.seqs() == wanted)
        assert slow.seqs() == []
        slow.transport.resume_reading()
        await slow.until(lambda _: slow.seqs() == wanted)
        assert server.metrics.endings == {}


async def test_whoever_comes_later_is_given_them_too(book: Book):
    for _ in range(PIECES):
        book.append("tender:1", "hall", PIECE)
    async with a_server(book) as server, an_admitted_client(server, positions=[HALL]) as late:
        async with asyncio.timeout(20):
            await late.until(lambda _: late.seqs() == list(range(1, PIECES + 1)))
        assert server.metrics.endings == {}
