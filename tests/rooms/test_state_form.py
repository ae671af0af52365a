"""A state that was written down and read again is the state; nothing of it is guessed."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pytest

from server.domain import commands as cmd
from server.domain import opening, registry, tender
from server.domain import registry_events as rev
from server.domain.model import Role
from server.domain.opening import Opening, Stage
from server.domain.registry import Registry
from server.domain.tender import Tender
from server.rooms import state_form
from server.rooms.state_form import decode_state, encode_state, program
from tests.domain.cast import HOST, Bidder
from tests.domain.openings import a_countdown, a_release, a_tender, an_opening
from tests.domain.play import Play
from tests.domain.sealed_bids import a_sealed_bid

TEST_SUITE = 0xFF01


def of_two_sessions() -> Play:
    play = an_opening(at="read_out", second_session=True)
    play.later(1000).start(session=2)
    play.unlock(play.bids[0])
    return play


def of_replaced_and_withdrawn_bids() -> Play:
    play = a_tender()
    play.open_sign_in()
    play.ask(cmd.SignIn(), Bidder(1).actor)
    first = play.bid(Bidder(1))
    play.bid(Bidder(2))
    second = a_sealed_bid(play.rules, Bidder(1), version=2)
    play.upload(second)
    play.submit(second)
    play.withdraw(play.bids[0])
    assert first is not second
    play.now_ms = play.tender.deadline_ms + 1
    play.keep("tender", late_evidence(play))
    play.close()
    return play


def late_evidence(play: Play) -> list[Any]:
    late = a_sealed_bid(play.rules, Bidder(2), version=3)
    try:
        play.submit(late)
    except Exception as refused:
        return list(getattr(refused, "evidence", ()))
    raise AssertionError("a late bid was taken")


def of_cards_and_failed_tries() -> Play:
    play = a_countdown({}, {}, {})
    play.ask(play.card(play.bids[0]), play.bids[0].bidder.actor)
    report = cmd.ReportAttempt(bid_id=play.bids[1].bid_id(), code="unlock.key_mismatch")
    play.ask(report, play.bids[1].bidder.actor)
    play.ask(cmd.Pause(reason="停电"), HOST)
    play.later(5000).ask(cmd.Resume(), HOST)
    return play


def of_lost_trustees() -> Play:
    play = a_release({}, {})
    play.ask(play.lost(), HOST)
    play.ask(play.self_releasing(play.bids[0]), play.bids[0].bidder.actor)
    play.work()
    return play


PLAYS: dict[str, Callable[[], Play]] = {
    "closed": lambda: an_opening(at="closed"),
    "lots": lambda: an_opening(at="closed", lots=(1, 2), names_masked=True),
    "failed": lambda: an_opening(at="failed"),
    "test suite": lambda: an_opening(at="closed", suite=TEST_SUITE),
    "two sessions": of_two_sessions,
    "replaced and withdrawn": of_replaced_and_withdrawn_bids,
    "cards": of_cards_and_failed_tries,
    "lost trustees": of_lost_trustees,
}
RULES: dict[str, tuple[Any, Any]] = {
    "tender": (tender.evolve, Tender(allow_test=True)),
    "opening": (opening.evolve, Opening(allow_test=True)),
    "registry": (registry.evolve, Registry()),
}


def again(state: Any) -> Any:
    return decode_state(type(state), encode_state(state), allow_test=True)


def assert_kept_at_every_prefix(kind: str, events: list[tuple[Any, int]]) -> None:
    """At every event: what was written down and read is the state, and goes on like it."""
    evolve, state = RULES[kind]
    kept = state
    for event, ts_ms in events:
        kept = again(kept)
        assert kept == state
        state = evolve(state, event, ts_ms)
        kept = evolve(kept, event, ts_ms)
    assert again(kept) == state
    assert type(again(kept)) is type(state)


@pytest.mark.parametrize("kind", ["tender", "opening"])
@pytest.mark.parametrize("name", PLAYS)
def test_at_every_event_of_a_recorded_opening_the_state_comes_back(kind: str, name: str):
    journal = [(one.event, one.ts_ms) for one in PLAYS[name]().journal if one.stream == kind]
    assert len(journal) >= 2
    assert_kept_at_every_prefix(kind, journal)


def test_at_every_event_of_the_registry_the_state_comes_back():
    people = [
        rev.PersonRegistered(
            org=f"org{n}",
            person=f"person-{n}",
            role=role,
            name="林悦",
            org_name="江州建招",
            login_pk=bytes([n]) * 32,
        )
        for n, role in enumerate(Role)
    ]
    removed = [rev.PersonRemoved(person="person-3", reason="离职")]
    assert_kept_at_every_prefix("registry", [(event, 1) for event in people + removed])


def test_a_header_is_parsed_once_however_often_it_stands_in_the_state(
    monkeypatch: pytest.MonkeyPatch,
):
    play = an_opening(at="read_out")
    raw = encode_state(play.opening)
    parsed: list[bytes] = []
    parse_header = state_form._BY_RAW[state_form.Header]

    def counting(header: bytes, suite: Any) -> Any:
        parsed.append(header)
        return parse_header(header, suite)

    monkeypatch.setitem(state_form._BY_RAW, state_form.Header, counting)
    decode_state(Opening, raw, allow_test=True)
    assert len(parsed) == len(set(parsed)) == len(play.opening.envelopes)


def test_a_state_of_other_fields_is_not_read_as_ours():
    state = an_opening(at="read_out").tender
    raw = encode_state(state)
    with pytest.raises((ValueError, TypeError, IndexError, AssertionError)):
        decode_state(Opening, raw, allow_test=True)


def test_a_field_that_cannot_be_stored_is_noticed_when_it_is_written():
    @dataclass(frozen=True)
    class Strange:
        rate: Any

    with pytest.raises(AssertionError):
        encode_state(Strange(rate=object()))


def test_the_program_is_named_by_the_text_of_its_rules(tmp_path, monkeypatch: pytest.MonkeyPatch):
    here = tmp_path / "server" / "rooms" / "state_form.py"
    rules = tmp_path / "server" / "domain" / "opening.py"
    for file in (here, rules):
        file.parent.mkdir(parents=True)
        file.write_text("one")
    monkeypatch.setattr(state_form, "__file__", str(here))

    def named() -> bytes:
        program.cache_clear()
        return program()

    try:
        first = named()
        assert named() == first
        rules.write_text("two")
        assert named() != first
    finally:
        program.cache_clear()


def test_stages_are_stages_again():
    state = again(an_opening(at="read_out").opening)
    assert state.stage is Stage.READ_OUT
