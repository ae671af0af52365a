"""Acts that need two officers (会签): one proposes and signs, the other countersigns
(formats.md §5).

Pure. Invariant: what becomes an act is, to the byte, what both signed; the two keys are those of a
host and of a supervisor of the manifest, used by two different people in those roles. A proposal
that today's state would no longer make is stale, whoever signs it.
"""

from typing import TypeVar

from msgspec.structs import replace

from crypto.entries import act_message
from crypto.hashes import sha256
from crypto.manifest import Manifest
from server.domain.act_events import GroundDecided
from server.domain.commands import OfficerSigned
from server.domain.events import Proposal
from server.domain.log_entries import act_members
from server.domain.model import Actor
from server.domain.opening_events import TrusteesLost
from server.domain.refusals import Refused
from server.domain.tender_events import DeadlineChanged

REQUIRED = frozenset({"host", "supervisor"})

Act = DeadlineChanged | TrusteesLost | GroundDecided
A = TypeVar("A", DeadlineChanged, TrusteesLost, GroundDecided)


def require_host_and_supervisor(rules: Manifest, event: Act, code: str) -> None:
    """Every listed key is an officer's of the manifest, every signature holds, both are there."""
    if len(event.pks) != len(event.sigs) or len(set(event.pks)) != len(event.pks):
        raise Refused(code)
    roles = {officer.pk: officer.role for officer in rules.officers}
    for type_, members in act_members(event):
        message = act_message(type_, rules.tender_id, members)
        for pk, sig in zip(event.pks, event.sigs, strict=True):
            if pk not in roles or not rules.suite_impl.verify(pk, message, sig):
                raise Refused(code)
    if not {roles[pk] for pk in event.pks} >= REQUIRED:
        raise Refused(code)


def _act_bytes(rules: Manifest, act: Act) -> bytes:
    """What officers sign under an act, with or without its signatures."""
    ((type_, members),) = act_members(act)
    return act_message(type_, rules.tender_id, members)


def signed_by(rules: Manifest, act: Act, actor: Actor, signed: OfficerSigned) -> bytes:
    """The act's name, if ``actor`` has signed it with the key of its own office.

    Raises act.officer (no officer's key, or another's), act.signature.
    """
    officer = next((one for one in rules.officers if one.pk == signed.pk), None)
    if officer is None or (officer.role, officer.code) != (actor.role, actor.org):
        raise Refused("act.officer")
    message = _act_bytes(rules, act)
    if not rules.suite_impl.verify(signed.pk, message, signed.sig):
        raise Refused("act.signature")
    return sha256(message)


def completed(
    rules: Manifest, proposal: Proposal, today: A, actor: Actor, signed: OfficerSigned
) -> A:
    """``today``, the act as the state now would make it of the proposal, with both signatures.

    Raises act.stale, act.same_officer, and as ``signed_by``.
    """
    if sha256(_act_bytes(rules, today)) != proposal.act:
        raise Refused("act.stale")
    if actor.role == proposal.by or actor.person == proposal.person:
        raise Refused("act.same_officer")
    signed_by(rules, today, actor, signed)
    both = replace(today, pks=[proposal.pk, signed.pk], sigs=[proposal.sig, signed.sig])
    require_host_and_supervisor(rules, both, "act.signature")
    return both
