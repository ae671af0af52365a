"""The countdown (解密时限): its order and its arithmetic (sealing.md C1, formats.md §3)."""

import pytest

from server.domain import commands as cmd
from server.domain import due
from server.domain import opening_events as ev
from server.domain.model import SYSTEM
from server.domain.opening import Stage, Window
from tests.domain.cast import HOST
from tests.domain.openings import an_opening
from tests.domain.play import Play
from tests.domain.refusing import assert_refused
from tests.domain.tender_rules import BODY, FORM, SECOND_FORM, WINDOW_MS

MINUTE = 60_000


def window_of(play: Play) -> Window:
    assert play.opening.window is not None
    return play.opening.window


def pause(play: Play, reason: str = "设备故障") -> None:
    play.ask(cmd.Pause(reason=reason), HOST)


def resume(play: Play) -> None:
    play.ask(cmd.Resume(), HOST)


def extend(play: Play, extra_ms: int) -> None:
    play.ask(cmd.Extend(extra_ms=extra_ms, reason="网络拥堵"), HOST)


def tick(play: Play, passed_ms: int | None = None) -> list[object]:
    passed = play.now_ms if passed_ms is None else passed_ms
    return list(play.ask(cmd.OpeningTick(passed_ms=passed)))


# ---- start


def test_no_window_opens_before_the_closing_is_under_a_signed_checkpoint():
    play = an_opening(at="announced")
    assert_refused("window.not_closing_checkpoint", play, cmd.StartWindow(session=1), HOST)
    play.checkpoint()
    play.start()
    assert play.opening.stage is Stage.DECRYPTION


def test_a_session_opens_the_windows_of_all_its_envelopes_with_a_nonce_each():
    play = an_opening()
    window = window_of(play)
    assert sorted(window.nonces) == [FORM, BODY]
    assert len({*window.nonces.values()}) == 2
    assert all(len(nonce) == 32 for nonce in window.nonces.values())
    assert (window.start_ms, window.end_ms) == (play.now_ms, play.now_ms + WINDOW_MS)
    assert window.w == 1


def test_a_second_start_while_the_countdown_runs_is_refused():
    play = an_opening()
    command = cmd.StartWindow(session=1, reason="重来")
    assert_refused("window.running", play, command, HOST)
    pause(play)
    assert_refused("window.running", play, command, HOST)


def test_a_restart_needs_a_reason_and_is_a_new_window_with_new_nonces():
    play = an_opening(at="release")
    old = window_of(play)
    assert_refused("reason.missing", play, cmd.StartWindow(session=1), HOST)
    play.start(reason="停电")
    window = window_of(play)
    assert (window.w, window.session) == (2, 1)
    assert not set(window.nonces.values()) & set(old.nonces.values())
    assert play.opening.windows == (old,)
    assert play.events(ev.WindowOpened)[-1].reason == "停电"


def test_a_half_that_was_logged_stays_through_a_restart():
    play = an_opening(at="release", unlocked=2)
    halves = dict(play.opening.halves)
    play.start(reason="停电")
    assert play.opening.halves == halves
    assert play.opening.waiting == 2  # form and body of the third bid


def test_no_restart_before_the_end_of_the_window_is_under_a_checkpoint():
    """Or the bundle could not show that the first window ended."""
    play = an_opening()
    play.end_by_time()
    command = cmd.StartWindow(session=1, reason="停电")
    assert_refused("window.not_closing_checkpoint", play, command, HOST)
    play.checkpoint("window_end")
    play.ask(command, HOST)


@pytest.mark.parametrize("by", ["release", "trustees_lost"])
def test_no_restart_once_anything_was_released(by: str):
    play = an_opening(at="release")
    if by == "release":
        play.release(1)
    else:
        play.ask(play.lost(), HOST)
    command = cmd.StartWindow(session=1, reason="还想重来")
    assert_refused("window.final", play, command, HOST)
    assert_refused("window.final", play, command, SYSTEM)


@pytest.mark.parametrize("early_end", [True, False])
def test_no_restart_when_nobody_is_left_to_unlock(early_end: bool):
    """It would run its whole time for nobody, as often as the host likes."""
    play = an_opening(at="release", unlocked=3, early_end=early_end)
    command = cmd.StartWindow(session=1, reason="再来一次")
    assert_refused("window.all_unlocked", play, command, HOST)


def test_sessions_are_opened_in_their_order():
    play = an_opening(at="ready", second_session=True)
    assert_refused("window.session_unknown", play, cmd.StartWindow(session=2), HOST)
    assert_refused("window.session_unknown", play, cmd.StartWindow(session=3), HOST)
    play.start()
    play.end_by_time()
    play.checkpoint("window_end")
    assert_refused("window.session_unknown", play, cmd.StartWindow(session=2), HOST)


def test_the_second_session_opens_after_the_read_out_of_the_first():
    play = an_opening(at="read_out", second_session=True)
    assert_refused("window.session_done", play, cmd.StartWindow(session=1, reason="重来"), HOST)
    play.start(session=2)
    window = window_of(play)
    assert (window.session, window.w, sorted(window.nonces)) == (2, 1, [SECOND_FORM])
    assert play.opening.first_reply_ms is None


# ---- pause, resume, extend


def test_a_pause_keeps_the_end_and_stops_the_clock():
    play = an_opening()
    end_ms = window_of(play).end_ms
    play.later(MINUTE)
    pause(play)
    changed = play.events(ev.WindowChanged)[-1]
    assert (changed.end_ms, changed.remaining_ms) == (end_ms, WINDOW_MS - MINUTE)
    play.later(WINDOW_MS)
    assert tick(play) == []
    assert due.wake_ms(play.opening) is None


def test_after_a_pause_the_rest_of_the_time_is_still_there():
    play = an_opening()
    play.later(MINUTE)
    pause(play)
    play.later(30 * MINUTE)
    resume(play)
    assert window_of(play).end_ms == play.now_ms + WINDOW_MS - MINUTE
    assert not window_of(play).paused


def test_a_short_pause_does_not_shorten():
    """Two clocks that differ by a millisecond may not take it away."""
    play = an_opening()
    end_ms = window_of(play).end_ms
    pause(play)
    resume(play)
    assert window_of(play).end_ms == end_ms


def test_an_extension_adds_to_the_end():
    play = an_opening()
    end_ms = window_of(play).end_ms
    extend(play.later(MINUTE), 5 * MINUTE)
    assert window_of(play).end_ms == end_ms + 5 * MINUTE
    assert play.events(ev.WindowChanged)[-1].remaining_ms == WINDOW_MS + 4 * MINUTE


def test_an_extension_during_a_pause_adds_to_the_rest():
    play = an_opening()
    pause(play.later(MINUTE))
    extend(play.later(20 * MINUTE), 5 * MINUTE)
    assert window_of(play).paused
    assert window_of(play).remaining_ms == WINDOW_MS + 4 * MINUTE
    resume(play.later(10 * MINUTE))
    assert window_of(play).end_ms == play.now_ms + WINDOW_MS + 4 * MINUTE


@pytest.mark.parametrize("extra_ms", [-MINUTE, 0, 999, 24 * 3600 * 1000 + 1])
def test_an_extension_out_of_range_is_refused(extra_ms: int):
    play = an_opening()
    command = cmd.Extend(extra_ms=extra_ms, reason="延长")
    assert_refused("window.extension", play, command, HOST)


def test_what_the_host_asks_after_the_end_comes_too_late_as_everybody_else_does():
    play = an_opening()
    end_ms = window_of(play).end_ms
    play.now_ms = end_ms + 2
    for command in (cmd.Pause(reason="停"), cmd.Extend(extra_ms=MINUTE, reason="延长")):
        assert_refused("window.not_running", play, command, HOST, received_ms=end_ms)
    play.ask(cmd.Extend(extra_ms=MINUTE, reason="延长"), HOST, received_ms=end_ms - 1)
    assert window_of(play).end_ms == end_ms + MINUTE


def test_nothing_changes_a_window_that_has_ended():
    play = an_opening(at="release")
    for command in (
        cmd.Pause(reason="停"),
        cmd.Resume(),
        cmd.Extend(extra_ms=MINUTE, reason="延长"),
    ):
        assert_refused("window.not_running", play, command, SYSTEM)
        assert_refused("command.stage", play, command, HOST)


def test_every_change_says_its_reason_to_everybody():
    play = an_opening()
    pause(play, "  主持人设备故障 ")
    changed = play.events(ev.WindowChanged)[-1]
    assert (changed.reason, changed.audience()) == ("主持人设备故障", "hall")
    assert sorted(changed.nonces) == sorted(window_of(play).nonces.values())


# ---- the end


def test_a_window_ends_at_its_end_and_only_after_a_whole_pass_over_the_sockets():
    play = an_opening()
    end_ms = window_of(play).end_ms
    play.now_ms = end_ms - 1
    assert tick(play, end_ms) == []
    play.now_ms = end_ms + 40
    assert tick(play, end_ms - 1) == []
    tick(play, end_ms)
    (ended,) = play.events(ev.WindowEnded)
    assert (ended.end_ms, ended.early) == (end_ms, False)
    assert play.opening.stage is Stage.RELEASE


def test_the_end_tells_who_unlocked_everything():
    play = an_opening(bids=4)
    first, second = play.bids[:2]
    play.unlock(first)
    play.unlock(second, FORM)  # its body stays closed
    play.end_by_time()
    (ended,) = play.events(ev.WindowEnded)
    no_of = {bid.bidder_pk: bid.no for bid in play.opening.bids}
    assert ended.unlocked == [no_of[first.bidder.key.public]]
    assert sorted(ended.unlocked + ended.locked) == [1, 2, 3, 4]


def test_the_last_unlock_ends_the_window_at_once():
    play = an_opening()
    for bid in play.bids[:-1]:
        play.unlock(bid)
    assert window_of(play).ended is False
    play.later(1234).unlock(play.bids[-1])
    (ended,) = play.events(ev.WindowEnded)
    assert (ended.early, ended.locked) == (True, [])
    assert play.journal[-1].ts_ms == play.now_ms


def test_a_body_that_is_not_unlocked_keeps_the_window_open():
    play = an_opening()
    for bid in play.bids:
        play.unlock(bid, FORM)
    assert not window_of(play).ended
    for bid in play.bids[:-1]:
        play.unlock(bid, BODY)
    assert not window_of(play).ended
    play.unlock(play.bids[-1], BODY)
    assert window_of(play).early


def test_the_last_unlock_ends_a_paused_window_too():
    play = an_opening()
    pause(play)
    for bid in play.bids:
        play.later(WINDOW_MS).unlock(bid)
    assert window_of(play).early
    assert not window_of(play).paused


def test_a_tender_without_early_end_waits_for_its_time():
    play = an_opening(early_end=False)
    for bid in play.bids:
        play.unlock(bid)
    assert not window_of(play).ended
    play.end_by_time()
    assert play.events(ev.WindowEnded)[0].early is False


def test_a_restart_ends_early_when_the_rest_has_unlocked():
    play = an_opening(at="release", unlocked=2)
    play.start(reason="停电")
    play.unlock(play.bids[2])
    assert window_of(play).early
    assert play.events(ev.WindowEnded)[-1].locked == []
