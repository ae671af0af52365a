"""What an outage of the site does to a running window (formats.md §3)."""

import pytest

from server.domain import commands as cmd
from server.domain import opening_events as ev
from server.domain.opening import Window
from tests.domain.cast import HOST
from tests.domain.openings import an_opening
from tests.domain.play import Play
from tests.domain.tender_rules import WINDOW_MS

MINUTE = 60_000


def window_of(play: Play) -> Window:
    assert play.opening.window is not None
    return play.opening.window


def pause(play: Play, reason: str = "设备故障") -> None:
    play.ask(cmd.Pause(reason=reason), HOST)


def tick(play: Play, passed_ms: int | None = None) -> list[object]:
    passed = play.now_ms if passed_ms is None else passed_ms
    return list(play.ask(cmd.OpeningTick(passed_ms=passed)))


def resume_after(play: Play, out_ms: int) -> None:
    """The site was alive until now, then away for so long."""
    alive = play.now_ms
    play.later(out_ms).ask(cmd.ResumeAfterOutage(last_alive_ms=alive))


def test_an_outage_extends_the_window_by_its_length():
    play = an_opening()
    end_ms = window_of(play).end_ms
    resume_after(play.later(MINUTE), 90_000)
    assert window_of(play).end_ms == end_ms + 90_000
    assert play.events(ev.WindowChanged)[-1].reason == "outage"


def test_an_outage_extends_by_no_more_than_the_manifest_says():
    play = an_opening(outage_ms_max=120_000)
    end_ms = window_of(play).end_ms
    resume_after(play, 3_600_000)
    assert window_of(play).end_ms == end_ms + 120_000


def test_what_was_not_yet_a_window_is_not_counted_as_outage():
    play = an_opening()
    start_ms, end_ms = window_of(play).start_ms, window_of(play).end_ms
    play.later(5000).ask(cmd.ResumeAfterOutage(last_alive_ms=start_ms - 100_000))
    assert window_of(play).end_ms == end_ms + 5000


@pytest.mark.parametrize("at", ["ready", "release", "read_out", "closed"])
def test_an_outage_outside_a_window_changes_nothing(at: str):
    play = an_opening(at=at)
    before = play.opening
    resume_after(play, 90_000)
    assert play.opening == before


def test_an_outage_under_keep_or_in_a_pause_changes_nothing():
    kept = an_opening(outage="keep")
    resume_after(kept, 90_000)
    assert kept.events(ev.WindowChanged) == []
    paused = an_opening()
    pause(paused)
    resume_after(paused, 90_000)
    assert len(paused.events(ev.WindowChanged)) == 1


def test_a_window_whose_end_passed_in_an_outage_ends_on_the_first_tick_under_keep():
    play = an_opening(outage="keep")
    resume_after(play, 10 * WINDOW_MS)
    tick(play)
    assert window_of(play).ended
