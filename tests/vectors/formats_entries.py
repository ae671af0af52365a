"""One log entry of every type, of the example tender."""

from typing import Any

from formats_examples import (
    ACK,
    AGENCY,
    BIDDER_REG,
    BODY_BID_ID,
    DEADLINE_MS,
    FORM_BID_ID,
    HOST,
    MANIFEST,
    NONCE,
    ORIGIN,
    RECEIVED_MS,
    START_MS,
    SUBMIT,
    SUPERVISOR,
    TENDER_ID,
)

from crypto.canonical import Json
from crypto.entries import act_message
from crypto.hashes import sha256
from crypto.manifest import manifest_message
from crypto.objects.entry import ENTRY_TYPES, EntryType

_EMPTY = sha256().hex()
_BESIDE: dict[str, Json] = {"sha256": "b0" * 32, "size": 1024}
_NONCE: dict[str, Json] = {"nonce": NONCE}
_END_MS = START_MS + 1_800_000

_FURTHER: dict[EntryType, dict[str, Any]] = {
    EntryType.SITE_START: {"epoch": 1, "log_origin": ORIGIN, "software": "kaibiao 0.1.0"},
    EntryType.TENDER: {
        "sha256": sha256(MANIFEST.raw).hex(),
        "size": len(MANIFEST.raw),
        "signatures": [
            {
                "pk": key.public.hex(),
                "role": role,
                "sig": key.sign(manifest_message(MANIFEST.tender_id)).hex(),
            }
            for role, key in (("agency", AGENCY), ("supervisor", SUPERVISOR))
        ],
    },
    EntryType.BIDDER_REG: BIDDER_REG,
    EntryType.DEADLINE_CHANGE: {
        "old_ms": DEADLINE_MS,
        "deadline_ms": DEADLINE_MS + 86_400_000,
        "reason": "澄清答疑，顺延一日",
    },
    EntryType.SUBMIT: {
        "kind": 1,
        "result": 0,
        "sha256": SUBMIT.digest.hex(),
        "size": len(SUBMIT.raw),
        "received_ms": ACK.server_ms,
        "server_ms": RECEIVED_MS + 12,
    },
    EntryType.DEADLINE_CLOSED: {
        "count": 0,
        "deadline_ms": DEADLINE_MS,
        "list_root": _EMPTY,
        "server_ms": DEADLINE_MS + 412,
    },
    EntryType.STORE_CHECK: {"checked": 6, "damaged": [BODY_BID_ID]},
    EntryType.OPENING_START: {
        "session": 1,
        "envelope": 1,
        "w": 1,
        **_NONCE,
        "start_ms": START_MS,
        "end_ms": _END_MS,
    },
    EntryType.WINDOW_CHANGE: {
        **_NONCE,
        "change": "pause",
        "end_ms": _END_MS,
        "remaining_ms": 600_000,
        "reason": "网络故障排查",
    },
    EntryType.UNLOCK: {**_NONCE, "by": "key", "result": 0, **_BESIDE, "received_ms": START_MS},
    EntryType.ATTEMPT: {
        **_NONCE,
        "bid_id": FORM_BID_ID,
        "code": "unlock.no_match",
        "sha256": "b1" * 32,
        "received_ms": START_MS,
    },
    EntryType.WINDOW_END: {**_NONCE, "end_ms": _END_MS, "early": True, "unlocked": 3},
    EntryType.RELEASE: {**_NONCE, "i": 1, "mode": 0, **_BESIDE, "received_ms": _END_MS},
    EntryType.SELF_RELEASE: {
        **_NONCE,
        "bid_id": FORM_BID_ID,
        "sha256": "b2" * 32,
        "received_ms": _END_MS,
    },
    EntryType.TRUSTEES_LOST: {**_NONCE, "reason": "两名持钥人无法到场"},
    EntryType.REPAIR: {"bid_id": BODY_BID_ID, "ct_root": "b3" * 32},
    EntryType.REPLY_END: _NONCE,
    EntryType.TRUSTEE_FAULT: {
        **_NONCE,
        "i": 3,
        "bid_id": None,
        "fault": "second",
        "sha256": "b4" * 32,
    },
    EntryType.SET_FROZEN: {**_NONCE, **_BESIDE},
    EntryType.READ_OUT: {**_NONCE, **_BESIDE},
    EntryType.BODY_STATE: {"bid_id": BODY_BID_ID, "state": "opened"},
    EntryType.STATE_DECIDED: {
        "bid_id": FORM_BID_ID,
        "proposed": "revoked",
        "ground": "excused",
        "reason": "平台链路中断，非投标人原因",
    },
    EntryType.OBJECTION: _BESIDE,
    EntryType.REPLY: {**_BESIDE, "of": "b5" * 32},
    EntryType.RECORD_SIGNED: {**_BESIDE, "root": "b6" * 32, "refused": False, "reason": ""},
    EntryType.HEAD: {"stream": "opening:jz-0417", "seq": 7, "hash": "b7" * 32},
    EntryType.OPERATOR_ACTION: {"action": "config.change", "actor": "ops-1", "sha256": "b8" * 32},
}


def entry_members(entry_type: EntryType) -> dict[str, Any]:
    """All members of the example, officers' signatures included."""
    schema = ENTRY_TYPES[entry_type].schema
    common = {"server_ms": _END_MS + 500, "tender_id": TENDER_ID}
    members = {name: common[name] for name in common if name in schema.members}
    members |= _FURTHER[entry_type]
    if "sigs" in schema.members:
        message = act_message(entry_type, MANIFEST.tender_id, members)
        members["sigs"] = [
            {"pk": key.public.hex(), "sig": key.sign(message).hex()} for key in (HOST, SUPERVISOR)
        ]
    return members
