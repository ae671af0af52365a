"""Journals must be readable for fifteen years: today's program reads every event that any program
before it has written (golden/events.jsonl), and reads it as what it meant.
"""

from typing import Any, ClassVar

import msgspec
import pytest

from server.domain import (
    act_events,
    evaluation_room_events,
    floor_events,
    opening_events,
    registry_events,
    tender_events,
)
from server.domain.events import EVENTS, UPCASTERS, Event, decode, encode, journaled
from tests.domain.golden.make_samples import read_samples, sample_events, shown

SAMPLES = read_samples()
MODULES = (
    act_events,
    evaluation_room_events,
    floor_events,
    opening_events,
    registry_events,
    tender_events,
)


def named(sample: dict[str, Any]) -> str:
    return f"{sample['type']}-v{sample['version']}"


@pytest.mark.parametrize("sample", SAMPLES, ids=named)
def test_a_stored_event_is_read_as_what_it_meant(sample: dict[str, Any]):
    event = decode(sample["type"], sample["version"], bytes.fromhex(sample["payload"]))
    assert sample["type"] == event.TYPE
    assert event.audience() == sample["audience"]
    if sample["version"] == event.VERSION:
        assert shown(event) | sample["event"] == shown(event)
        assert decode(event.TYPE, event.VERSION, encode(event)) == event


def test_every_type_has_a_sample_of_every_version_that_was_ever_written():
    known = {(sample["type"], sample["version"]) for sample in SAMPLES}
    for type_, cls in EVENTS.items():
        for version in range(1, cls.VERSION + 1):
            assert (type_, version) in known, "run python -m tests.domain.golden.make_samples"


def test_every_old_version_has_its_upcaster():
    for type_, cls in EVENTS.items():
        for version in range(1, cls.VERSION):
            assert (type_, version) in UPCASTERS


def test_samples_are_only_ever_added():
    assert len({named(sample) for sample in SAMPLES}) == len(SAMPLES)
    for sample in SAMPLES:
        assert sample["type"] in EVENTS, "a type that was journaled once must stay readable"
        assert 1 <= sample["version"] <= EVENTS[sample["type"]].VERSION


def test_what_is_written_today_is_what_the_sample_shows():
    """The encoding itself: bytes stay bytes, maps keep their order, nothing is renamed."""
    newest = {(s["type"], s["version"]): s for s in SAMPLES}
    for event in sample_events():
        sample = newest[event.TYPE, event.VERSION]
        # A field that was added later, with its default, is not in the sample.
        assert sample["event"].items() <= shown(event).items(), event.TYPE
        if shown(event).keys() == sample["event"].keys():
            assert encode(event).hex() == sample["payload"], event.TYPE


def test_every_event_class_is_registered():
    for module in MODULES:
        for value in vars(module).values():
            if isinstance(value, type) and issubclass(value, Event) and value.TYPE:
                assert EVENTS[value.TYPE] is value
    assert len(EVENTS) == len(sample_events())


@pytest.fixture
def a_type_of_three_versions():
    """An event whose meaning changed twice: a name became a code, and a moment was added."""

    @journaled("tried_and_changed", version=3)
    class Changed(Event, frozen=True, kw_only=True):
        DEFAULT: ClassVar[str] = "unknown"
        code: str
        at_ms: int

    UPCASTERS["tried_and_changed", 1] = lambda m: {"code": m["name"].lower()}
    UPCASTERS["tried_and_changed", 2] = lambda m: {**m, "at_ms": 0}
    yield Changed
    del EVENTS["tried_and_changed"]
    del UPCASTERS["tried_and_changed", 1], UPCASTERS["tried_and_changed", 2]


def test_an_old_version_is_lifted_step_by_step(a_type_of_three_versions: Any):
    def stored(version: int, **members: Any) -> Any:
        return decode("tried_and_changed", version, msgspec.msgpack.encode(members))

    assert stored(1, name="PAUSE") == a_type_of_three_versions(code="pause", at_ms=0)
    assert stored(2, code="pause") == a_type_of_three_versions(code="pause", at_ms=0)
    assert stored(3, code="pause", at_ms=7) == a_type_of_three_versions(code="pause", at_ms=7)


def test_a_version_of_a_newer_program_is_not_guessed_at(a_type_of_three_versions: Any):
    with pytest.raises(AssertionError, match="newer program"):
        decode("tried_and_changed", 4, b"\x80")


def test_a_type_is_registered_once():
    with pytest.raises(AssertionError):
        journaled("row_read")(type("Again", (Event,), {}, frozen=True, kw_only=True))


def test_a_field_that_is_added_with_a_default_needs_no_new_version():
    """As the reason of a window that is not a restart."""
    old = {"session": 1, "w": 1, "nonces": [], "start_ms": 1, "end_ms": 2}
    event = decode("window_opened", 1, msgspec.msgpack.encode(old))
    assert event == opening_events.WindowOpened(session=1, w=1, nonces=[], start_ms=1, end_ms=2)
