"""What is refused, and how that is said (拒绝): one table of stable codes.

``Refused`` is a fact about a request that is not lawful now: its code is stable, the client
translates it, and it never carries a stack trace. A refusal may leave evidence: events that are
journaled although the request was refused (a late or failed try is what decides later whose
fault a closed bid is, sealing.md C3). ``assert`` is for our own mistakes and stops the room.
"""

from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Refusal:
    """How a code travels: HTTP status, and whether the same request may succeed later."""

    status: int
    retryable: bool = False


class Refused(Exception):
    """Somebody asked for what is not lawful now."""

    def __init__(self, code: str, *, evidence: tuple[Any, ...] = (), **detail: Any) -> None:
        super().__init__(code)
        self.code = code
        self.detail: dict[str, Any] = detail
        self.evidence = evidence


# Codes of crypto.errors.Rejected (header.*, submit.*, unlock.*, form.* ...) travel unchanged
# with status 422.
REFUSALS: dict[str, Refusal] = {
    # who and where
    "auth.required": Refusal(401),
    "auth.challenge_unknown": Refusal(401, retryable=True),
    "auth.signature": Refusal(401),
    "auth.key_unknown": Refusal(401),
    "auth.ticket_stale": Refusal(401, retryable=True),
    "auth.role": Refusal(403),
    "room.unknown": Refusal(404),
    "query.malformed": Refusal(400),
    "bid.unknown": Refusal(404),
    "channel.not_yours": Refusal(403),
    "command.unknown": Refusal(400),
    "command.arguments": Refusal(400),
    "command.id": Refusal(400),
    "command.too_many": Refusal(429, retryable=True),
    "command.stage": Refusal(409),
    "room.busy": Refusal(503, retryable=True),
    "room.stopped": Refusal(503, retryable=True),
    "site.rooms_full": Refusal(503),
    # registration
    "person.key_taken": Refusal(409),
    "registration.closed": Refusal(409),
    "registration.key_taken": Refusal(409),
    "registration.exists": Refusal(409),
    "registration.keys": Refusal(422),
    "registration.signature": Refusal(422),
    "registration.not_invited": Refusal(403),
    "registration.expiry": Refusal(422),
    # tender and bids
    "tender.exists": Refusal(409),
    "tender.unknown": Refusal(404),
    "bid.not_registered": Refusal(409),
    "bid.not_yours": Refusal(403),
    "bid.late": Refusal(409),
    "bid.incomplete": Refusal(409, retryable=True),
    "bid.not_sealed": Refusal(415),
    "bid.ad_seen": Refusal(409),
    "bid.ct_root": Refusal(422),
    "submit.signature": Refusal(422),
    "submit.seq": Refusal(409),
    "submit.prev": Refusal(409),
    "submit.too_many": Refusal(409),
    "submit.listed_before": Refusal(409),
    "submit.mismatch": Refusal(422),
    "submit.envelopes": Refusal(422),
    "deadline.not_later": Refusal(409),
    "deadline.past": Refusal(409),
    "deadline.signatures": Refusal(422),
    "deadline.trustee_expiry": Refusal(409),
    # uploads
    "upload.unknown": Refusal(404),
    "upload.busy": Refusal(423, retryable=True),
    "upload.offset": Refusal(409, retryable=True),
    "upload.length": Refusal(413),
    "upload.core": Refusal(422),
    "upload.too_many": Refusal(429, retryable=True),
    "upload.storage_full": Refusal(507, retryable=True),
    "upload.slow": Refusal(408, retryable=True),
    "upload.too_large": Refusal(413),
    # the hall
    "sign_in.not_open": Refusal(409),
    "window.not_closing_checkpoint": Refusal(409, retryable=True),
    "window.session_unknown": Refusal(422),
    "window.session_done": Refusal(409),
    "window.running": Refusal(409),
    "window.not_running": Refusal(409),
    "window.paused": Refusal(409),
    "window.not_paused": Refusal(409),
    "window.extension": Refusal(422),
    "window.final": Refusal(409),
    "window.all_unlocked": Refusal(409),
    "reason.missing": Refusal(422),
    "unlock.before_window": Refusal(409, retryable=True),
    "unlock.window_closed": Refusal(409),
    "unlock.nonce": Refusal(409),
    "unlock.envelope": Refusal(422),
    "unlock.set": Refusal(422),
    "unlock.bid_unknown": Refusal(422),
    "unlock.not_yours": Refusal(403),
    "unlock.signature": Refusal(422),
    "unlock.key_mismatch": Refusal(422),
    "unlock.already": Refusal(409),
    "unlock.lot_failed": Refusal(409),
    "unlock.rate": Refusal(429, retryable=True),
    "release.window": Refusal(409),
    "release.trustee": Refusal(403),
    "release.signature": Refusal(422),
    "release.nonce": Refusal(409),
    "release.checkpoint": Refusal(409, retryable=True),
    "release.set": Refusal(422),
    "release.mode": Refusal(422),
    "release.envelopes": Refusal(422),
    "release.second": Refusal(409),
    "self_release.not_open": Refusal(409),
    "self_release.bid_unknown": Refusal(422),
    "self_release.half": Refusal(422),
    "reply.not_open": Refusal(409),
    "act.officer": Refusal(403),
    "act.signature": Refusal(422),
    "act.same_officer": Refusal(403),
    "act.unknown": Refusal(409),
    "act.stale": Refusal(409),
    "ground.unknown": Refusal(409),
    "ground.unlawful": Refusal(422),
    "ground.decided": Refusal(409),
    "repair.not_open": Refusal(409),
    "repair.not_damaged": Refusal(409),
    "repair.ct_root": Refusal(422),
    "opening.not_ready": Refusal(409),
    # the floor, meetings
    "floor.person_unknown": Refusal(404),
    "floor.stage_full": Refusal(409),
    "floor.full": Refusal(409),
    "floor.names_masked": Refusal(409),
    "call.exists": Refusal(409),
    "call.too_many": Refusal(409),
    "call.unknown": Refusal(409),
    "call.not_yours": Refusal(403),
    "call.target_unknown": Refusal(422),
    "recording.unknown": Refusal(409),
    "recording.segment": Refusal(409),
    "recording.removed": Refusal(409),
    "recording.too_many": Refusal(409),
    "recording.report": Refusal(422),
    "meeting.exists": Refusal(409),
    "meeting.id": Refusal(422),
    "meeting.text": Refusal(422),
    "meeting.main_venue": Refusal(422),
    "meeting.seats": Refusal(422),
    "meeting.name_twice": Refusal(422),
    "meeting.person_twice": Refusal(422),
    "meeting.person_unknown": Refusal(422),
    "meeting.role": Refusal(422),
    "row.unknown": Refusal(422),
    "bundle.not_ready": Refusal(409, retryable=True),
    "server.trouble": Refusal(500, retryable=True),
}
