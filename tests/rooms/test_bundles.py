"""What goes into a bundle: what was accepted and is in its log, and nothing of a body."""

from typing import Any

from server.reports.bundle import LoggedEntry
from server.rooms.bundles import _is_form, _logged_releases
from tests.domain.openings import an_opening
from tests.domain.tender_rules import BODY, FORM


def entry_of(play: Any, place: int, envelope: int) -> LoggedEntry:
    digest = play.opening.releases[place][envelope].digest.hex()
    return LoggedEntry(13, {"sha256": digest}, {})


def test_a_release_whose_entry_is_not_in_the_log_yet_waits_for_the_next_bundle():
    play = an_opening(at="read_out")
    entries = [entry_of(play, 1, FORM), entry_of(play, 1, BODY), entry_of(play, 2, FORM)]
    shown = _logged_releases(play.opening, entries)
    assert {place: sorted(own) for place, own in shown.items()} == {1: [FORM, BODY], 2: [FORM]}
    assert _logged_releases(play.opening, []) == {1: {}, 2: {}}


def test_a_bodys_own_half_is_no_part_of_a_bundle():
    play = an_opening(at="replies")
    bid = play.bids[0]
    assert _is_form(play.opening, bid.bid_id(FORM))
    assert not _is_form(play.opening, bid.bid_id(BODY))
