"""Reading the vector files: what their README calls recipe, terms, stored payload."""

import hashlib
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from crypto.errors import Rejected
from crypto.header import EnvelopeTerms, Header
from crypto.stream import RootHasher
from crypto.suites import Suite, get_suite

VECTORS = Path(__file__).parent.parent / "vectors"
Json = dict[str, Any]


def load(name: str) -> Json:
    return json.loads((VECTORS / name).read_text(encoding="utf-8"))


GOOD = {name: load(name) for name in ("kbid1.json", "suite-ff01.json")}
HOSTILE = load("kbid1-hostile.json")
CURVES = load("ed25519.json")
NACL = get_suite(1)


def suite_of(document: Json) -> Suite:
    return get_suite(document["suite"]["id"], allow_test=True)


def good(kind: str) -> list[Any]:
    """Every envelope, or every message of a kind, of both files, with its suite and a name."""
    found: list[Any] = []
    for file, document in GOOD.items():
        cases = document["envelopes"] if kind == "envelopes" else document["messages"][kind]
        for at, case in enumerate(cases):
            name = f"{file}: {case.get('name', at)}"
            found.append(pytest.param(suite_of(document), case, id=name))
    return found


def hostile(cases: list[Json]) -> list[Any]:
    return [pytest.param(case, id=case["name"]) for case in cases]


def octets(value: Json, *names: str) -> list[bytes]:
    return [bytes.fromhex(value[name]) for name in names]


def expanded(recipe: list[Json]) -> bytes:
    return b"".join(bytes.fromhex(piece["hex"]) * piece["repeat"] for piece in recipe)


def terms_of(members: Json) -> EnvelopeTerms:
    binary = {
        name: bytes.fromhex(members[name]) for name in ("tender_id", "bidder_pk", "bidder_xpk")
    }
    return EnvelopeTerms(
        **members
        | binary
        | {
            "suite": get_suite(members["suite"], allow_test=True),
            "trustee_xpks": tuple(map(bytes.fromhex, members["trustee_xpks"])),
        }
    )


def root_of(header: Header, payload: bytes) -> bytes:
    hasher = RootHasher(header.suite, header.pt_len, header.log2_chunk)
    hasher.update(payload)
    return hasher.root()


def code_of(function: Callable[..., object], *arguments: Any) -> str:
    try:
        function(*arguments)
    except Rejected as refusal:
        return refusal.code
    return "ok"


def stored_payload(shown: Json) -> bytes:
    if "stored" in shown:
        return bytes.fromhex(HOSTILE["stored"][shown["stored"]])
    if "hex" in shown:
        return bytes.fromhex(shown["hex"])
    cipher = NACL.cipher(bytes.fromhex(shown["K"]))
    payload = b"".join(
        cipher.seal(chunk["index"], chunk["last"], expanded(chunk["plaintext"]))
        for chunk in shown["chunks"]
    )
    assert hashlib.sha256(payload).hexdigest() == shown["sha256"]
    return payload
