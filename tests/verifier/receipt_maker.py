"""Receipts and acknowledgements as bidders keep them (样品回执)."""

from pathlib import Path
from typing import Any

from crypto.canonical import encode
from crypto.hashes import sha256
from crypto.messages import build_ack
from tests.verifier.bundle_maker import Bidder, Opening
from tests.verifier.tender_maker import RECEIPT_KEY

Members = dict[str, bytes]


SUBMIT = 1


UNLOCK = 3


def entry_of(opening: Opening, raw: bytes) -> Any:
    digest = sha256(raw).hex().encode()
    return next(kept for kept in opening.log.kept if digest in kept.entry)


def receipt_of(
    opening: Opening, raw: bytes, kind: int, received_ms: int, path: Path, **changes: Any
) -> Path:
    """A receipt file as the bidder got it, right after its second."""
    kept = entry_of(opening, raw)
    size = kept.index + 1
    ack = build_ack(RECEIPT_KEY, opening.manifest.tender_id, kind, sha256(raw), 0, received_ms)
    value = {
        "ack": ack.raw.hex(),
        "checkpoint": opening.log.checkpoint(size),
        "closed_path": None,
        "message": raw.hex(),
        "proof": opening.log.proof(kept, size),
    } | changes
    file = path / "mine.receipt.json"
    file.write_bytes(encode(value))
    return file


def submit_receipt(opening: Opening, bidder: Bidder, path: Path, **changes: Any) -> Path:
    received_ms = opening.at(10 + bidder.number / 1000) - 1
    return receipt_of(opening, bidder.submit.raw, SUBMIT, received_ms, path, **changes)


def ack_member(opening: Opening, received_ms: int, *, result: int = 0, raw: bytes = b"") -> Members:
    raw = raw or opening.bidders[0].submit.raw
    digest = sha256(raw)
    ack = build_ack(RECEIPT_KEY, opening.manifest.tender_id, SUBMIT, digest, result, received_ms)
    return {f"acks/{ack.digest.hex()}.bin": ack.raw}
