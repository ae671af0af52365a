"""Bidding (投标) until the deadline: registration, sealed envelopes, SUBMIT chains, closing.

``decide`` of a tender (C6, C9, C14); its state is in `tender`.

Pure. A bid counts through its signed SUBMIT alone, and only when every listed envelope is
durably stored. In time is ``received_ms`` strictly before the deadline. Until the deadline
nothing here is visible to anybody but the bidder concerned.
"""

from collections.abc import Callable
from typing import Any

from crypto.ack import (
    ACK_SUBMIT,
    ACK_WITHDRAW,
    RESULT_ACCEPTED,
    RESULT_INCOMPLETE,
    RESULT_LATE,
)
from crypto.errors import Rejected
from crypto.hashes import sha256
from crypto.header import Header, accept_header, parse_header
from crypto.manifest import parse_manifest, parse_manifest_signatures
from crypto.messages import (
    KIND_SUBMIT,
    KIND_WITHDRAW,
    Submit,
    parse_submit,
    signature_ok,
)
from crypto.receipts import closed_list_root
from crypto.registration import bind_message, invite_message, organisation_hash
from server.domain import commands as cmd
from server.domain import deadline, roles
from server.domain import tender_events as ev
from server.domain.commands import Command
from server.domain.events import Event
from server.domain.model import Context
from server.domain.promises import Promise
from server.domain.refusals import Refused
from server.domain.tender import Received, Tender

REFUSED_MAX = 200  # late and incomplete messages of one organisation that are journaled


def _publish(state: Tender, command: cmd.PublishTender, ctx: Context) -> list[Event]:
    if state.manifest is not None:
        raise Refused("tender.exists")
    manifest = parse_manifest(command.manifest, allow_test=state.allow_test)
    parse_manifest_signatures(command.signatures, manifest)
    kinds = {e.envelope: e.kind for e in manifest.envelopes}
    for session in manifest.sessions:
        if [kinds[n] for n in session.envelopes].count("form") != 1:
            raise Rejected("manifest.sessions", f"session {session.session}: one form, no more")
    return [ev.TenderPublished(manifest=command.manifest, signatures=command.signatures)]


def _register(state: Tender, command: cmd.RegisterBidder, ctx: Context) -> list[Event]:
    """BIDDER_REG by invitation (C17). The same keys again are the same registration."""
    rules = state.rules()
    known = state.by_org.get(ctx.actor.org)
    if known is not None:
        if (known.bidder_pk, known.bidder_xpk) == (command.bidder_pk, command.bidder_xpk):
            return []
        raise Refused("registration.exists")
    if state.closed or ctx.received_ms >= state.deadline_ms:
        raise Refused("registration.closed")
    if not rules.uncertified_allowed:
        raise Refused("registration.not_invited")
    if command.expiry_ms <= state.deadline_ms:
        raise Refused("registration.expiry")
    trustees = {t.xpk for t in rules.trustees} | {t.spk for t in rules.trustees}
    xpks = {r.bidder_xpk for r in state.by_org.values()}
    if (
        command.bidder_pk in state.by_pk
        or command.bidder_xpk in xpks
        or {command.bidder_pk, command.bidder_xpk} & trustees
    ):
        raise Refused("registration.key_taken")
    suite, org = rules.suite_impl, organisation_hash(ctx.actor.org)
    claims = (rules.tender_id, command.bidder_pk, command.bidder_xpk, command.expiry_ms, org)
    if not suite.is_box_public(command.bidder_xpk):
        raise Refused("registration.keys")
    if not suite.verify(command.bidder_pk, bind_message(*claims), command.sig):
        raise Refused("registration.signature")
    invitation = invite_message(*claims)
    assert suite.verify(rules.host_receipt_pk, invitation, command.invitation_sig)
    return [
        ev.BidderRegistered(
            org=ctx.actor.org,
            name=ctx.actor.name,
            bidder_pk=command.bidder_pk,
            bidder_xpk=command.bidder_xpk,
            expiry_ms=command.expiry_ms,
            sig=command.sig,
            binding_kind="invitation",
            binding_pk=rules.host_receipt_pk,
            binding_sig=command.invitation_sig,
        )
    ]


def check_envelope(state: Tender, raw: bytes, org: str) -> Header:
    """C6 for a whole header of this bidder; its AD is new in this tender (C10).

    A header that is already stored passes, so that a repeat gets the first answer.
    """
    registration = state.by_org.get(org)
    if registration is None:
        raise Refused("bid.not_registered")
    rules = state.rules()
    header = parse_header(raw, rules.suite_impl)
    if header.bid_id in state.stored and state.stored[header.bid_id].org == org:
        return header
    terms = rules.terms(header.envelope, registration.bidder_pk, registration.bidder_xpk)
    accept_header(raw, terms)
    if header.ad in state.ads:
        raise Refused("bid.ad_seen")
    return header


def _store(state: Tender, command: cmd.StoreEnvelope, ctx: Context) -> list[Event]:
    """Every byte of the payload is durable and gives ``ct_root``."""
    header = check_envelope(state, command.header, ctx.actor.org)
    if header.ct_root != command.ct_root:
        raise Refused("bid.ct_root")
    if header.bid_id in state.stored:
        return []
    return [ev.EnvelopeStored(org=ctx.actor.org, header=command.header)]


def _submit(state: Tender, command: cmd.SubmitBid, ctx: Context) -> list[Event]:
    message = parse_submit(command.message, state.rules().suite_impl)
    registration = state.by_pk.get(message.bidder_pk)
    if registration is None or registration.org != ctx.actor.org:
        raise Refused("bid.not_registered")
    if message.tender_id != state.rules().tender_id:
        raise Refused("submit.mismatch")
    if not signature_ok(message, message.bidder_pk):
        raise Refused("submit.signature")
    chain = state.chains.get((message.bidder_pk, message.lot), ())
    if any(r.message.digest == message.digest for r in chain):
        return []  # a repeat is answered from the first
    if state.closed or ctx.received_ms >= state.deadline_ms:
        late = _kept(state, command, message, ctx, RESULT_LATE)
        raise Refused(
            "bid.late", evidence=late, deadline_ms=state.deadline_ms, received_ms=ctx.received_ms
        )
    if ctx.received_ms > registration.expiry_ms:  # the deadline was moved beyond it
        raise Refused("registration.expiry")
    _check_chain(state, message, chain)
    missing = [b for _, b in message.items if b not in state.stored]
    if missing:
        incomplete = _kept(state, command, message, ctx, RESULT_INCOMPLETE)
        raise Refused("bid.incomplete", evidence=incomplete, missing=[b.hex() for b in missing])
    _check_listed(state, message, ctx)
    return list(_answered(command, message, ctx, RESULT_ACCEPTED))


def _answered(
    command: cmd.SubmitBid, message: Submit, ctx: Context, result: int
) -> tuple[Event, ...]:
    return (
        ev.SubmitReceived(
            org=ctx.actor.org,
            message=command.message,
            kind=message.kind,
            result=result,
            received_ms=ctx.received_ms,
        ),
    )


def _kept(
    state: Tender, command: cmd.SubmitBid, message: Submit, ctx: Context, result: int
) -> tuple[Event, ...]:
    """The evidence of a refused message: of one organisation only so many are journaled."""
    if state.refused.get(ctx.actor.org, 0) >= REFUSED_MAX:
        return ()
    return _answered(command, message, ctx, result)


def _check_chain(state: Tender, message: Submit, chain: tuple[Received, ...]) -> None:
    if message.lot not in {lot.lot for lot in state.rules().lots}:
        raise Refused("submit.mismatch")
    # Whoever has used up its submissions may still withdraw (招标投标法 art. 29).
    withdraws = message.kind == KIND_WITHDRAW and chain and chain[-1].message.kind == KIND_SUBMIT
    if len(chain) >= state.rules().submissions_max and not withdraws:
        raise Refused("submit.too_many")
    if message.seq != len(chain) + 1:
        raise Refused("submit.seq", expected=len(chain) + 1)
    previous = chain[-1].message.digest if chain else bytes(len(message.prev))
    if message.prev != previous:
        raise Refused("submit.prev")


def _check_listed(state: Tender, message: Submit, ctx: Context) -> None:
    """Every listed envelope is this bidder's, of this lot and number, and was never listed
    before (C9).
    """
    if message.kind == KIND_WITHDRAW:
        return
    for envelope, bid_id in message.items:
        if bid_id in state.listed:
            raise Refused("submit.listed_before")
        stored = state.stored[bid_id]
        header = stored.header
        if stored.org != ctx.actor.org or header.bidder_pk != message.bidder_pk:
            raise Refused("bid.not_yours")
        if (header.lot, header.envelope) != (message.lot, envelope):
            raise Refused("submit.mismatch")
    wanted = sorted(e.envelope for e in state.rules().envelopes)
    if sorted(envelope for envelope, _ in message.items) != wanted:
        raise Refused("submit.envelopes", wanted=wanted)


def _tick(state: Tender, command: cmd.TenderTick, ctx: Context) -> list[Event]:
    """DEADLINE_CLOSED, after one whole pass over the sockets that began after the deadline."""
    if state.manifest is None or state.closed or command.passed_ms < state.deadline_ms:
        return []
    counting = [r.message.digest for r in state.counting()]
    return [
        ev.BiddingClosed(
            deadline_ms=state.deadline_ms, count=len(counting), list_root=closed_list_root(counting)
        )
    ]


def _store_checked(state: Tender, command: cmd.ReportStoreCheck, ctx: Context) -> list[Event]:
    if state.store_checked:
        return []
    return [ev.StoreChecked(checked=command.checked, damaged=command.damaged)]


_RULES: dict[type[Command], Callable[[Tender, Any, Context], list[Event]]] = {
    cmd.PublishTender: _publish,
    cmd.RegisterBidder: _register,
    cmd.StoreEnvelope: _store,
    cmd.SubmitBid: _submit,
    cmd.ChangeDeadline: deadline.change,
    cmd.ProposeDeadline: deadline.propose,
    cmd.CountersignDeadline: deadline.countersign,
    cmd.DeclineDeadline: deadline.decline,
    cmd.TenderTick: _tick,
    cmd.ReportStoreCheck: _store_checked,
}


def decide(state: Tender, command: Command, ctx: Context) -> list[Event]:
    """What happens if ``command`` arrives now; raises Refused if it is not lawful."""
    if not command.SYSTEM:
        roles.require("tender", command.OP, ctx.actor, None)
    if state.manifest is None and not isinstance(command, cmd.PublishTender | cmd.TenderTick):
        raise Refused("tender.unknown")
    return _RULES[type(command)](state, command, ctx)


def promise_of(command: Command, state: Tender, ctx: Context, result: int) -> list[Promise]:
    """The ACK of a SUBMIT or WITHDRAW; a repeat gets the first one's received_ms."""
    if not isinstance(command, cmd.SubmitBid):
        return []
    message = parse_submit(command.message, state.rules().suite_impl)
    chain = state.chains.get((message.bidder_pk, message.lot), ())
    first = next((r.received_ms for r in chain if r.message.digest == message.digest), None)
    kind = ACK_SUBMIT if message.kind == KIND_SUBMIT else ACK_WITHDRAW
    received = ctx.received_ms if first is None else first
    return [Promise(kind, sha256(command.message), result, received, ctx.now_ms)]
