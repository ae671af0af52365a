"""The table of live video: what follows from a role, a place and what the room has decided."""

from dataclasses import replace
from typing import Any

import pytest
from msgspec import structs

from media.grants import Label
from server.domain import floor_commands as cmd
from server.domain.evaluation_room_rules import SEATED
from server.domain.floor_events import CallTo
from server.domain.model import PUBLIC, Actor, Role
from server.domain.opening import Opening, Stage
from server.domain.refusals import Refused
from server.live.grants import (
    FAILED_MS,
    Place,
    camera_place,
    is_over,
    place_of,
    reached,
)
from server.live.recording_access import may_read
from tests.domain.cast import (
    EXPERTS,
    HOST,
    PURCHASER_PERSON,
    SUPERVISOR_PERSON,
    TRUSTEES,
    WITNESS,
    Bidder,
)
from tests.domain.meetings import SECOND_SUPERVISOR, a_meeting
from tests.domain.openings import an_opening

NOW = 0
BIDDER = Bidder(1).actor
STRANGER = Bidder(9).actor
ALL = frozenset(Label)
SPEAKING = frozenset({Label.CAMERA, Label.MICROPHONE})
OFFICERS = (SUPERVISOR_PERSON, PURCHASER_PERSON, WITNESS, TRUSTEES[0].actor)


def place(actor: Actor, state: Any, *, registered: bool = True, now_ms: int = NOW) -> Place:
    return place_of(actor, state, is_registered=registered, now_ms=now_ms)


def on_stage(state: Opening, *people: str) -> Opening:
    return structs.replace(state, floor=structs.replace(state.floor, on_stage=people))


def opening(at: str, **rules: Any) -> Opening:
    return an_opening(3, at=at, **rules).opening


# ---- openings


def test_a_host_shows_everything_and_may_silence() -> None:
    found = place(HOST, opening("scheduled"))
    assert found.grants.publish == ALL
    assert (found.grants.mute, found.stage, found.grants.call_in) == (True, True, False)


@pytest.mark.parametrize("actor", OFFICERS, ids=lambda actor: actor.person)
def test_officers_watch_and_say_nothing(actor: Actor) -> None:
    grants = place(actor, opening("ready")).grants
    assert (grants.publish, grants.watch, grants.watch_all, grants.mute) == (
        frozenset(), True, False, False,
    )  # fmt: skip


def test_a_bidder_speaks_while_on_stage_and_by_camera_and_microphone_alone() -> None:
    state = opening("ready")
    assert place(BIDDER, state).grants.publish == frozenset()
    assert place(BIDDER, on_stage(state, BIDDER.person)).grants.publish == SPEAKING
    assert place(Bidder(2).actor, on_stage(state, BIDDER.person)).grants.publish == frozenset()


@pytest.mark.parametrize("at", ["ready", "decryption", "release", "read_out"])
def test_a_bidder_of_another_tender_is_one_of_the_public(at: str) -> None:
    found = place(STRANGER, opening(at))
    assert not found.is_member
    assert found.grants.publish == frozenset()
    assert not place(PUBLIC, opening(at)).is_member


def test_before_the_list_who_has_registered_takes_part_and_nobody_is_told() -> None:
    for at in ("scheduled", "sign_in"):
        found = place(BIDDER, opening(at))
        assert found.is_member
        assert found.is_discreet
        assert not place(BIDDER, opening(at), registered=False).is_member
    assert not place(BIDDER, opening("ready")).is_discreet


def test_where_names_are_masked_bidders_stay_secret_until_the_prices_are_read_out() -> None:
    state = opening("release")
    assert state.manifest is not None
    masked = structs.replace(state, manifest=replace(state.manifest, names_masked=True))
    assert place(BIDDER, masked).is_discreet
    assert not place(BIDDER, structs.replace(masked, readouts=(b"{}",))).is_discreet


def test_when_an_opening_is_closed_nobody_publishes_any_more() -> None:
    state = opening("closed")
    assert is_over(state, NOW)
    assert place(HOST, state).grants.publish == frozenset()
    assert place(BIDDER, on_stage(state, BIDDER.person)).grants.publish == frozenset()
    with pytest.raises(Refused, match=r"media\.not_allowed"):
        camera_place("camera:hall", state, NOW)


def test_after_a_failed_opening_the_host_may_explain_for_a_while() -> None:
    state = an_opening(2, at="failed").opening
    assert state.stage is Stage.FAILED
    assert place(HOST, state, now_ms=state.deadline_ms + FAILED_MS).grants.publish == ALL
    late = state.deadline_ms + FAILED_MS + 1
    assert place(HOST, state, now_ms=late).grants.publish == frozenset()


def test_a_camera_shows_and_sees_nothing() -> None:
    grants = camera_place("camera:hall", opening("ready"), NOW).grants
    assert (grants.publish, grants.watch) == (SPEAKING, False)
    with pytest.raises(Refused, match=r"media\.not_allowed"):
        camera_place("host", opening("ready"), NOW)


# ---- meetings


def test_a_seat_shows_everything_and_silences_nobody() -> None:
    found = place(EXPERTS[2], a_meeting().state)
    assert found.grants.publish == ALL
    assert (found.grants.mute, found.venue, found.seat) == (False, "east", "b1")


def test_the_moderator_silences() -> None:
    found = place(HOST, a_meeting().state)
    assert (found.role, found.grants.mute, found.stage) == ("moderator", True, True)


def test_a_supervisor_sees_all_is_seen_by_nobody_and_speaks_while_a_call_lasts() -> None:
    meeting = a_meeting()
    found = place(SUPERVISOR_PERSON, meeting.state)
    assert (found.grants.hidden, found.grants.watch_all, found.is_discreet) == (True, True, True)
    assert (found.grants.publish, found.grants.call_in) == (frozenset(), False)
    meeting.ask(cmd.CallIn(call="c1", to=CallTo(kind="venue", id="east")), SUPERVISOR_PERSON)
    speaking = place(SUPERVISOR_PERSON, meeting.state)
    assert (speaking.grants.publish, speaking.grants.call_in) == (SPEAKING, True)
    assert speaking.grants.may_publish(Label.MICROPHONE, frozenset({"expert-3"}))
    assert place(SECOND_SUPERVISOR, meeting.state).grants.publish == frozenset()
    meeting.ask(cmd.EndCall(call="c1"), SUPERVISOR_PERSON)
    assert place(SUPERVISOR_PERSON, meeting.state).grants.publish == frozenset()


@pytest.mark.parametrize(
    ("to", "members"),
    [
        (CallTo(kind="all"), None),
        (CallTo(kind="venue", id="east"), {"expert-3", "expert-4"}),
        (CallTo(kind="seat", id="c1"), {"expert-5"}),
    ],
    ids=lambda one: getattr(one, "kind", ""),
)
def test_a_call_reaches_whom_it_names(to: CallTo, members: set[str] | None) -> None:
    meeting = a_meeting()
    meeting.ask(cmd.CallIn(call="c1", to=to), SUPERVISOR_PERSON)
    assert reached(meeting.state.floor.calls["c1"], meeting.state) == members


@pytest.mark.parametrize(
    "actor",
    [BIDDER, EXPERTS[6], PURCHASER_PERSON, Actor("host-2", Role.HOST)],
    ids=lambda actor: actor.person,
)
def test_nobody_else_is_let_into_a_meeting(actor: Actor) -> None:
    with pytest.raises(Refused, match=r"media\.not_allowed"):
        place(actor, a_meeting().state)


def test_who_is_not_logged_in_is_told_to_before_a_meeting() -> None:
    with pytest.raises(Refused, match=r"auth\.required"):
        place(PUBLIC, a_meeting().state)


@pytest.mark.parametrize(
    ("person", "roles"),
    [
        (HOST.person, {Role.HOST}),
        (SUPERVISOR_PERSON.person, {Role.SUPERVISOR}),
        (EXPERTS[2].person, set(SEATED)),
    ],
    ids=lambda one: one if isinstance(one, str) else "",
)
def test_an_id_that_was_given_to_somebody_of_another_role_opens_no_meeting(
    person: str, roles: set[Role]
) -> None:
    state = a_meeting().state
    for role in Role:
        actor = Actor(person, role, "91360800MA00000099", "后来者")
        if role in roles:
            assert place(actor, state).is_member
            continue
        with pytest.raises(Refused, match=r"media\.not_allowed"):
            place(actor, state)
        assert not may_read(actor, state)


def test_cameras_of_a_meeting_are_those_of_its_venues() -> None:
    state = a_meeting().state
    assert camera_place("camera:east-door", state, NOW).venue == "east"
    with pytest.raises(Refused, match=r"media\.not_allowed"):
        camera_place("camera:elsewhere", state, NOW)


def test_after_a_meeting_nobody_publishes() -> None:
    state = a_meeting("closed").state
    assert is_over(state, NOW)
    assert place(EXPERTS[0], state).grants.publish == frozenset()
