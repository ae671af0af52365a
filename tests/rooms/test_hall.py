"""The hall: rooms that are rebuilt, openings that go on after an outage, and nobody forgotten."""

import asyncio
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from server.domain import commands as cmd
from server.domain.commands import Command
from server.domain.events import decode
from server.domain.model import Context, Role
from server.domain.opening import Stage
from server.domain.refusals import Refused
from server.rooms.flows import Minder
from server.rooms.room import Request, Room
from tests.domain.cast import HOST, Bidder
from tests.domain.openings import a_tender, an_opening
from tests.domain.tender_rules import DEADLINE_MS, WINDOW_MS, sample_rules, signatures_of
from tests.rooms.open_hall import OpenHall, open_hall
from tests.rooms.open_room import OPENING, TENDER

BIDDER = Bidder(1).actor


def fails_at(room: Room, on: type[Command], error: Exception) -> None:
    """Whenever this command is judged in this room, the rules meet something impossible."""
    decide = room.kind.decide

    def broken(state: Any, command: Command, ctx: Context) -> list[Any]:
        if isinstance(command, on):
            raise error
        return decide(state, command, ctx)

    room.kind = replace(room.kind, decide=broken)


def the_room(site: OpenHall, stream: str = OPENING) -> Room:
    room = site.hall.find_room(stream)
    assert room is not None
    return room


# ---- rebuilding


async def test_a_room_that_met_an_impossible_state_is_rebuilt(tmp_path: Path):
    play = an_opening()
    async with open_hall(tmp_path, {OPENING: play}, now_ms=play.now_ms) as site:
        first = the_room(site)
        fails_at(first, cmd.ReadRow, AssertionError("impossible"))
        assert (await site.ask(OPENING, cmd.SignIn(), BIDDER)).ok
        trouble = asyncio.ensure_future(site.ask(OPENING, cmd.ReadRow(no=1)))
        waiting = asyncio.ensure_future(site.ask(OPENING, cmd.Pause(reason="停"), HOST, "pause-01"))
        assert (await trouble).code == "server.trouble"
        assert (await waiting).ok
        second = the_room(site)
        assert second is not first
        assert second.state.window.paused
        assert BIDDER.org in second.state.signed_in


async def test_other_rooms_go_on_meanwhile(tmp_path: Path):
    play = an_opening(at="sign_in")
    streams = {OPENING: play, "opening:other": play}
    async with open_hall(tmp_path, streams, now_ms=play.now_ms) as site:
        other = the_room(site, "opening:other")
        fails_at(the_room(site), cmd.ReadRow, AssertionError("impossible"))
        assert (await site.ask(OPENING, cmd.ReadRow(no=1))).code == "server.trouble"
        assert (await site.ask("opening:other", cmd.SignIn(), BIDDER)).ok
        assert the_room(site, "opening:other") is other


async def test_what_was_durable_and_not_told_is_told_by_the_rebuilt_room(tmp_path: Path):
    play = an_opening()
    async with open_hall(tmp_path, {OPENING: play}, now_ms=play.now_ms) as site:
        publish = site.hall.publish
        broken_once: list[str] = []

        def break_once(stream: str, event: Any, epoch: int) -> None:
            if not broken_once and event.type == "window_changed":
                broken_once.append(event.type)
                raise AssertionError("not told")
            publish(stream, event, epoch)

        site.hall.publish = break_once
        pause = asyncio.ensure_future(site.ask(OPENING, cmd.Pause(reason="停"), HOST, "pause-01"))
        assert (await pause).ok
        assert broken_once
        changed = await site.told_type("window_changed")
        assert decode(changed.type, 1, changed.payload).change == "pause"
        rows = site.hall.journal.read_channel(OPENING, "hall")
        assert [row.type for row in rows].count("window_changed") == 1


async def test_a_minder_that_fails_is_replaced_with_its_room(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    play = an_opening(at="sign_in")
    failures = [OSError("a disk that hesitates")]
    follow = Minder._follow_opening

    async def fails_once(self: Minder) -> bool:
        if failures:
            raise failures.pop()
        return await follow(self)

    monkeypatch.setattr(Minder, "_follow_opening", fails_once)
    async with open_hall(tmp_path, {OPENING: play}, now_ms=play.now_ms) as site:
        assert (await site.ask(OPENING, cmd.SignIn(), BIDDER, "sign-in-1")).ok
        assert not failures


async def test_a_room_that_cannot_live_is_left_stopped_and_says_so(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr("server.rooms.hall.REBUILDS_MAX", 1)
    play = an_opening(at="sign_in")
    streams = {OPENING: play, "opening:other": play}

    async def never(self: Minder) -> bool:
        assert self._room.stream != OPENING, "cannot live"
        return False

    monkeypatch.setattr(Minder, "_follow_opening", never)
    async with open_hall(tmp_path, streams, now_ms=play.now_ms) as site:
        await site.until(lambda: site.hall.find_room(OPENING) is None)
        assert site.hall.stopped == {OPENING}
        with pytest.raises(Refused, match=r"room\.unknown"):
            await site.ask(OPENING, cmd.SignIn(), BIDDER)
        assert (await site.ask("opening:other", cmd.SignIn(), BIDDER)).ok


async def test_whoever_waits_in_a_room_that_is_left_stopped_is_answered(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr("server.rooms.hall.REBUILDS_MAX", 0)
    play = an_opening(at="sign_in")
    async with open_hall(tmp_path, {OPENING: play}, now_ms=play.now_ms) as site:
        room = the_room(site)
        fails_at(room, cmd.ReadRow, AssertionError("impossible"))
        answers: list[str] = []
        for n, command in enumerate([cmd.ReadRow(no=1), cmd.SignIn(), cmd.SignIn()]):
            room.put(
                Request(
                    command, BIDDER, f"n-{n:06d}", play.now_ms, lambda a: answers.append(a.code)
                )
            )
        await site.until(lambda: len(answers) == 3)
    assert answers[0] in ("server.trouble", "auth.role")
    assert set(answers[1:]) <= {"", "room.stopped"}


async def test_more_than_a_queue_of_waiting_commands_survives_a_rebuild(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    """The batch in hand and a full queue are more than one queue holds."""
    monkeypatch.setattr("server.rooms.room.QUEUE_MAX", 4)
    play = an_opening(at="sign_in")
    async with open_hall(tmp_path, {OPENING: play}, now_ms=play.now_ms) as site:
        room = the_room(site)
        fails_at(room, cmd.ReadRow, AssertionError("impossible"))
        answers: list[str] = []

        def put(command: Command, cmd_id: str) -> None:
            room.put(Request(command, HOST, cmd_id, play.now_ms, lambda a: answers.append(a.code)))

        unanswered = room.unanswered

        def and_more() -> list[Request]:
            left = unanswered()
            for n in range(9):
                left.append(
                    Request(
                        cmd.SignIn(), BIDDER, f"more-{n:04d}", 0, lambda a: answers.append(a.code)
                    )
                )
            return left

        room.unanswered = and_more
        room.put(Request(cmd.ReadRow(no=1), HOST, "", 0, lambda a: answers.append(a.code)))
        await site.until(lambda: len(answers) == 10)
        assert (await site.ask(OPENING, cmd.SignIn(), Bidder(2).actor)).ok
        assert answers.count("room.busy") >= 1


# ---- starting again


async def test_every_opening_is_extended_by_an_outage_before_anything_ends_it(tmp_path: Path):
    """Both ends have passed while the site was away."""
    play = an_opening()
    streams = {f"opening:o{n}": play for n in range(4)}
    async with open_hall(tmp_path, streams, now_ms=play.now_ms):
        pass
    away_ms = WINDOW_MS + 5000
    async with open_hall(tmp_path, now_ms=play.now_ms + away_ms) as site:
        for stream in streams:
            state = the_room(site, stream).state
            assert state.stage is Stage.DECRYPTION, stream
            assert state.window.end_ms == play.opening.window.end_ms + 120_000


async def test_a_window_that_ended_in_an_outage_under_keep_ends_at_once(tmp_path: Path):
    play = an_opening(outage="keep")
    now_ms = play.now_ms + WINDOW_MS + 5000
    async with open_hall(tmp_path, {OPENING: play}, now_ms=now_ms) as site:
        await site.told_type("window_ended")


async def test_a_tender_that_was_published_just_before_the_power_went_is_scheduled(tmp_path: Path):
    play = a_tender()
    async with open_hall(tmp_path, {TENDER: play}, now_ms=play.now_ms) as site:
        state = the_room(site).state
        assert state.manifest.tender_id == play.rules.tender_id
        assert state.stage is Stage.SCHEDULED


async def test_a_tender_is_opened_once(tmp_path: Path):
    rules = sample_rules()
    signed = signatures_of(rules)
    async with open_hall(tmp_path, now_ms=DEADLINE_MS - 7_200_000) as site:
        await site.hall.open_tender("jz-0417", rules.raw, signed)
        assert the_room(site).state.manifest is not None
        with pytest.raises(Refused, match=r"tender\.exists"):
            await site.hall.open_tender("jz-0417", rules.raw, signed)
        other = sample_rules(mode=1)
        with pytest.raises(Refused, match=r"manifest_signature\.tender"):
            await site.hall.open_tender("jz-0418", other.raw, signed)
        assert site.hall.find_room("opening:jz-0418") is None
        await site.hall.open_tender("jz-0418", other.raw, signatures_of(other))
        assert the_room(site, "opening:jz-0418").state.manifest is not None


async def test_a_site_begins_no_more_rooms_than_it_may(tmp_path: Path):
    one, two, now_ms = sample_rules(), sample_rules(mode=1), DEADLINE_MS - 7_200_000
    async with open_hall(tmp_path, now_ms=now_ms) as site:
        hall = site.hall
        hall.rooms_max = len(hall.room_names()) + 3
        await hall.open_tender("jz-0417", one.raw, signatures_of(one))
        with pytest.raises(Refused) as full:
            await hall.open_tender("jz-0418", two.raw, signatures_of(two))
        assert full.value.code == "site.rooms_full"
        assert full.value.detail == {"max": hall.rooms_max}
        assert hall.find_room("tender:jz-0418") is None
        hall.rooms_max += 1
        await hall.open_tender("jz-0418", two.raw, signatures_of(two))
        assert len(hall.room_names()) == hall.rooms_max


# ---- from room to room


async def test_the_lobby_opens_and_the_opening_follows_its_tender(tmp_path: Path):
    play = an_opening(at="scheduled")
    for number in (1, 2, 3):
        play.bid(Bidder(number))
    async with open_hall(
        tmp_path, {TENDER: play, OPENING: play}, now_ms=DEADLINE_MS - 3_600_000
    ) as site:
        await site.told_type("sign_in_opened")
        site.clock.at_ms = DEADLINE_MS + 1
        site.hall._touch_all()
        await site.told_type("bidding_closed")
        await site.told_type("bidders_announced")
        checked = await site.told_type("store_checked")
        assert len(decode(checked.type, 1, checked.payload).damaged) == 6  # nothing was uploaded


async def test_an_unattended_opening_starts_by_itself_and_bears_a_host_who_was_quicker(
    tmp_path: Path,
):
    play = an_opening(at="ready", unattended=True)
    async with open_hall(tmp_path, {OPENING: play}, now_ms=play.now_ms) as site:
        room = the_room(site)
        answer = await site.ask(OPENING, cmd.StartWindow(session=1), HOST)
        assert answer.ok or answer.code == "window.running"
        await site.told_type("window_opened")
        await asyncio.sleep(0.1)
        assert the_room(site) is room  # nothing had to be rebuilt
        assert room.state.window.w == 1


async def test_people_are_found_by_their_login_keys(tmp_path: Path):
    command = cmd.RegisterPerson(
        person="host",
        org=HOST.org,
        org_name="江州建招",
        role=Role.HOST,
        name="林悦",
        login_pk=b"k" * 32,
    )
    async with open_hall(tmp_path, now_ms=DEADLINE_MS) as site:
        assert (await site.hall.register_person(command)).ok
        person = site.hall.person_by_key(b"k" * 32)
        assert person is not None
        assert person.actor.person == "host"
        assert site.hall.person_by_key(b"x" * 32) is None


@pytest.mark.parametrize("expiry_ms", [DEADLINE_MS + 1, 2**53 - 1])
async def test_a_registration_is_completed_with_the_hosts_invitation(
    tmp_path: Path, expiry_ms: int
):
    play = a_tender()
    wire = replace_sig(play.registration(Bidder(1), expiry_ms=expiry_ms))
    async with open_hall(tmp_path, {TENDER: play}, now_ms=play.now_ms) as site:
        assert (await site.ask(TENDER, wire, BIDDER, "register-1")).ok
        assert BIDDER.org in the_room(site, TENDER).state.by_org


def replace_sig(command: cmd.RegisterBidder) -> cmd.RegisterBidder:
    """As it comes over the wire: without the host's signature."""
    fields = {name: getattr(command, name) for name in command.__struct_fields__}
    return cmd.RegisterBidder(**{**fields, "invitation_sig": b""})
