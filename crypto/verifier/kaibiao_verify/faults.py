"""Trustees' faults (持钥人过错): TRUSTEE_FAULT entries are what the bytes show (C5, C11).

Invariant: nobody is blamed without a signed RELEASE that contradicts a dealing proved good, or two
different signed ones; and no such fault is passed over in silence.
"""

from __future__ import annotations

from .bundle import Bundle
from .entry_types import TRUSTEE_FAULT
from .log import MEMBER as ENTRIES
from .log import Entry
from .manifest import Manifest
from .messages import BadLayout, read_release
from .opening import Fault, Opened
from .releases import Replies
from .report import Report
from .windows import Window


def check_faults(
    bundle: Bundle,
    manifest: Manifest,
    window: Window,
    replies: Replies,
    opened: Opened,
    report: Report,
) -> set[str]:
    """Compare logged and shown faults; gives the members that are evidence of a second RELEASE."""
    logged: set[Fault] = set()
    evidence: set[str] = set()
    for entry in window.of(TRUSTEE_FAULT):
        if entry["fault"] == "second" or entry["bid_id"] is None:
            evidence.add(_check_second(entry, bundle, manifest, window, replies, report))
            continue
        release = replies.releases.get(entry["i"])
        same = release is not None and release.sha256 == entry.hash()
        report.check("fault.release", same, ENTRIES, "the RELEASE of that trustee", entry.place)
        logged.add((entry["i"], entry.hash("bid_id"), entry["fault"]))
    for i, bid_id, fault in sorted(opened.faults | logged):
        found = f"trustee {i} of window {window.name}, {fault}, bid {bid_id.hex()[:16]}"
        named = (i, bid_id, fault) in logged
        report.check("fault.unlogged", named, ENTRIES, "a TRUSTEE_FAULT entry", found)
        shown = (i, bid_id, fault) in opened.faults
        report.check("fault.unfounded", shown, ENTRIES, "a fault that the bytes show", found)
    return evidence


def _check_second(
    entry: Entry,
    bundle: Bundle,
    manifest: Manifest,
    window: Window,
    replies: Replies,
    report: Report,
) -> str:
    """A second, different RELEASE: its bytes are the evidence, if they are here."""
    name = f"release/{entry['sha256']}.bin"
    raw = bundle.get(name)
    if raw is None:
        report.on_word_of("fault.second", trustee=entry["i"])
        return name
    envelope = manifest.envelope(window.envelope)
    assert envelope is not None
    trustees = manifest.trustees(envelope)
    i: int = entry["i"]
    first = replies.releases.get(i)
    try:
        second = read_release(raw)
    except BadLayout as error:
        report.differs("fault.second", name, "a second RELEASE", error)
        return name
    proved = (
        second.sha256 == entry.hash()
        and second.nonce == window.start.nonce
        and i <= len(trustees)
        and second.is_signed_by(bytes.fromhex(trustees[i - 1]["spk"]))
        and first is not None
        and first.raw != second.raw
    )
    report.check("fault.second", proved, name, "a second, different RELEASE", entry.place)
    return name
