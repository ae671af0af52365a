"""The second signature of an opening's acts (会签): whose proposal it is, and what it completes.

Two kinds stand here: the ground of a bid that did not open (`grounds`), and TRUSTEES_LOST. A
proposal is named by the hash of what was signed, so nobody can be shown one thing and sign another.
"""

from server.domain import act_events as av
from server.domain import commands as cmd
from server.domain import grounds, releasing
from server.domain import opening_events as ev
from server.domain.events import Event
from server.domain.model import Context
from server.domain.officers import completed, signed_by
from server.domain.opening import Opening, Stage
from server.domain.reasons import signed_reason, written_reason
from server.domain.refusals import Refused


def _loss(state: Opening, reason: str) -> ev.TrusteesLost:
    """TRUSTEES_LOST as it would be now, without signatures."""
    if state.stage is not Stage.RELEASE or state.window is None or not state.window.checkpoint:
        raise Refused("release.window")
    nonce = state.window.nonces[state.form_envelope()]
    return ev.TrusteesLost(nonce=nonce, reason=signed_reason(reason), pks=[], sigs=[])


def propose_trustees_lost(
    state: Opening, command: cmd.ProposeTrusteesLost, ctx: Context
) -> list[Event]:
    loss = _loss(state, command.reason)
    act = signed_by(state.rules(), loss, ctx.actor, command)
    if state.lost_proposal is not None and state.lost_proposal.act == act:
        return []
    return [
        av.TrusteesLostProposed(
            act=act,
            by=str(ctx.actor.role),
            person=ctx.actor.person,
            name=ctx.actor.name,
            reason=loss.reason,
            pk=command.pk,
            sig=command.sig,
            nonce=loss.nonce,
        )
    ]


def _standing(state: Opening, act: bytes) -> av.GroundProposed | av.TrusteesLostProposed:
    for proposal in (*state.ground_proposals.values(), state.lost_proposal):
        if proposal is not None and proposal.act == act:
            return proposal
    raise Refused("act.unknown")


def countersign(state: Opening, command: cmd.Countersign, ctx: Context) -> list[Event]:
    proposal = _standing(state, command.act)
    if isinstance(proposal, av.GroundProposed):
        return grounds.complete(state, proposal, command, ctx)
    loss = completed(state.rules(), proposal, _loss(state, proposal.reason), ctx.actor, command)
    declared = cmd.DeclareTrusteesLost(reason=loss.reason, pks=loss.pks, sigs=loss.sigs)
    return releasing.declare_trustees_lost(state, declared, ctx)


def decline(state: Opening, command: cmd.DeclineAct, ctx: Context) -> list[Event]:
    """By the other officer, or by whoever proposed it and has thought again."""
    proposal = _standing(state, command.act)
    reason = written_reason(command.reason)
    actor = ctx.actor
    return [av.ActDeclined(act=proposal.act, by=str(actor.role), name=actor.name, reason=reason)]
