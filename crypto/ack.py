"""ACK (回执): the host's signed promise that a message is durable and will be in the log (C14).

Invariant: it is made after fsync. It names the message by SHA-256 and says by when a checkpoint
must include it; an ACK whose entry is missing then is proof against the operator. Its layout is
the same in every suite, because the host receipt key belongs to the log's side.
"""

import struct
from dataclasses import dataclass, field
from typing import ClassVar, Final

from crypto.errors import Rejected
from crypto.hashes import SHA256_SIZE, Octets, blake2b_512, label_bytes, sha256
from crypto.keys import SIGNATURE_SIZE, SigningKey, verify
from crypto.layout import TENDER_ID_SIZE

ACK_SUBMIT: Final = 1
ACK_WITHDRAW: Final = 2
ACK_UNLOCK: Final = 3
ACK_CARD_UNLOCK: Final = 4
ACK_SELF_RELEASE: Final = 5
ACK_RELEASE: Final = 6
ACK_OBJECTION: Final = 7

RESULT_ACCEPTED: Final = 0
RESULT_LATE: Final = 1
RESULT_INCOMPLETE: Final = 2
RESULT_NO_MATCH: Final = 3
RESULT_NOT_LAWFUL_NOW: Final = 4
RESULT_OTHER: Final = 5

INTEGRATE_WITHIN_MS: Final = 2000

_LAYOUT: Final = struct.Struct(f">8s {TENDER_ID_SIZE}s B {SHA256_SIZE}s B Q Q")
_SIZE: Final = _LAYOUT.size + SIGNATURE_SIZE


@dataclass(frozen=True, slots=True, kw_only=True)
class Ack:
    """One acknowledgement. `server_ms` is when the message was received (formats.md §1)."""

    magic: ClassVar = b"KBIDACK1"
    label: ClassVar = "KBID1 ack"
    raw: bytes = field(repr=False)
    tender_id: bytes
    kind: int
    message_sha256: bytes
    result: int
    server_ms: int
    integrate_by_ms: int

    @property
    def digest(self) -> bytes:
        """SHA-256 of raw."""
        return sha256(self.raw)

    def signed_by(self, host_receipt_pk: bytes) -> bool:
        """Whether the host's receipt key made it."""
        body, signature = self.raw[:-SIGNATURE_SIZE], self.raw[-SIGNATURE_SIZE:]
        return verify(host_receipt_pk, _signed_message(body), signature)


def build_ack(
    key: SigningKey,
    tender_id: bytes,
    kind: int,
    message_sha256: bytes,
    result: int,
    server_ms: int,
    *,
    signed_ms: int | None = None,
) -> Ack:
    """Sign an ACK of a message received at `server_ms`.

    `signed_ms` is now, not before `server_ms` and by default the same: the log must follow within
    two seconds of it.
    """
    integrate_by_ms = (server_ms if signed_ms is None else signed_ms) + INTEGRATE_WITHIN_MS
    body = _LAYOUT.pack(
        Ack.magic, tender_id, kind, message_sha256, result, server_ms, integrate_by_ms
    )
    return parse_ack(body + key.sign(_signed_message(body)))


def parse_ack(raw: Octets) -> Ack:
    """Raises Rejected ack. length, magic, kind, result, time (promised earlier than lawful)."""
    if len(raw) != _SIZE:
        raise Rejected("ack.length", str(len(raw)))
    magic, tender_id, kind, digest, result, server_ms, integrate_by_ms = _LAYOUT.unpack_from(raw)
    if magic != Ack.magic:
        raise Rejected("ack.magic")
    if not ACK_SUBMIT <= kind <= ACK_OBJECTION:
        raise Rejected("ack.kind", str(kind))
    if result > RESULT_OTHER:
        raise Rejected("ack.result", str(result))
    if integrate_by_ms < server_ms + INTEGRATE_WITHIN_MS:
        raise Rejected("ack.time")
    return Ack(
        raw=bytes(raw),
        tender_id=tender_id,
        kind=kind,
        message_sha256=digest,
        result=result,
        server_ms=server_ms,
        integrate_by_ms=integrate_by_ms,
    )


def _signed_message(body: bytes) -> bytes:
    return label_bytes(Ack.label) + blake2b_512(body)
