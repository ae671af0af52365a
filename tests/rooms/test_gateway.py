"""The gateway: how frames become commands, and that no frame gets further than a refusal."""

from pathlib import Path
from typing import Any

import pytest

from server.domain.model import PUBLIC, Actor
from server.rooms.gateway import CARDS_PER_ADDRESS_MAX, RoomsGateway, rounded
from signaling.gateway import AdmissionRefused, Answer, Command, Identity, PeerAddress
from tests.domain.cast import HOST, Bidder
from tests.domain.openings import a_tender, an_opening
from tests.domain.tender_rules import DEADLINE_MS
from tests.rooms.open_hall import OpenHall, open_hall
from tests.rooms.open_room import OPENING, TENDER

HERE = PeerAddress("192.0.2.1", None)
TICKETS = {"a-good-ticket": ("session-1", Bidder(1).actor, "澄江路桥")}


class Frames:
    """A gateway and what it answers."""

    def __init__(self, site: OpenHall) -> None:
        self.site = site
        self.gateway = RoomsGateway(site.hall, TICKETS.get)
        self.answers: list[Answer] = []

    def send(
        self, room: str, op: str, args: Any, *, actor: Actor = HOST, cmd_id: str = "command-1"
    ) -> None:
        who = Identity("session", True, {}, (actor, HERE.address))
        command = Command(room, op, args, cmd_id, 1, self.site.clock.at_ms)
        self.gateway.command(who, command, self.answers.append)

    async def answer(self, room: str, op: str, args: Any, **how: Any) -> Answer:
        before = len(self.answers)
        self.send(room, op, args, **how)
        await self.site.until(lambda: len(self.answers) > before)
        return self.answers[-1]


async def test_a_ticket_says_who_somebody_is(tmp_path: Path):
    async with open_hall(tmp_path, now_ms=DEADLINE_MS) as site:
        gateway = Frames(site).gateway
        known = gateway.admit("a-good-ticket", HERE)
        assert (known.session, known.is_participant, known.me["org_name"]) == (
            "session-1",
            True,
            "澄江路桥",
        )
        viewers = [gateway.admit(None, HERE) for _ in range(2)]
        assert viewers[0].session != viewers[1].session
        assert (viewers[0].is_participant, viewers[0].me) == (False, {})
        with pytest.raises(AdmissionRefused):
            gateway.admit("a stale ticket", HERE)


@pytest.mark.parametrize(
    ("room", "op", "args", "code"),
    [
        (OPENING, "nothing", {}, "command.unknown"),
        (OPENING, "report_forms", {}, "command.unknown"),
        ("registry", "register_person", {}, "command.unknown"),
        ("nonsense", "pause", {}, "command.unknown"),
        ("opening:nowhere", "resume", {}, "room.unknown"),
        ("tender:nowhere", "submit", {"message": b""}, "room.unknown"),
        (OPENING, "pause", {}, "command.arguments"),
        (OPENING, "pause", {"reason": "停", "more": 1}, "command.arguments"),
        (OPENING, "extend", {"extra_ms": 1.5, "reason": "延长"}, "command.arguments"),
        (OPENING, "unlock", {"messages": [b"x"] * 17}, "command.arguments"),
        (OPENING, "pause", {"reason": "停"}, "command.stage"),
    ],
)
async def test_a_frame_that_asks_for_nothing_lawful_is_refused(
    tmp_path: Path, room: str, op: str, args: Any, code: str
):
    play = an_opening(at="ready")
    async with open_hall(tmp_path, {OPENING: play}, now_ms=play.now_ms) as site:
        assert (await Frames(site).answer(room, op, args)).code == code


@pytest.mark.parametrize("expiry_ms", [-1, 2**53, 2**64 - 1])
async def test_a_registration_for_ever_is_refused_before_anybody_signs_it(
    tmp_path: Path, expiry_ms: int
):
    play = a_tender()
    async with open_hall(tmp_path, {TENDER: play}, now_ms=play.now_ms) as site:
        keys = {"bidder_pk": bytes(32), "bidder_xpk": bytes(32), "sig": bytes(64)}
        args = keys | {"expiry_ms": expiry_ms}
        answer = await Frames(site).answer(TENDER, "register", args, actor=Bidder(1).actor)
        assert answer.code == "command.arguments"


@pytest.mark.parametrize("cmd_id", ["", "short", "x" * 65])
async def test_a_command_has_an_id_of_a_lawful_length(tmp_path: Path, cmd_id: str):
    play = an_opening()
    async with open_hall(tmp_path, {OPENING: play}, now_ms=play.now_ms) as site:
        answer = await Frames(site).answer(OPENING, "resume", {}, cmd_id=cmd_id)
        assert answer.code == "command.id"


async def test_two_strangers_may_choose_the_same_id(tmp_path: Path):
    play = an_opening()
    async with open_hall(tmp_path, {OPENING: play}, now_ms=play.now_ms) as site:
        frames = Frames(site)
        for bid in play.bids:
            args = {"message": play.card(bid).message}
            assert (await frames.answer(OPENING, "card_unlock", args, actor=PUBLIC)).code == ""
        assert len(site.hall.find_room(OPENING).state.halves) == 3


async def test_an_address_may_try_so_many_cards_a_minute(tmp_path: Path):
    play = an_opening()
    async with open_hall(tmp_path, {OPENING: play}, now_ms=play.now_ms) as site:
        frames = Frames(site)
        wrong = {"message": play.card(play.bids[0], bidder_half=bytes(32)).message}
        for _ in range(CARDS_PER_ADDRESS_MAX):
            assert (await frames.answer(OPENING, "card_unlock", wrong, actor=PUBLIC)).code == (
                "unlock.key_mismatch"
            )
        again = await frames.answer(OPENING, "card_unlock", wrong, actor=PUBLIC)
        assert (again.code, again.is_retryable) == ("unlock.rate", True)
        site.clock.at_ms += 60_000
        right = {"message": play.card(play.bids[0]).message}
        assert (await frames.answer(OPENING, "card_unlock", right, actor=PUBLIC)).code == ""


async def test_history_and_position_speak_of_what_is_durable(tmp_path: Path):
    play = an_opening()
    async with open_hall(tmp_path, {OPENING: play}, now_ms=play.now_ms) as site:
        gateway = Frames(site).gateway
        epoch, seq = gateway.position(OPENING, "hall") or (0, 0)
        assert epoch == site.hall.history_epoch
        events = await gateway.history(OPENING, "hall", 0, 1000)
        assert [event.seq for event in events] == list(range(1, seq + 1))
        assert gateway.position("opening:nowhere", "hall") is None
        assert await gateway.history(OPENING, "sealed", 0, 1000) == []


def test_of_a_crowd_two_digits_are_told():
    assert [rounded(n) for n in (0, 7, 999, 1000, 1099, 1100, 12_345)] == [
        0, 7, 999, 1000, 1000, 1100, 12_000,
    ]  # fmt: skip


async def test_who_is_in_the_hall_is_counted_from_the_deadline_on(tmp_path: Path):
    early = a_tender()
    early.open_sign_in()
    play = an_opening()
    async with open_hall(
        tmp_path, {OPENING: play, "opening:early": early}, now_ms=play.now_ms
    ) as s:
        gateway = Frames(s).gateway
        gateway.present = lambda room: 12
        assert gateway.presence("opening:early") is None
        assert (gateway.presence(OPENING) or {})["viewers"] == 12


async def test_the_number_of_unlocked_bids_is_shown_only_while_the_window_runs(tmp_path: Path):
    running = an_opening()
    running.unlock(running.bids[0])
    play = an_opening(at="ready")
    streams = {OPENING: running, "opening:other": play}
    async with open_hall(tmp_path, streams, now_ms=running.now_ms) as site:
        gateway = Frames(site).gateway
        assert gateway.presence(OPENING) == {"unlocked": 1, "bids": 3, "viewers": 0}
        assert gateway.presence("opening:other") == {"viewers": 0}
        assert gateway.presence("opening:nowhere") is None
