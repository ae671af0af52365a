"""Moving the deadline (变更截止时间): later only, before it has passed, by two officers (C1)."""

from server.domain import commands as cmd
from server.domain import tender_events as ev
from server.domain.events import Event
from server.domain.model import Context
from server.domain.officers import completed, require_host_and_supervisor, signed_by
from server.domain.reasons import signed_reason, written_reason
from server.domain.refusals import Refused
from server.domain.tender import Tender


def _moved(state: Tender, deadline_ms: int, reason: str, ctx: Context) -> ev.DeadlineChanged:
    """DEADLINE_CHANGE as it would be now, without signatures: it names the old deadline too."""
    if state.closed or ctx.now_ms >= state.deadline_ms:
        raise Refused("deadline.past")
    if deadline_ms <= state.deadline_ms:
        raise Refused("deadline.not_later")
    # As in the manifest itself: a share is taken only of a key that has not expired.
    first_ms = min(trustee.expiry_ms for trustee in state.rules().trustees)
    if deadline_ms >= first_ms:
        raise Refused("deadline.trustee_expiry", expiry_ms=first_ms)
    return ev.DeadlineChanged(
        old_ms=state.deadline_ms,
        deadline_ms=deadline_ms,
        reason=signed_reason(reason),
        pks=[],
        sigs=[],
    )


def change(state: Tender, command: cmd.ChangeDeadline, ctx: Context) -> list[Event]:
    """Both signatures at once, where both officers sit at one desk."""
    moved = _moved(state, command.deadline_ms, command.reason, ctx)
    event = ev.DeadlineChanged(
        old_ms=moved.old_ms,
        deadline_ms=moved.deadline_ms,
        reason=moved.reason,
        pks=command.pks,
        sigs=command.sigs,
    )
    require_host_and_supervisor(state.rules(), event, "deadline.signatures")
    return [event]


def propose(state: Tender, command: cmd.ProposeDeadline, ctx: Context) -> list[Event]:
    moved = _moved(state, command.deadline_ms, command.reason, ctx)
    act = signed_by(state.rules(), moved, ctx.actor, command)
    if state.deadline_proposal is not None and state.deadline_proposal.act == act:
        return []
    return [
        ev.DeadlineProposed(
            act=act,
            by=str(ctx.actor.role),
            person=ctx.actor.person,
            name=ctx.actor.name,
            reason=moved.reason,
            pk=command.pk,
            sig=command.sig,
            old_ms=moved.old_ms,
            deadline_ms=moved.deadline_ms,
        )
    ]


def _standing(state: Tender, act: bytes) -> ev.DeadlineProposed:
    if state.deadline_proposal is None or state.deadline_proposal.act != act:
        raise Refused("act.unknown")
    return state.deadline_proposal


def countersign(state: Tender, command: cmd.CountersignDeadline, ctx: Context) -> list[Event]:
    proposal = _standing(state, command.act)
    if proposal.old_ms != state.deadline_ms:
        raise Refused("act.stale")
    today = _moved(state, proposal.deadline_ms, proposal.reason, ctx)
    return [completed(state.rules(), proposal, today, ctx.actor, command)]


def decline(state: Tender, command: cmd.DeclineDeadline, ctx: Context) -> list[Event]:
    proposal = _standing(state, command.act)
    reason = written_reason(command.reason)
    actor = ctx.actor
    return [
        ev.DeadlineDeclined(act=proposal.act, by=str(actor.role), name=actor.name, reason=reason)
    ]
