"""Key files: opened by their passphrase only, in whichever form it was typed."""

import json

import pytest
from nacl import bindings, pwhash

from crypto.canonical import encode
from crypto.errors import Rejected
from crypto.keyfile import MEMORY_KIB, PASSES, create_keyfile, open_keyfile
from crypto.keys import BoxKey, SigningKey

TENDER, SALT, NONCE = b"T" * 32, b"s" * 16, b"n" * 24
SIGN, XPK = b"a" * 32, b"b" * 32


@pytest.fixture(scope="module")
def raw() -> bytes:
    return create_keyfile("开标 2026", TENDER, SIGN, XPK, SALT, NONCE)


def with_changes(raw: bytes, **changes: object) -> bytes:
    return encode(json.loads(raw) | changes)


def code_of(raw: bytes, passphrase: str = "开标 2026") -> str:
    with pytest.raises(Rejected) as refusal:
        open_keyfile(raw, passphrase)
    return refusal.value.code


def test_a_key_file_opens_with_its_passphrase_only(raw: bytes):
    opened = open_keyfile(raw, "开标 2026")
    assert opened.tender_id == TENDER
    assert (opened.signing_key.public, opened.box_key.public) == (
        SigningKey(SIGN).public,
        BoxKey(XPK).public,
    )
    for wrong in ("开标 2027", "开标2026", "x", "\ud800"):
        assert code_of(raw, wrong) == "keyfile.passphrase"


def test_an_empty_or_endless_passphrase_is_refused(raw: bytes):
    for wrong in ("", "标" * 342):
        assert code_of(raw, wrong) == "keyfile.passphrase_length"
        with pytest.raises(Rejected, match=r"keyfile\.passphrase_length"):
            create_keyfile(wrong, TENDER, SIGN, XPK, SALT, NONCE)


def test_two_spellings_of_one_passphrase_are_one():
    composed = create_keyfile("Café", TENDER, SIGN, XPK, SALT, NONCE)
    assert create_keyfile("Cafe\u0301", TENDER, SIGN, XPK, SALT, NONCE) == composed


def test_a_file_cannot_ask_for_more_work_or_other_members(raw: bytes):
    for cost in (
        {"memory_kib": MEMORY_KIB * 1024, "passes": PASSES},
        {"memory_kib": MEMORY_KIB, "passes": PASSES + 1},
        {"memory_kib": 8, "passes": PASSES},
    ):
        changed = with_changes(raw, argon2id=cost | {"salt": SALT.hex()})
        assert code_of(changed) == "object.value"
    assert code_of(with_changes(raw, seed="00")) == "object.member_unknown"
    assert code_of(with_changes(raw, format=2)) == "object.value"
    assert code_of(raw + b"\n") == "json.not_canonical"
    assert code_of(b" " * 20_000) == "json.size"
    assert code_of(b"") == "json.syntax"


def test_a_changed_box_does_not_open(raw: bytes):
    box = json.loads(raw)["box"]
    flipped = format(int(box[-1], 16) ^ 1, "x")
    assert code_of(with_changes(raw, box=box[:-1] + flipped)) == "keyfile.passphrase"
    assert code_of(with_changes(raw, box=box[:-2])) == "keyfile.passphrase"


def test_keys_named_outside_must_be_the_keys_inside(raw: bytes):
    other = SigningKey(b"c" * 32).public.hex()
    assert code_of(with_changes(raw, pk=other)) == "keyfile.keys"
    assert code_of(with_changes(raw, xpk=other)) == "keyfile.keys"


@pytest.mark.parametrize(
    "content",
    [
        b"{}",
        b"[]",
        b"not json",
        encode({"sign_seed": SIGN.hex(), "tender_id": TENDER.hex(), "xpk_seed": XPK.hex(), "x": 1}),
        encode({"sign_seed": SIGN.hex(), "tender_id": TENDER.hex(), "xpk_seed": "00"}),
        encode({"sign_seed": SIGN.hex(), "tender_id": TENDER.hex(), "xpk_seed": 7}),
        encode({"sign_seed": "A" * 64, "tender_id": TENDER.hex(), "xpk_seed": XPK.hex()}),
    ],
)
def test_what_lies_in_the_box_must_be_exactly_two_seeds_and_a_tender(raw: bytes, content: bytes):
    key = pwhash.argon2id.kdf(
        32, "开标 2026".encode(), SALT, opslimit=PASSES, memlimit=MEMORY_KIB * 1024
    )
    box = NONCE + bindings.crypto_secretbox_easy(content, NONCE, key)
    assert code_of(with_changes(raw, box=box.hex())) == "keyfile.content"


def test_secrets_do_not_show_when_a_key_file_is_printed(raw: bytes):
    shown = repr(open_keyfile(raw, "开标 2026"))
    assert SIGN.hex() not in shown
    assert repr(SIGN) not in shown
