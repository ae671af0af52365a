"""The tender in the log (项目入册): manifest, deadline and the bidders' keys.

Invariant: the deadline that counts is the manifest's, moved only forward by entries that host and
supervisor signed before the old one passed; a bidder's key counts only with its own signature and
somebody's who vouches for it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from .authority import check_act
from .entry_types import BIDDER_REG, DEADLINE_CHANGE, SITE_START, TENDER
from .log import MEMBER, Entry, Log
from .manifest import Manifest
from .primitives import ed25519, x25519
from .primitives.hashes import sha256
from .report import Report


@dataclass(frozen=True)
class Registration:
    """A bidder's keys as logged (密钥登记), C17."""

    entry: Entry
    bidder_pk: bytes
    bidder_xpk: bytes
    org_sha256: bytes
    expiry_ms: int


def check_tender(
    manifest: Manifest, signatures: list[dict[str, Any]], log: Log, report: Report
) -> None:
    """SITE_START names this log; TENDER names this manifest and its signatures, once and first."""
    for entry in log.of(SITE_START):
        origin = manifest["log"]["origin"]
        same = entry["log_origin"] == origin
        report.check("tender.site", same, MEMBER, origin, entry["log_origin"])
    tenders = log.of(TENDER)
    report.check("tender.once", len(tenders) == 1, MEMBER, "one TENDER entry", len(tenders))
    for entry in tenders[:1]:
        digest = sha256(manifest.raw)
        found = entry.hash()
        report.check("tender.manifest", found == digest, "manifest.json", found, digest)
        size = len(manifest.raw)
        report.check("tender.size", entry["size"] == size, MEMBER, size, entry["size"])
        same = entry["signatures"] == signatures
        report.check("tender.signatures", same, "manifest.sig.json", "as logged", "others")
        for other in log.entries:
            if "tender_id" in other.members:
                first = entry.is_before(other)
                report.check("tender.first", first, MEMBER, "TENDER before it", other.place)


def read_deadline(manifest: Manifest, log: Log, report: Report) -> int:
    """The deadline that counts, in UTC ms, after every DEADLINE_CHANGE (C1)."""
    deadline_ms: int = manifest["deadline_ms"]
    for entry in log.of(DEADLINE_CHANGE):
        old, new = entry["old_ms"], entry["deadline_ms"]
        known = report.check("deadline.old", old == deadline_ms, MEMBER, deadline_ms, old)
        later = report.check("deadline.later", new > deadline_ms, MEMBER, f"over {old}", new)
        in_time = entry.server_ms < deadline_ms
        report.check("deadline.logged", in_time, MEMBER, f"before {old}", entry.server_ms)
        check_act(entry, manifest, report)
        if known and later:
            deadline_ms = new
    return deadline_ms


def read_registrations(manifest: Manifest, log: Log, report: Report) -> dict[bytes, Registration]:
    """The bidders' keys by bidder_pk; those that break a rule are reported and left out."""
    found: dict[bytes, Registration] = {}
    boxes: set[bytes] = set()
    for entry in log.of(BIDDER_REG):
        pk, xpk = entry.hash("bidder_pk"), entry.hash("bidder_xpk")
        org, expiry_ms = entry.hash("org_sha256"), entry["expiry_ms"]
        fresh = pk not in found and xpk not in boxes
        if not report.check("registration.twice", fresh, MEMBER, "new keys", entry.place):
            continue
        claims = manifest.tender_id + pk + xpk + expiry_ms.to_bytes(8, "big") + org
        owned = ed25519.verify(pk, b"KBID1 bind\0" + claims, bytes.fromhex(entry["sig"]))
        report.check("registration.owner", owned, MEMBER, "signature by bidder_pk", entry.place)
        box = x25519.is_canonical(xpk) and not x25519.is_low_order(xpk)
        report.check("registration.box_key", box, MEMBER, "a lawful X25519 key", entry.place)
        _check_binding(entry, manifest, claims, report)
        boxes.add(xpk)
        if owned and box:
            found[pk] = Registration(entry, pk, xpk, org, expiry_ms)
    kinds = [one.entry["binding"]["kind"] for one in found.values()]
    for kind in sorted(set(kinds)):
        report.on_word_of(f"registration.{kind}", count=kinds.count(kind))
    return found


def _check_binding(entry: Entry, manifest: Manifest, claims: bytes, report: Report) -> None:
    """Who vouches: the host receipt key for an invitation; a certificate is listed, not judged."""
    binding = entry["binding"]
    if binding["kind"] == "certificate":
        return
    allowed = manifest["uncertified_allowed"]
    report.check("registration.uncertified", allowed, MEMBER, "a certificate", entry.place)
    receipt_pk = manifest["host_receipt_pk"]
    same = binding["pk"] == receipt_pk
    report.check("registration.inviter", same, MEMBER, receipt_pk, binding["pk"])
    good = ed25519.verify(
        bytes.fromhex(receipt_pk), b"KBID1 invite\0" + claims, bytes.fromhex(binding["sig"])
    )
    report.check("registration.invitation", good, MEMBER, "signature of the host", entry.place)
