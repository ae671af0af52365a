"""Tokens of the fragments' listener: made by one process, read by another, taken back at once."""

import pytest

from server.live import tokens
from server.live.tokens import TOKEN_MS, USED_MS, Gate, make_token, new_secret

SECRET = new_secret()
ROOM, NOW = "opening:x", 1_800_000_000_000


def token(room: str = ROOM, subject: str = "bidder-1", now_ms: int = NOW) -> str:
    return make_token(SECRET, room, subject, now_ms)


def test_a_token_is_good_for_its_room_and_its_time() -> None:
    gate = Gate(SECRET)
    found = gate.admit(ROOM, token(), NOW)
    assert found is not None
    assert (found.room, found.subject) == (ROOM, "bidder-1")
    assert gate.admit("opening:y", token(), NOW) is None
    assert gate.admit(ROOM, token(), NOW + TOKEN_MS) is None
    assert gate.admit(ROOM, token(subject=""), NOW) is not None


def test_a_token_of_another_process_is_nobodys() -> None:
    assert Gate(new_secret()).admit(ROOM, token(), NOW) is None


@pytest.mark.parametrize(
    "broken",
    ["", ".", "a.b", "é.é", "A" * 401, "=.=", "....", " ", "AAAA." + "A" * 43],
    ids=repr,
)
def test_what_is_no_token_is_refused(broken: str) -> None:
    assert Gate(SECRET).admit(ROOM, broken, NOW) is None


def test_no_byte_of_a_token_can_be_changed() -> None:
    gate, good = Gate(SECRET), token()
    for at in range(len(good)):
        other = "A" if good[at] != "A" else "B"
        changed = good[:at] + other + good[at + 1 :]
        found = gate.admit(ROOM, changed, NOW)
        # The last letter of base64 has bits that stand for nothing.
        assert found is None or at in (good.index(".") - 1, len(good) - 1)


def test_a_token_in_use_stays_good_and_one_that_rested_does_not() -> None:
    gate, mine, other = Gate(SECRET), token(), token()
    at_ms = NOW
    for _ in range(10):
        assert gate.admit(ROOM, mine, at_ms) is not None
        at_ms += USED_MS - 1
    assert gate.admit(ROOM, mine, at_ms) is not None
    assert gate.admit(ROOM, other, at_ms) is None, "never used within its life"
    assert gate.admit(ROOM, mine, at_ms + USED_MS) is None


def test_what_is_taken_back_is_over_at_once_and_a_new_one_is_good() -> None:
    gate, mine, other = Gate(SECRET), token(), token(subject="bidder-2")
    held, held_other = gate.admit(ROOM, mine, NOW), gate.admit(ROOM, other, NOW)
    assert held is not None
    assert held_other is not None
    gate.take_back(ROOM, "bidder-1", NOW + 5)
    assert gate.is_taken_back(held)
    assert gate.admit(ROOM, mine, NOW + 5) is None
    assert not gate.is_taken_back(held_other)
    assert gate.admit(ROOM, token(now_ms=NOW + 6), NOW + 6) is not None


def test_what_is_remembered_is_bounded_and_forgetting_lets_nobody_in(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(tokens, "TAKEN_BACK_MAX", 3)
    monkeypatch.setattr(tokens, "PASSES_MAX", 3)
    gate = Gate(SECRET)
    mine = token(subject="p0")
    for number in range(10):
        at_ms = NOW + 2 * number
        assert gate.admit(ROOM, token(subject="q", now_ms=at_ms), at_ms) is not None
        gate.take_back(ROOM, f"p{number}", at_ms + 1)
    assert len(gate._taken_back) <= 3
    assert len(gate._used) <= 3
    assert gate.admit(ROOM, mine, NOW + 30) is None
