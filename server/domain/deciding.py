"""``decide`` of an opening: the table from command to rule (C1). Pure."""

from collections.abc import Callable
from typing import Any

from server.domain import commands as cmd
from server.domain import (
    countersigning,
    grounds,
    lobby,
    opening_floor,
    releasing,
    repairing,
    revealing,
    roles,
    unlocking,
    window,
)
from server.domain import opening_events as ev
from server.domain.commands import Command
from server.domain.events import Event
from server.domain.model import Context
from server.domain.opening import Opening, evolve
from server.domain.refusals import Refused

_RULES: dict[type[Command], Callable[[Opening, Any, Context], list[Event]]] = {
    cmd.ScheduleOpening: lobby.schedule,
    cmd.SignIn: lobby.sign_in,
    cmd.MoveDeadline: lobby.move_deadline,
    cmd.TakeClosedList: lobby.take_closed_list,
    cmd.ReachCheckpoint: lobby.reach_checkpoint,
    cmd.StartWindow: window.start,
    cmd.Pause: window.pause,
    cmd.Resume: window.resume,
    cmd.Extend: window.extend,
    cmd.ResumeAfterOutage: window.resume_after_outage,
    cmd.UnlockBid: unlocking.unlock,
    cmd.UnlockByCard: unlocking.card_unlock,
    cmd.ReportAttempt: unlocking.report_attempt,
    cmd.ReleaseShares: releasing.release,
    cmd.ReleaseSelf: releasing.self_release,
    cmd.DeclareTrusteesLost: releasing.declare_trustees_lost,
    cmd.ProposeTrusteesLost: countersigning.propose_trustees_lost,
    cmd.ProposeGround: grounds.propose,
    cmd.Countersign: countersigning.countersign,
    cmd.DeclineAct: countersigning.decline,
    cmd.ReportRepair: repairing.report_repair,
    cmd.ReportHalves: releasing.report_halves,
    cmd.EndReplies: releasing.end_replies,
    cmd.OpenAll: revealing.open_all,
    cmd.ReportForms: revealing.report_forms,
    cmd.ReadRow: revealing.read_row,
    cmd.ReportBody: revealing.report_body,
    cmd.CloseOpening: revealing.close_opening,
    **opening_floor.RULES,
}


def _tick(state: Opening, command: cmd.OpeningTick, ctx: Context) -> list[Event]:
    if state.manifest is None:
        return []
    return lobby.tick(state, ctx) + window.tick(state, command, ctx) + releasing.tick(state, ctx)


def decide(state: Opening, command: Command, ctx: Context) -> list[Event]:
    """What happens if ``command`` arrives now; raises Refused if it is not lawful."""
    roles.require("opening", command.OP, ctx.actor, state.stage)
    if isinstance(command, cmd.OpeningTick):
        return _tick(state, command, ctx)
    if state.manifest is None and not isinstance(command, cmd.ScheduleOpening):
        raise Refused("room.unknown")
    events = _RULES[type(command)](state, command, ctx)
    return events + _following(state, events, ctx)


def _following(state: Opening, events: list[Event], ctx: Context) -> list[Event]:
    """What happens by itself in the same moment."""
    # Early end: at once when the last counting bid is unlocked (design.md §4).
    first = events[0] if events else None
    if isinstance(first, ev.UnlockReceived) and len(first.halves) == state.waiting:
        after = evolve(state, first, ctx.now_ms)
        if after.session().early_end:
            return window.ended(after, ctx, early=True)
    if isinstance(first, ev.HalvesFound):
        return repairing.damage_seen(state, first)
    after = state
    for event in events:
        if isinstance(event, ev.SetFrozen | ev.DocumentPart):
            after = evolve(after, event, ctx.now_ms)
        if isinstance(event, ev.SetFrozen):
            # The states stand: from the same evidence everybody would say why.
            return grounds.suggested(after)
    return []
