"""Objects of the site log and the journal (日志、回执、流水): formats.md §6 and §7."""

from crypto.objects.common import AUDIENCE, COUNT, HASH, MS, POSITIVE, STREAM
from crypto.schema import Ascii, Hex, Int, Items, Maybe, Note, Obj

ENTRY_SIZE_MAX = 4096
BATCH_DEPTH = 16
PATH_MAX = 64  # hashes in any path; a size is below 2^53
MESSAGE_SIZE_MAX = 2**21  # of the message a receipt keeps; a RELEASE of 20,000 bids is 1.3 MB

PATH = Items(HASH, 0, PATH_MAX)

PROOF = Obj(
    "Proof",
    "One entry and its way to the root of the site tree",
    {
        "entry": (Hex(17, ENTRY_SIZE_MAX), "salt16 ‖ u8 type ‖ JCS"),
        "slot": (Int(0, 2**BATCH_DEPTH - 1), "bit h from the lowest: right child at height h"),
        "siblings": (Items(HASH, BATCH_DEPTH, BATCH_DEPTH), "from the leaf"),
        "tick_ms": (MS, ""),
        "index": (COUNT, "of the site leaf"),
        "size": (POSITIVE, "of the tree"),
        "path": (PATH, "RFC 6962 inclusion, from the leaf"),
    },
)

CONSISTENCY = Obj(
    "Consistency",
    "The tree of `to` leaves begins with the tree of `from` leaves",
    {"from": (POSITIVE, ""), "to": (POSITIVE, ""), "path": (PATH, "RFC 6962 consistency")},
)

RECEIPT = Obj(
    "Receipt",
    "What a bidder keeps, *.receipt.json (回执)",
    {
        "ack": (Hex(1, 1024), "the signed promise (C14)"),
        "checkpoint": (Note(2048), "signed note"),
        "closed_path": (Maybe(PATH), "of SHA-256(message) in the closed list, once it is closed"),
        "message": (Hex(1, MESSAGE_SIZE_MAX), "what was acknowledged"),
        "proof": (PROOF, "of the entry, to the checkpoint's root"),
    },
)

STUB = Obj(
    "Stub",
    "What a journal row shows even when its body is withheld",
    {
        "audience": (AUDIENCE, ""),
        "epoch": (POSITIVE, ""),
        "seq": (POSITIVE, "of the stream"),
        "stream": (STREAM, ""),
        "ts_ms": (MS, ""),
        "type": (Ascii("[a-z][a-z0-9_]{0,63}"), ""),
        "ver": (POSITIVE, ""),
    },
)

JOURNAL_ROW = Obj(
    "JournalRow",
    "A line of journal.jsonl (流水行)",
    {
        "body": (Maybe(Hex(0, 2**26)), "msgpack [actor, cmd_id, payload]; null: withheld"),
        "body_hash": (HASH, ""),
        "hash": (HASH, ""),
        "prev_hash": (HASH, ""),
        "salt": (Maybe(Hex(16, 16)), "null: withheld"),
        "stub": (STUB, ""),
    },
)
