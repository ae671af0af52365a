"""The vectors of formats.json as tests use them, and the keys behind them (README-formats.md)."""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from crypto.keys import BoxKey, SigningKey
from crypto.manifest import Manifest, parse_manifest

VECTORS = Path(__file__).parent.parent / "vectors"
GOOD: dict[str, Any] = json.loads((VECTORS / "formats.json").read_text("utf-8"))
_HOSTILE = json.loads((VECTORS / "formats-hostile.json").read_text("utf-8"))
CASES: list[dict[str, Any]] = _HOSTILE["cases"]


def signing_key(byte: int) -> SigningKey:
    return SigningKey(bytes([byte]) * 32)


AGENCY, SUPERVISOR, HOST = signing_key(0x21), signing_key(0x22), signing_key(0x23)
PURCHASER = signing_key(0x24)  # not an officer of the example
RECEIPT_KEY, LOG_KEY = signing_key(0x31), signing_key(0x32)
BIDDER, BIDDER_BOX = signing_key(0x41), BoxKey(b"\x42" * 32)


def document(name: str) -> bytes:
    """The bytes of one document."""
    return next(bytes.fromhex(each["json"]) for each in GOOD["documents"] if each["name"] == name)


def entry(name: str) -> bytes:
    """The bytes of the entry of one type."""
    return next(bytes.fromhex(each["entry"]) for each in GOOD["entries"] if each["name"] == name)


MANIFEST: Manifest = parse_manifest(document("manifest"))


@dataclass(frozen=True)
class Place:
    """Where a form was found, as a header says it."""

    envelope: int = 1
    lot: int = 1
