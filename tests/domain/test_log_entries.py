"""Every event that stands in the log can be written there: a rule that makes an event which the log
refuses would stop the hall at the worst moment.
"""

from typing import Any

import pytest

from crypto.entries import decode_entry
from crypto.hashes import sha256
from server.domain import commands as cmd
from server.domain import opening_events as ev
from server.domain import tender_events as tv
from server.domain.log_entries import ATTEMPT, STORE_CHECK, WINDOW_CHANGE, entries_of
from server.domain.refusals import Refused
from tests.domain.cast import HOST, Bidder
from tests.domain.journaling import entry_bytes
from tests.domain.openings import an_opening
from tests.domain.play import Play
from tests.domain.refusing import assert_rejected


def logged(play: Play, event: Any, entry_type: int) -> list[dict[str, Any]]:
    made = [decode_entry(raw) for raw in entry_bytes(event, play.rules, play.now_ms)]
    assert {entry.type for entry in made} == {entry_type}
    return [entry.members for entry in made]


def test_a_resume_needs_no_reason_and_is_logged_all_the_same():
    play = an_opening()
    play.ask(cmd.Pause(reason="设备故障"), HOST)
    play.later(5000).ask(cmd.Resume(), HOST)
    resumed = play.events(ev.WindowChanged)[-1]
    assert resumed.change == "resume"
    assert [e["reason"] for e in logged(play, resumed, WINDOW_CHANGE)] == ["resume"] * 2


@pytest.mark.parametrize("at", ["announced", "ready"])
def test_a_try_before_any_window_is_logged_without_a_nonce(at: str):
    play = an_opening(at=at)
    bid = play.bids[0]
    report = cmd.ReportAttempt(bid_id=bid.bid_id(), code="unlock.key_mismatch")
    play.ask(report, bid.bidder.actor)
    (entry,) = logged(play, play.events(ev.AttemptFailed)[0], ATTEMPT)
    assert entry["nonce"] == "00" * 32
    assert entry["bid_id"] == bid.bid_id().hex()


def test_a_store_check_names_every_damaged_bid_however_many():
    play = an_opening(at="announced")
    damaged = sorted(sha256(bytes([n])) for n in range(120))
    entries = logged(play, tv.StoreChecked(checked=240, damaged=damaged), STORE_CHECK)
    assert [b for entry in entries for b in entry["damaged"]] == [b.hex() for b in damaged]
    (clean,) = logged(play, tv.StoreChecked(checked=240, damaged=[]), STORE_CHECK)
    assert clean["damaged"] == []


@pytest.mark.parametrize(
    ("reason", "code"),
    [
        ("延\u200b长", "text.code_point"),
        ("e\u0301", "text.not_nfc"),
        ("\x00", "text.code_point"),
    ],
)
def test_a_reason_that_the_log_cannot_hold_is_refused_before_anything_happens(
    reason: str, code: str
):
    play = an_opening()
    assert_rejected(code, play, cmd.Pause(reason=reason), HOST)
    assert_rejected(code, play, cmd.Extend(extra_ms=60_000, reason=reason), HOST)
    over = an_opening(at="release")
    assert_rejected(code, over, cmd.StartWindow(session=1, reason=reason), HOST)
    assert_rejected(code, over, over.lost(reason=reason), HOST)


def test_a_reason_of_several_lines_is_kept_on_one():
    play = an_opening()
    play.ask(cmd.Pause(reason="  断电\n请等待\t"), HOST)
    assert play.events(ev.WindowChanged)[-1].reason == "断电 请等待"


def test_a_reason_of_five_hundred_characters_is_kept_whole():
    play = an_opening()
    play.ask(cmd.Pause(reason="因" * 500), HOST)
    changed = play.events(ev.WindowChanged)[-1]
    assert [e["reason"] for e in logged(play, changed, WINDOW_CHANGE)] == ["因" * 500] * 2


def test_what_is_sealed_never_stands_in_the_log():
    """An entry names messages by SHA-256; halves, shares and plaintexts travel beside."""
    play = an_opening(at="closed")
    secrets = [
        s for bid in play.bids for e in bid.envelopes.values() for s in (e.bidder_half, e.host_half)
    ]
    secrets += [u.half for u in play.opening.halves.values()]
    shares = [
        item.share
        for messages in play.opening.releases.values()
        for message in messages.values()
        for item in message.items
        if any(item.share)
    ]
    assert shares
    prices = [Bidder(n).price().encode() for n in (1, 2, 3)]
    whole = b"".join(
        raw for one in play.journal for raw in entry_bytes(one.event, play.rules, one.ts_ms)
    )
    for secret in [*secrets, *shares]:
        assert secret not in whole
        assert secret.hex().encode() not in whole
    for price in prices:
        assert price not in whole


def test_events_without_entries_have_none():
    play = an_opening(at="closed")
    assert entries_of(ev.RowRead(no=1), play.rules, play.now_ms) == []
    assert entries_of(ev.AllOpened(by="host"), play.rules, play.now_ms) == []


def test_evidence_of_a_refused_try_is_logged_with_its_code():
    play = an_opening()
    bid = play.bids[0]
    with pytest.raises(Refused):
        play.ask(play.unlocking(bid, halves={1: bytes(32)}), bid.bidder.actor)
    (entry,) = logged(play, play.events(ev.AttemptFailed)[0], ATTEMPT)
    assert entry["code"] == "unlock.key_mismatch"
    assert entry["nonce"] == play.opening.window.nonces[1].hex()
