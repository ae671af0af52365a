"""The key file `.kbk` (密钥文件): a bidder's two keys of one tender under a passphrase (formats.md
§9).

Invariant: what opens is what was made: the public keys outside the box are compared with the seeds
inside, and the cost of Argon2id is the one fixed by format 1, so a hostile file cannot ask for
more. A passphrase is taken in Unicode form NFC as UTF-8, so that two keyboards give the same
bytes.
"""

import unicodedata
from dataclasses import dataclass, field
from typing import Any, Final, cast

from nacl import bindings, pwhash
from nacl.exceptions import CryptoError

from crypto.canonical import decode, encode
from crypto.errors import Rejected
from crypto.formats import decode_document, encode_document
from crypto.keys import SEED_SIZE, BoxKey, SigningKey
from crypto.layout import TENDER_ID_SIZE
from crypto.schema import Hex, Obj, checked

MEMORY_KIB: Final = 65_536
PASSES: Final = 3
SALT_SIZE: Final = 16
NONCE_SIZE: Final = 24
PASSPHRASE_BYTES_MAX: Final = 1024

_BOX_KEY: Final = 32
_CONTENT_SIZE_MAX: Final = 512
_CONTENT: Final = Obj(
    "KeyFileContent",
    "what the box of a key file holds",
    {
        "sign_seed": (Hex(SEED_SIZE, SEED_SIZE), ""),
        "tender_id": (Hex(TENDER_ID_SIZE, TENDER_ID_SIZE), ""),
        "xpk_seed": (Hex(SEED_SIZE, SEED_SIZE), ""),
    },
)


@dataclass(frozen=True, slots=True)
class KeyFile:
    """An opened key file."""

    tender_id: bytes
    signing_key: SigningKey = field(repr=False)
    box_key: BoxKey = field(repr=False)


def create_keyfile(
    passphrase: str,
    tender_id: bytes,
    sign_seed: bytes,
    xpk_seed: bytes,
    salt: bytes,
    nonce: bytes,
) -> bytes:
    """The file's bytes. salt (16) and nonce (24) are fresh random bytes.

    Raises Rejected keyfile.passphrase_length (empty, or beyond 1024 bytes).
    """
    assert len(tender_id) == TENDER_ID_SIZE
    assert len(salt) == SALT_SIZE
    assert len(nonce) == NONCE_SIZE
    content = encode(
        {
            "sign_seed": sign_seed.hex(),
            "tender_id": tender_id.hex(),
            "xpk_seed": xpk_seed.hex(),
        }
    )
    box = bindings.crypto_secretbox_easy(content, nonce, _derived(passphrase, salt))
    return encode_document(
        "KeyFile",
        {
            "argon2id": {"memory_kib": MEMORY_KIB, "passes": PASSES, "salt": salt.hex()},
            "box": (nonce + box).hex(),
            "format": 1,
            "pk": SigningKey(sign_seed).public.hex(),
            "xpk": BoxKey(xpk_seed).public.hex(),
        },
    )


def open_keyfile(raw: bytes, passphrase: str) -> KeyFile:
    """Raises Rejected: json.* and object.* (not a key file), keyfile.passphrase_length,
    keyfile.passphrase (it does not open), keyfile.content, keyfile.keys (they are not the ones
    named).
    """
    document = cast("dict[str, Any]", decode_document("KeyFile", raw))
    box = bytes.fromhex(document["box"])
    salt = bytes.fromhex(document["argon2id"]["salt"])
    try:
        content = bindings.crypto_secretbox_open_easy(
            box[NONCE_SIZE:], box[:NONCE_SIZE], _derived(passphrase, salt)
        )
    except CryptoError as error:
        raise Rejected("keyfile.passphrase") from error
    tender_id, sign_seed, xpk_seed = _members(content)
    opened = KeyFile(tender_id, SigningKey(sign_seed), BoxKey(xpk_seed))
    found = (opened.signing_key.public.hex(), opened.box_key.public.hex())
    if found != (document["pk"], document["xpk"]):
        raise Rejected("keyfile.keys")
    return opened


def _derived(passphrase: str, salt: bytes) -> bytes:
    try:
        secret = unicodedata.normalize("NFC", passphrase).encode("utf-8")
    except UnicodeEncodeError as error:  # a lone surrogate
        raise Rejected("keyfile.passphrase") from error
    if not 0 < len(secret) <= PASSPHRASE_BYTES_MAX:
        raise Rejected("keyfile.passphrase_length")
    return pwhash.argon2id.kdf(_BOX_KEY, secret, salt, opslimit=PASSES, memlimit=MEMORY_KIB * 1024)


def _members(content: bytes) -> tuple[bytes, bytes, bytes]:
    """tender_id, sign_seed, xpk_seed: the content must be exactly what `create_keyfile` writes."""
    try:
        members = checked(_CONTENT, decode(content, size_max=_CONTENT_SIZE_MAX, depth_max=1))
    except Rejected as error:
        raise Rejected("keyfile.content", error.code) from error
    names = ("tender_id", "sign_seed", "xpk_seed")
    tender_id, sign_seed, xpk_seed = (bytes.fromhex(cast("str", members[name])) for name in names)
    return tender_id, sign_seed, xpk_seed
