"""What the host froze and read out (定格、唱标) against what the bytes gave (C1.6, C1.7, C3).

Invariant: frozen.json holds exactly the counting forms with the states computed here, readout.json
exactly the forms opened here; both are the bytes that the log names.
"""

from __future__ import annotations

from typing import Any

from .authority import check_act
from .bundle import Bundle
from .closing import Closing
from .entry_types import (
    BODY_STATE,
    READ_OUT,
    RELEASE,
    REPLY_END,
    SET_FROZEN,
    STATE_DECIDED,
    STATES,
    TRUSTEES_LOST,
    WINDOW_END,
)
from .jcs import NotCanonical, read, write
from .log import MEMBER as ENTRIES
from .log import Entry, Log
from .manifest import Manifest
from .opening import Opened
from .primitives.hashes import sha256
from .report import Report
from .schema import Shape, WrongShape, array, choice, hexadecimal, null_or, record
from .windows import Window

LAWFUL_GROUNDS = {
    "locked": ("revoked", "excused"),
    "unrecoverable": ("excused",),
    "damaged": ("excused",),
    "malformed": ("malformed",),
}
BIDS_MAX = 100_000
_HASH = hexadecimal(32)
FROZEN = record(
    bids=array(
        record(bid_id=_HASH, form_sha256=null_or(_HASH), state=choice(*STATES)), 0, BIDS_MAX
    ),
    nonce=_HASH,
)


def _anything(_value: Any, _where: str) -> None:
    """Rows are compared whole with the opened forms, so they need no shape of their own."""


READOUT = record(format=choice(1), nonce=_HASH, rows=array(_anything, 0, BIDS_MAX), tender_id=_HASH)


def member_names(windows: list[Window], number: int, stem: str) -> dict[bytes, str]:
    """Which member belongs to which nonce: the first `stem`.json, later ones named by window."""
    finished = [one for one in windows if one.is_form and one.first(number) is not None]
    finished.sort(key=lambda one: _position(one.first(number)))
    return {
        window.start.nonce: f"{stem}.json" if k == 0 else f"{stem}-{window.name}.json"
        for k, window in enumerate(finished)
    }


def _position(entry: Entry | None) -> tuple[int, int]:
    assert entry is not None
    return entry.index, entry.server_ms


def _read_member(
    name: str, entry: Entry, shape: Shape, group: str, bundle: Bundle, report: Report
) -> dict[str, Any] | None:
    """A list's member: the bytes that its entry names, canonical, of its shape and window."""
    raw = bundle.get(name)
    if not report.check(f"{group}.absent", raw is not None, name, "a member", "nothing"):
        return None
    assert raw is not None
    digest, size = sha256(raw), len(raw)
    logged = (digest, size) == (entry.hash(), entry["size"])
    report.check(f"{group}.logged", logged, name, entry.hash(), digest)
    try:
        value: Any = read(raw, size_max=len(raw))
        shape(value, "")
    except NotCanonical as error:
        report.differs(f"{group}.canonical", name, "canonical JSON", error)
        return None
    except WrongShape as error:
        report.differs(f"{group}.shape", name, f"{error.where}: {error.expected}", error.found)
        return None
    nonce = value["nonce"]
    report.check(f"{group}.nonce", nonce == entry["nonce"], name, entry["nonce"], nonce)
    return value


def read_frozen(
    window: Window, name: str, bundle: Bundle, report: Report
) -> dict[bytes, tuple[str, str | None]]:
    """The host's frozen.json of one window: bid_id to (state, form hash)."""
    entry = window.first(SET_FROZEN)
    if entry is None:
        return {}
    value = _read_member(name, entry, FROZEN, "frozen", bundle, report)
    if value is None:
        return {}
    names = [one["bid_id"] for one in value["bids"]]
    ordered = names == sorted(set(names))
    report.check("frozen.order", ordered, name, "ascending, each once", "others")
    return {
        bytes.fromhex(one["bid_id"]): (one["state"], one["form_sha256"]) for one in value["bids"]
    }


def check_frozen(
    claimed: dict[bytes, tuple[str, str | None]], opened: Opened, name: str, report: Report
) -> None:
    """Each state and form hash, and that no bid was left out or added."""
    for bid_id in sorted(claimed.keys() | opened.states.keys()):
        short = bid_id.hex()[:16]
        state = opened.states.get(bid_id)
        if state is None:
            report.differs("frozen.stranger", name, "counting forms only", bid_id)
            continue
        said, form_hash = claimed.get(bid_id, ("nothing", None))
        report.check("frozen.state", said == state, name, f"{short} {state}", f"{short} {said}")
        digest = opened.hashes[bid_id].hex() if bid_id in opened.hashes else None
        report.check("frozen.form", form_hash == digest, name, digest, form_hash)


def check_readout(
    window: Window, name: str, manifest: Manifest, opened: Opened, bundle: Bundle, report: Report
) -> None:
    """readout.json is the opened forms, sorted by bid_id, and nothing else."""
    entry = window.first(READ_OUT)
    if entry is None:
        return
    value = _read_member(name, entry, READOUT, "readout", bundle, report)
    if value is None:
        return
    tender_id = manifest.tender_id.hex()
    named = value["tender_id"]
    report.check("readout.tender", named == tender_id, name, tender_id, named)
    expected = [form | {"bid_id": bid_id.hex()} for bid_id, form in sorted(opened.forms.items())]
    rows: list[Any] = value["rows"]
    same = len(rows) == len(expected)
    report.check("readout.count", same, name, len(expected), len(rows))
    for place in range(max(len(rows), len(expected))):
        belongs = expected[place] if place < len(expected) else None
        stands = rows[place] if place < len(rows) else None
        # As bytes: in Python true equals 1.
        same = write(belongs) == write(stands)
        report.check("readout.row", same, name, belongs, stands)


def check_finished(windows: list[Window], report: Report) -> None:
    """C1: the last window of each form came to its end, in order; anything else is unfinished."""
    steps = ((WINDOW_END,), (RELEASE, TRUSTEES_LOST), (REPLY_END,), (SET_FROZEN,), (READ_OUT,))
    names = ("WINDOW_END", "RELEASE or TRUSTEES_LOST", "REPLY_END", "SET_FROZEN", "READ_OUT")
    last = {one.envelope: one for one in windows if one.is_form}
    for window in last.values():
        previous = window.start
        for step, name in zip(steps, names, strict=True):
            entry = window.first(*step)
            place = f"window {window.name}"
            if not report.check("window.unfinished", entry is not None, ENTRIES, name, place):
                break
            assert entry is not None
            ordered = previous.is_before(entry)
            report.check("window.order", ordered, ENTRIES, f"{name} after", previous.place)
            previous = entry


def check_decisions(
    manifest: Manifest,
    closing: Closing,
    log: Log,
    windows: list[Window],
    states: dict[bytes, str],
    report: Report,
) -> None:
    """STATE_DECIDED (认定): signed, once, after the states were frozen, of a bid that did not open,
    suggested and decided on a lawful ground. BODY_STATE.
    """
    decided: set[bytes] = set()
    for entry in log.of(STATE_DECIDED):
        check_act(entry, manifest, report)
        bid_id = entry.hash("bid_id")
        state = states.get(bid_id)
        lawful = {entry["ground"], entry["proposed"]} <= set(LAWFUL_GROUNDS.get(state or "", ()))
        found = f"{entry.place}: {entry['ground']} for a bid {state}"
        report.check("decision.ground", lawful, ENTRIES, "a ground of its state", found)
        report.check("decision.order", bid_id not in decided, ENTRIES, "once", entry.place)
        bid = closing.bids.get(bid_id)
        frozen = [w.first(SET_FROZEN) for w in windows if bid and w.envelope == bid.header.envelope]
        timely = any(one is not None and one.is_before(entry) for one in frozen)
        report.check("decision.order", timely, ENTRIES, "after SET_FROZEN", entry.place)
        decided.add(bid_id)
    failed = closing.failed_lots(manifest)
    for bid_id, state in sorted(states.items()):
        if closing.bids[bid_id].submit.lot in failed:
            continue  # never to be opened, and nobody's fault
        if state != "opened" and bid_id not in decided:
            report.on_word_of("decision.none", bid_id=bid_id, state=state)
    for entry in log.of(BODY_STATE):
        bid = closing.bids.get(entry.hash("bid_id"))
        known = bid is not None and not manifest.is_form(bid.header.envelope)
        report.check("body.unknown", known, ENTRIES, "a counting body", entry.place)
