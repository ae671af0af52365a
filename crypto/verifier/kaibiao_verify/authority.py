"""Who vouches for the tender (谁作保): manifest signatures, officers' acts, keys the reader trusts.

Invariant: an act counts only with a host's and a supervisor's good signature over exactly its
entry; a manifest only with those of the agency or purchaser and of the supervisor.
"""

from __future__ import annotations

from typing import Any

from .bundle import Bundle
from .jcs import NotCanonical, read, write
from .log import MEMBER as ENTRIES
from .log import Entry
from .manifest import Manifest
from .primitives import ed25519
from .primitives.hashes import blake2b
from .report import Report
from .schema import WrongShape, array, choice, hexadecimal, record

MEMBER = "manifest.sig.json"
SIGNATURES_MAX = 65_536
SHAPE = record(
    signatures=array(
        record(
            pk=hexadecimal(32),
            role=choice("agency", "purchaser", "supervisor"),
            sig=hexadecimal(64),
        ),
        2,
        16,
    ),
    tender_id=hexadecimal(32),
)

Trust = dict[str, set[bytes]]  # the reader's own file: name to public keys; namesakes share one
OF_NO_PERSON = "/"  # in the names of logs and witnesses


def check_signatures(bundle: Bundle, manifest: Manifest, report: Report) -> list[dict[str, Any]]:
    """manifest.sig.json; gives its signatures for comparison with the TENDER entry."""
    raw = bundle.get(MEMBER)
    if raw is None:
        return []
    try:
        value: Any = read(raw, size_max=SIGNATURES_MAX)
        SHAPE(value, "")
    except NotCanonical as error:
        report.differs("authority.canonical", MEMBER, "canonical JSON", error)
        return []
    except WrongShape as error:
        report.differs("authority.shape", MEMBER, f"{error.where}: {error.expected}", error.found)
        return []
    tender_id = manifest.tender_id
    named = value["tender_id"]
    report.check("authority.tender", named == tender_id.hex(), MEMBER, tender_id, named)
    signed: set[str] = set()
    for one in value["signatures"]:
        pk, role = bytes.fromhex(one["pk"]), one["role"]
        is_officer = pk in manifest.officer_keys(role)
        report.check("authority.officer", is_officer, MEMBER, f"an officer's key ({role})", pk)
        message = b"KBID1 manifest\0" + tender_id
        good = ed25519.verify(pk, message, bytes.fromhex(one["sig"]))
        if report.check("authority.signature", good, MEMBER, f"signature of {role}", "not one"):
            signed.add(role)
    both = "supervisor" in signed and bool(signed & {"agency", "purchaser"})
    report.check("authority.roles", both, MEMBER, "agency or purchaser, and supervisor", signed)
    return value["signatures"]


def check_act(entry: Entry, manifest: Manifest, report: Report) -> None:
    """The signatures of an entry that host and supervisor signed (formats §5)."""
    members = {k: v for k, v in entry.members.items() if k not in ("server_ms", "sigs")}
    message = (
        b"KBID1 act\0"
        + bytes([entry.number])
        + manifest.tender_id
        + blake2b(write(members), size=64)
    )
    signed: set[bytes] = set()
    for one in entry["sigs"]:
        pk = bytes.fromhex(one["pk"])
        good = ed25519.verify(pk, message, bytes.fromhex(one["sig"]))
        if report.check("act.signature", good, ENTRIES, "an officer's signature", entry.place):
            signed.add(pk)
    both = bool(signed & manifest.officer_keys("host")) and bool(
        signed & manifest.officer_keys("supervisor")
    )
    report.check("act.roles", both, ENTRIES, "host and supervisor", entry.place)


def check_trust(
    manifest: Manifest,
    signatures: list[dict[str, Any]],
    tender_id: bytes | None,
    trust: Trust | None,
    report: Report,
) -> None:
    """Compare the manifest with what the reader knows from elsewhere; list what nobody vouched."""
    member = "manifest.json"
    if tender_id is not None:
        same = manifest.tender_id == tender_id
        report.check("trust.tender_id", same, member, tender_id, manifest.tender_id)
    log = manifest["log"]
    named: list[tuple[str, str]] = [(one["name"], one["pk"]) for one in manifest["officers"]]
    named += [(log["origin"], log["pk"])]
    named += [(one["name"], one["pk"]) for one in manifest["witnesses"]]
    if trust is not None:
        for name, pk in named:
            known = trust.get(name)
            same = known is None or bytes.fromhex(pk) in known
            report.check("trust.other_key", same, member, known and min(known), pk)
        _check_signers(manifest, signatures, trust, report)
    if tender_id is None and trust is None:
        for name, pk in [*named, ("host_receipt_pk", manifest["host_receipt_pk"])]:
            report.on_word_of("trust.key", name=name, key=pk)


def _check_signers(
    manifest: Manifest, signatures: list[dict[str, Any]], trust: Trust, report: Report
) -> None:
    """Whoever signed is known as that person: the key of a log or of a witness, however well known,
    signs no manifest. Which office a known person holds is the manifest's word.
    """
    officers = {one["pk"]: one for one in manifest["officers"]}
    for signed in signatures:
        officer = officers.get(signed["pk"])
        name = officer["name"] if officer is not None else ""
        keys = set[bytes]() if OF_NO_PERSON in name else trust.get(name, set[bytes]())
        is_known = bytes.fromhex(signed["pk"]) in keys
        expected = f"a key of the trust file for {name}"
        if report.check("trust.unknown_signer", is_known, MEMBER, expected, signed["pk"]):
            report.on_word_of("trust.office", name=name, role=signed["role"])
