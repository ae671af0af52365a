"""Proofs and receipts (证明、回执): that an entry is in the log, that a message was taken.

Invariant: a proof leads from the entry's own bytes to the root of a signed checkpoint of exactly
its size; a receipt binds message, signed promise (C14), entry and checkpoint to each other, so that
its holder needs no further word of the operator. Norm: sealing.md C13-C15; formats.md §7.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, cast

from crypto.batch import Batch, root_from_siblings
from crypto.checkpoint import Checkpoint, parse_checkpoint
from crypto.entries import Entry, decode_entry
from crypto.errors import Rejected
from crypto.formats import decode_document, encode_document
from crypto.hashes import sha256
from crypto.manifest import Manifest
from crypto.merkle import inclusion_path, leaf_hash, merkle_root, root_from_path
from crypto.messages import Ack, parse_ack, signature_ok
from crypto.objects.common import BIDS_MAX
from crypto.objects.entry import EntryType
from crypto.site_tree import Nodes, inclusion_proof, site_leaf, verify_consistency

INTEGRATION_MS_MAX = 2000  # between an entry's server_ms and the tick of its leaf (C14)

# ACK kind to the entry it promises: type, and the member that tells kinds of one type apart.
_PROMISED: dict[int, tuple[int, str, int | str]] = {
    1: (EntryType.SUBMIT, "kind", 1),
    2: (EntryType.SUBMIT, "kind", 2),
    3: (EntryType.UNLOCK, "by", "key"),
    4: (EntryType.UNLOCK, "by", "card"),
    5: (EntryType.SELF_RELEASE, "", 0),
    6: (EntryType.RELEASE, "", 0),
    7: (EntryType.OBJECTION, "", 0),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Proof:
    """One entry and its way to the root of the site tree of ``size`` leaves."""

    entry: bytes
    slot: int
    siblings: tuple[bytes, ...]
    tick_ms: int
    index: int
    size: int
    path: tuple[bytes, ...]

    def as_json(self) -> dict[str, Any]:
        """The object ``Proof`` of formats."""
        return {
            "entry": self.entry.hex(),
            "slot": self.slot,
            "siblings": [sibling.hex() for sibling in self.siblings],
            "tick_ms": self.tick_ms,
            "index": self.index,
            "size": self.size,
            "path": [node.hex() for node in self.path],
        }

    def root(self) -> bytes:
        """The site root that follows from the entry's bytes. Codes: ``proof.*``."""
        batch_root = root_from_siblings(self.entry, self.slot, self.siblings)
        leaf = leaf_hash(site_leaf(self.tick_ms, batch_root))
        return root_from_path(leaf, self.index, self.size, self.path)


@dataclass(frozen=True, slots=True, kw_only=True)
class Receipt:
    """What a bidder keeps as ``*.receipt.json``."""

    ack: bytes
    checkpoint: str
    closed_path: tuple[bytes, ...] | None
    message: bytes = field(repr=False)
    proof: Proof


@dataclass(frozen=True, slots=True)
class Shown:
    """What a verified receipt shows."""

    ack: Ack
    entry: Entry
    checkpoint: Checkpoint


def build_proof(
    batch: Batch, entry: bytes, slot: int, *, nodes: Nodes, index: int, size: int
) -> Proof:
    """The proof of ``entry`` in slot ``slot`` of the batch that is leaf ``index``, in the tree of
    ``size`` leaves whose node store is ``nodes``.
    """
    return Proof(
        entry=entry,
        slot=slot,
        siblings=tuple(batch.siblings(slot)),
        tick_ms=batch.tick_ms,
        index=index,
        size=size,
        path=tuple(inclusion_proof(nodes, index, size)),
    )


def parse_proof(raw: bytes) -> Proof:
    """A proof from its JCS, not yet verified."""
    return _proof(cast("dict[str, Any]", decode_document("Proof", raw)))


def verify_proof(proof: Proof, checkpoint: Checkpoint) -> Entry:
    """The entry, once it is shown to be in the log under this checkpoint.

    Codes: ``proof.size`` (another tree), ``proof.slot``, ``.index``, ``.length``, ``.hash``,
    ``.root``, those of decode_entry, ``proof.tick`` (server_ms not in the 2 s before tick_ms).
    """
    if proof.size != checkpoint.size:
        raise Rejected("proof.size", f"{proof.size}, checkpoint {checkpoint.size}")
    if proof.root() != checkpoint.root:
        raise Rejected("proof.root")
    entry = decode_entry(proof.entry)
    late_ms = proof.tick_ms - cast("int", entry.members["server_ms"])
    if not 0 <= late_ms <= INTEGRATION_MS_MAX:
        raise Rejected("proof.tick", str(late_ms))
    return entry


def consistency_json(old_size: int, size: int, path: Sequence[bytes]) -> dict[str, Any]:
    """The object ``Consistency`` of formats."""
    return {"from": old_size, "to": size, "path": [node.hex() for node in path]}


def verify_consistency_json(value: dict[str, Any], old: Checkpoint, new: Checkpoint) -> None:
    """Raise Rejected unless a (schema-checked) Consistency shows that ``new`` continues ``old``.

    Codes: ``proof.size`` (it speaks of other trees) and those of verify_consistency.
    """
    if (value["from"], value["to"]) != (old.size, new.size):
        raise Rejected("proof.size")
    path = [bytes.fromhex(node) for node in value["path"]]
    verify_consistency(old.size, old.root, new.size, new.root, path)


def closed_list_root(digests: Sequence[bytes]) -> bytes:
    """list_root of DEADLINE_CLOSED over the SHA-256 of the counting SUBMITs, in any order."""
    return merkle_root([leaf_hash(digest) for digest in sorted(digests)])


def closed_path(digests: Sequence[bytes], digest: bytes) -> list[bytes]:
    """The path of one SUBMIT in the closed list, leaf first."""
    ordered = sorted(digests)
    return inclusion_path([leaf_hash(each) for each in ordered], ordered.index(digest))


def in_closed_list(digest: bytes, path: Sequence[bytes], count: int, list_root: bytes) -> bool:
    """Whether ``path`` shows that the SUBMIT of this SHA-256 is one of ``count`` in the list.

    The receipt does not say at which place (that would tell how many sort before it), so each
    place is tried; a path that fits at any of them is a proof.
    """
    if not 0 < count <= BIDS_MAX:
        return False
    leaf = leaf_hash(digest)
    for index in range(count):
        try:
            if root_from_path(leaf, index, count, path) == list_root:
                return True
        except Rejected:
            continue
    return False


def encode_receipt(receipt: Receipt) -> bytes:
    """The bytes of ``*.receipt.json``."""
    path = receipt.closed_path
    return encode_document(
        "Receipt",
        {
            "ack": receipt.ack.hex(),
            "checkpoint": receipt.checkpoint,
            "closed_path": None if path is None else [node.hex() for node in path],
            "message": receipt.message.hex(),
            "proof": receipt.proof.as_json(),
        },
    )


def parse_receipt(raw: bytes) -> Receipt:
    """A receipt from its file, not yet verified."""
    value = cast("dict[str, Any]", decode_document("Receipt", raw))
    path = value["closed_path"]
    return Receipt(
        ack=bytes.fromhex(value["ack"]),
        checkpoint=value["checkpoint"],
        closed_path=None if path is None else tuple(map(bytes.fromhex, path)),
        message=bytes.fromhex(value["message"]),
        proof=_proof(value["proof"]),
    )


def verify_receipt(receipt: Receipt, manifest: Manifest) -> Shown:
    """What the receipt shows, by the keys of the manifest.

    Codes: those of parse_ack, ``receipt.tender``, ``receipt.signature`` (of the promise),
    ``receipt.message`` (the promise is about another), those of parse_checkpoint and verify_proof,
    ``receipt.entry`` (the log says something else than the promise). ``closed_path`` is checked
    by in_closed_list once DEADLINE_CLOSED is known.
    """
    ack = parse_ack(receipt.ack)
    if ack.tender_id != manifest.tender_id:
        raise Rejected("receipt.tender")
    if not signature_ok(ack, manifest.host_receipt_pk):
        raise Rejected("receipt.signature")
    if sha256(receipt.message) != ack.message_sha256:
        raise Rejected("receipt.message")
    checkpoint = parse_checkpoint(receipt.checkpoint, manifest.log.origin, manifest.log.pk)
    entry = verify_proof(receipt.proof, checkpoint)
    if not _is_promised(entry, ack, len(receipt.message)):
        raise Rejected("receipt.entry")
    return Shown(ack, entry, checkpoint)


def _is_promised(entry: Entry, ack: Ack, size: int) -> bool:
    entry_type, member, value = _PROMISED[ack.kind]
    # An entry without result or time is made only for what was accepted, and says no other time.
    said = {"result": 0, "received_ms": ack.server_ms, "size": size} | entry.members
    return (
        entry.type == entry_type
        and (not member or entry.members[member] == value)
        and entry.members["tender_id"] == ack.tender_id.hex()
        and entry.members["sha256"] == ack.message_sha256.hex()
        and (said["result"], said["received_ms"], said["size"]) == (ack.result, ack.server_ms, size)
    )


def _proof(value: dict[str, Any]) -> Proof:
    return Proof(
        entry=bytes.fromhex(value["entry"]),
        slot=value["slot"],
        siblings=tuple(map(bytes.fromhex, value["siblings"])),
        tick_ms=value["tick_ms"],
        index=value["index"],
        size=value["size"],
        path=tuple(map(bytes.fromhex, value["path"])),
    )
