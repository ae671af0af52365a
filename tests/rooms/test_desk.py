"""The desk: what people may look up, and when. Before the deadline nobody learns of a bid."""

from collections.abc import Awaitable
from pathlib import Path
from typing import Any

import pytest

from crypto.errors import Rejected
from crypto.header import parse_header
from crypto.messages import parse_submit
from server.domain.model import Actor, Role
from server.domain.refusals import Refused
from server.rooms.desk import Desk
from tests.domain.cast import (
    ACTORS,
    HOST,
    PURCHASER_PERSON,
    SUPERVISOR_PERSON,
    TRUSTEES,
    WITNESS,
    Bidder,
)
from tests.domain.openings import an_opening
from tests.domain.play import Play
from tests.domain.sealed_bids import a_sealed_bid
from tests.domain.tender_rules import FORM
from tests.rooms.open_hall import open_hall
from tests.rooms.open_room import OPENING, TENDER

ROOM = "jz-0417"


async def refused(code: str, asking: Awaitable[Any]) -> None:
    with pytest.raises((Refused, Rejected)) as caught:
        await asking
    assert caught.value.code == code


def desk_of(play: Play, tmp_path: Path) -> Any:
    return open_hall(tmp_path, {TENDER: play, OPENING: play}, now_ms=play.now_ms)


@pytest.mark.parametrize("at", ["scheduled", "sign_in"])
async def test_before_the_deadline_nobody_learns_of_a_bid(tmp_path: Path, at: str):
    play = an_opening(at=at)
    for number in (1, 2, 3):
        play.bid(Bidder(number))
    async with desk_of(play, tmp_path) as site:
        desk = Desk(site.hall)
        await refused("opening.not_ready", desk.closed_list(ROOM))
        await refused("opening.not_ready", desk.closed_path(ROOM, bytes(32)))
        for actor in (HOST, SUPERVISOR_PERSON, PURCHASER_PERSON, TRUSTEES[0].actor, WITNESS):
            await refused("opening.not_ready", desk.envelopes(ROOM, actor, 0))
        _, real = a_sealed_bid(play.rules, Bidder(1)).items[0]
        for start in (real[:8], bytes(8)):  # what exists is answered like what does not
            await refused("opening.not_ready", desk.sealed_bid(ROOM, start))
        await refused("opening.not_ready", desk.halves(ROOM, TRUSTEES[0].actor))
        await refused("bundle.not_ready", desk.bundle_path(ROOM))
        (line,) = await desk.tenders()
        assert {"stage", "deadline_ms", "id"} < set(line)
        assert not any(Bidder(n).org in str(line) for n in (1, 2, 3))


async def test_a_bidder_sees_its_own_bids_and_nobody_elses(tmp_path: Path):
    play = an_opening(at="sign_in")
    for number in (1, 2):
        play.bid(Bidder(number))
    async with desk_of(play, tmp_path) as site:
        desk = Desk(site.hall)
        mine = await desk.mine(Bidder(1).actor, ROOM)
        assert {e["bid_id"] for e in mine["envelopes"]} == {
            bid_id for _, bid_id in a_sealed_bid(play.rules, Bidder(1)).items
        }
        assert mine["registration"]["org"] == Bidder(1).org
        stranger = await desk.mine(Bidder(9).actor, ROOM)
        assert (stranger["registration"], stranger["envelopes"], stranger["submits"]) == (
            None,
            [],
            [],
        )
        for role in (Role.HOST, Role.SUPERVISOR, Role.VIEWER):
            await refused("auth.role", desk.mine(ACTORS[role], ROOM))


async def test_the_halves_are_shown_to_whoever_may_release_after_the_end(tmp_path: Path):
    play = an_opening(at="release")
    async with desk_of(play, tmp_path) as site:
        desk = Desk(site.hall)
        for actor in (TRUSTEES[0].actor, PURCHASER_PERSON, SUPERVISOR_PERSON):
            shown = await desk.halves(ROOM, actor)
            assert shown["halves"] == {b: u.half for b, u in play.opening.halves.items()}
        foreign = Actor("x", Role.TRUSTEE, "91360800MA00000099")
        for actor in (HOST, WITNESS, Bidder(1).actor, foreign):
            await refused("auth.role", desk.halves(ROOM, actor))


@pytest.mark.parametrize("at", ["ready", "decryption"])
async def test_no_half_is_shown_while_others_may_still_unlock(tmp_path: Path, at: str):
    play = an_opening(at=at)
    if at == "decryption":
        play.unlock(play.bids[0])
    async with desk_of(play, tmp_path) as site:
        await refused("opening.not_ready", Desk(site.hall).halves(ROOM, TRUSTEES[0].actor))


async def test_after_the_deadline_the_closed_list_is_public_with_its_paths(tmp_path: Path):
    play = an_opening(at="announced")
    digests = [r.message.digest for r in play.tender.counting()]
    async with desk_of(play, tmp_path) as site:
        desk = Desk(site.hall)
        assert (await desk.closed_list(ROOM))["submits"] == digests
        path = await desk.closed_path(ROOM, digests[1])
        assert (path["index"], path["count"]) == (1, 3)
        await refused("bid.unknown", desk.closed_path(ROOM, bytes(32)))
        shown = await desk.envelopes(ROOM, WITNESS, 0)
        assert len(shown["headers"]) == 6
        await refused("auth.role", desk.envelopes(ROOM, Bidder(1).actor, 0))


async def test_after_the_deadline_a_card_finds_its_bid_and_the_submit_that_lists_it(tmp_path: Path):
    play = an_opening(at="announced")
    suite = play.rules.suite_impl
    async with desk_of(play, tmp_path) as site:
        desk = Desk(site.hall)
        counting = (await desk.closed_list(ROOM))["submits"]
        for bid in play.bids:
            for _, bid_id in bid.items:
                shown = await desk.sealed_bid(ROOM, bid_id[:8])
                assert parse_header(shown["header"], suite).bid_id == bid_id
                submit = parse_submit(shown["submit"], suite)
                assert bid_id in [listed for _, listed in submit.items]
                assert counting[shown["index"]] == submit.digest
                assert shown["count"] == len(counting)
                halves = [bid.half(number) for number, _ in bid.items]
                assert not any(half in shown["header"] + shown["submit"] for half in halves)
        await refused("bid.unknown", desk.sealed_bid(ROOM, bytes(8)))
        await refused("room.unknown", desk.sealed_bid("nowhere", bytes(8)))


async def test_an_upload_is_for_a_registered_bidder_before_the_deadline(tmp_path: Path):
    play = an_opening(at="sign_in")
    play.register(Bidder(1))
    core = a_sealed_bid(play.rules, Bidder(1)).envelopes[FORM].header.core
    async with desk_of(play, tmp_path) as site:
        desk = Desk(site.hall)
        assert desk.upload_terms(Bidder(1).actor, ROOM, core) > 4096
        with pytest.raises(Refused, match=r"bid\.not_registered"):
            desk.upload_terms(Bidder(2).actor, ROOM, core)
        with pytest.raises(Rejected, match=r"header\.length"):
            desk.upload_terms(Bidder(1).actor, ROOM, core[:-1])
        site.clock.at_ms = play.rules.deadline_ms
        with pytest.raises(Refused, match=r"bid\.late"):
            desk.upload_terms(Bidder(1).actor, ROOM, core)


async def test_what_is_not_there_is_unknown(tmp_path: Path):
    async with open_hall(tmp_path, now_ms=1_795_138_000_000) as site:
        desk = Desk(site.hall)
        assert desk.room("opening:nowhere") is None
        await refused("tender.unknown", desk.manifest("nowhere"))
        await refused("room.unknown", desk.proofs("nowhere", 0))
        await refused("room.unknown", desk.bundle_path("nowhere"))
        await refused("room.unknown", desk.demo_people())
