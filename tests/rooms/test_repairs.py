"""Repair of damaged storage, through the real HTTP side and hall: the same bytes or none."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

from crypto.keys import SigningKey
from server.domain import commands as cmd
from server.domain.events import decode
from server.domain.model import Actor
from server.domain.opening import Stage
from server.http.app import bind, build_app, listen
from server.http.client import HallHttp, HallRefused
from server.http.front import FRONT, Front
from server.http.settings import HttpSettings
from server.http.upload_note import new_hasher
from server.rooms.desk import Desk
from server.storage.blobs import BlobStore
from tests.domain.cast import HOST, SUPERVISOR_PERSON, Bidder, signing
from tests.domain.openings import an_opening
from tests.domain.play import Play
from tests.domain.sealed_bids import SealedBid
from tests.rooms.open_hall import OpenHall, open_hall
from tests.rooms.open_room import OPENING, TENDER

ROOM = OPENING.split(":", 1)[1]


@dataclass
class Damaged:
    """A hall in its replies in which one form's bytes are not what they were."""

    site: OpenHall
    front: Front
    url: str
    bid: SealedBid
    sound: SealedBid

    @property
    def path(self) -> Path:
        return self.site.hall.blobs.path(self.bid.bid_id())

    @property
    def stage(self) -> Stage:
        room = self.site.hall.find_room(OPENING)
        assert room is not None
        return room.state.stage

    @asynccontextmanager
    async def person(self, actor: Actor) -> AsyncIterator[HallHttp]:
        key: SigningKey = signing(f"login {actor.person}")
        await self.site.hall.register_person(
            cmd.RegisterPerson(
                person=actor.person,
                org=actor.org,
                org_name=actor.org,
                role=actor.role,
                name=actor.name,
                login_pk=key.public,
            )
        )
        async with HallHttp(self.url, timeout_s=30) as http:
            await http.login(key)
            yield http

    async def send(self, payload: bytes, bid: SealedBid | None = None, by: Actor = HOST) -> str:
        """``done``, or the code of the refusal."""
        bid_id = (bid or self.bid).bid_id().hex()
        async with self.person(by) as http:
            try:
                await http.request("PUT", f"/openings/{ROOM}/payloads/{bid_id}", data=payload)
            except HallRefused as refused:
                return refused.code
        return "done"


def a_damaged_play() -> Play:
    play = an_opening(unlocked=3)
    for bid in play.bids:
        play.unlock(bid)
    broken = play.bids[0].bid_id()
    play.store[broken] = bytes(len(play.store[broken]))
    play.later(900).checkpoint("window_end")
    play.later(2000).release(1)
    play.later(1000).release(2)
    play.work()
    assert play.opening.stage is Stage.REPLIES
    return play


@pytest.fixture
async def hall(tmp_path: Path) -> AsyncIterator[Damaged]:
    play = a_damaged_play()
    store = BlobStore(tmp_path / "store", new_hasher)
    for bid_id, payload in play.store.items():
        path = store.path(bid_id)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(payload)
    store.close()
    async with open_hall(tmp_path, {TENDER: play, OPENING: play}, now_ms=play.now_ms) as site:
        sock = bind("127.0.0.1", 0)
        url = f"http://127.0.0.1:{sock.getsockname()[1]}"
        settings = HttpSettings(origin=url, version="test", pages=None)
        app = build_app(Desk(site.hall), site.hall.blobs, settings, None)
        runner = await listen(app, sock)
        try:
            yield Damaged(site, app[FRONT], url, play.bids[0], play.bids[1])
        finally:
            await runner.cleanup()


async def test_the_same_bytes_are_stored_again_and_the_bid_opens(hall: Damaged):
    payload = hall.bid.envelopes[1].payload
    assert await hall.send(payload) == "done"
    repaired = await hall.site.told_type("bid_repaired")
    event = decode(repaired.type, 1, repaired.payload)
    assert event.bid_id == hall.bid.bid_id()
    assert hall.path.read_bytes() == payload
    await hall.site.told_type("replies_ended")  # nothing is missing any more
    assert hall.stage is Stage.OPENING
    assert await hall.send(payload) == "repair.not_open"


async def test_other_bytes_of_the_same_length_change_nothing(hall: Damaged):
    before = hall.path.read_bytes()
    assert await hall.send(hall.sound.envelopes[1].payload) == "repair.ct_root"
    assert hall.path.read_bytes() == before
    assert hall.stage is Stage.REPLIES
    assert hall.front.uploads.blobs.uploads() == []
    assert await hall.send(hall.bid.envelopes[1].payload) == "done"  # the right ones still may


@pytest.mark.parametrize("size", [0, 1, 4096])
async def test_bytes_of_another_length_are_not_even_read(hall: Damaged, size: int):
    assert await hall.send(bytes(size)) == "upload.length"
    assert hall.front.uploads.blobs.uploads() == []


async def test_sound_bytes_are_never_replaced(hall: Damaged):
    assert await hall.send(hall.sound.envelopes[1].payload, hall.sound) == "repair.not_damaged"


@pytest.mark.parametrize("actor", [SUPERVISOR_PERSON, Bidder(1).actor])
async def test_only_the_host_sends_them(hall: Damaged, actor: Actor):
    assert await hall.send(hall.bid.envelopes[1].payload, by=actor) == "auth.role"


async def test_after_the_replies_have_ended_it_is_too_late(hall: Damaged):
    await hall.site.ask(OPENING, cmd.EndReplies(), HOST)
    assert await hall.send(hall.bid.envelopes[1].payload) == "repair.not_open"
