"""Host and supervisor at their desks (会签): halves of acts, signed with their offices' keys."""

from typing import Any

from crypto.entries import act_message
from crypto.hashes import sha256
from crypto.keys import SigningKey
from server.domain import act_events as av
from server.domain import commands as cmd
from server.domain import tender_events as tv
from server.domain.events import Proposal
from server.domain.model import Actor
from tests.domain.cast import AGENCY, HOST, HOST_KEY, SUPERVISOR_KEY, SUPERVISOR_PERSON
from tests.domain.play import Play
from tests.domain.tender_rules import FORM

DEADLINE_CHANGE, TRUSTEES_LOST, STATE_DECIDED = 4, 15, 22
SECOND_HOST = Actor("host-2", HOST.role, AGENCY[0], "另一位主持人")
WORDS = "时限内没有收到解密请求"


def message_of(play: Play, entry_type: int, members: dict[str, Any]) -> bytes:
    return act_message(entry_type, play.rules.tender_id, members)


def half(message: bytes, key: SigningKey) -> dict[str, bytes]:
    return {"pk": key.public, "sig": key.sign(message)}


def proposed_ground(
    play: Play,
    bid_id: bytes,
    ground: str = "revoked",
    reason: str = WORDS,
    *,
    key: SigningKey = HOST_KEY,
    suggested: str = "",
    **changes: Any,
) -> cmd.ProposeGround:
    """The half of whoever holds ``key``; ``changes``: what is sent other than what was signed."""
    known = play.opening.suggestions.get(bid_id)
    says = suggested or (known.ground if known else ground)
    members = {"bid_id": bid_id.hex(), "proposed": says, "ground": ground, "reason": reason}
    signed = half(message_of(play, STATE_DECIDED, members), key)
    facts = {"bid_id": bid_id, "ground": ground, "reason": reason, **signed}
    return cmd.ProposeGround(**(facts | changes))


def proposed_loss(play: Play, reason: str = "两位保管人失联", **changes: Any) -> Any:
    window = play.opening.window
    assert window is not None
    members = {"nonce": window.nonces[FORM].hex(), "reason": reason}
    signed = half(message_of(play, TRUSTEES_LOST, members), changes.pop("key", HOST_KEY))
    return cmd.ProposeTrusteesLost(**({"reason": reason, **signed} | changes))


def proposed_deadline(
    play: Play, deadline_ms: int, reason: str = "补遗", **changes: Any
) -> cmd.ProposeDeadline:
    members = {"old_ms": play.tender.deadline_ms, "deadline_ms": deadline_ms, "reason": reason}
    signed = half(message_of(play, DEADLINE_CHANGE, members), changes.pop("key", HOST_KEY))
    facts = {"deadline_ms": deadline_ms, "reason": reason, **signed}
    return cmd.ProposeDeadline(**(facts | changes))


def signed_bytes(play: Play, proposal: Proposal) -> bytes:
    """What a page makes of what it shows, before it signs."""
    members: dict[str, Any] = {"reason": proposal.reason}
    match proposal:
        case av.GroundProposed():
            members |= {"bid_id": proposal.bid_id.hex(), "proposed": proposal.suggested}
            return message_of(play, STATE_DECIDED, members | {"ground": proposal.ground})
        case av.TrusteesLostProposed():
            return message_of(play, TRUSTEES_LOST, members | {"nonce": proposal.nonce.hex()})
        case tv.DeadlineProposed():
            members |= {"old_ms": proposal.old_ms, "deadline_ms": proposal.deadline_ms}
            return message_of(play, DEADLINE_CHANGE, members)
        case _:
            raise AssertionError(proposal)


def countersigning(
    play: Play, proposal: Proposal, key: SigningKey = SUPERVISOR_KEY, **changes: Any
) -> Any:
    """The other half of a proposal, for its own room."""
    message = signed_bytes(play, proposal)
    assert sha256(message) == proposal.act
    made = cmd.CountersignDeadline if isinstance(proposal, tv.DeadlineProposed) else cmd.Countersign
    return made(**({"act": proposal.act, **half(message, key)} | changes))


def decided(play: Play, bid_id: bytes, ground: str = "revoked", reason: str = WORDS) -> None:
    """Host proposes, supervisor countersigns."""
    play.ask(proposed_ground(play, bid_id, ground, reason), HOST)
    proposal = play.opening.ground_proposals[bid_id]
    play.ask(countersigning(play, proposal), SUPERVISOR_PERSON)
