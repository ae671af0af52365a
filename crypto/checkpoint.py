"""Checkpoints (存证检查点): the signed head of the site log as a C2SP signed note.

Invariant: exactly three lines (origin, size, base64 root), an empty line and one signature line of
the log key, type 01; every byte is fixed by origin, size, root and key. Cosignature lines come with
witnesses; until then more lines are refused. Norm: formats.md §7; sealing.md C14.
"""

import base64
import binascii
import re
from dataclasses import dataclass

from crypto.canonical import INTEGER_MAX
from crypto.errors import Rejected
from crypto.hashes import sha256
from crypto.keys import SigningKey, verify

CHECKPOINT_SIZE_MAX = 2048
_KEY_ID_SIZE = 4
_ED25519 = b"\x01"
_SIZE = re.compile(r"[1-9][0-9]{0,15}")


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """A verified head: the log at ``origin`` has ``size`` leaves with this root."""

    origin: str
    size: int
    root: bytes
    text: str


def key_id(name: str, public: bytes) -> bytes:
    """Four bytes that say which key signed: SHA-256(name ‖ 0A ‖ 01 ‖ public)[:4]."""
    return sha256(name.encode("ascii"), b"\n", _ED25519, public)[:_KEY_ID_SIZE]


def sign_checkpoint(origin: str, size: int, root: bytes, key: SigningKey) -> str:
    """The note over ``size`` >= 1 leaves; the key's name is the origin."""
    assert 1 <= size <= INTEGER_MAX
    assert len(root) == 32
    body = f"{origin}\n{size}\n{_base64(root)}\n"
    signature = key_id(origin, key.public) + key.sign(body.encode("ascii"))
    return f"{body}\n— {origin} {_base64(signature)}\n"


def parse_checkpoint(text: str, origin: str, public: bytes) -> Checkpoint:
    """The head that ``public`` signed under the name ``origin``.

    Codes: ``checkpoint.size`` (too long), ``checkpoint.form``, ``checkpoint.origin``,
    ``checkpoint.key`` (another key id), ``checkpoint.signature``.
    """
    if len(text) > CHECKPOINT_SIZE_MAX:
        raise Rejected("checkpoint.size", str(len(text)))
    lines = text.split("\n")
    if len(lines) != 6 or lines[3] or lines[5]:
        raise Rejected("checkpoint.form", "lines")
    if lines[0] != origin:
        raise Rejected("checkpoint.origin", lines[0][:200])
    if _SIZE.fullmatch(lines[1]) is None or int(lines[1]) > INTEGER_MAX:
        raise Rejected("checkpoint.form", "size")
    root = _unbase64(lines[2], 32)
    mark, _, rest = lines[4].partition(" ")
    name, _, encoded = rest.partition(" ")
    if mark != "—" or name != origin:
        raise Rejected("checkpoint.form", "signature line")
    signature = _unbase64(encoded, _KEY_ID_SIZE + 64)
    if signature[:_KEY_ID_SIZE] != key_id(origin, public):
        raise Rejected("checkpoint.key")
    body = "".join(f"{line}\n" for line in lines[:3]).encode("ascii")
    if not verify(public, body, signature[_KEY_ID_SIZE:]):
        raise Rejected("checkpoint.signature")
    return Checkpoint(origin, int(lines[1]), root, text)


def fingerprint(root: bytes) -> str:
    """截标指纹: the first 24 Base32 characters (120 bits) of the root in six groups of four."""
    characters = base64.b32encode(root).decode("ascii")[:24]
    return " ".join(characters[at : at + 4] for at in range(0, 24, 4))


def _base64(data: bytes) -> str:
    return base64.b64encode(data).decode("ascii")


def _unbase64(text: str, size: int) -> bytes:
    try:
        data = base64.b64decode(text.encode("ascii"), validate=True)
    except (UnicodeEncodeError, binascii.Error) as error:
        raise Rejected("checkpoint.form", "base64") from error
    # One spelling only: unused bits of the last character must be zero.
    if len(data) != size or _base64(data) != text:
        raise Rejected("checkpoint.form", "base64")
    return data
