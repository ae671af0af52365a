"""The signed list of members (清单): index.json and index.sig.

Invariant: a byte changed in any member breaks that member's line here, so it is named even if
nothing else looks at that byte. The index only says what the host handed out; whether that is
true is for the deeper checks.
"""

from __future__ import annotations

from typing import Any

from .bundle import Bundle
from .jcs import NotCanonical, read
from .primitives import ed25519
from .primitives.hashes import sha256, signed_text
from .report import Report
from .schema import WrongShape, array, choice, hexadecimal, integer, pattern, record

MEMBER = "index.json"
UNLISTED = ("index.json", "index.sig")
SHAPE = record(
    format=choice(1),
    members=array(
        record(name=pattern("[a-z0-9./-]{1,100}"), sha256=hexadecimal(32), size=integer()),
        0,
        100_000,
    ),
    tender_id=hexadecimal(32),
)


def check_index(bundle: Bundle, report: Report) -> None:
    """Compare every member with the index, and the index's names with the members."""
    raw = bundle.get(MEMBER)
    if raw is None:
        return
    try:
        value: Any = read(raw, size_max=len(raw))
        SHAPE(value, "")
    except NotCanonical as error:
        report.differs("index.canonical", MEMBER, "canonical JSON", error)
        return
    except WrongShape as error:
        report.differs("index.shape", MEMBER, f"{error.where}: {error.expected}", error.found)
        return
    lines: list[dict[str, Any]] = value["members"]
    names = [line["name"] for line in lines]
    ordered = names == sorted(set(names))
    report.check("index.order", ordered, MEMBER, "names sorted, each once", "others")
    for line in lines:
        name = line["name"]
        member = bundle.get(name)
        if not report.check("index.absent", member is not None, name, "a member", "nothing"):
            continue
        assert member is not None
        same = len(member) == line["size"]
        report.check("index.size", same, name, line["size"], len(member))
        digest = sha256(member).hex()
        report.check("index.sha256", digest == line["sha256"], name, line["sha256"], digest)
    listed = set(names)
    for name in bundle.members:
        if name not in UNLISTED:
            report.check("index.unlisted", name in listed, name, "a line in index.json", "none")


def check_index_owner(bundle: Bundle, receipt_pk: bytes, tender_id: bytes, report: Report) -> None:
    """index.sig by the host receipt key (主持人回执密钥), and the tender that the index names."""
    raw, signature = bundle.get(MEMBER), bundle.get("index.sig")
    if raw is None or signature is None:
        return
    signed = signed_text("KBID1 index", raw)
    good = ed25519.verify(receipt_pk, signed, signature)
    report.check("index.signature", good, "index.sig", "signature by host_receipt_pk", "not one")
    try:
        value: Any = read(raw, size_max=len(raw))
        SHAPE(value, "")
    except (NotCanonical, WrongShape):
        return  # Named by check_index.
    named = value["tender_id"]
    report.check("index.tender", named == tender_id.hex(), MEMBER, tender_id, named)
