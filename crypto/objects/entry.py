"""The table of log entry types (日志条目类型): formats.md §5.

Every entry also has ``server_ms``; all but SITE_START, HEAD and OPERATOR_ACTION have ``tender_id``.
Types 32-63 are kept for draws and witnesses, 64 and up for evaluation.
"""

from dataclasses import dataclass

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
from crypto.objects.tender import SIGNATURES
from crypto.schema import Ascii, Flag, Hex, Int, Items, Maybe, Obj, OneOf, Schema, Tagged, Text


@dataclass(frozen=True)
class EntryKind:
    """One type of entry. ``public``: when the bundle shows it (the table's column "pub")."""

    type: int
    name: str
    schema: Obj
    public: str


SIGS = Items(
    Obj(
        "ActSignature",
        "An officer's signature over the act message",
        {"pk": (KEY, ""), "sig": (SIGNATURE, "")},
    ),
    1,
    8,
)

BINDING = Tagged(
    "Binding",
    "Who vouches for a bidder's keys",
    "kind",
    {
        "invitation": Obj(
            "Invitation",
            "Uncertified: the host receipt key vouches",
            {
                "kind": (OneOf(("invitation",)), ""),
                "pk": (KEY, "host_receipt_pk"),
                "sig": (SIGNATURE, "over the bind bytes with the label KBID1 invite"),
            },
        ),
        "certificate": Obj(
            "CertificateBinding",
            "A certificate signs the bind bytes",
            {
                "kind": (OneOf(("certificate",)), ""),
                "chain_sha256": (HASH, ""),
                "sig": (Hex(64, 1024), "over the bind bytes"),
            },
        ),
    },
)

Members = dict[str, tuple[Schema, str]]

_SERVER_MS: Members = {"server_ms": (MS, "when it was appended")}
_TENDER_ID: Members = {"tender_id": (HASH, "")}
_BESIDE: Members = {"sha256": (HASH, "of what travels beside"), "size": (COUNT, "its bytes")}
_NONCE: Members = {"nonce": (HASH, "opening_nonce of the window")}
_RECEIVED: Members = {"received_ms": (MS, "decides whether it is in time")}
_RESULT: Members = {
    "result": (Int(0, 5), "0 accepted, 1 late, 2 incomplete, 3 no match, 4 not lawful now, 5 other")
}
_SIGS: Members = {"sigs": (SIGS, "host and supervisor")}

ENTRY_TYPES: dict[int, EntryKind] = {}


def _entry(
    number: int, name: str, title: str, public: str, *groups: Members, tender: bool = True
) -> None:
    members = dict(_SERVER_MS)
    for group in (*groups, _TENDER_ID if tender else {}):
        members |= group
    type_name = "".join(word.capitalize() for word in name.split("_")) + "Entry"
    ENTRY_TYPES[number] = EntryKind(number, name, Obj(type_name, title, members), public)


_entry(
    1,
    "SITE_START",
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
    2,
    "TENDER",
    "A signed manifest is in force",
    "yes",
    {"sha256": (HASH, "of manifest.json"), "size": (COUNT, "its bytes")},
    {"signatures": (SIGNATURES, "of manifest.sig.json")},
)
_entry(
    3,
    "BIDDER_REG",
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
    4,
    "DEADLINE_CHANGE",
    "Later only, logged before the old deadline",
    "yes",
    {"old_ms": (MS, ""), "deadline_ms": (MS, "later than old_ms"), "reason": (REASON, "")},
    _SIGS,
)
_entry(
    5,
    "SUBMIT",
    "A bid or its withdrawal was received",
    "counting",
    {"kind": (OneOf((1, 2)), "1 submit, 2 withdraw")},
    _RESULT,
    _BESIDE,
    _RECEIVED,
)
_entry(
    6,
    "DEADLINE_CLOSED",
    "The list of counting bids is closed (截标)",
    "yes",
    {
        "deadline_ms": (MS, ""),
        "count": (COUNT, "of counting SUBMITs"),
        "list_root": (HASH, "RFC 6962 root over their SHA-256, sorted"),
    },
)
_entry(
    7,
    "STORE_CHECK",
    "Stored bytes were hashed again",
    "yes",
    {"checked": (COUNT, "envelopes"), "damaged": (Items(HASH, 0, 50), "bid_id")},
)
_entry(
    8,
    "OPENING_START",
    "A window opens (开始解密)",
    "yes",
    {"session": (Int(1, 8), ""), "envelope": (ENVELOPE, ""), "w": (Int(1, 2**32 - 1), "")},
    _NONCE,
    {"start_ms": (MS, ""), "end_ms": (MS, "")},
)
_entry(
    9,
    "WINDOW_CHANGE",
    "Pause, resume or extend; never shorter",
    "yes",
    _NONCE,
    {
        "change": (OneOf(("pause", "resume", "extend")), ""),
        "end_ms": (MS, ""),
        "remaining_ms": (Maybe(MS), "of a pause"),
        "reason": (REASON, ""),
    },
)
_entry(
    10,
    "UNLOCK",
    "A bidder's halves were received (投标人解密)",
    "counting, forms",
    _NONCE,
    {"by": (OneOf(("key", "card")), "")},
    _RESULT,
    _BESIDE,
    _RECEIVED,
)
_entry(
    11,
    "ATTEMPT",
    "A try that failed: evidence of whose fault it is",
    "to its party and staff",
    _NONCE,
    {
        "bid_id": (HASH, ""),
        "code": (Ascii(r"[a-z_]{1,32}\.[a-z_]{1,32}"), "refusal code"),
        "sha256": (HASH, "of what was received"),
    },
    _RECEIVED,
)
_entry(
    12,
    "WINDOW_END",
    "The window is over",
    "yes",
    _NONCE,
    {
        "end_ms": (MS, ""),
        "early": (Flag(), "every counting bid of the session is unlocked"),
        "unlocked": (COUNT, ""),
    },
)
_entry(
    13,
    "RELEASE",
    "A trustee's shares were received (招标人解密)",
    "forms",
    _NONCE,
    {"i": (Int(1, TRUSTEES_MAX), "position in the header"), "mode": (OneOf((0, 1)), "")},
    _BESIDE,
    _RECEIVED,
)
_entry(
    14,
    "SELF_RELEASE",
    "A bidder showed its own host half",
    "forms",
    _NONCE,
    {"bid_id": (HASH, ""), "sha256": (HASH, "of the message")},
    _RECEIVED,
)
_entry(
    15,
    "TRUSTEES_LOST",
    "Fewer than t trustees remain",
    "yes",
    _NONCE,
    {"reason": (REASON, "")},
    _SIGS,
)
_entry(
    16,
    "REPAIR",
    "The same ciphertext was stored again",
    "yes",
    {"bid_id": (HASH, ""), "ct_root": (HASH, "unchanged")},
)
_entry(17, "REPLY_END", "No more self-releases and repairs", "yes", _NONCE)
_entry(
    18,
    "TRUSTEE_FAULT",
    "A trustee's message is not what it must be",
    "yes",
    _NONCE,
    {
        "i": (Int(1, TRUSTEES_MAX), "position in the header"),
        "bid_id": (Maybe(HASH), ""),
        "fault": (OneOf(("share", "unreadable", "second")), ""),
        "sha256": (HASH, "of the RELEASE"),
    },
)
_entry(19, "SET_FROZEN", "States and form hashes are fixed", "yes", _NONCE, _BESIDE)
_entry(20, "READ_OUT", "All opened forms are shown at once (唱标)", "yes", _NONCE, _BESIDE)
_entry(
    21,
    "BODY_STATE",
    "A body was opened or not",
    "yes",
    {"bid_id": (HASH, ""), "state": (OneOf(STATES), "")},
)
_entry(
    22,
    "STATE_DECIDED",
    "Why a bid did not open",
    "yes",
    {
        "bid_id": (HASH, ""),
        "proposed": (OneOf(GROUNDS), "by the system"),
        "ground": (OneOf(GROUNDS), "decided"),
        "reason": (REASON, ""),
    },
    _SIGS,
)
_entry(23, "OBJECTION", "An objection (异议)", "yes", _BESIDE)
_entry(24, "REPLY", "A reply to an objection", "yes", _BESIDE, {"of": (HASH, "sha256 answered")})
_entry(
    25,
    "RECORD_SIGNED",
    "Somebody signed the record or refused to",
    "yes",
    _BESIDE,
    {"root": (HASH, "of the checkpoint"), "refused": (Flag(), ""), "reason": (Text(0, 500), "")},
)
_entry(
    30,
    "HEAD",
    "Newest row of a stream that moved in this second",
    "its opening's",
    {"stream": (STREAM, ""), "seq": (POSITIVE, ""), "hash": (HASH, "of the row")},
    tender=False,
)
_entry(
    31,
    "OPERATOR_ACTION",
    "An operator did something",
    "no",
    {
        "action": (Ascii("[a-z_.]{1,64}"), ""),
        "actor": (NAME, ""),
        "sha256": (HASH, "of its description"),
    },
    tender=False,
)
