"""Which acknowledgements a command earns (C14): one per message that matters, signed after the
fsync.

A promise names the message by its SHA-256; a repeated message gets the first one's received_ms.
"""

from collections.abc import Mapping

from msgspec import Struct

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


class Promise(Struct, frozen=True):
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

    def promised(kind: int, messages: list[bytes], first: Mapping[bytes, int]) -> list[Promise]:
        return [
            Promise(kind, d, RESULT_ACCEPTED, first.get(d, ctx.received_ms), now_ms)
            for d in map(sha256, messages)
        ]

    def unlocked() -> dict[bytes, int]:
        return {u.digest: u.received_ms for u in state.halves.values()} if repeated else {}

    match command:
        case cmd.UnlockBid():
            return promised(ACK_UNLOCK, command.messages, unlocked())
        case cmd.UnlockByCard():
            return promised(ACK_CARD_UNLOCK, [command.message], unlocked())
        case cmd.ReleaseShares():
            return promised(ACK_RELEASE, command.messages, state.answered)
        case cmd.ReleaseSelf():
            return promised(ACK_SELF_RELEASE, command.messages, state.answered)
        case _:
            return []


def promises_of_refusal(refused: Refused, ctx: Context) -> list[Promise]:
    """A late unlock gets a signed "late" for each of its messages: evidence for both sides."""
    if refused.code != "unlock.window_closed":
        return []
    late = {e.sha256: e.kind for e in refused.evidence if isinstance(e, AttemptFailed)}
    return [
        Promise(kind, digest, RESULT_LATE, ctx.received_ms, ctx.now_ms)
        for digest, kind in late.items()
    ]
