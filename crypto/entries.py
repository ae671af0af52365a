"""Log entries (日志条目): salt16 ‖ u8 type ‖ JCS, at most 4,096 bytes.

Invariant: an entry read or written here has exactly the members of its type (``crypto.objects.
entry``). Longer things are logged as SHA-256 and size; their bytes travel beside. The salt keeps a
leaf from being guessed. Norm: sealing.md C13; formats.md §5.

Measured (`python -m loadtests.costs`, 2026-11-22): 6.5 us of CPU an entry, checked and encoded.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import cast

from crypto.canonical import Json, decode, encode
from crypto.errors import Rejected
from crypto.hashes import blake2b_512, label_bytes
from crypto.keys import verify
from crypto.objects.entry import ENTRY_TYPES, EntryKind, EntryType
from crypto.objects.log import ENTRY_SIZE_MAX
from crypto.schema import checked

SALT_SIZE = 16
_HEAD_SIZE = SALT_SIZE + 1
_DEPTH_MAX = 4
_ACT = label_bytes("KBID1 act")


@dataclass(frozen=True, slots=True)
class Entry:
    """One entry as it stands in the log."""

    type: EntryType
    members: dict[str, Json]
    salt: bytes
    raw: bytes


def encode_entry(entry_type: int, members: Mapping[str, Json], salt: bytes) -> bytes:
    """The entry's bytes. Codes: ``entry.type`` (unknown), those of schema and canonical."""
    assert len(salt) == SALT_SIZE
    text = encode(checked(_kind(entry_type).schema, dict(members)))
    assert _HEAD_SIZE + len(text) <= ENTRY_SIZE_MAX, "the limits of each schema see to it"
    return salt + bytes([entry_type]) + text


def decode_entry(raw: bytes) -> Entry:
    """Codes: ``entry.size``, ``entry.type`` (unknown), those of canonical and schema."""
    if not _HEAD_SIZE < len(raw) <= ENTRY_SIZE_MAX:
        raise Rejected("entry.size", str(len(raw)))
    kind = _kind(raw[SALT_SIZE])
    value = decode(raw[_HEAD_SIZE:], size_max=ENTRY_SIZE_MAX, depth_max=_DEPTH_MAX)
    members = checked(kind.schema, value)
    return Entry(kind.type, members, raw[:SALT_SIZE], raw)


def act_message(entry_type: int, tender_id: bytes, members: Mapping[str, Json]) -> bytes:
    """What officers sign before an entry with ``sigs`` is appended.

    "KBID1 act" ‖ 00 ‖ u8 type ‖ tender_id ‖ BLAKE2b-512(JCS without server_ms and sigs).
    ``members`` may be the whole entry or lack the members left out, and tender_id.
    """
    assert "sigs" in _kind(entry_type).schema.members
    left = {name: value for name, value in members.items() if name not in ("server_ms", "sigs")}
    left["tender_id"] = tender_id.hex()
    return _ACT + bytes([entry_type]) + tender_id + blake2b_512(encode(left))


def signed_roles(entry: Entry, officers: Mapping[bytes, str]) -> frozenset[str]:
    """Roles of those who signed an entry with ``sigs``; ``officers`` are public keys and roles.

    Codes: ``act.officer`` (not an officer's key, or twice), ``act.signature``.
    """
    tender_id = bytes.fromhex(cast("str", entry.members["tender_id"]))
    message = act_message(entry.type, tender_id, entry.members)
    signed: dict[bytes, str] = {}
    for each in cast("list[dict[str, str]]", entry.members["sigs"]):
        public = bytes.fromhex(each["pk"])
        if public not in officers or public in signed:
            raise Rejected("act.officer", each["pk"])
        if not verify(public, message, bytes.fromhex(each["sig"])):
            raise Rejected("act.signature", officers[public])
        signed[public] = officers[public]
    return frozenset(signed.values())


def _kind(entry_type: int) -> EntryKind:
    kind = ENTRY_TYPES.get(entry_type)
    if kind is None:
        raise Rejected("entry.type", str(entry_type))
    return kind
