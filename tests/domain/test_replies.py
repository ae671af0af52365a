"""When the replies end and the forms are opened: at once, by the host, by time, or by itself
(REPLY_END, formats.md §3; 无人值守).
"""

import pytest

from server.domain import commands as cmd
from server.domain import due
from server.domain import opening_events as ev
from server.domain.due import FindHalves, OpenForms
from server.domain.opening import Stage
from tests.domain.cast import HOST
from tests.domain.forged_headers import an_unreadable_box_for
from tests.domain.openings import a_release, an_opening
from tests.domain.play import Play
from tests.domain.refusing import assert_refused
from tests.domain.tender_rules import REPLY_MS


def tick(play: Play) -> list[object]:
    return list(play.ask(cmd.OpeningTick(passed_ms=play.now_ms)))


def by_of(play: Play) -> list[str]:
    return [e.by for e in play.events(ev.RepliesEnded)]


def test_the_replies_end_at_once_when_nothing_is_missing():
    play = an_opening(at="replies")
    play.release(2)
    assert by_of(play) == []
    play.work()
    assert by_of(play) == ["all_found"]
    assert play.opening.stage is Stage.OPENING


def test_the_replies_stay_open_while_a_bid_can_still_be_rescued():
    play = a_release({}, {"forged": an_unreadable_box_for(1)})
    play.release(1)
    play.release(2)
    play.work()
    assert play.opening.stage is Stage.REPLIES
    play.release(3)
    play.work()
    assert by_of(play) == ["all_found"]


def test_a_damaged_bid_keeps_the_replies_open_for_repair():
    play = an_opening(at="release")
    bid = play.bids[0]
    play.store[bid.bid_id()] = b"lost"
    play.release(1)
    play.release(2)
    play.work()
    assert play.opening.stage is Stage.REPLIES
    assert {f.state for f in play.opening.found.values()} == {"", "damaged"}


def test_the_host_ends_the_replies():
    play = an_opening(at="replies")
    play.ask(cmd.EndReplies(), HOST)
    assert by_of(play) == ["host"]
    assert_refused("command.stage", play, cmd.EndReplies(), HOST)


def test_the_replies_end_by_themselves_after_their_time():
    play = an_opening(at="replies")
    first = play.opening.first_reply_ms
    assert first is not None
    assert due.wake_ms(play.opening) == first + REPLY_MS
    play.now_ms = first + REPLY_MS - 1
    assert tick(play) == []
    play.later(1)
    tick(play)
    assert by_of(play) == ["time"]


def test_the_time_runs_from_the_first_reply_even_if_others_follow():
    play = an_opening(at="release")
    play.ask(play.lost(), HOST)
    declared = play.now_ms
    play.later(REPLY_MS // 2).release(1)
    assert due.wake_ms(play.opening) == declared + REPLY_MS


def test_the_forms_are_opened_by_time_if_the_host_does_not_press():
    play = an_opening(at="opening")
    ended = play.opening.replies_ended_ms
    assert ended is not None
    assert due.wake_ms(play.opening) == ended + REPLY_MS
    play.now_ms = ended + REPLY_MS - 1
    assert tick(play) == []
    play.later(1)
    tick(play)
    assert [e.by for e in play.events(ev.AllOpened)] == ["time"]
    assert tick(play) == []
    assert due.wake_ms(play.opening) is None


def test_an_unattended_opening_opens_by_itself():
    play = an_opening(at="replies", unattended=True)
    play.release(2)
    play.work()
    assert [e.by for e in play.events(ev.AllOpened)] == ["unattended"]
    assert play.opening.stage is Stage.READ_OUT
    assert play.states() == {1: "opened", 2: "opened", 3: "locked"}


@pytest.mark.parametrize("how", ["the host", "time"])
def test_a_share_released_in_time_counts_however_busy_we_were(how: str):
    """The host, or the time, ends the replies before the workers looked at the second release: the
    verifier counts it, and so must we.
    """
    play = an_opening(at="replies")
    play.release(2)
    if how == "the host":
        play.ask(cmd.EndReplies(), HOST)
    else:
        play.later(REPLY_MS)
        tick(play)
    assert play.opening.found == {}
    assert isinstance(due.work(play.opening), FindHalves)
    play.ask(cmd.OpenAll(), HOST)
    play.work()
    assert play.states() == {1: "opened", 2: "opened", 3: "locked"}


def test_a_half_shown_in_time_counts_however_busy_we_were():
    play = an_opening(at="replies")
    bid = play.bids[0]
    play.ask(play.self_releasing(bid), bid.bidder.actor)
    play.ask(cmd.EndReplies(), HOST)
    play.open_all()
    assert play.states() == {1: "opened", 2: "unrecoverable", 3: "locked"}


def test_a_share_released_after_the_replies_ended_changes_no_state():
    play = an_opening(at="replies")
    play.ask(cmd.EndReplies(), HOST)
    play.release(2)
    play.open_all()
    assert play.states() == {1: "unrecoverable", 2: "unrecoverable", 3: "locked"}


def test_a_report_that_comes_late_is_still_taken():
    play = an_opening(at="replies")
    play.release(2)
    work = due.work(play.opening)
    assert isinstance(work, FindHalves)
    report = play.halves_report(work)
    play.ask(cmd.EndReplies(), HOST)
    play.ask(report)
    assert by_of(play) == ["host"]
    assert due.work(play.opening) is None
    play.open_all()
    assert play.states()[1] == "opened"


def test_a_report_that_comes_twice_changes_nothing():
    play = an_opening(at="replies")
    play.release(2)
    work = due.work(play.opening)
    assert isinstance(work, FindHalves)
    report = play.halves_report(work)
    play.ask(report)
    play.ask(cmd.OpenAll(), HOST)
    forms = due.work(play.opening)
    assert isinstance(forms, OpenForms)
    opened = play.forms_report(forms)
    play.ask(opened)
    state = play.opening
    assert play.ask(opened) == []
    play.ask(report)
    assert play.opening.states == state.states
    assert play.opening.found == state.found


def test_the_button_is_pressed_once():
    play = an_opening(at="opening")
    play.ask(cmd.OpenAll(), HOST)
    assert_refused("opening.not_ready", play, cmd.OpenAll(), HOST)


def test_nothing_is_opened_before_the_button():
    play = an_opening(at="opening")
    assert due.work(play.opening) is None
    report = cmd.ReportForms(envelope=1, forms=[])
    assert play.ask(report) == []
