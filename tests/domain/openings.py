"""Ready-made openings at any stage, in the words of the hall: ``an_opening(bids=3, at="release")``.

Each kind of opening is played once and then copied; states are immutable, so copies are cheap.
"""

from collections.abc import Mapping
from typing import Any

from server.domain import commands as cmd
from server.domain.opening import Stage
from tests.domain.cast import HOST, Bidder
from tests.domain.play import Play
from tests.domain.tender_rules import sample_rules

_PLAYED: dict[Any, Play] = {}


def a_tender(**rules: Any) -> Play:
    """A published tender whose opening is scheduled; nobody has registered."""
    play = Play(sample_rules(**rules))
    play.publish()
    return play


def an_opening(
    bids: int = 3, *, at: str = "decryption", unlocked: int | None = None, **rules: Any
) -> Play:
    """An opening with ``bids`` plain bids that has come to stage ``at``.

    ``ready``: announced, and the closing is under a checkpoint. ``unlocked`` (default: all but
    one, at least one): how many unlocked, from the first on, before the window ended.
    """
    if unlocked is None:
        unlocked = max(1, bids - 1)
    key = (bids, at, unlocked, tuple(sorted(rules.items())))
    if key not in _PLAYED:
        _PLAYED[key] = _played(bids, at, unlocked, rules)
    return _PLAYED[key].copy()


def a_countdown(*hows: Mapping[str, Any], **rules: Any) -> Play:
    """A running countdown in which bidder k sealed as ``hows[k - 1]`` says (see a_sealed_bid)."""
    play = a_tender(**rules)
    play.open_sign_in()
    for number, how in enumerate(hows, 1):
        play.bid(Bidder(number), **how)
    play.close()
    play.later(900).checkpoint()
    play.later(1000).start()
    return play


def a_release(*hows: Mapping[str, Any], **rules: Any) -> Play:
    """``a_countdown`` whose bids were all unlocked; the trustees may release."""
    play = a_countdown(*hows, **rules)
    _count_down(play, len(hows))
    return play


def _played(bids: int, at: str, unlocked: int, rules: dict[str, Any]) -> Play:
    if at == "failed":
        play = a_tender(**{**rules, "min_bidders": bids + 1})
        _bid_and_close(play, bids)
        return play
    play = a_tender(**rules)
    if at == "scheduled":
        return play
    if at == "sign_in":
        play.open_sign_in()
        return play
    _bid_and_close(play, bids)
    for stage, step in _STEPS:
        if at == stage:
            return play
        step(play, unlocked)
    assert at in ("read_out", "closed"), at
    if at == "closed":
        play.ask(cmd.CloseOpening(), HOST)
    return play


def _bid_and_close(play: Play, bids: int) -> None:
    play.open_sign_in()
    for number in range(1, bids + 1):
        for lot in play.rules.lots:
            play.bid(Bidder(number), lot=lot.lot)
    play.close()


def _count_down(play: Play, unlocked: int) -> None:
    """The bids of the first ``unlocked`` bidders are unlocked; then the time is over."""
    for bid in play.bids:
        if bid.bidder.number <= unlocked:
            play.later(50).unlock(bid)
    if not (play.opening.window and play.opening.window.ended):
        play.end_by_time()
    play.later(900).checkpoint("window_end")


def _release(play: Play, _: int) -> None:
    play.later(2000).release(1)


def _reply(play: Play, _: int) -> None:
    play.later(1000).release(2)
    play.work()
    if play.opening.stage is Stage.REPLIES:
        play.ask(cmd.EndReplies(), HOST)
    play.work()


_STEPS = (
    ("announced", lambda play, _: play.later(900).checkpoint()),
    ("ready", lambda play, _: play.later(1000).start()),
    ("decryption", _count_down),
    ("release", _release),
    ("replies", _reply),
    ("opening", lambda play, _: play.later(500).open_all()),
)
