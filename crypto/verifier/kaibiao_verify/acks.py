"""Acknowledgements (回执承诺): the host's signed promises that bidders added to the bundle (C14).

Invariant: a promise that the log does not keep is a mismatch; a promise about a message that is not
in the bundle (a superseded bid, a body's message) is only counted.
"""

from __future__ import annotations

from .bundle import Bundle
from .entry_types import RELEASE, SELF_RELEASE, SUBMIT, UNLOCK
from .log import Entry, Log
from .manifest import Manifest
from .messages import Ack, BadLayout, read_ack
from .report import Report

# The kind of an ACK: the type of entry it promises, and what tells kinds of one type apart.
PROMISED: dict[int, tuple[int, dict[str, object]]] = {
    1: (SUBMIT, {"kind": 1}),
    2: (SUBMIT, {"kind": 2}),
    3: (UNLOCK, {"by": "key"}),
    4: (UNLOCK, {"by": "card"}),
    5: (SELF_RELEASE, {}),
    6: (RELEASE, {}),
}


def is_promised(entry: Entry, ack: Ack) -> bool:
    """Whether an entry says about the message what the promise says."""
    if ack.kind not in PROMISED:
        return False
    number, facts = PROMISED[ack.kind]
    facts = facts | {"sha256": ack.message.hex(), "received_ms": ack.server_ms}
    # Entries without a result are made only for what was accepted.
    said = {"result": 0} | entry.members
    return (
        entry.number == number
        and said["result"] == ack.result
        and all(said.get(name) == value for name, value in facts.items())
    )


def read_signed_ack(raw: bytes, name: str, manifest: Manifest, report: Report) -> Ack | None:
    """Layout, tender and signature of an ACK."""
    try:
        ack = read_ack(raw)
    except BadLayout as error:
        report.differs("ack.layout", name, "an ACK of C14", error)
        return None
    same = ack.tender_id == manifest.tender_id
    report.check("ack.tender", same, name, manifest.tender_id, ack.tender_id)
    good = ack.is_signed_by(bytes.fromhex(manifest["host_receipt_pk"]))
    report.check("ack.signature", good, name, "signature by host_receipt_pk", "not one")
    return ack


def check_acks(bundle: Bundle, manifest: Manifest, log: Log, report: Report) -> None:
    """acks/<sha256 of the ACK>.bin: signed, and kept by the log where the log shows its message."""
    entries = {entry["sha256"]: entry for entry in log.of(SUBMIT, UNLOCK, SELF_RELEASE, RELEASE)}
    elsewhere = 0
    for name, raw in bundle.folder("acks/").items():
        ack = read_signed_ack(raw, name, manifest, report)
        if ack is None:
            continue
        own = name == f"acks/{ack.sha256.hex()}.bin"
        report.check("ack.name", own, name, "its own SHA-256", ack.sha256)
        entry = entries.get(ack.message.hex())
        if entry is None:
            elsewhere += 1
            continue
        kept = is_promised(entry, ack)
        report.check("ack.entry", kept, name, "what the log says", entry.place)
        in_time = entry.tick_ms <= ack.integrate_by_ms
        report.check("ack.integrated", in_time, name, f"by {ack.integrate_by_ms}", entry.tick_ms)
    if elsewhere:
        report.on_word_of("ack.elsewhere", count=elsewhere)
