"""Large envelopes behind the read-out (C3, C5): who sent a wrong share of one is named too, and
what was unrecoverable is tried again when a share comes.
"""

from typing import Any

import pytest

from crypto.shares import SHARE_OK, SHARE_REFUSED
from server.decryption.halves import find
from server.domain import commands as cmd
from server.domain import due
from server.domain import opening_events as ev
from server.domain.log_entries import TRUSTEE_FAULT, entries_of
from tests.domain.cast import TRUSTEES
from tests.domain.openings import an_opening
from tests.domain.play import Play
from tests.domain.tender_rules import BODY, FORM

OPENED, UNRECOVERABLE = "opened", "unrecoverable"


def decide_bodies(play: Play) -> None:
    """The work behind the hall, until there is none; stored bytes are as they were sealed."""
    for _ in range(20):
        work = due.bodies(play.opening)
        if work is None:
            return
        done = [find(bid, True, None) for bid in work.bids]
        if isinstance(work, due.OpenBodies):
            for one in done:
                bid_id, state = one.found.bid_id, one.found.state or OPENED
                report = cmd.ReportBody(
                    envelope=BODY, bid_id=bid_id, state=state, releases=work.releases
                )
                play.ask(report)
            continue
        faults = [fault for one in done for fault in one.faults]
        play.ask(cmd.ReportHalves(envelope=BODY, releases=work.releases, found=[], faults=faults))
    raise AssertionError("the same work is asked for again and again")


def releasing(play: Play, place: int, shares: dict[bytes, Any]) -> cmd.ReleaseShares:
    """Honest about the forms; ``shares`` of the bodies."""
    messages = [
        play.release_message(place, FORM),
        play.release_message(place, BODY, shares=shares),
    ]
    return cmd.ReleaseShares(messages=messages)


def wrong_shares(play: Play, place: int) -> dict[bytes, Any]:
    """A good scalar that is no share of these bodies."""
    strange = play.rules.suite_impl.share_at([play.bids[0].envelopes[FORM].host_half], place)
    return dict.fromkeys(play.release_set(BODY), (SHARE_OK, strange))


def refused_shares(play: Play) -> dict[bytes, Any]:
    return dict.fromkeys(play.release_set(BODY), (SHARE_REFUSED, bytes(32)))


def ask(play: Play, command: cmd.Command, place: int) -> None:
    play.later(100).ask(command, TRUSTEES[place - 1].actor)


def read_out(first: dict[bytes, Any] | None = None, **rules: Any) -> Play:
    """Read out after two releases, the first with these shares of the bodies."""
    play = an_opening(at="release", **rules)
    ask(play, releasing(play, 1, first or {}), 1)
    ask(play, releasing(play, 2, {}), 2)
    play.work()
    play.open_all()
    return play


def body_faults(play: Play) -> list[tuple[int, int, str]]:
    return [(e.envelope, e.i, e.fault) for e in play.events(ev.TrusteeFaultFound)]


def body_states(play: Play) -> list[str]:
    return [play.opening.states[b] for b in play.release_set(BODY)]


def test_bodies_are_decided_and_nobody_is_named_where_all_are_honest():
    play = read_out()
    decide_bodies(play)
    assert body_states(play) == [OPENED, OPENED]
    assert body_faults(play) == []


def test_a_wrong_share_of_a_body_is_named_when_a_third_one_proves_it():
    play = an_opening(at="release")
    play = read_out(first=wrong_shares(play, 1))
    decide_bodies(play)
    assert body_states(play) == [UNRECOVERABLE, UNRECOVERABLE]
    assert body_faults(play) == []  # with two shares nobody can say who is wrong (C5)
    ask(play, releasing(play, 3, {}), 3)
    decide_bodies(play)
    assert body_states(play) == [OPENED, OPENED]
    assert body_faults(play) == [(BODY, 1, "share")] * 2
    fault = play.events(ev.TrusteeFaultFound)[0]
    (logged,) = entries_of(fault, play.rules, play.now_ms)
    assert logged[0] == TRUSTEE_FAULT
    assert logged[1]["nonce"] == play.opening.window.nonces[BODY].hex()
    assert logged[1]["sha256"] == play.opening.releases[1][BODY].digest.hex()


def test_a_late_share_that_is_wrong_is_named_though_the_bodies_stand():
    play = read_out()
    decide_bodies(play)
    ask(play, releasing(play, 3, wrong_shares(play, 3)), 3)
    decide_bodies(play)
    assert body_faults(play) == [(BODY, 3, "share")] * 2
    assert body_states(play) == [OPENED, OPENED]
    assert len(play.events(ev.BodyDecided)) == 2


def test_what_was_unrecoverable_is_tried_again_with_every_further_share_and_no_more_often():
    play = an_opening(at="release")
    play = read_out(first=refused_shares(play))
    decide_bodies(play)
    assert body_states(play) == [UNRECOVERABLE, UNRECOVERABLE]
    assert len(play.events(ev.BodyDecided)) == 2
    assert due.bodies(play.opening) is None
    ask(play, releasing(play, 3, {}), 3)
    decide_bodies(play)
    assert body_states(play) == [OPENED, OPENED]
    assert [e.releases for e in play.events(ev.BodyDecided)] == [(1, 2)] * 2 + [(1, 2, 3)] * 2


@pytest.mark.parametrize("state", ["malformed", "damaged", OPENED])
def test_what_was_decided_by_its_bytes_stays(state: str):
    play = read_out()
    body = play.release_set(BODY)[0]
    play.ask(cmd.ReportBody(envelope=BODY, bid_id=body, state=state, releases=(1, 2)))
    again = cmd.ReportBody(envelope=BODY, bid_id=body, state=UNRECOVERABLE, releases=(1, 2, 3))
    assert play.ask(again) == []
    assert play.opening.states[body] == state


def test_a_form_is_never_decided_again():
    play = an_opening(at="read_out")
    form = play.bids[2].bid_id(FORM)
    report = cmd.ReportBody(envelope=FORM, bid_id=form, state=OPENED, releases=(1, 2, 3))
    assert play.ask(report) == []


def test_bodies_of_an_earlier_session_are_named_once_and_by_their_own_window():
    play = read_out(second_session=True)
    first_nonce = play.opening.window.nonces[BODY]
    ask(play, releasing(play, 3, wrong_shares(play, 3)), 3)
    play.later(1000).start(session=2)
    decide_bodies(play)
    assert [e.nonce for e in play.events(ev.TrusteeFaultFound)] == [first_nonce] * 2
    assert due.bodies(play.opening) is None
    for bid in play.bids:
        play.later(10).unlock(bid)
    decide_bodies(play)
    assert len(play.events(ev.TrusteeFaultFound)) == 2
