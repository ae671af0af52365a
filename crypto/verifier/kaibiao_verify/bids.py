"""Counting bids (计入的投标): the SUBMIT that lists them, when it came, and the header of each.

Invariant: a `Bid` exists only if its SUBMIT and its header are the bidder's own, by name, by
signature and by rule; what the log says about time is checked beside.
"""

from __future__ import annotations

from dataclasses import dataclass

from .bundle import Bundle
from .header import BadHeader, Header, accept_header, read_header
from .log import Entry
from .manifest import Manifest
from .messages import BadLayout, Submit, read_submit
from .report import Report
from .tender import Registration

DECIDE_MS_MAX = 10_000  # formats §1: how much later than its moment a message may be decided


@dataclass(frozen=True)
class Bid:
    """One counting envelope (计入的信封): its header and the SUBMIT that lists it."""

    bid_id: bytes
    header: Header
    submit: Submit
    registration: Registration

    @property
    def others(self) -> list[tuple[int, bytes]]:
        """The other envelopes of its SUBMIT, ascending by number."""
        return sorted(one for one in self.submit.envelopes if one[1] != self.bid_id)


def submit_of(digest: bytes, bundle: Bundle, manifest: Manifest, report: Report) -> Submit | None:
    """The SUBMIT's own bytes: name, layout, tender, place in its chain, signature."""
    name = f"submit/{digest.hex()}.bin"
    raw = bundle.get(name)
    if not report.check("submit.absent", raw is not None, name, "a member", "nothing"):
        return None
    assert raw is not None
    try:
        submit = read_submit(raw)
    except BadLayout as error:
        report.differs("submit.layout", name, "a SUBMIT of C9", error)
        return None
    report.check("submit.name", submit.sha256 == digest, name, digest, submit.sha256)
    same = submit.tender_id == manifest.tender_id
    report.check("submit.tender", same, name, manifest.tender_id, submit.tender_id)
    report.check("submit.kind", submit.kind == 1, name, 1, submit.kind)
    limit = manifest["submissions_max"]
    report.check("submit.seq", submit.seq <= limit, name, f"at most {limit}", submit.seq)
    good = submit.is_signed_by(submit.bidder_pk)
    report.check("submit.signature", good, name, "signature by bidder_pk", "not one")
    return submit


def check_time(
    entry: Entry,
    submit: Submit,
    registration: Registration | None,
    closed: Entry | None,
    deadline_ms: int,
    report: Report,
) -> None:
    """What the log says about the SUBMIT: accepted, in time, by a key registered before."""
    name = f"submit/{submit.sha256.hex()}.bin"
    said = (entry["kind"], entry["result"], entry["size"])
    report.check(
        "submit.entry", said == (1, 0, len(submit.raw)), name, (1, 0, len(submit.raw)), said
    )
    received, decided = entry["received_ms"], entry.server_ms
    report.check("submit.late", received < deadline_ms, name, f"before {deadline_ms}", received)
    note_delay(received, decided, deadline_ms, "submit", name, report)
    if closed is not None:
        before = entry.is_before(closed)
        report.check("submit.after_closing", before, name, "before DEADLINE_CLOSED", entry.place)
    if registration is not None:
        earlier = registration.entry.is_before(entry)
        report.check("registration.late", earlier, name, "registered before", entry.place)
        alive = received <= registration.expiry_ms
        report.check("registration.expiry", alive, name, registration.expiry_ms, received)


def note_delay(
    received: int, decided: int, moment: int, group: str, name: str, report: Report
) -> None:
    """received_ms is not after server_ms, nor server_ms far beyond the moment that decides."""
    ordered = received <= decided
    report.check(f"{group}.received", ordered, name, f"at most {decided}", received)
    limit = moment + DECIDE_MS_MAX
    report.check(f"{group}.decided", decided <= limit, name, f"at most {limit}", decided)
    largest = max(int(report.facts.get("delay_ms", "0")), decided - received)
    report.facts["delay_ms"] = str(largest)


def header_of(
    number: int,
    bid_id: bytes,
    submit: Submit,
    registration: Registration,
    bundle: Bundle,
    manifest: Manifest,
    report: Report,
) -> Header | None:
    """A listed envelope's header: its name, C6, and that it is the SUBMIT's own."""
    name = f"headers/{bid_id.hex()}.kbh"
    raw = bundle.get(name)
    if not report.check("header.absent", raw is not None, name, "a member", "nothing"):
        return None
    assert raw is not None
    try:
        header = read_header(raw)
        report.check("header.name", header.bid_id == bid_id, name, bid_id, header.bid_id)
        place = (header.bidder_pk, header.lot, header.envelope)
        own = place == (submit.bidder_pk, submit.lot, number)
        report.check("header.submit", own, name, "bidder, lot and envelope of its SUBMIT", "others")
        accept_header(header, manifest, registration.bidder_xpk)
    except BadHeader as error:
        report.differs("header.rules", name, "a header of C6", error)
        return None
    report.check("header.rules", True, name)
    return header if header.bid_id == bid_id and own else None
