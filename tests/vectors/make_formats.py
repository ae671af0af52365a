"""Writes formats.json and formats-hostile.json; README-formats.md says what is in them.

python tests/vectors/make_formats.py [FOLDER]
"""

import json
import sys
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parent))

import formats_examples as example
from formats_entries import entry_members
from formats_hostile import byte_cases
from formats_hostile_objects import object_cases

from crypto import batch, checkpoint, draws, form, receipts, rows, site_tree
from crypto.canonical import encode
from crypto.entries import act_message, encode_entry
from crypto.formats import DOCUMENTS, encode_document
from crypto.hashes import blake2b_256, sha256
from crypto.manifest import encode_manifest_signatures, manifest_message, trustee_message
from crypto.merkle import leaf_hash
from crypto.objects.entry import ENTRY_TYPES, EntryType
from crypto.text import MONEY_FEN_MAX, money_text, rate_text

Value = dict[str, Any]


class SiteLog:
    """A small log: the closing batch of formats.md §7 is leaf 0, later seconds follow."""

    def __init__(self) -> None:
        self.nodes: dict[tuple[int, int], bytes] = {}
        self.batches: list[batch.Batch] = []
        self.size = 0

    def node(self, level: int, index: int) -> bytes:
        return self.nodes[level, index]

    def append(self, tick: batch.Batch) -> None:
        leaf = site_tree.site_leaf(tick.tick_ms, tick.root)
        for level, index, node in site_tree.append(self.node, self.size, [leaf]):
            self.nodes[level, index] = node
        self.batches.append(tick)
        self.size += 1

    def checkpoint(self, size: int) -> str:
        root = site_tree.tree_root(self.node, size)
        return checkpoint.sign_checkpoint(example.ORIGIN, size, root, example.LOG_KEY)


def submit_log() -> tuple[SiteLog, bytes]:
    """Six seconds around the example SUBMIT, and the SUBMIT's entry."""
    log = SiteLog()
    entry = encode_entry(EntryType.SUBMIT, entry_members(EntryType.SUBMIT), example.SALT)
    other = encode_entry(EntryType.HEAD, entry_members(EntryType.HEAD), b"\x77" * 16)
    first_ms = example.RECEIVED_MS - 1000
    for second in range(6):
        entries = {0x8005: entry, 0x8004: other} if second == 2 else {}
        filler = batch.seeded_filler(bytes([second]) * 32)
        log.append(batch.Batch(first_ms + 1000 * second, entries, filler))
    return log, entry


def receipt() -> receipts.Receipt:
    log, entry = submit_log()
    return receipts.Receipt(
        ack=example.ACK.raw,
        checkpoint=log.checkpoint(6),
        closed_path=tuple(receipts.closed_path([example.SUBMIT.digest, *DIGESTS], DIGESTS[0])),
        message=example.SUBMIT.raw,
        proof=receipts.build_proof(log.batches[2], entry, 0x8005, nodes=log.node, index=2, size=6),
    )


DIGESTS = [sha256(bytes([number])) for number in range(6)]


def documents() -> list[tuple[str, str, Value | list[Value]]]:
    """(name, document, value): one of every standing-alone JSON text."""
    log, _ = submit_log()
    consistency = receipts.consistency_json(3, 6, site_tree.consistency_proof(log.node, 3, 6))
    signatures = encode_manifest_signatures(
        example.MANIFEST.tender_id, [("agency", example.AGENCY), ("supervisor", example.SUPERVISOR)]
    )
    held = json.loads(receipts.encode_receipt(receipt()))
    form_value = example.FORM_VALUE
    row = json.loads(encode(form_value)) | {"bid_id": example.FORM_BID_ID}
    frozen = {
        "bid_id": example.FORM_BID_ID,
        "form_sha256": sha256(encode(form_value)).hex(),
        "state": "opened",
    }
    locked = {"bid_id": "f0" * 32, "form_sha256": None, "state": "locked"}
    member = {"name": "closed.json", "sha256": sha256(b"closed").hex(), "size": 78}
    row_vector = row_case()
    traces = {"deposit_account": "", "file_id": "9f2c", "lock_numbers": [], "machine_code": "00-1B"}
    return [
        ("manifest", "Manifest", example.manifest_value()),
        ("manifest-odd-sizes", "Manifest", json.loads(example.ODD_MANIFEST_RAW)),
        ("manifest.sig", "ManifestSignatures", json.loads(signatures)),
        ("form", "Form", form_value),
        ("form-with-traces", "Form", form_value | {"traces": traces}),
        ("proof", "Proof", held["proof"]),
        ("consistency", "Consistencies", [consistency]),
        ("receipt", "Receipt", held),
        ("stub", "Stub", json.loads(bytes.fromhex(row_vector["stub"]))),
        (
            "journal-row",
            "JournalRow",
            {
                "body": row_vector["body"],
                "body_hash": row_vector["body_hash"],
                "hash": row_vector["hash"],
                "prev_hash": row_vector["prev_hash"],
                "salt": row_vector["salt"],
                "stub": json.loads(bytes.fromhex(row_vector["stub"])),
            },
        ),
        (
            "index",
            "BundleIndex",
            {"format": 1, "members": [member], "tender_id": example.TENDER_ID},
        ),
        ("closed", "ClosedList", {"submits": sorted(digest.hex() for digest in DIGESTS)}),
        ("frozen", "Frozen", {"bids": [frozen, locked], "nonce": example.NONCE}),
        (
            "readout",
            "ReadOut",
            {"format": 1, "nonce": example.NONCE, "rows": [row], "tender_id": example.TENDER_ID},
        ),
        (
            "keyfile",
            "KeyFile",
            {
                "argon2id": {"memory_kib": 65_536, "passes": 3, "salt": "c0" * 16},
                "box": "c1" * 240,
                "format": 1,
                "pk": example.BIDDER.public.hex(),
                "xpk": example.BIDDER_BOX.public.hex(),
            },
        ),
    ]


def document_cases() -> list[Value]:
    cases = []
    for name, document, value in documents():
        raw = encode_document(document, value)
        cases.append(
            {"name": name, "document": document, "json": raw.hex(), "sha256": sha256(raw).hex()}
        )
    assert {case["document"] for case in cases} == DOCUMENTS.keys()
    return cases


def entry_cases() -> list[Value]:
    cases = []
    for kind in ENTRY_TYPES.values():
        members = entry_members(kind.type)
        entry = encode_entry(kind.type, members, example.SALT)
        has_sigs = "sigs" in members
        message = act_message(kind.type, example.MANIFEST.tender_id, members) if has_sigs else b""
        cases.append(
            {
                "type": kind.type.value,
                "name": kind.type.name,
                "salt": example.SALT.hex(),
                "json": encode(members).hex(),
                "entry": entry.hex(),
                "leaf": leaf_hash(entry).hex(),
                "act_message": message.hex() if has_sigs else None,
            }
        )
    return cases


def tender_case() -> Value:
    manifest = example.MANIFEST
    return {
        "tender_id": example.TENDER_ID,
        "manifest_message": manifest_message(manifest.tender_id).hex(),
        "trustee_messages": [
            trustee_message(each.expiry_ms, each.xpk, each.spk, each.envelopes).hex()
            for each in manifest.trustees
        ],
        "bind_message": example.BIND_MESSAGE.hex(),
        "invite_message": example.INVITE_MESSAGE.hex(),
    }


def form_case() -> Value:
    place = {"envelope": 1, "lot": 1}
    raw = encode(example.FORM_VALUE)
    return {
        "manifest": "manifest",
        "place": place,
        "others": [[number, bid_id.hex()] for number, bid_id in example.OTHERS],
        "json": raw.hex(),
        "sha256": sha256(raw).hex(),
        "padded_size": len(form.pad(raw)),
        "padded_blake2b_256": blake2b_256(form.pad(raw)).hex(),
        "values": {"days": 160, "manager": "何川", "price": 7_100_000_000},
        "decisive": 7_100_000_000,
    }


def row_case() -> Value:
    body = bytes.fromhex(
        "93a6686f73742d31a6632d3030303182a6656e645f6d73cf000001a1f6ae9900a8656e76656c6f706501"
    )
    stub = rows.stub_bytes(
        audience="hall",
        epoch=1,
        seq=1,
        stream="opening:jz-0417",
        ts_ms=example.START_MS,
        event_type="window_opened",
        ver=1,
    )
    body_hash = rows.body_hash(example.SALT, body)
    return {
        "salt": example.SALT.hex(),
        "body": body.hex(),
        "body_hash": body_hash.hex(),
        "stub": stub.hex(),
        "prev_hash": rows.FIRST_PREV_HASH.hex(),
        "hash": rows.row_hash(rows.FIRST_PREV_HASH, body_hash, stub).hex(),
    }


def closing_case() -> Value:
    """The vector of formats.md §7: an entry, its batch root, a tree of one leaf, its checkpoint."""
    entry = encode_entry(
        EntryType.DEADLINE_CLOSED, entry_members(EntryType.DEADLINE_CLOSED), example.SALT
    )
    siblings = [bytes([height]) * 32 for height in range(1, 17)]
    batch_root = batch.root_from_siblings(entry, 5, siblings)
    site_leaf = site_tree.site_leaf(example.TICK_MS, batch_root)
    root = leaf_hash(site_leaf)
    return {
        "entry": entry.hex(),
        "leaf": leaf_hash(entry).hex(),
        "slot": 5,
        "siblings": [sibling.hex() for sibling in siblings],
        "batch_root": batch_root.hex(),
        "tick_ms": example.TICK_MS,
        "site_leaf": site_leaf.hex(),
        "root": root.hex(),
        "fingerprint": checkpoint.fingerprint(root),
        "origin": example.ORIGIN,
        "log_pk": example.LOG_KEY.public.hex(),
        "size": 1,
        "checkpoint": checkpoint.sign_checkpoint(example.ORIGIN, 1, root, example.LOG_KEY),
    }


def batch_cases() -> list[Value]:
    """Trees by seeded filler: empty, one entry, neighbours, far apart."""
    cases = []
    for entries in ({}, {0: b"a"}, {0x1234: b"a", 0x1235: b"b"}, {0: b"a", 0xFFFF: b"b", 7: b"c"}):
        secret = bytes([len(entries)]) * 32
        tree = batch.Batch(example.TICK_MS, entries, batch.seeded_filler(secret))
        cases.append(
            {
                "secret": secret.hex(),
                "entries": [
                    {
                        "slot": slot,
                        "entry": entry.hex(),
                        "siblings": [sibling.hex() for sibling in tree.siblings(slot)],
                    }
                    for slot, entry in entries.items()
                ],
                "root": tree.root.hex(),
            }
        )
    return cases


def site_tree_case() -> Value:
    """Leaf data 00, 01, ...; roots of every size to 17, some proofs of both kinds."""
    leaves = [bytes([number]) for number in range(17)]
    nodes = {(level, at): node for level, at, node in site_tree.append(_none, 0, leaves)}

    def node(level: int, index: int) -> bytes:
        return nodes[level, index]

    inclusion = [(0, 1), (0, 17), (5, 7), (6, 7), (12, 13), (16, 17)]
    consistency = [(1, 1), (1, 17), (3, 7), (4, 7), (6, 8), (8, 17), (13, 17), (17, 17)]
    return {
        "leaves": [leaf.hex() for leaf in leaves],
        "roots": [site_tree.tree_root(node, size).hex() for size in range(18)],
        "inclusion": [
            {
                "index": index,
                "size": size,
                "path": [each.hex() for each in site_tree.inclusion_proof(node, index, size)],
            }
            for index, size in inclusion
        ],
        "consistency": [
            receipts.consistency_json(old, new, site_tree.consistency_proof(node, old, new))
            for old, new in consistency
        ],
        "closed_list": {
            "submits": [digest.hex() for digest in DIGESTS],
            "root": receipts.closed_list_root(DIGESTS).hex(),
            "path_of_first": [each.hex() for each in receipts.closed_path(DIGESTS, DIGESTS[0])],
        },
    }


def _none(level: int, index: int) -> bytes:
    raise AssertionError((level, index))


def draw_cases() -> list[Value]:
    cases = []
    experts = [f"E{number:03}" for number in range(1, 31)]
    for parts, beacon, label, candidates, k in (
        ([b"\x01" * 32, b"\x02" * 32], b"beacon", "experts", experts, 5),
        ([b"\x01" * 32, b"\x02" * 32], b"", "coefficient", ["0.93", "0.95", "0.97"], 3),
        ([], b"beacon", "one", ["only"], 1),
    ):
        seed = draws.draw_seed(sha256(b"manifest"), parts, beacon)
        drawn = draws.draw(seed, label, candidates, k)
        cases.append(
            {
                "manifest_hash": sha256(b"manifest").hex(),
                "parts": [part.hex() for part in parts],
                "beacon": beacon.hex(),
                "seed": seed.hex(),
                "label": label,
                "candidates": candidates,
                "k": k,
                "chosen": list(drawn.chosen),
                "steps": [[step.i, step.n, step.value] for step in drawn.steps],
            }
        )
    return cases


def number_cases() -> Value:
    fen = [0, 1, 10, 99, 100, 7_100_000_000, MONEY_FEN_MAX]
    rates = [(0, 1), (1250, 2), (999_9999, 4), (5, 3)]
    return {
        "money": [{"text": money_text(amount), "fen": amount} for amount in fen],
        "rate": [
            {"text": rate_text(units, digits), "digits": digits, "units": units}
            for units, digits in rates
        ],
    }


def main(folder: Path) -> None:
    accepted: Value = {
        "about": "see README-formats.md; made by make_formats.py",
        "documents": document_cases(),
        "entries": entry_cases(),
        "tender": tender_case(),
        "form": form_case(),
        "row": row_case(),
        "closing": closing_case(),
        "batches": batch_cases(),
        "site_tree": site_tree_case(),
        "draws": draw_cases(),
        "numbers": number_cases(),
    }
    objects = object_cases(receipts.encode_receipt(receipt()), closing_case())
    hostile = {"about": accepted["about"], "cases": [*byte_cases(), *objects]}
    for name, value in (("formats.json", accepted), ("formats-hostile.json", hostile)):
        text = json.dumps(value, ensure_ascii=False, indent=1)
        (folder / name).write_text(text + "\n", "utf-8")


if __name__ == "__main__":
    main(Path(sys.argv[1]) if len(sys.argv) > 1 else Path(__file__).parent)
