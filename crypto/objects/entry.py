"""The table of log entry types (日志条目类型): formats.md §5.

Every entry also has ``server_ms``; all but SITE_START, HEAD and OPERATOR_ACTION have ``tender_id``.
Types 32-63 are kept for draws and witnesses, 64 and up for evaluation.
"""

from dataclasses import dataclass
from enum import IntEnum

from crypto.objects.common import (
    COUNT,
    ENVELOPE,
    GROUNDS,
    HASH,
    KEY,
    MS,
    NAME,
    NOTE_NAME,
    POSITIVE,
    REASON,
    SIGNATURE,
    STATES,
    STREAM,
    TRUSTEES_MAX,
)
from crypto.objects.entry_parts import (
    BESIDE,
    BINDING,
    NONCE,
    RECEIVED,
    RESULT,
    SERVER_MS,
    SIGNED,
    TENDER_ID,
    Members,
)
from crypto.objects.tender import SIGNATURES
from crypto.schema import Ascii, Flag, Int, Items, Maybe, Obj, OneOf, Text


class EntryType(IntEnum):
    """The second field of an entry, after the salt."""

    SITE_START = 1
    TENDER = 2
    BIDDER_REG = 3
    DEADLINE_CHANGE = 4
    SUBMIT = 5
    DEADLINE_CLOSED = 6
    STORE_CHECK = 7
    OPENING_START = 8
    WINDOW_CHANGE = 9
    UNLOCK = 10
    ATTEMPT = 11
    WINDOW_END = 12
    RELEASE = 13
    SELF_RELEASE = 14
    TRUSTEES_LOST = 15
    REPAIR = 16
    REPLY_END = 17
    TRUSTEE_FAULT = 18
    SET_FROZEN = 19
    READ_OUT = 20
    BODY_STATE = 21
    STATE_DECIDED = 22
    OBJECTION = 23
    REPLY = 24
    RECORD_SIGNED = 25
    HEAD = 30
    OPERATOR_ACTION = 31


@dataclass(frozen=True)
class EntryKind:
    """One type of entry. ``public``: when the bundle shows it (the table's column "pub")."""

    type: EntryType
    schema: Obj
    public: str


ENTRY_TYPES: dict[int, EntryKind] = {}


def _entry(
    entry_type: EntryType, title: str, public: str, *groups: Members, tender: bool = True
) -> None:
    members = dict(SERVER_MS)
    for group in (*groups, TENDER_ID if tender else {}):
        members |= group
    name = "".join(word.capitalize() for word in entry_type.name.split("_")) + "Entry"
    ENTRY_TYPES[entry_type] = EntryKind(entry_type, Obj(name, title, members), public)


_entry(
    EntryType.SITE_START,
    "The log begins or the server starts again",
    "yes",
    {
        "epoch": (POSITIVE, "of the journal"),
        "log_origin": (NOTE_NAME, ""),
        "software": (NAME, "name and version"),
    },
    tender=False,
)
_entry(
    EntryType.TENDER,
    "A signed manifest is in force",
    "yes",
    {"sha256": (HASH, "of manifest.json"), "size": (COUNT, "its bytes")},
    {"signatures": (SIGNATURES, "of manifest.sig.json")},
)
_entry(
    EntryType.BIDDER_REG,
    "A bidder's keys for this tender",
    "counting",
    {
        "bidder_pk": (KEY, "signs"),
        "bidder_xpk": (KEY, "its seed is sealed to it"),
        "org_sha256": (HASH, "of the organisation code"),
        "expiry_ms": (MS, ""),
        "sig": (SIGNATURE, "bidder_pk over the bind bytes"),
        "binding": (BINDING, ""),
    },
)
_entry(
    EntryType.DEADLINE_CHANGE,
    "Later only, logged before the old deadline",
    "yes",
    {"old_ms": (MS, ""), "deadline_ms": (MS, "later than old_ms"), "reason": (REASON, "")},
    SIGNED,
)
_entry(
    EntryType.SUBMIT,
    "A bid or its withdrawal was received",
    "counting",
    {"kind": (OneOf((1, 2)), "1 submit, 2 withdraw")},
    RESULT,
    BESIDE,
    RECEIVED,
)
_entry(
    EntryType.DEADLINE_CLOSED,
    "The list of counting bids is closed (截标)",
    "yes",
    {
        "deadline_ms": (MS, ""),
        "count": (COUNT, "of counting SUBMITs"),
        "list_root": (HASH, "RFC 6962 root over their SHA-256, sorted"),
    },
)
_entry(
    EntryType.STORE_CHECK,
    "Stored bytes were hashed again",
    "yes",
    {"checked": (COUNT, "envelopes"), "damaged": (Items(HASH, 0, 50), "bid_id")},
)
_entry(
    EntryType.OPENING_START,
    "A window opens (开始解密)",
    "yes",
    {"session": (Int(1, 8), ""), "envelope": (ENVELOPE, ""), "w": (Int(1, 2**32 - 1), "")},
    NONCE,
    {"start_ms": (MS, ""), "end_ms": (MS, "")},
)
_entry(
    EntryType.WINDOW_CHANGE,
    "Pause, resume or extend; never shorter",
    "yes",
    NONCE,
    {
        "change": (OneOf(("pause", "resume", "extend")), ""),
        "end_ms": (MS, ""),
        "remaining_ms": (Maybe(MS), "of a pause"),
        "reason": (REASON, ""),
    },
)
_entry(
    EntryType.UNLOCK,
    "A bidder's halves were received (投标人解密)",
    "counting, forms",
    NONCE,
    {"by": (OneOf(("key", "card")), "")},
    RESULT,
    BESIDE,
    RECEIVED,
)
_entry(
    EntryType.ATTEMPT,
    "A try that failed: evidence of whose fault it is",
    "to its party and staff",
    NONCE,
    {
        "bid_id": (HASH, ""),
        "code": (Ascii(r"[a-z_]{1,32}\.[a-z_]{1,32}"), "refusal code"),
        "sha256": (HASH, "of what was received"),
    },
    RECEIVED,
)
_entry(
    EntryType.WINDOW_END,
    "The window is over",
    "yes",
    NONCE,
    {
        "end_ms": (MS, ""),
        "early": (Flag(), "every counting bid of the session is unlocked"),
        "unlocked": (COUNT, ""),
    },
)
_entry(
    EntryType.RELEASE,
    "A trustee's shares were received (招标人解密)",
    "forms",
    NONCE,
    {"i": (Int(1, TRUSTEES_MAX), "position in the header"), "mode": (OneOf((0, 1)), "")},
    BESIDE,
    RECEIVED,
)
_entry(
    EntryType.SELF_RELEASE,
    "A bidder showed its own host half",
    "forms",
    NONCE,
    {"bid_id": (HASH, ""), "sha256": (HASH, "of the message")},
    RECEIVED,
)
_entry(
    EntryType.TRUSTEES_LOST,
    "Fewer than t trustees remain",
    "yes",
    NONCE,
    {"reason": (REASON, "")},
    SIGNED,
)
_entry(
    EntryType.REPAIR,
    "The same ciphertext was stored again",
    "yes",
    {"bid_id": (HASH, ""), "ct_root": (HASH, "unchanged")},
)
_entry(EntryType.REPLY_END, "No more self-releases and repairs", "yes", NONCE)
_entry(
    EntryType.TRUSTEE_FAULT,
    "A trustee's message is not what it must be",
    "yes",
    NONCE,
    {
        "i": (Int(1, TRUSTEES_MAX), "position in the header"),
        "bid_id": (Maybe(HASH), ""),
        "fault": (OneOf(("share", "unreadable", "second")), ""),
        "sha256": (HASH, "of the RELEASE"),
    },
)
_entry(EntryType.SET_FROZEN, "States and form hashes are fixed", "yes", NONCE, BESIDE)
_entry(EntryType.READ_OUT, "All opened forms are shown at once (唱标)", "yes", NONCE, BESIDE)
_entry(
    EntryType.BODY_STATE,
    "A body was opened or not",
    "yes",
    {"bid_id": (HASH, ""), "state": (OneOf(STATES), "")},
)
_entry(
    EntryType.STATE_DECIDED,
    "Why a bid did not open",
    "yes",
    {
        "bid_id": (HASH, ""),
        "proposed": (OneOf(GROUNDS), "by the system"),
        "ground": (OneOf(GROUNDS), "decided"),
        "reason": (REASON, ""),
    },
    SIGNED,
)
_entry(EntryType.OBJECTION, "An objection (异议)", "yes", BESIDE)
_entry(EntryType.REPLY, "A reply to an objection", "yes", BESIDE, {"of": (HASH, "sha256 answered")})
_entry(
    EntryType.RECORD_SIGNED,
    "Somebody signed the record or refused to",
    "yes",
    BESIDE,
    {"root": (HASH, "of the checkpoint"), "refused": (Flag(), ""), "reason": (Text(0, 500), "")},
)
_entry(
    EntryType.HEAD,
    "Newest row of a stream that moved in this second",
    "its opening's",
    {"stream": (STREAM, ""), "seq": (POSITIVE, ""), "hash": (HASH, "of the row")},
    tender=False,
)
_entry(
    EntryType.OPERATOR_ACTION,
    "An operator did something",
    "no",
    {
        "action": (Ascii("[a-z_.]{1,64}"), ""),
        "actor": (NAME, ""),
        "sha256": (HASH, "of its description"),
    },
    tender=False,
)
