"""Before the countdown: sign-in (签到), the deadline, the list (公布投标人).

Until the deadline nobody, host and administrator included, learns who has signed in or how many
bids there are.
"""

from crypto.header import parse_header
from crypto.messages import parse_submit
from server.domain import commands as cmd
from server.domain import opening_events as ev
from server.domain.documents import BIDS_IN_EVENT_MAX
from server.domain.events import Event
from server.domain.model import Context
from server.domain.opening import Opening, Stage, Window
from server.domain.refusals import Refused

SIGN_IN_EARLY_MS = 60 * 60 * 1000  # the lobby opens an hour before the deadline (procedure.md §1)


def schedule(state: Opening, command: cmd.ScheduleOpening, ctx: Context) -> list[Event]:
    assert state.manifest is None, "an opening is scheduled once"
    return [ev.OpeningScheduled(manifest=command.manifest)]


def sign_in(state: Opening, command: cmd.SignIn, ctx: Context) -> list[Event]:
    """Idempotent: a device that reconnects signs in again."""
    if state.stage in (Stage.SCHEDULED, Stage.CLOSED, Stage.FAILED):
        raise Refused("sign_in.not_open")
    if ctx.actor.org in state.signed_in:
        return []
    if state.stage is Stage.SIGN_IN:
        return [ev.BidderSignedIn(org=ctx.actor.org, at_ms=ctx.received_ms)]
    return [ev.LatecomerSignedIn(org=ctx.actor.org, at_ms=ctx.received_ms)]


def move_deadline(state: Opening, command: cmd.MoveDeadline, ctx: Context) -> list[Event]:
    if command.deadline_ms == state.deadline_ms:
        return []
    assert state.stage in (Stage.SCHEDULED, Stage.SIGN_IN)
    return [ev.DeadlineMoved(deadline_ms=command.deadline_ms)]


def take_closed_list(state: Opening, command: cmd.TakeClosedList, ctx: Context) -> list[Event]:
    """The tender has closed: announce the list, or fail where too few bidders came.

    实施条例 art. 44: nothing is opened with fewer than three bidders. Who bids for two lots is one
    bidder of each; a lot with too few fails by itself, the opening when every lot does.
    """
    if state.submits or state.stage in (Stage.ANNOUNCED, Stage.FAILED):
        return []  # told again after a restart
    rules, suite = state.rules(), state.suite()
    ids = {parse_header(raw, suite).bid_id for raw in command.headers}
    bids: list[ev.AnnouncedBid] = []
    bidders: dict[int, set[str]] = {}  # by lot
    for no, raw in enumerate(command.submits, 1):
        submit = parse_submit(raw, suite)
        org = command.orgs[submit.bidder_pk]
        bidders.setdefault(submit.lot, set()).add(org)
        assert all(bid_id in ids for _, bid_id in submit.items)
        bids.append(
            ev.AnnouncedBid(
                no=no,
                lot=submit.lot,
                org="" if rules.names_masked else org,
                name="" if rules.names_masked else command.names[org],
                certified=org in command.certified,
                envelopes=[ev.EnvelopeOf(envelope=n, bid_id=b) for n, b in submit.items],
            )
        )
    size = BIDS_IN_EVENT_MAX
    pieces = [bids[k : k + size] for k in range(0, max(1, len(bids)), size)]
    events: list[Event] = [
        ev.ClosedListTaken(
            submits=command.submits,
            headers=command.headers,
            names=command.names,
            orgs=command.orgs,
            certified=command.certified,
        ),
        *(ev.BiddersListed(bids=piece) for piece in pieces[:-1]),
        ev.BiddersAnnounced(
            deadline_ms=command.deadline_ms,
            count=len(bids),
            list_root=command.list_root,
            bids=pieces[-1],
        ),
        ev.SignedInBidders(orgs=sorted(state.signed_in)),
    ]
    came = {lot.lot: len(bidders.get(lot.lot, ())) for lot in rules.lots}
    failed = {lot: count for lot, count in came.items() if count < rules.min_bidders}
    if len(failed) == len(came):
        return [*events, ev.OpeningFailed(reason="too_few_bids")]
    return events + [ev.LotFailed(lot=lot, bidders=n) for lot, n in sorted(failed.items())]


def reach_checkpoint(state: Opening, command: cmd.ReachCheckpoint, ctx: Context) -> list[Event]:
    """A signed checkpoint now covers the closing, or this window's end."""
    if command.of == "closing":
        if state.closing_checkpoint:
            return []
    elif not _awaits(state.window, command):
        return []
    return [
        ev.CheckpointReached(
            of=command.of,
            w=command.w,
            session=command.session,
            checkpoint=command.checkpoint,
            fingerprint=command.fingerprint,
        )
    ]


def _awaits(window: Window | None, command: cmd.ReachCheckpoint) -> bool:
    """Whether it is the end of this very window that the checkpoint covers."""
    return (
        window is not None
        and (window.session, window.w) == (command.session, command.w)
        and window.ended
        and not window.checkpoint
    )


def tick(state: Opening, ctx: Context) -> list[Event]:
    if state.stage is Stage.SCHEDULED and ctx.now_ms >= state.deadline_ms - SIGN_IN_EARLY_MS:
        return [ev.SignInOpened()]
    return []
