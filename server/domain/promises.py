"""Which acknowledgements a command earns (C14): one per message that matters, signed after the
fsync.

A promise names the message by its SHA-256; a repeated message gets the first one's received_ms.
"""

from dataclasses import dataclass

from crypto.ack import (
    ACK_CARD_UNLOCK,
    ACK_RELEASE,
    ACK_SELF_RELEASE,
    ACK_UNLOCK,
    RESULT_ACCEPTED,
    RESULT_LATE,
)
from crypto.hashes import sha256
from server.domain import commands as cmd
from server.domain.commands import Command
from server.domain.model import Context
from server.domain.opening import Opening
from server.domain.opening_events import AttemptFailed
from server.domain.refusals import Refused


@dataclass(frozen=True, slots=True)
class Promise:
    """What an ACK will say. ``signed_ms``: from when the log has two seconds; fixed before the
    fsync, so the promise is never later than what is asked.
    """

    kind: int
    digest: bytes
    result: int
    received_ms: int
    signed_ms: int


def promises_of(state: Opening, command: Command, ctx: Context, *, repeated: bool) -> list[Promise]:
    """The promises of an accepted command, by the state after it; ``repeated``: it changed
    nothing.
    """
    now_ms = ctx.now_ms

    def promise(kind: int, raw: bytes) -> Promise:
        return Promise(kind, sha256(raw), RESULT_ACCEPTED, ctx.received_ms, now_ms)

    match command:
        case cmd.UnlockBid():
            known = state.halves.values() if repeated else ()
            first = {u.digest: u.received_ms for u in known}
            return [
                Promise(ACK_UNLOCK, d, RESULT_ACCEPTED, first.get(d, ctx.received_ms), now_ms)
                for d in map(sha256, command.messages)
            ]
        case cmd.UnlockByCard():
            return [promise(ACK_CARD_UNLOCK, command.message)]
        case cmd.ReleaseShares():
            return [promise(ACK_RELEASE, raw) for raw in command.messages]
        case cmd.ReleaseSelf():
            return [promise(ACK_SELF_RELEASE, raw) for raw in command.messages]
        case _:
            return []


def promises_of_refusal(refused: Refused, ctx: Context) -> list[Promise]:
    """A late unlock gets a signed "late": evidence for both sides."""
    return [
        Promise(e.kind, e.sha256, RESULT_LATE, ctx.received_ms, ctx.now_ms)
        for e in refused.evidence
        if isinstance(e, AttemptFailed) and e.kind and refused.code == "unlock.window_closed"
    ]
