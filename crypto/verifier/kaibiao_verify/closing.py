"""The closed list (截标清单): which bids count, and that nobody's bid was added, dropped or edited.

Invariant: a bid is in a `Closing` only if its SUBMIT is in closed.json, signed by a registered key,
logged in time, and its header keeps C6. The list itself is fixed by `list_root`, which was under a
signed checkpoint before anything was opened.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from .bids import Bid, check_time, header_of, submit_of
from .bundle import Bundle
from .checkpoints import CLOSING
from .entry_types import DEADLINE_CLOSED, STORE_CHECK, SUBMIT
from .jcs import NotCanonical, read
from .log import MEMBER as ENTRIES
from .log import Entry, Log
from .manifest import Manifest
from .notes import Checkpoint
from .primitives import merkle
from .report import Report
from .schema import WrongShape, array, hexadecimal, record
from .tender import Registration

MEMBER = "closed.json"
SHAPE = record(submits=array(hexadecimal(32), 0, 100_000))


@dataclass
class Closing:
    """DEADLINE_CLOSED, its list, and the counting bids by bid_id."""

    entry: Entry | None = None
    submits: list[bytes] = field(default_factory=list[bytes])
    bids: dict[bytes, Bid] = field(default_factory=dict[bytes, Bid])

    def failed_lots(self, manifest: Manifest) -> set[int]:
        """Lots with fewer bidders than the law or the documents ask: their bids stay sealed."""
        bidders = {(bid.submit.lot, bid.submit.bidder_pk) for bid in self.bids.values()}
        came = [lot for lot, _ in bidders]
        lots = [one["lot"] for one in manifest["lots"]]
        return {lot for lot in lots if came.count(lot) < manifest["min_bidders"]}

    def of_envelope(self, number: int) -> list[Bid]:
        """The counting bids of an envelope number, ascending by bid_id."""
        return [
            self.bids[key] for key in sorted(self.bids) if self.bids[key].header.envelope == number
        ]


def read_closing(
    bundle: Bundle,
    manifest: Manifest,
    log: Log,
    deadline_ms: int,
    registrations: dict[bytes, Registration],
    report: Report,
) -> Closing:
    """Check DEADLINE_CLOSED, closed.json, every counting SUBMIT and every header."""
    closing = Closing(submits=_read_list(bundle, report))
    closing.entry = _check_closed(closing.submits, log, deadline_ms, report)
    logged = _submit_entries(closing, log, report)
    listed: set[bytes] = set()
    chains: set[tuple[bytes, int]] = set()
    for digest in closing.submits:
        name = f"submit/{digest.hex()}.bin"
        entry = logged.get(digest)
        report.check("submit.logged", entry is not None, name, "a SUBMIT entry", "none")
        submit = submit_of(digest, bundle, manifest, report)
        if submit is None:
            continue
        registration = registrations.get(submit.bidder_pk)
        known = registration is not None
        report.check("submit.registered", known, name, "a registered key", submit.bidder_pk)
        if entry is not None:
            check_time(entry, submit, registration, closing.entry, deadline_ms, report)
        chain = (submit.bidder_pk, submit.lot)
        report.check("submit.chain", chain not in chains, name, "one bid for a lot", "two")
        chains.add(chain)
        for number, bid_id in submit.envelopes:
            report.check("submit.listed", bid_id not in listed, name, "listed once", bid_id)
            listed.add(bid_id)
            if registration is not None:
                header = header_of(number, bid_id, submit, registration, bundle, manifest, report)
                if header is not None:
                    closing.bids[bid_id] = Bid(bid_id, header, submit, registration)
    _check_unique(closing, report)
    _check_no_extras(bundle, closing.submits, listed, report)
    used = {bid.registration.bidder_pk for bid in closing.bids.values()}
    for pk, registration in registrations.items():
        counts = pk in used
        report.check(
            "registration.counts", counts, ENTRIES, "a counting bidder", registration.entry.place
        )
    return closing


def _read_list(bundle: Bundle, report: Report) -> list[bytes]:
    raw = bundle.get(MEMBER)
    if raw is None:
        return []
    try:
        value: Any = read(raw, size_max=len(raw))
        SHAPE(value, "")
    except NotCanonical as error:
        report.differs("closed.canonical", MEMBER, "canonical JSON", error)
        return []
    except WrongShape as error:
        report.differs("closed.shape", MEMBER, error.expected, error.found)
        return []
    names: list[str] = value["submits"]
    ordered = names == sorted(set(names))
    report.check("closed.order", ordered, MEMBER, "ascending, each once", "others")
    return [bytes.fromhex(one) for one in sorted(set(names))]


def _check_closed(submits: list[bytes], log: Log, deadline_ms: int, report: Report) -> Entry | None:
    """DEADLINE_CLOSED (截标): once, after the deadline, with this list, under log/closing.txt."""
    entries = log.of(DEADLINE_CLOSED)
    once = len(entries) == 1
    if not report.check("closed.once", once, ENTRIES, "one DEADLINE_CLOSED", len(entries)):
        return None
    entry = entries[0]
    said = entry["deadline_ms"]
    report.check("closed.deadline", said == deadline_ms, ENTRIES, deadline_ms, said)
    late = entry.server_ms >= deadline_ms
    report.check("closed.early", late, ENTRIES, f"from {deadline_ms}", entry.server_ms)
    count = entry["count"]
    report.check("closed.count", count == len(submits), MEMBER, count, len(submits))
    root = merkle.root([merkle.leaf_hash(digest) for digest in submits])
    report.check("closed.root", root.hex() == entry["list_root"], MEMBER, entry["list_root"], root)
    checkpoint = log.checkpoints.get(CLOSING)
    if checkpoint is not None:
        under = entry.index < checkpoint.size
        report.check("closed.checkpoint", under, CLOSING, f"over {entry.index}", checkpoint.size)
    return entry


def _submit_entries(closing: Closing, log: Log, report: Report) -> dict[bytes, Entry]:
    """The SUBMIT entries of the list by message; an entry of no listed message is named."""
    found: dict[bytes, Entry] = {}
    listed = set(closing.submits)
    for entry in log.of(SUBMIT):
        digest = entry.hash()
        known = digest in listed
        if report.check(
            "submit.not_closed", known, ENTRIES, "a SUBMIT of closed.json", entry.place
        ):
            once = digest not in found
            report.check("submit.once", once, ENTRIES, "one entry for it", entry.place)
            found.setdefault(digest, entry)
    return found


def _check_unique(closing: Closing, report: Report) -> None:
    """C6: no AD twice in a tender; equal AD would mean equal keys."""
    seen: set[bytes] = set()
    for bid_id, bid in sorted(closing.bids.items()):
        ad = bid.header.ad
        name = f"headers/{bid_id.hex()}.kbh"
        report.check("header.ad", ad not in seen, name, "an AD of its own", ad)
        seen.add(ad)


def _check_no_extras(
    bundle: Bundle, submits: list[bytes], listed: set[bytes], report: Report
) -> None:
    wanted = {f"submit/{digest.hex()}.bin" for digest in submits}
    wanted |= {f"headers/{bid_id.hex()}.kbh" for bid_id in listed}
    for name in [*bundle.folder("submit/"), *bundle.folder("headers/")]:
        report.check("closed.extra", name in wanted, name, "a counting bid's", "of no counting bid")


def check_closing_bound(manifest: Manifest, log: Log, deadline_ms: int, report: Report) -> None:
    """C14: by when witnesses had seen the closing; without witnesses that is the host's word."""
    checkpoint: Checkpoint | None = log.checkpoints.get(CLOSING)
    quorum: int = manifest["quorum"]
    if quorum == 0:
        report.on_word_of("closing.no_witnesses", deadline_ms=deadline_ms)
        return
    if checkpoint is None or len(checkpoint.cosigned_s) < quorum:
        return  # Named with the checkpoint.
    bound_ms = sorted(checkpoint.cosigned_s.values())[quorum - 1] * 1000 - deadline_ms
    limit = manifest["closing_bound_ms"]
    report.check("closed.bound", bound_ms <= limit, CLOSING, f"at most {limit} ms", bound_ms)
    report.on_word_of("closing.bound", bound_ms=bound_ms)


def check_store(closing: Closing, log: Log, report: Report) -> None:
    """STORE_CHECK names only bids of the list."""
    for entry in log.of(STORE_CHECK):
        for bid_id in entry["damaged"]:
            known = bytes.fromhex(bid_id) in closing.bids
            report.check("store.unknown", known, ENTRIES, "a counting bid", bid_id)
