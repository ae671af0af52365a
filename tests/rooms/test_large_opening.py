"""Openings of thousands of bids: no event is too large for its channel, and all see all at once."""

import asyncio
from typing import Any

import pytest
from msgspec.structs import replace

from server.domain import commands as cmd
from server.domain import opening_events as ev
from server.domain.documents import joined
from server.domain.events import HALL, decode
from server.domain.opening import Opening, Stage
from server.rooms.replay import replay
from server.rooms.state_form import decode_state, encode_state
from signaling.options import Options
from tests.domain import many_bids
from tests.domain.openings import an_opening
from tests.domain.tender_rules import FORM
from tests.rooms.open_room import OpenRoom

BIDS = 4200
EVENT_BYTES_MAX = Options(origins=()).event_bytes_max


@pytest.fixture
async def announced(open_room: Any) -> OpenRoom:
    """A room whose tender has closed with 4,200 bids."""
    play = an_opening(at="sign_in", body=False)
    site: OpenRoom = await open_room(play)
    site.clock.at_ms = play.rules.deadline_ms + 5
    async with site.running():
        assert (await site.ask(many_bids.closed_list(play.rules, BIDS))).ok
    return site


async def about_to_read_out(site: OpenRoom) -> cmd.ReportForms:
    site.room.state = many_bids.about_to_open(site.state)
    site.published.clear()
    return cmd.ReportForms(envelope=FORM, forms=list(many_bids.opened(site.state)))


async def test_a_long_list_is_announced_in_pieces(announced: OpenRoom):
    told = [e for e in announced.published if e.audience == HALL]
    assert max(len(event.payload) for event in told) < EVENT_BYTES_MAX
    *pieces, last = [decode(event.type, 1, event.payload) for event in told]
    assert [type(piece) for piece in pieces] == [ev.BiddersListed] * len(pieces)
    assert isinstance(last, ev.BiddersAnnounced)
    bids = [bid for piece in pieces for bid in piece.bids] + last.bids
    assert [bid.no for bid in bids] == list(range(1, BIDS + 1))
    assert last.count == BIDS
    kind = announced.room.kind
    assert replay(kind, announced.room.stream, announced.journal.read).state == announced.state
    kept = decode_state(Opening, encode_state(announced.state), allow_test=True)
    assert kept == announced.state


async def test_prices_of_thousands_are_durable_before_anybody_has_the_first(announced: OpenRoom):
    site, report = announced, await about_to_read_out(announced)
    turns: list[list[str]] = []
    publish = site.room._publish

    def noting(room: Any, events: list[Any]) -> None:
        turns.append([event.type for event in events])
        assert site.journal.head(room.stream).seq == room._rows.head.seq  # all of it is there
        publish(room, events)

    site.room._publish = noting
    commits = site.journal.metrics.commits
    position = site.room.durable_position(HALL)
    async with site.running():
        with site.stalled_disk():
            site.put(report, cmd_id="report-001")
            while not site.state.readouts:  # noqa: ASYNC110 - nothing is told yet
                await asyncio.sleep(0)
            assert site.published == []
            assert site.room.durable_position(HALL) == position
            assert site.journal.read_channel(site.room.stream, HALL, position) == []
        await site.answered("report-001")
    assert site.answers["report-001"].ok
    assert site.journal.metrics.commits <= commits + 2  # the stall, and one append
    (told,) = turns  # in one turn
    assert told.count("document_part") == 2  # of each document, before the event that ends it
    assert told.index("set_frozen") < told.index("prices_read_out")
    assert max(len(event.payload) for event in site.published) < EVENT_BYTES_MAX


async def test_whoever_joins_the_parts_has_every_price(announced: OpenRoom):
    site, report = announced, await about_to_read_out(announced)
    async with site.running():
        assert (await site.ask(report)).ok
    assert site.state.stage is Stage.READ_OUT
    events = joined(decode(e.type, 1, e.payload) for e in site.published if e.audience == HALL)
    frozen, read_out = [e for e in events if isinstance(e, ev.SetFrozen | ev.PricesReadOut)]
    assert read_out.document() == site.state.readouts[0]
    assert read_out.document().count(b'"price":"') == len(read_out.amounts) == BIDS
    assert frozen.document().count(b'"opened"') == BIDS


async def test_thousands_that_stayed_locked_are_one_append_too(announced: OpenRoom):
    """Each gets its suggested ground in the same moment."""
    site, _ = announced, await about_to_read_out(announced)
    site.room.state = replace(site.state, halves={}, found={})
    async with site.running():
        report = cmd.ReportForms(envelope=FORM, forms=[])
        assert (await site.ask(report)).ok
    assert len(site.state.suggestions) == BIDS
