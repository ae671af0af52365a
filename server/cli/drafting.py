"""`kaibiao tender trustee`, `draft` and `sign`: a manifest before it is published (起草与签署).

Invariant: a secret never leaves the file it was made in; what is signed is shown first. A file of
signatures only grows, and by valid ones.
"""

import json as jsonlib
import os
import re
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from crypto.canonical import Json, decode, encode
from crypto.errors import Rejected
from crypto.keys import SEED_SIZE, BoxKey, SigningKey, random_bytes, verify
from crypto.manifest import (
    Manifest,
    encode_manifest,
    manifest_message,
    parse_manifest,
    parse_manifest_signatures,
    trustee_message,
)
from crypto.objects.common import MANIFEST_SIZE_MAX
from server.cli.files import new_files, read_within, with_ending
from server.domain.refusals import Refused
from server.domain.templates import drafting

SMALL_FILE_MAX = 65_536
SIGN = ("agency", "purchaser", "supervisor")
HALF_SIGNED = 1  # a file of one signature is none of the formats yet: nobody publishes it
SEED_HEX = re.compile(r"[0-9a-f]{64}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Trustee:
    """Who holds a share (持钥人); ``expiry`` with its offset from UTC."""

    role: str
    code: str
    organisation: str
    name: str
    expiry: str
    template: str


def make_trustee(one: Trustee, out: Path) -> None:
    """OUT, the key file a trustee's page takes, and OUT.public.json for the draft."""
    numbers = [int(str(e["envelope"])) for e in _envelopes(one.template)]
    expiry_ms = moment_ms(one.expiry)
    box, sign = BoxKey(random_bytes(SEED_SIZE)), SigningKey.generate()
    message = trustee_message(expiry_ms, box.public, sign.public, numbers)
    public: Json = {
        "role": one.role,
        "code": one.code,
        "organisation": one.organisation,
        "name": one.name,
        "envelopes": list(numbers),
        "expiry_ms": expiry_ms,
        "xpk": box.public.hex(),
        "spk": sign.public.hex(),
        "proof": sign.sign(message).hex(),
        "ca": None,
    }
    secret = {"xpk_seed": box.seed.hex(), "spk_seed": sign.seed.hex()}
    with new_files(out, with_ending(out, ".public.json")) as (key, card):
        key.write(jsonlib.dumps(secret).encode() + b"\n")
        card.write(encode(public))
    print(f"spk {sign.public.hex()}")


def draft(
    template: str, settings: Path, trustees: Sequence[Path], site: dict[str, Any], out: Path
) -> None:
    """manifest.json, as the centre would take it. Raises Rejected template.*, manifest.* ..."""
    given = _members(settings)
    if "deadline" in given:
        given["deadline_ms"] = moment_ms(str(given.pop("deadline")))
    try:
        value = drafting.draft(template, given, [_members(path) for path in trustees], site)
    except Refused as refused:
        raise _rejected(refused) from refused
    raw = encode_manifest(value)
    with new_files(out) as (file,):
        file.write(raw)
    print(f"tender_id {parse_manifest(raw).tender_id.hex()}")


def sign(manifest: Path, key: Path, signatures: Path) -> None:
    """One officer's signature more in ``signatures``."""
    rules = parse_manifest(read_within(manifest, MANIFEST_SIZE_MAX, "json.size"))
    officer = _officer_key(key)
    role = rules.officer_roles().get(officer.public)
    if role not in SIGN:
        raise Rejected("officer.not_named", officer.public.hex())
    found = _signatures(signatures, rules)
    _show(rules)
    if officer.public.hex() not in {each["pk"] for each in found}:
        sig = officer.sign(manifest_message(rules.tender_id)).hex()
        found.append({"pk": officer.public.hex(), "role": role, "sig": sig})
    raw = encode({"signatures": list(found), "tender_id": rules.tender_id.hex()})
    complete = _is_complete(raw, rules, len(found))
    _grow(signatures, raw)
    print(f"signed as {role}, {'complete' if complete else 'another office is still to sign'}")


def moment_ms(text: str) -> int:
    """UTC milliseconds of a moment such as 2026-12-01T09:30:00+08:00."""
    try:
        moment = datetime.fromisoformat(text)
    except ValueError as error:
        raise Rejected("template.settings", f"{text[:64]}: no moment") from error
    if moment.tzinfo is None:
        raise Rejected("template.settings", f"{text[:64]}: without its offset from UTC")
    past = moment - datetime.fromisoformat("1970-01-01T00:00:00+00:00")
    if past.days < 0:
        raise Rejected("template.settings", f"{text[:64]}: long ago")
    return (past.days * 86_400 + past.seconds) * 1000 + past.microseconds // 1000


def _envelopes(template: str) -> list[dict[str, Json]]:
    try:
        found = drafting.template_of(template)
    except Refused as refused:
        raise _rejected(refused) from refused
    return drafting.envelopes_of(found, (1, 2), 1, 1)


def _rejected(refused: Refused) -> Rejected:
    shown = (f"{name}: {value}" for name, value in refused.detail.items())
    return Rejected(refused.code, ", ".join(shown))


def _members(path: Path) -> dict[str, Any]:
    try:
        value = jsonlib.loads(read_within(path, SMALL_FILE_MAX, "json.size"))
    except (ValueError, RecursionError) as error:
        raise Rejected("template.settings", f"{path}: {error}") from error
    if not isinstance(value, dict):
        raise Rejected("template.settings", f"{path}: no object")
    return value


def _officer_key(path: Path) -> SigningKey:
    """`{"officer_seed": hex}`, as the host's page takes it, or the 64 digits alone."""
    text = read_within(path, SMALL_FILE_MAX, "officer.key").decode("utf-8", "replace").strip()
    if not SEED_HEX.fullmatch(text):
        try:
            value = jsonlib.loads(text)
        except (ValueError, RecursionError):
            value = None
        text = str(value.get("officer_seed", "")) if isinstance(value, dict) else ""
    if not SEED_HEX.fullmatch(text):
        raise Rejected("officer.key", str(path))
    return SigningKey(bytes.fromhex(text))


def _show(rules: Manifest) -> None:
    trustees = ", ".join(f"{each.name} ({each.organisation})" for each in rules.trustees)
    for line in (
        f"tender    {rules.number} {rules.title}",
        f"tender_id {rules.tender_id.hex()}",
        f"deadline  {rules.deadline_ms} ms UTC",
        f"trustees  {trustees}",
    ):
        print(line, file=sys.stderr)


def _signatures(path: Path, rules: Manifest) -> list[dict[str, Any]]:
    """Those that stand there already, of this tender and valid."""
    if not path.exists():
        return []
    raw = read_within(path, SMALL_FILE_MAX, "json.size")
    value: Any = decode(raw, size_max=SMALL_FILE_MAX, depth_max=4)
    try:
        tender_id, found = value["tender_id"], list(value["signatures"])
        good = all(_is_valid(each, rules) for each in found)
    except (KeyError, TypeError, ValueError) as error:
        raise Rejected("manifest_signature.invalid", str(path)) from error
    if tender_id != rules.tender_id.hex():
        raise Rejected("manifest_signature.tender")
    if not good:
        raise Rejected("manifest_signature.invalid", str(path))
    return found


def _is_valid(each: dict[str, str], rules: Manifest) -> bool:
    pk, sig = bytes.fromhex(each["pk"]), bytes.fromhex(each["sig"])
    named = rules.officer_roles().get(pk) == each["role"]
    return named and verify(pk, manifest_message(rules.tender_id), sig)


def _is_complete(raw: bytes, rules: Manifest, count: int) -> bool:
    """Raises Rejected manifest_signature.* for anything wrong but that one is still missing."""
    if count == HALF_SIGNED:
        return False
    try:
        parse_manifest_signatures(raw, rules)
    except Rejected as rejected:
        if rejected.code != "manifest_signature.roles":
            raise
        return False
    return True


def _grow(path: Path, raw: bytes) -> None:
    """The old signatures stand until the new file is whole."""
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    with os.fdopen(handle, "wb") as file:
        file.write(raw)
        file.flush()
        os.fsync(file.fileno())
    Path(name).replace(path)
