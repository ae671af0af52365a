"""A bidder's own receipt (回执) against the bundle: what only its holder can check (C15).

Invariant: a receipt that agrees shows that its message stood in the log which this bundle shows,
and that what it promised was kept: a bid counts, or a later one of the same bidder does.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from .acks import is_promised, read_signed_ack
from .bundle import Bundle
from .checkpoints import FINAL
from .closing import Closing
from .entry_types import read_entry
from .jcs import NotCanonical, read
from .log import PROOF, Entry, Log, proof_leaf, proof_root
from .manifest import Manifest
from .messages import Ack, BadLayout, Submit, read_release, read_submit, read_unlock
from .notes import Checkpoint, NotANote, read_checkpoint
from .primitives import merkle
from .primitives.hashes import sha256
from .report import Report
from .schema import WrongShape, array, hexadecimal, null_or, pattern, record

RECEIPT_MAX = 131_072
KIND_SUBMIT, KIND_WITHDRAW, KIND_UNLOCK, KIND_CARD, KIND_SELF, KIND_RELEASE = 1, 2, 3, 4, 5, 6
FOLDERS = {
    KIND_UNLOCK: "unlock",
    KIND_CARD: "card",
    KIND_SELF: "self",
    KIND_RELEASE: "release",
}


def _note(value: Any, where: str) -> None:
    if not isinstance(value, str) or len(value) > 16_384:
        raise WrongShape(where, "a checkpoint's text", value)


SHAPE = record(
    ack=hexadecimal(154),
    checkpoint=_note,
    closed_path=null_or(array(hexadecimal(32), 0, 64)),
    message=pattern("([0-9a-f]{2}){1,32768}"),
    proof=PROOF,
)


@dataclass(frozen=True)
class Receipt:
    """A receipt file's content; `name` is what the report calls it."""

    name: str
    ack: bytes
    checkpoint: bytes
    closed_path: list[bytes] | None
    message: bytes
    proof: dict[str, Any]


def read_receipt(name: str, raw: bytes) -> Receipt:
    """Parse *.receipt.json; raises NotCanonical or WrongShape."""
    value: Any = read(raw, size_max=RECEIPT_MAX)
    SHAPE(value, "")
    path = value["closed_path"]
    return Receipt(
        name,
        bytes.fromhex(value["ack"]),
        value["checkpoint"].encode("utf-8"),
        None if path is None else [bytes.fromhex(one) for one in path],
        bytes.fromhex(value["message"]),
        value["proof"],
    )


def check_receipt(
    receipt: Receipt,
    bundle: Bundle,
    manifest: Manifest,
    log: Log,
    closing: Closing,
    report: Report,
) -> None:
    """The promise, its entry, its checkpoint, and what became of its message."""
    name = receipt.name
    ack = read_signed_ack(receipt.ack, name, manifest, report)
    if ack is None:
        return
    digest = sha256(receipt.message)
    about = report.check("receipt.message", digest == ack.message, name, ack.message, digest)
    entry = _check_proof(receipt, ack, manifest, log, report)
    if entry is not None:
        _check_same_log(entry, name, log, report)
    if about and ack.result == 0:
        _check_kept(receipt, ack, bundle, manifest, closing, report)


def _check_proof(
    receipt: Receipt, ack: Ack, manifest: Manifest, log: Log, report: Report
) -> Entry | None:
    """The entry under the receipt's own checkpoint, which must be of this log."""
    name, proof = receipt.name, receipt.proof
    try:
        checkpoint = read_checkpoint(receipt.checkpoint, manifest["log"], manifest["witnesses"])
        number, members = read_entry(bytes.fromhex(proof["entry"]))
    except (NotANote, NotCanonical, WrongShape) as error:
        report.differs("receipt.shape", name, "a checkpoint and a public entry", error)
        return None
    signed = checkpoint.log_signed
    report.check("receipt.checkpoint", signed, name, "signature by the log key", "not one")
    leaf = proof_leaf(proof)
    same_size = proof["size"] == checkpoint.size
    good = same_size and proof_root(proof, leaf) == checkpoint.root
    report.check("receipt.proof", good, name, "a proof to its checkpoint", "another root")
    entry = Entry(number, members, proof["index"], proof["slot"], proof["tick_ms"], leaf, name)
    kept = is_promised(entry, ack)
    report.check("receipt.entry", kept, name, "what the promise says", "another entry")
    _check_sizes(checkpoint, name, log, report)
    return entry


def _check_sizes(checkpoint: Checkpoint, name: str, log: Log, report: Report) -> None:
    """Two checkpoints of one size must be one: a different root is a forked log."""
    for member, other in sorted(log.checkpoints.items()):
        if other.size == checkpoint.size:
            same = other.root == checkpoint.root
            report.check(
                "receipt.fork", same, name, f"{member}: {other.root.hex()}", checkpoint.root
            )
    final = log.checkpoints.get(FINAL)
    if final is not None and checkpoint.size > final.size:
        report.on_word_of("receipt.newer", name=name)
    elif final is not None:
        report.on_word_of("receipt.between", name=name)


def _check_same_log(entry: Entry, name: str, log: Log, report: Report) -> None:
    """Where the bundle shows the same second or the same message, it shows the same thing."""
    for other in log.entries:
        if other.index == entry.index:
            same = other.leaf == entry.leaf
            report.check("receipt.fork", same, name, other.leaf, entry.leaf)
        digests = (entry.members.get("sha256"), other.members.get("sha256"))
        if other.number == entry.number and digests[0] is not None and digests[0] == digests[1]:
            same = (other.index, other.slot) == (entry.index, entry.slot)
            report.check("receipt.moved", same, name, other.place, f"second {entry.index}")


def _check_kept(
    receipt: Receipt,
    ack: Ack,
    bundle: Bundle,
    manifest: Manifest,
    closing: Closing,
    report: Report,
) -> None:
    """An accepted message still stands: in the closed list, or among the published messages."""
    name = receipt.name
    try:
        if ack.kind in (KIND_SUBMIT, KIND_WITHDRAW):
            _check_bid(receipt, read_submit(receipt.message), closing, report)
            return
        envelope = 1
        if ack.kind == KIND_UNLOCK:
            envelope = read_unlock(receipt.message).envelope
        elif ack.kind == KIND_RELEASE:
            envelope = read_release(receipt.message).envelope
        elif ack.kind in (KIND_CARD, KIND_SELF):
            bid = closing.bids.get(receipt.message[72:104])
            envelope = bid.header.envelope if bid is not None else 1
    except BadLayout as error:
        report.differs("receipt.layout", name, "a message of its kind", error)
        return
    folder = FOLDERS.get(ack.kind)
    if folder is not None and manifest.is_form(envelope):
        member = f"{folder}/{ack.message.hex()}.bin"
        there = bundle.get(member) is not None
        report.check("receipt.unpublished", there, member, "the acknowledged message", "nothing")


def _check_bid(receipt: Receipt, submit: Submit, closing: Closing, report: Report) -> None:
    """A SUBMIT counts, or a later one of its chain does; after a WITHDRAW no earlier one does."""
    name = receipt.name
    listed = submit.sha256 in closing.submits
    chain = [
        bid.submit
        for bid in closing.bids.values()
        if (bid.submit.bidder_pk, bid.submit.lot) == (submit.bidder_pk, submit.lot)
    ]
    later = any(one.seq > submit.seq for one in chain)
    if submit.kind == KIND_WITHDRAW:
        gone = later or not chain
        report.check("receipt.withdrawn", gone, name, "no bid, or a later one", "an earlier one")
        return
    counts = listed or later
    report.check("receipt.dropped", counts, "closed.json", submit.sha256, "not in the list")
    if counts and not listed:
        report.on_word_of("receipt.superseded", name=name)
    if receipt.closed_path is not None and closing.entry is not None and listed:
        place = closing.submits.index(submit.sha256)
        leaf = merkle.leaf_hash(submit.sha256)
        root = merkle.root_from_path(leaf, place, len(closing.submits), receipt.closed_path)
        same = root is not None and root.hex() == closing.entry["list_root"]
        report.check("receipt.closed_path", same, name, closing.entry["list_root"], root or "none")
