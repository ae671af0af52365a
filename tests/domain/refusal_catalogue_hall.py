"""Every refusal from the countdown to the read-out, as in `refusal_catalogue`."""

from server.domain import commands as cmd
from tests.domain.cast import HOST, HOST_KEY, SUPERVISOR_PERSON, TRUSTEES, Bidder, signing
from tests.domain.openings import a_tender, an_opening
from tests.domain.refusal_catalogue import BIDDER, ends_in
from tests.domain.tender_rules import DEADLINE_MS
from tests.domain.two_officers import (
    countersigning,
    decided,
    proposed_deadline,
    proposed_ground,
)

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


@ends_in("window.all_unlocked")
def _() -> None:
    an_opening(at="release", unlocked=3).start(reason="再来一次")


@ends_in("unlock.lot_failed")
def _() -> None:
    play = a_tender(lots=(1, 2), min_bidders=2)
    for number, lot in ((1, 1), (2, 1), (1, 2)):
        bid = play.bid(Bidder(number), lot=lot)
    play.close()
    play.checkpoint()
    play.start()
    play.unlock(bid)


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


# ---- two officers


@ends_in("act.officer")
def _() -> None:
    play = an_opening(at="read_out")
    play.ask(proposed_ground(play, play.bids[2].bid_id(), key=signing("a stranger")), HOST)


@ends_in("act.signature")
def _() -> None:
    play = an_opening(at="read_out")
    play.ask(proposed_ground(play, play.bids[2].bid_id(), sig=bytes(64)), HOST)


@ends_in("act.same_officer")
def _() -> None:
    play = an_opening(at="read_out")
    bid_id = play.bids[2].bid_id()
    play.ask(proposed_ground(play, bid_id), HOST)
    play.ask(countersigning(play, play.opening.ground_proposals[bid_id], HOST_KEY), HOST)


@ends_in("act.unknown")
def _() -> None:
    play = an_opening(at="read_out")
    play.ask(cmd.DeclineAct(act=bytes(32), reason="不同意"), SUPERVISOR_PERSON)


@ends_in("act.stale")
def _() -> None:
    play = an_opening(at="sign_in")
    play.ask(proposed_deadline(play, DEADLINE_MS + 60_000), HOST)
    proposal = play.tender.deadline_proposal
    assert proposal is not None
    play.ask(countersigning(play, proposal), SUPERVISOR_PERSON)
    play.ask(countersigning(play, proposal), SUPERVISOR_PERSON)


@ends_in("ground.unknown")
def _() -> None:
    play = an_opening(at="read_out")
    play.ask(proposed_ground(play, play.bids[0].bid_id()), HOST)


@ends_in("ground.unlawful")
def _() -> None:
    play = an_opening(at="read_out")
    play.ask(proposed_ground(play, play.bids[2].bid_id(), "malformed"), HOST)


@ends_in("ground.decided")
def _() -> None:
    play = an_opening(at="read_out")
    bid_id = play.bids[2].bid_id()
    decided(play, bid_id)
    play.ask(proposed_ground(play, bid_id, "excused"), HOST)


@ends_in("repair.not_open")
def _() -> None:
    play = an_opening(at="read_out")
    header = play.bids[0].envelopes[1].header
    play.ask(cmd.ReportRepair(bid_id=header.bid_id, ct_root=header.ct_root), HOST)


@ends_in("repair.ct_root")
def _() -> None:
    play = an_opening(at="ready")
    command = cmd.ReportRepair(bid_id=play.bids[0].bid_id(), ct_root=bytes(32))
    play.ask(command, HOST)


@ends_in("bid.unknown")
def _() -> None:
    command = cmd.ReportRepair(bid_id=bytes(32), ct_root=bytes(32))
    an_opening(at="ready").ask(command, HOST)
