"""Signed notes (签名短文): one checkpoint of the site log, C2SP signed-note with cosignatures.

Invariant: a `Checkpoint` exists only if its text is exactly origin, size and root, an empty line
and signature lines; whose signatures are good stands in `log_signed` and `cosigned_s`.
"""

from __future__ import annotations

import base64
import binascii
import re
from dataclasses import dataclass, field
from typing import Any

from .primitives import ed25519
from .primitives.hashes import sha256

TEXT_MAX = 16_384
LINES_MAX = 64
SIZE = re.compile("[1-9][0-9]{0,15}", re.ASCII)
LOG_KIND, WITNESS_KIND = b"\x01", b"\x04"


class NotANote(Exception):
    """The text is no checkpoint; says in a few words why."""


@dataclass(frozen=True)
class Checkpoint:
    """A signed head of the log: `size` leaves with `root`; witnesses' seconds by their names."""

    size: int
    root: bytes
    log_signed: bool
    cosigned_s: dict[str, int] = field(default_factory=dict[str, int])
    stray_lines: int = 0


def key_id(name: str, kind: bytes, public: bytes) -> bytes:
    """SHA-256(name ‖ 0A ‖ kind ‖ public key), first four bytes."""
    return sha256(name.encode("ascii"), b"\n", kind, public)[:4]


def _unbase64(text: str) -> bytes:
    try:
        raw = base64.b64decode(text.encode("ascii"), validate=True)
    except (UnicodeEncodeError, binascii.Error) as error:
        raise NotANote("base64") from error
    if base64.b64encode(raw).decode("ascii") != text:
        raise NotANote("base64 with stray bits")
    return raw


def _signature_line(line: str) -> tuple[str, bytes]:
    """Name and signature bytes of "— name base64"."""
    parts = line.split(" ")
    if len(parts) != 3 or parts[0] != "—":
        raise NotANote("a signature line")
    return parts[1], _unbase64(parts[2])


def _cosigned(body: bytes, raw: bytes, public: bytes) -> int | None:
    """The second of a witness's cosignature (C2SP tlog-cosignature), or None."""
    if len(raw) != 4 + 8 + 64:
        return None
    second = int.from_bytes(raw[4:12], "big")
    message = b"cosignature/v1\ntime %d\n" % second + body
    return second if ed25519.verify(public, message, raw[12:]) else None


def read_checkpoint(raw: bytes, log: dict[str, Any], witnesses: list[dict[str, Any]]) -> Checkpoint:
    """Parse a checkpoint and check its signatures against the manifest's log and witnesses.

    Raises NotANote for a text of another form or another log's origin.
    """
    if len(raw) > TEXT_MAX:
        raise NotANote("longer than any checkpoint")
    try:
        lines = raw.decode("utf-8").split("\n")
    except UnicodeDecodeError as error:
        raise NotANote("not UTF-8") from error
    if not 6 <= len(lines) <= LINES_MAX or lines[3] or lines[-1]:
        raise NotANote("not three lines, an empty line, and signatures")
    if lines[0] != log["origin"]:
        raise NotANote("another log's origin")
    if SIZE.fullmatch(lines[1]) is None:
        raise NotANote("the size")
    root = _unbase64(lines[2])
    if len(root) != 32:
        raise NotANote("a root of another length")
    body = "".join(line + "\n" for line in lines[:3]).encode("ascii")
    log_signed, stray, cosigned = False, 0, dict[str, int]()
    log_pk = bytes.fromhex(log["pk"])
    keys = {one["name"]: bytes.fromhex(one["pk"]) for one in witnesses}
    for line in lines[4:-1]:
        name, signature = _signature_line(line)
        good = False
        if name == log["origin"] and signature[:4] == key_id(name, LOG_KIND, log_pk):
            good = not log_signed and ed25519.verify(log_pk, body, signature[4:])
            log_signed = log_signed or good
        elif name in keys and signature[:4] == key_id(name, WITNESS_KIND, keys[name]):
            second = _cosigned(body, signature, keys[name])
            good = second is not None and name not in cosigned
            if second is not None and good:
                cosigned[name] = second
        stray += not good
    return Checkpoint(int(lines[1]), root, log_signed, cosigned, stray)


def fingerprint(root: bytes) -> str:
    """截标指纹: 24 Base32 characters (120 bits) of a root, in groups of four (C14)."""
    characters = base64.b32encode(root).decode("ascii")[:24]
    return " ".join(characters[at : at + 4] for at in range(0, 24, 4))
