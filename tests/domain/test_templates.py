"""Drafting from a template: what is missing or unknown is named, what is chosen stands in it."""

from typing import Any

import pytest

from server.domain.refusals import Refused
from server.domain.templates.drafting import draft

SETTINGS: dict[str, Any] = {
    "number": "JZ-1",
    "title": "滨河东路",
    "purchaser": {},
    "agency": {},
    "officers": [],
    "deadline_ms": 1,
}
SITE: dict[str, Any] = {"log": {"origin": "a/kaibiao/log"}, "host_receipt_pk": "00"}


def test_a_draft_has_the_templates_members_and_the_sites() -> None:
    made = draft("building", {**SETTINGS, "window_ms": 7, "t": 3}, [{}, {}, {}, {}], SITE)
    assert [one["trustees"] for one in made["envelopes"]] == [[1, 2, 3, 4]] * 2  # type: ignore
    assert [one["t"] for one in made["envelopes"]] == [3, 3]  # type: ignore
    (session,) = made["sessions"]  # type: ignore
    assert (session["window_ms"], session["outage_ms_max"], session["reply_ms"]) == (7, 7, 600_000)
    assert (made["log"], made["min_bidders"]) == (SITE["log"], 3)


def test_without_witnesses_a_draft_says_demo() -> None:
    made = draft("building", SETTINGS, [], SITE)
    assert (made["quorum"], made["demo"]) == (0, True)


@pytest.mark.parametrize("name", [*SETTINGS, "quorum", "demo", "suite"])
def test_what_is_missing_or_not_to_be_set_is_named(name: str) -> None:
    given = {**SETTINGS, name: 1}
    if name in SETTINGS:
        del given[name]
    with pytest.raises(Refused) as caught:
        draft("building", given, [], SITE)
    assert caught.value.code == "template.settings"
    assert [name] in caught.value.detail.values()


def test_an_unknown_template_is_refused() -> None:
    with pytest.raises(Refused) as caught:
        draft("bridge", SETTINGS, [], SITE)
    assert caught.value.code == "template.unknown"
