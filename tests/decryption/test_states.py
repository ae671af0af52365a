"""The state of a bid (C3) by bytes alone: the workers on real envelopes, honest and forged.

Each story seals real bids, unlocks them, releases real shares, and looks at what the hall froze.
"""

from collections.abc import Callable
from itertools import combinations
from typing import Any

import pytest

from crypto.shares import SHARE_OK, SHARE_REFUSED, SHARE_UNREADABLE
from server.domain import commands as cmd
from server.domain import opening_events as ev
from server.domain.opening import Stage
from tests.domain.cast import HOST, TRUSTEES
from tests.domain.forged_headers import (
    Forgery,
    a_wrong_share_for,
    an_unreadable_box_for,
    another_key_commitment,
    another_plaintext_commitment,
    another_polynomial,
    noise_for_ciphertext,
)
from tests.domain.openings import a_release, an_opening
from tests.domain.play import Play
from tests.domain.tender_rules import BODY, FORM

NO_SHARE = bytes(32)
PAIRS = list(combinations((1, 2, 3), 2))
SUITES = [1, 0xFF01]


def frozen_after(play: Play, *places: int) -> dict[int, str]:
    """The states after these trustees released, the replies ended and all was opened."""
    for place in places:
        play.release(place)
        play.work()
    if play.opening.stage is Stage.REPLIES:
        play.ask(cmd.EndReplies(), HOST)
    play.open_all()
    return play.states()


def named(play: Play) -> set[tuple[int, str]]:
    """Who was named for what: (position in the form's list, fault)."""
    return {(e.i, e.fault) for e in play.events(ev.TrusteeFaultFound)}


def answering(play: Play, place: int, answer: Callable[[bytes], tuple[int, bytes]]) -> None:
    """The trustee releases its form with ``answer(bid_id)``, the body honestly."""
    shares = {bid_id: answer(bid_id) for bid_id in play.release_set(FORM)}
    numbers = [n for n in (FORM, BODY) if n in play.opening.window.nonces]
    messages = [
        play.release_message(place, n, **({"shares": shares} if n == FORM else {})) for n in numbers
    ]
    play.ask(cmd.ReleaseShares(messages=messages), TRUSTEES[place - 1].actor)


def garbage(play: Play) -> Callable[[bytes], tuple[int, bytes]]:
    """A canonical share that is not the one that was dealt."""
    suite = play.rules.suite_impl
    wrong = suite.share_at([play.bids[0].envelopes[FORM].host_half], 1)
    return lambda bid_id: (SHARE_OK, wrong)


# ---- honest bids


@pytest.mark.parametrize("suite", SUITES)
@pytest.mark.parametrize("pair", PAIRS)
def test_any_two_of_three_trustees_open_every_unlocked_bid(pair: tuple[int, int], suite: int):
    play = an_opening(at="release", suite=suite)
    assert frozen_after(play, *pair) == {1: "opened", 2: "opened", 3: "locked"}
    assert named(play) == set()


def test_two_of_two_lots_are_opened_each_by_itself():
    play = an_opening(at="release", lots=(1, 2))
    frozen_after(play, 1, 2)
    states = [play.opening.states[bid.bid_id()] for bid in play.bids]
    assert states == ["opened"] * 4 + ["locked"] * 2


def test_one_trustee_alone_opens_nothing():
    play = an_opening(at="release")
    assert frozen_after(play, 2) == {1: "unrecoverable", 2: "unrecoverable", 3: "locked"}


def test_with_mode_all_a_locked_bid_stays_locked():
    play = an_opening(at="release", mode=1)
    assert frozen_after(play, 1, 3) == {1: "opened", 2: "opened", 3: "locked"}
    assert play.bids[2].bid_id() not in play.opening.found


# ---- the bidder's malice


MALFORMED: list[tuple[str, dict[str, Any]]] = [
    ("shares of another polynomial", {"forged": another_polynomial}),
    ("c_K of another key", {"forged": another_key_commitment}),
    ("noise under the right ct_root", {"forged": noise_for_ciphertext}),
    ("c_P of another plaintext", {"forged": another_plaintext_commitment}),
    ("a field that does not exist", {"written": "with one decimal"}),
    ("a blank", {"written": "with a blank"}),
    ("another's code", {"written": "under another's code"}),
    ("other envelopes", {"written": "naming other envelopes"}),
    ("not UTF-8", {"written": "as noise"}),
]


@pytest.mark.parametrize("pair", PAIRS)
@pytest.mark.parametrize("how", [how for _, how in MALFORMED], ids=[name for name, _ in MALFORMED])
def test_what_the_bidder_did_is_malformed_for_every_pair_of_trustees(
    how: dict[str, Any], pair: tuple[int, int]
):
    play = a_release({}, how)
    assert frozen_after(play, *pair) == {1: "opened", 2: "malformed"}
    assert named(play) == set()


@pytest.mark.parametrize("suite", SUITES)
def test_malformed_is_the_same_under_another_suite(suite: int):
    play = a_release({}, {"forged": another_polynomial}, {"written": "as noise"}, suite=suite)
    assert frozen_after(play, 1, 2) == {1: "opened", 2: "malformed", 3: "malformed"}


@pytest.mark.parametrize("forged", [a_wrong_share_for(3), an_unreadable_box_for(3)])
def test_one_bad_box_is_malformed_once_the_half_is_known(forged: Forgery):
    """The two good boxes give s_H, and DEAL CHECK shows the third to everybody."""
    play = a_release({}, {"forged": forged})
    assert frozen_after(play, 1, 2) == {1: "opened", 2: "malformed"}
    assert named(play) == set()


@pytest.mark.parametrize("forged", [a_wrong_share_for(3), an_unreadable_box_for(3)])
def test_with_a_bad_box_in_the_pair_nobody_is_blamed(forged: Forgery):
    """s_H stays unknown, so nothing is proved: not against the bidder, not against a trustee."""
    play = a_release({}, {"forged": forged})
    assert frozen_after(play, 1, 3) == {1: "opened", 2: "unrecoverable"}
    assert named(play) == set()


def test_bad_boxes_for_all_leave_no_state_but_unrecoverable():
    play = a_release({}, {"forged": a_wrong_share_for(1, 2, 3)})
    assert frozen_after(play, 1, 2, 3) == {1: "opened", 2: "unrecoverable"}
    assert named(play) == set()


def test_a_bad_dealer_cannot_rescue_its_bid_by_its_own_half():
    """Self-release is lawful only when DEAL CHECK passes (C8), so the abort game ends here."""
    play = a_release({}, {"forged": another_polynomial})
    play.release(1)
    bid = play.bids[1]
    with pytest.raises(Exception, match=r"self_release\.half"):
        play.ask(play.self_releasing(bid), bid.bidder.actor)
    assert frozen_after(play, 3) == {1: "opened", 2: "malformed"}


# ---- a trustee's malice, and the innocent bidder


def test_a_garbage_share_with_one_trustee_offline_blames_nobody():
    """§11 F2: the frame-up. No subset gives c_H, so the bid is unrecoverable and excused."""
    play = an_opening(at="release")
    answering(play, 2, garbage(play))
    assert frozen_after(play, 1) == {1: "unrecoverable", 2: "unrecoverable", 3: "locked"}
    assert named(play) == set()


def test_a_garbage_share_is_named_when_the_others_open_the_bid():
    play = an_opening(at="release")
    answering(play, 2, garbage(play))
    assert frozen_after(play, 1, 3) == {1: "opened", 2: "opened", 3: "locked"}
    assert named(play) == {(2, "share")}
    assert len(play.events(ev.TrusteeFaultFound)) == 2


def test_a_garbage_share_is_named_by_the_bidders_own_half_too():
    play = an_opening(at="release")
    answering(play, 2, garbage(play))
    play.release(1)
    bid = play.bids[0]
    play.ask(play.self_releasing(bid), bid.bidder.actor)
    assert frozen_after(play) == {1: "opened", 2: "unrecoverable", 3: "locked"}
    assert named(play) == {(2, "share")}


def test_calling_a_good_box_unreadable_is_named():
    play = an_opening(at="release")
    answering(play, 3, lambda bid_id: (SHARE_UNREADABLE, NO_SHARE))
    assert frozen_after(play, 1, 2) == {1: "opened", 2: "opened", 3: "locked"}
    assert named(play) == {(3, "unreadable")}


def test_a_share_that_was_refused_is_not_called_unreadable():
    """Status 3 says nothing about the box; its reason is logged beside (C11)."""
    play = an_opening(at="release")
    answering(play, 3, lambda bid_id: (SHARE_REFUSED, NO_SHARE))
    assert frozen_after(play, 1, 2) == {1: "opened", 2: "opened", 3: "locked"}
    assert named(play) == set()


def test_two_liars_of_three_cannot_make_a_bid_malformed():
    play = an_opening(at="release")
    for place in (1, 2):
        answering(play, place, lambda bid_id: (SHARE_UNREADABLE, NO_SHARE))
    assert frozen_after(play, 3) == {1: "unrecoverable", 2: "unrecoverable", 3: "locked"}


def test_a_liar_who_answers_late_is_named_after_the_read_out():
    play = an_opening(at="read_out")
    states = dict(play.opening.states)
    answering(play, 3, garbage(play))
    play.work()
    assert named(play) == {(3, "share")}
    assert play.opening.states == states


def test_a_fault_is_named_once_however_often_it_is_found():
    play = an_opening(at="release")
    answering(play, 2, garbage(play))
    play.release(1)
    play.work()
    play.release(3)
    play.work()
    faults = play.events(ev.TrusteeFaultFound)
    assert len(faults) == len({(f.i, f.bid_id) for f in faults}) == 2


def test_faults_name_positions_in_the_envelopes_own_list():
    play = an_opening(at="release", form_trustees=(3, 1, 2), body=False)
    answering(play, 2, garbage(play))
    frozen_after(play, 1, 3)
    assert named(play) == {(3, "share")}
    release = play.opening.releases[2][FORM]
    assert {e.sha256 for e in play.events(ev.TrusteeFaultFound)} == {release.digest}


def test_a_trustee_is_not_named_on_a_bad_dealing():
    play = a_release({}, {"forged": another_polynomial})
    bad = play.bids[1].bid_id()
    honest = play.bids[0].bid_id()
    wrong = play.rules.suite_impl.share_at([play.bids[0].envelopes[FORM].host_half], 1)
    answering(play, 3, lambda bid_id: (SHARE_OK, wrong))
    assert frozen_after(play, 1, 2) == {1: "opened", 2: "malformed"}
    assert {e.bid_id for e in play.events(ev.TrusteeFaultFound)} == {honest}
    assert bad not in {e.bid_id for e in play.events(ev.TrusteeFaultFound)}


# ---- our own faults


@pytest.mark.parametrize(
    "spoil",
    [
        lambda raw: b"",
        lambda raw: raw[:-1],
        lambda raw: raw + b"\x00",
        lambda raw: raw[:100] + bytes([raw[100] ^ 1]) + raw[101:],
    ],
    ids=["gone", "short", "long", "one bit"],
)
def test_damaged_bytes_are_the_hosts_fault(spoil: Callable[[bytes], bytes]):
    play = an_opening(at="release")
    bid = play.bids[0]
    play.store[bid.bid_id()] = spoil(play.store[bid.bid_id()])
    assert frozen_after(play, 1, 2) == {1: "damaged", 2: "opened", 3: "locked"}
    assert named(play) == set()


def test_a_bid_that_is_malformed_and_damaged_is_malformed():
    """The first line of C3 that applies: DEAL CHECK comes before the stored bytes."""
    play = a_release({}, {"forged": another_polynomial}, {"forged": another_key_commitment})
    for bid in play.bids[1:]:
        play.store[bid.bid_id()] = b""
    assert frozen_after(play, 1, 2) == {1: "opened", 2: "malformed", 3: "malformed"}


def test_a_bid_that_is_unrecoverable_and_damaged_is_unrecoverable():
    play = an_opening(at="release")
    play.store[play.bids[0].bid_id()] = b""
    assert frozen_after(play, 1)[1] == "unrecoverable"
