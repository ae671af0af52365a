"""Log entries: what each type holds, and what officers sign."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crypto.canonical import encode
from crypto.entries import act_message, decode_entry, encode_entry, signed_roles
from crypto.errors import Rejected
from crypto.hashes import blake2b_512
from crypto.objects.entry import ENTRY_TYPES, EntryKind, EntryType
from crypto.schema import Ascii, Flag, Hex, Int, Items, Maybe, Obj, OneOf, Schema, Tagged, Text
from tests.crypto.format_vectors import AGENCY, HOST, MANIFEST, SUPERVISOR, entry

ROLES = MANIFEST.officer_roles()
SALT = b"s" * 16


def a_deadline_change(*signers: tuple[str, str]) -> bytes:
    members = dict(decode_entry(entry("DEADLINE_CHANGE")).members)
    members["sigs"] = [{"pk": pk, "sig": sig} for pk, sig in signers]
    return encode_entry(EntryType.DEADLINE_CHANGE, members, SALT)


def signed(key: object) -> tuple[str, str]:
    members = decode_entry(entry("DEADLINE_CHANGE")).members
    message = act_message(EntryType.DEADLINE_CHANGE, MANIFEST.tender_id, members)
    return key.public.hex(), key.sign(message).hex()  # pyright: ignore


@given(st.binary(max_size=80))
def test_any_bytes_are_an_entry_or_refused(tail: bytes) -> None:
    for raw in (tail, SALT + tail, entry("HEAD")[:17] + tail):
        try:
            found = decode_entry(raw)
        except Rejected:
            continue
        assert encode_entry(found.type, found.members, found.salt) == raw


def test_an_entry_of_another_salt_is_another_leaf() -> None:
    members = decode_entry(entry("HEAD")).members
    assert encode_entry(EntryType.HEAD, members, SALT) != entry("HEAD")


LONGEST = {
    "[!-*,-~]{1,128}": "a" * 128,
    "registry|(tender|opening|evaluation):[a-z0-9-]{1,64}": "evaluation:" + "a" * 64,
    r"[a-z_]{1,32}\.[a-z_]{1,32}": "a" * 32 + "." + "a" * 32,
    "[a-z_.]{1,64}": "a" * 64,
}


def largest(schema: Schema) -> Any:
    """The lawful value of the most bytes."""
    match schema:
        case Int(high=high):
            return high
        case Flag():
            return False
        case Text(high=high):
            return "\U00020000" * high
        case Ascii(pattern):
            return LONGEST[pattern]
        case Hex(high=high):
            return "ff" * high
        case OneOf(values):
            return max(values, key=lambda value: len(str(value)))
        case Items(item=item, high=high):
            return [largest(item)] * high
        case Maybe(inner):
            return largest(inner)
        case Tagged(variants=variants):
            return max(map(largest, variants.values()), key=lambda value: len(encode(value)))
        case Obj(members=members):
            return {name: largest(inner) for name, (inner, _) in members.items()}
        case _:
            raise AssertionError(schema)


@pytest.mark.parametrize("kind", ENTRY_TYPES.values(), ids=lambda kind: kind.type.name)
def test_the_largest_entry_of_each_type_fits(kind: EntryKind) -> None:
    """So appending an entry can never fail for its length: limits of the schema see to it."""
    raw = encode_entry(kind.type, largest(kind.schema), SALT)
    assert len(raw) <= 4096


def test_officers_sign_the_act_but_not_when_it_was_logged() -> None:
    members = decode_entry(entry("STATE_DECIDED")).members
    later = members | {"server_ms": 1}
    message = act_message(EntryType.STATE_DECIDED, MANIFEST.tender_id, members)
    assert act_message(EntryType.STATE_DECIDED, MANIFEST.tender_id, later) == message
    bare = {name: members[name] for name in members if name not in ("sigs", "tender_id")}
    assert act_message(EntryType.STATE_DECIDED, MANIFEST.tender_id, bare) == message
    assert message.startswith(b"KBID1 act\0" + bytes([22]) + MANIFEST.tender_id)
    assert len(message) == 10 + 1 + 32 + len(blake2b_512())
    other = members | {"ground": "revoked"}
    assert act_message(EntryType.STATE_DECIDED, MANIFEST.tender_id, other) != message


def test_signatures_of_officers_are_counted_by_role() -> None:
    both = decode_entry(a_deadline_change(signed(HOST), signed(SUPERVISOR)))
    assert signed_roles(both, ROLES) == {"host", "supervisor"}
    one = decode_entry(a_deadline_change(signed(AGENCY)))
    assert signed_roles(one, ROLES) == {"agency"}


def test_a_signature_that_does_not_hold_is_refused() -> None:
    host, supervisor = signed(HOST), signed(SUPERVISOR)
    cases = {
        r"act\.signature": a_deadline_change((host[0], supervisor[1])),
        r"act\.officer": a_deadline_change(host, host),
    }
    for code, raw in cases.items():
        with pytest.raises(Rejected, match=code):
            signed_roles(decode_entry(raw), ROLES)
    with pytest.raises(Rejected, match=r"act\.officer"):
        signed_roles(decode_entry(a_deadline_change(host)), {SUPERVISOR.public: "supervisor"})


def test_types_of_the_table_are_numbered_as_the_norm_says() -> None:
    numbers = [*range(1, 26), 30, 31]
    assert list(ENTRY_TYPES) == numbers == [entry_type.value for entry_type in EntryType]
    without_tender = {
        number for number, kind in ENTRY_TYPES.items() if "tender_id" not in kind.schema.members
    }
    assert without_tender == {1, 30, 31}
    assert all("server_ms" in kind.schema.members for kind in ENTRY_TYPES.values())
