"""Documents that are too long for one event: in parts, and whole again for whoever reads them."""

import json
from typing import Any

import pytest

from crypto.hashes import sha256
from server.domain import documents
from server.domain import opening_events as ev
from server.domain.documents import in_parts, joined
from server.domain.events import Event
from server.domain.log_entries import READ_OUT, SET_FROZEN, entries_of
from server.domain.opening import evolve
from tests.domain.openings import an_opening
from tests.domain.play import Play
from tests.domain.tender_rules import FORM

PART = 100


@pytest.fixture(autouse=True)
def short_parts(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(documents, "PART_BYTES_MAX", PART)


@pytest.mark.parametrize("size", [0, 1, PART - 1, PART])
def test_what_fits_one_event_is_one_event(size: int):
    event = ev.SetFrozen(nonce=b"n" * 32, frozen=b"f" * size)
    assert in_parts(event) == [event]
    assert joined([event]) == [event]


@pytest.mark.parametrize("size", [PART + 1, 2 * PART, 2 * PART + 1, 777])
def test_what_does_not_is_cut_and_joined(size: int):
    raw = bytes(n % 251 for n in range(size))
    event = ev.PricesReadOut(nonce=b"n" * 32, readout=raw, amounts={1: "1.00"})
    *parts, last = in_parts(event)
    assert all(isinstance(part, ev.DocumentPart) for part in parts)
    assert [part.part for part in parts] == list(range(1, len(parts) + 1))
    assert all(len(part.raw) == PART for part in parts)
    assert 0 < len(last.readout) <= PART
    (whole,) = joined([*parts, last])
    assert (whole.readout, whole.amounts) == (raw, event.amounts)
    assert (last.whole_sha256, last.whole_size) == (sha256(raw), size)


def test_a_part_that_is_missing_or_altered_is_noticed():
    event = ev.SetFrozen(nonce=b"n" * 32, frozen=bytes(5 * PART))
    parts: list[Any] = in_parts(event)
    for wrong in (parts[1:], [parts[0], *parts], [*parts[:2], *parts[3:]]):
        with pytest.raises(AssertionError):
            joined(wrong)


def read_out(**rules: Any) -> Play:
    play = an_opening(at="opening", **rules).copy()
    play.open_all()
    return play


def test_a_long_read_out_folds_to_what_a_short_one_is(monkeypatch: pytest.MonkeyPatch):
    long = read_out()
    monkeypatch.setattr(documents, "PART_BYTES_MAX", 1 << 20)
    short = read_out()
    assert len(long.events(ev.DocumentPart)) > 5
    assert short.events(ev.DocumentPart) == []
    assert long.opening.readouts == short.opening.readouts
    assert long.opening.states == short.opening.states
    assert long.opening.parts == ()
    kinds = (ev.SetFrozen, ev.PricesReadOut)
    assert [
        e.document() for e in joined(j.event for j in long.journal) if isinstance(e, kinds)
    ] == [j.event.document() for j in short.journal if isinstance(j.event, kinds)]


def test_the_log_names_the_whole_document_however_many_events_carry_it():
    play = read_out()
    logged = [
        entry
        for one in play.journal
        for entry in entries_of(one.event, play.rules, one.ts_ms)
        if entry[0] in (SET_FROZEN, READ_OUT)
    ]
    assert [type_ for type_, _ in logged] == [SET_FROZEN, READ_OUT]
    (readout,) = play.opening.readouts
    assert logged[1][1]["sha256"] == sha256(readout).hex()
    assert logged[1][1]["size"] == len(readout)
    assert json.loads(readout)["rows"]


def test_no_price_is_in_the_state_before_the_read_out_is_whole():
    """Whatever is derived of a state that has seen the parts only: it has no read-out yet."""
    play = read_out()
    before = an_opening(at="opening").copy()
    state = before.opening
    events: list[Event] = [one.event for one in play.journal[len(before.journal) :]]
    for event in events:
        if isinstance(event, ev.PricesReadOut):
            assert state.readouts == ()
        state = evolve(state, event, play.now_ms)
    assert len(state.readouts) == 1
    assert set(state.states) >= set(state.counting(FORM))
