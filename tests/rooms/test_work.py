"""The work behind the hall: disks that hesitate cost a bid its bytes at worst, never the hall."""

import asyncio
from pathlib import Path
from typing import Any

import pytest

from crypto.stream import RootHasher
from server.decryption.pool import Pool
from server.domain import commands as cmd
from server.domain import due
from server.domain.events import decode
from server.http.upload_note import new_hasher
from server.rooms.work import Worker
from server.storage.blobs import BlobStore
from tests.domain.cast import TRUSTEES
from tests.domain.openings import an_opening
from tests.domain.play import Play
from tests.domain.tender_rules import BODY
from tests.rooms.open_hall import open_hall
from tests.rooms.open_room import OPENING


def stored(play: Play, blobs: BlobStore) -> None:
    """Every payload of the play, where the store keeps them."""
    for bid_id, payload in play.store.items():
        path = blobs.path(bid_id)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(payload)


@pytest.fixture
def worker(tmp_path: Path) -> Any:
    blobs, pool = BlobStore(tmp_path / "store", new_hasher), Pool(1)
    yield Worker(blobs, pool, tmp_path / "opened")
    pool.close()
    blobs.close()


async def test_a_form_that_is_lost_or_unreadable_is_empty_and_read_again_later(worker: Worker):
    play = an_opening()
    bid_id = play.bids[0].bid_id()
    path = worker.blobs.path(bid_id)
    path.mkdir(parents=True)  # reading a folder is what a broken disk looks like
    assert await worker.payload(bid_id) == b""
    path.rmdir()
    path.write_bytes(play.store[bid_id])
    assert await worker.payload(bid_id) == play.store[bid_id]
    assert await worker.payload(play.bids[1].bid_id()) == b""


async def test_forms_are_read_before_they_are_needed(worker: Worker):
    play = an_opening(at="announced")
    stored(play, worker.blobs)
    await worker.preload(play.opening)
    for bid in play.bids:
        worker.blobs.path(bid.bid_id()).unlink()
        assert await worker.payload(bid.bid_id()) == play.store[bid.bid_id()]


async def test_the_hall_goes_on_when_there_is_no_room_for_plaintexts(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr("server.rooms.flows.BODIES_AGAIN_S", 0.05)
    play = an_opening(at="read_out")
    in_the_way = tmp_path / "opened"
    in_the_way.write_text("not a folder")
    store = BlobStore(tmp_path / "store", new_hasher)
    stored(play, store)
    store.close()
    async with open_hall(tmp_path, {OPENING: play}, now_ms=play.now_ms) as site:
        room = site.hall.find_room(OPENING)
        assert room is not None
        await asyncio.sleep(0.2)
        assert site.hall.find_room(OPENING) is room
        assert not [event for _, event in site.published if event.type == "body_decided"]
        in_the_way.unlink()
        decided = await site.told_type("body_decided")
        assert decode(decided.type, 1, decided.payload).state == "opened"


async def test_a_late_share_is_looked_at_behind_the_read_out(tmp_path: Path):
    play = an_opening(at="read_out", body=False)
    store = BlobStore(tmp_path / "store", new_hasher)
    stored(play, store)
    store.close()
    async with open_hall(tmp_path, {OPENING: play}, now_ms=play.now_ms) as site:
        wrong = play.rules.suite_impl.share_at([play.bids[0].envelopes[1].host_half], 1)
        shares = dict.fromkeys(play.release_set(1), (0, wrong))
        answer = await site.ask(OPENING, play.releasing(3, shares=shares), TRUSTEES[2].actor)
        assert answer.ok
        fault = await site.told_type("trustee_fault_found")
        assert decode(fault.type, 1, fault.payload).i == 3


def test_bodies_are_never_kept_beside_the_sealed(worker: Worker):
    play = an_opening()
    target = worker.target("jz-0417", play.bids[0].bid_id(BODY))
    assert worker.blobs.path(play.bids[0].bid_id(BODY)).parent not in target.parents


async def test_what_the_store_check_has_hashed_is_not_hashed_again_and_counts_as_decrypted(
    worker: Worker, monkeypatch: pytest.MonkeyPatch
):
    play = an_opening(at="read_out")
    stored(play, worker.blobs)
    work = due.bodies(play.opening)
    assert work is not None
    for bid in work.bids:
        assert await worker.gives_root(bid.header)
    monkeypatch.setattr(RootHasher, "update", None)  # whoever hashes now fails
    reports = await worker.open_bodies("jz-0417", work)
    assert {report.state for report in reports} == {"opened"}
    metrics = worker.pool.metrics
    assert metrics.bodies == len(reports)
    assert metrics.body_bytes == sum(bid.header.pt_len for bid in work.bids)
    assert metrics.body_seconds > 0


async def test_a_payload_that_does_not_give_its_root_is_told(worker: Worker):
    play = an_opening(at="read_out")
    stored(play, worker.blobs)
    work = due.bodies(play.opening)
    assert work is not None
    path = worker.blobs.path(work.bids[0].header.bid_id)
    path.write_bytes(path.read_bytes()[:-1])
    assert not await worker.gives_root(work.bids[0].header)
    path.unlink()
    assert not await worker.gives_root(work.bids[0].header)


async def test_a_wrong_share_of_a_body_is_named_by_the_hall_when_the_bodies_are_decided(
    tmp_path: Path,
):
    play = an_opening(at="read_out")
    store = BlobStore(tmp_path / "store", new_hasher)
    stored(play, store)
    store.close()
    strange = play.rules.suite_impl.share_at([play.bids[0].envelopes[1].host_half], 3)
    wrong = dict.fromkeys(play.release_set(BODY), (0, strange))
    messages = [play.release_message(3, 1), play.release_message(3, BODY, shares=wrong)]
    async with open_hall(tmp_path, {OPENING: play}, now_ms=play.now_ms) as site:
        await site.told_type("body_decided")
        command = cmd.ReleaseShares(messages=messages)
        assert (await site.ask(OPENING, command, TRUSTEES[2].actor)).ok
        told = await site.told_type("trustee_fault_found")
        fault = decode(told.type, 1, told.payload)
        assert (fault.i, fault.envelope, fault.fault) == (3, BODY, "share")
