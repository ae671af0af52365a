"""Every refusal from the countdown to the read-out, as in `refusal_catalogue`."""

from server.domain import commands as cmd
from tests.domain.cast import HOST, TRUSTEES, signing
from tests.domain.openings import an_opening
from tests.domain.refusal_catalogue import BIDDER, ends_in

# ---- the countdown


@ends_in("sign_in.not_open")
def _() -> None:
    an_opening(at="scheduled").ask(cmd.SignIn(), BIDDER.actor)


@ends_in("window.not_closing_checkpoint")
def _() -> None:
    an_opening(at="announced").start()


@ends_in("window.session_unknown")
def _() -> None:
    an_opening(at="ready").start(session=2)


@ends_in("window.session_done")
def _() -> None:
    an_opening(at="read_out").start(reason="重来")


@ends_in("window.running")
def _() -> None:
    an_opening().start(reason="重来")


@ends_in("window.final")
def _() -> None:
    an_opening(at="replies").start(reason="重来")


@ends_in("window.not_running")
def _() -> None:
    play = an_opening()
    play.now_ms = play.opening.window.end_ms
    play.ask(cmd.Extend(extra_ms=60_000, reason="太迟"), HOST)


@ends_in("window.paused")
def _() -> None:
    play = an_opening()
    play.ask(cmd.Pause(reason="停"), HOST)
    play.ask(cmd.Pause(reason="再停"), HOST)


@ends_in("window.not_paused")
def _() -> None:
    an_opening().ask(cmd.Resume(), HOST)


@ends_in("window.extension")
def _() -> None:
    an_opening().ask(cmd.Extend(extra_ms=999, reason="延长"), HOST)


@ends_in("reason.missing")
def _() -> None:
    an_opening().ask(cmd.Pause(reason=" \t"), HOST)


# ---- unlocking


@ends_in("unlock.before_window")
def _() -> None:
    play = an_opening()
    command = play.unlocking(play.bids[0])
    early = an_opening(at="ready")
    early.ask(command, play.bids[0].bidder.actor)


@ends_in("unlock.window_closed")
def _() -> None:
    play = an_opening()
    play.unlock(play.bids[0], received_ms=play.opening.window.end_ms)


@ends_in("unlock.nonce")
def _() -> None:
    play = an_opening()
    bid = play.bids[0]
    play.ask(play.unlocking(bid, opening_nonce=bytes(32)), bid.bidder.actor)


@ends_in("unlock.envelope")
def _() -> None:
    play = an_opening()
    bid = play.bids[0]
    play.ask(play.unlocking(bid, 1, items=[(bid.bid_id(2), bid.half(2))]), bid.bidder.actor)


@ends_in("unlock.set")
def _() -> None:
    play = an_opening()
    bid = play.bids[0]
    messages = play.unlock_messages(bid, 1) * 2
    play.ask(cmd.UnlockBid(messages=messages), bid.bidder.actor)


@ends_in("unlock.bid_unknown")
def _() -> None:
    play = an_opening()
    bid = play.bids[0]
    play.ask(play.unlocking(bid, 1, items=[(b"\x07" * 32, bid.half(1))]), bid.bidder.actor)


@ends_in("unlock.not_yours")
def _() -> None:
    play = an_opening()
    mine, theirs = play.bids[:2]
    items = [(theirs.bid_id(1), theirs.half(1))]
    play.ask(play.unlocking(mine, 1, items=items), mine.bidder.actor)


@ends_in("unlock.signature")
def _() -> None:
    play = an_opening()
    bid = play.bids[0]
    (raw,) = play.unlock_messages(bid, 1)
    play.ask(cmd.UnlockBid(messages=[raw[:-1] + bytes([raw[-1] ^ 1])]), bid.bidder.actor)


@ends_in("unlock.key_mismatch")
def _() -> None:
    play = an_opening()
    bid = play.bids[0]
    wrong = play.unlocking(bid, 1, halves={1: bid.half(2)})
    play.ask(wrong, bid.bidder.actor)


@ends_in("unlock.already")
def _() -> None:
    play = an_opening()
    bid = play.bids[0]
    play.unlock(bid, 1)
    play.unlock(bid, 1, 2)


# ---- release


@ends_in("release.window")
def _() -> None:
    play = an_opening(at="release")
    command = play.releasing(1)
    an_opening().ask(command, TRUSTEES[0].actor)


@ends_in("release.trustee")
def _() -> None:
    play = an_opening(at="release")
    play.ask(play.releasing(1), TRUSTEES[1].actor)


@ends_in("release.signature")
def _() -> None:
    play = an_opening(at="release")
    play.ask(play.releasing(1, key=signing("a stranger")), TRUSTEES[0].actor)


@ends_in("release.nonce")
def _() -> None:
    play = an_opening(at="release")
    play.ask(play.releasing(1, opening_nonce=bytes(32)), TRUSTEES[0].actor)


@ends_in("release.checkpoint")
def _() -> None:
    play = an_opening(at="release")
    play.ask(play.releasing(1, root=bytes(32)), TRUSTEES[0].actor)


@ends_in("release.set")
def _() -> None:
    play = an_opening(at="release")
    every = play.opening.counting(1)
    play.ask(play.releasing(1, 1, 2, listed=every[:1]), TRUSTEES[0].actor)


@ends_in("release.mode")
def _() -> None:
    play = an_opening(at="release")
    play.ask(play.releasing(1, mode=1), TRUSTEES[0].actor)


@ends_in("release.envelopes")
def _() -> None:
    play = an_opening(at="release")
    play.ask(play.releasing(1, 1), TRUSTEES[0].actor)


@ends_in("release.second")
def _() -> None:
    play = an_opening(at="replies")
    refusing = {bid_id: (3, bytes(32)) for bid_id in play.release_set(1)}
    play.ask(play.releasing(1, 1, shares=refusing), TRUSTEES[0].actor)


@ends_in("self_release.not_open")
def _() -> None:
    play = an_opening(at="release")
    play.ask(play.self_releasing(play.bids[0]), play.bids[0].bidder.actor)


@ends_in("self_release.bid_unknown")
def _() -> None:
    play = an_opening(at="replies")
    bid = play.bids[0]
    play.ask(play.self_releasing(bid, bid_id=b"\x07" * 32), bid.bidder.actor)


@ends_in("self_release.half")
def _() -> None:
    play = an_opening(at="replies")
    bid = play.bids[0]
    other = bid.envelopes[2].host_half
    play.ask(play.self_releasing(bid, host_half=other), bid.bidder.actor)


@ends_in("reply.not_open")
def _() -> None:
    an_opening(at="release").ask(cmd.EndReplies())


@ends_in("opening.not_ready")
def _() -> None:
    play = an_opening(at="opening")
    play.ask(cmd.OpenAll(), HOST)
    play.ask(cmd.OpenAll(), HOST)


@ends_in("row.unknown")
def _() -> None:
    play = an_opening(at="read_out")
    play.ask(cmd.ReadRow(no=len(play.opening.bids) + 1), HOST)
