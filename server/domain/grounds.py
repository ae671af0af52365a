"""Why a bid did not open (责任认定): proposed from the evidence, decided by two officers (C3).

The state of a bid follows from bytes alone and nothing here changes it; only for ``locked`` do the
bytes leave open whose fault it is (电子招标投标办法 art. 31): the bidder's, 视为撤销
(``revoked``), or somebody else's, 视为撤回 (``excused``). The system proposes by what the server
itself has recorded; what a bidder's device says of itself is shown and never decides. Invariant: a
ground is one of its state's, is decided once, and carries both officers' signatures.
"""

from collections.abc import Mapping, Sequence
from typing import Final

from server.domain import act_events as av
from server.domain import commands as cmd
from server.domain.events import Event
from server.domain.model import Context
from server.domain.officers import completed, signed_by
from server.domain.opening import Attempt, Opening
from server.domain.reasons import signed_reason
from server.domain.refusals import Refused

REVOKED: Final = "revoked"  # 视为撤销
EXCUSED: Final = "excused"  # 视为撤回
MALFORMED: Final = "malformed"
LAWFUL: Final[Mapping[str, tuple[str, ...]]] = {
    "locked": (REVOKED, EXCUSED),
    "unrecoverable": (EXCUSED,),
    "damaged": (EXCUSED,),
    "malformed": (MALFORMED,),
}
_WHY: Final = {"unrecoverable": "shares", "damaged": "storage", "malformed": "bytes"}
BIDS_PER_EVENT: Final = 1000  # some 200 bytes each; an event of a channel holds 900 KiB
_LATE: Final = "unlock.window_closed"
_WRONG_KEY: Final = ("unlock.key_mismatch", "seed.")


def _cause(attempts: Sequence[Attempt], lost_ms: int) -> tuple[str, str]:
    """(ground, why) of a locked bid: time that the server took away speaks for the bidder."""
    if lost_ms > 0:
        return EXCUSED, "outage"
    if not attempts:
        return REVOKED, "no_try"
    if any(one.code == _LATE for one in attempts):
        return REVOKED, "late"
    if all(one.code.startswith(_WRONG_KEY) for one in attempts):
        return REVOKED, "wrong_key"
    return REVOKED, "failed"


def suggested(state: Opening) -> list[Event]:
    """One ground for each counting form of the present session that did not open."""
    window = state.window
    assert window is not None
    found: list[av.Suggestion] = []
    envelope = state.form_envelope()
    for bid_id in state.counting(envelope):
        form_state = state.states[bid_id]
        bid, _ = state.envelopes[bid_id]
        if form_state not in LAWFUL or bid.lot in state.failed_lots:
            continue  # nobody's fault: it was never to be opened
        # One press carries every envelope of the session: a body's wrong key keeps the form closed.
        pressed = {bid.headers[n].bid_id for n in window.nonces if n in bid.headers}
        attempts = [one for one in state.attempts.get(bid.no, ()) if one.bid_id in pressed]
        ground, why = LAWFUL[form_state][0], _WHY.get(form_state, "")
        if form_state == "locked":
            ground, why = _cause(attempts, window.lost_ms)
        found.append(
            av.Suggestion(
                no=bid.no,
                envelope=envelope,
                bid_id=bid_id,
                state=form_state,
                ground=ground,
                why=why,
                tries=len({one.received_ms for one in attempts}),
                last_code=attempts[-1].code if attempts else "",
                last_ms=attempts[-1].received_ms if attempts else 0,
                lost_ms=window.lost_ms,
            )
        )
    return [
        av.GroundsSuggested(bids=found[k : k + BIDS_PER_EVENT])
        for k in range(0, len(found), BIDS_PER_EVENT)
    ]


def _decision(state: Opening, bid_id: bytes, ground: str, reason: str) -> av.GroundDecided:
    """STATE_DECIDED as it would be now, without signatures."""
    suggestion = state.suggestions.get(bid_id)
    if suggestion is None:
        raise Refused("ground.unknown")
    if bid_id in state.grounds:
        raise Refused("ground.decided", ground=state.grounds[bid_id])
    if ground not in LAWFUL[suggestion.state]:
        raise Refused("ground.unlawful", state=suggestion.state)
    return av.GroundDecided(
        no=suggestion.no,
        envelope=suggestion.envelope,
        bid_id=bid_id,
        suggested=suggestion.ground,
        ground=ground,
        reason=signed_reason(reason),
        pks=[],
        sigs=[],
    )


def propose(state: Opening, command: cmd.ProposeGround, ctx: Context) -> list[Event]:
    """One officer's signed ground. The other's same words complete it; other words replace it."""
    decision = _decision(state, command.bid_id, command.ground, command.reason)
    act = signed_by(state.rules(), decision, ctx.actor, command)
    standing = state.ground_proposals.get(command.bid_id)
    if standing is not None and standing.act == act:
        return [] if standing.by == ctx.actor.role else complete(state, standing, command, ctx)
    return [
        av.GroundProposed(
            act=act,
            by=str(ctx.actor.role),
            person=ctx.actor.person,
            name=ctx.actor.name,
            reason=decision.reason,
            pk=command.pk,
            sig=command.sig,
            no=decision.no,
            envelope=decision.envelope,
            bid_id=command.bid_id,
            suggested=decision.suggested,
            ground=decision.ground,
        )
    ]


def complete(
    state: Opening, proposal: av.GroundProposed, signed: cmd.OfficerSigned, ctx: Context
) -> list[Event]:
    """STATE_DECIDED: the second officer has signed the same."""
    today = _decision(state, proposal.bid_id, proposal.ground, proposal.reason)
    return [completed(state.rules(), proposal, today, ctx.actor, signed)]
