"""Unlocks (投标人解密): the bidders' halves s_B, by key and by card (sealing C8, C11).

Invariant: a half is in the result only if it matches c_B, came in time by the log, and was sent
under the bidder's signature or, on a card, by whoever held it.
"""

from __future__ import annotations

from .bids import note_delay
from .bundle import Bundle
from .closing import Closing
from .entry_types import UNLOCK, WINDOW_END
from .log import MEMBER as ENTRIES
from .log import Entry
from .manifest import Manifest
from .messages import BadLayout, Card, Unlock, read_card, read_unlock
from .report import Report
from .sealing import bidder_half_matches
from .windows import Window

Halves = dict[bytes, bytes]  # bid_id to s_B


def read_unlocks(
    bundle: Bundle, manifest: Manifest, closing: Closing, windows: list[Window], report: Report
) -> Halves:
    """All bidder halves of the forms, and the counts that WINDOW_END states."""
    halves: Halves = {}
    used: set[str] = set()
    for window in windows:
        for entry in window.of(UNLOCK):
            name = f"{'unlock' if entry['by'] == 'key' else 'card'}/{entry['sha256']}.bin"
            published = window.is_form
            report.check(
                "unlock.body", published, name, "forms only", f"envelope {window.envelope}"
            )
            used.add(name)
            if entry["result"] == 0 and published:
                _check_time(entry, window, name, report)
                _read_unlock(entry, name, bundle, manifest, closing, window, halves, report)
        _check_end(window, manifest, closing, halves, report)
    for name in [*bundle.folder("unlock/"), *bundle.folder("card/")]:
        report.check("unlock.extra", name in used, name, "a logged UNLOCK", "none")
    return halves


def _check_time(entry: Entry, window: Window, name: str, report: Report) -> None:
    last = window.last_moment_ms
    received = entry["received_ms"]
    report.check("unlock.late", received <= last, name, f"until {last}", received)
    note_delay(received, entry.server_ms, last, "unlock", name, report)
    begun = window.start.is_before(entry)
    report.check("unlock.early", begun, name, "after OPENING_START", entry.place)
    end = window.first(WINDOW_END)
    before = end is None or entry.is_before(end)
    report.check("unlock.after_end", before, name, "before WINDOW_END", entry.place)


def _read_unlock(
    entry: Entry,
    name: str,
    bundle: Bundle,
    manifest: Manifest,
    closing: Closing,
    window: Window,
    halves: Halves,
    report: Report,
) -> None:
    """The message's own bytes, and every half in it against its header."""
    raw = bundle.get(name)
    if not report.check("unlock.absent", raw is not None, name, "a member", "nothing"):
        return
    assert raw is not None
    try:
        message = read_unlock(raw) if entry["by"] == "key" else read_card(raw, b"KBIDCRD1")
    except BadLayout as error:
        report.differs("unlock.layout", name, "an UNLOCK of C11 or a card of C8", error)
        return
    report.check("unlock.name", message.sha256 == entry.hash(), name, entry.hash(), message.sha256)
    report.check("unlock.size", entry["size"] == len(raw), name, entry["size"], len(raw))
    said = (message.tender_id, message.nonce)
    same = said == (manifest.tender_id, window.start.nonce)
    report.check("unlock.window", same, name, "tender and nonce of its window", said[1])
    pairs = _pairs(message, window, name, report)
    for bid_id, half in pairs:
        bid = closing.bids.get(bid_id)
        counts = bid is not None and bid.header.envelope == window.envelope
        report.check("unlock.bid", counts, name, "a counting bid of this envelope", bid_id)
        if bid is None or not counts:
            continue
        if isinstance(message, Unlock):
            own = bid.header.bidder_pk == message.bidder_pk
            report.check("unlock.bidder", own, name, "the bidder's own bid", bid_id)
        lives = bid.submit.lot not in closing.failed_lots(manifest)
        report.check("unlock.lot", lives, name, "a lot with enough bidders", bid.submit.lot)
        matches = bidder_half_matches(bid.header, half)
        if report.check("unlock.half", matches, name, "a half that gives c_B", bid_id):
            halves[bid_id] = half


def _pairs(
    message: Unlock | Card, window: Window, name: str, report: Report
) -> tuple[tuple[bytes, bytes], ...]:
    """The (bid_id, s_B) of a message, after what only a signed one can show."""
    if isinstance(message, Card):
        return ((message.bid_id, message.half),)
    of_window = (message.envelope, message.w)
    same = of_window == (window.envelope, window.w)
    report.check("unlock.envelope", same, name, window.name, of_window)
    good = message.is_signed_by(message.bidder_pk)
    report.check("unlock.signature", good, name, "signature by bidder_pk", "not one")
    return message.halves


def _check_end(
    window: Window, manifest: Manifest, closing: Closing, halves: Halves, report: Report
) -> None:
    """WINDOW_END's count; an early end only when every bid that is opened at all was unlocked
    (formats §3).
    """
    end = window.first(WINDOW_END)
    if end is None:
        return
    failed = closing.failed_lots(manifest)
    of_number = closing.of_envelope(window.envelope)
    counting = [bid.bid_id for bid in of_number if bid.submit.lot not in failed]
    bids = {bid.submit.sha256 for bid in closing.bids.values()}
    if window.is_form:
        unlocked = sum(bid_id in halves for bid_id in counting)
        # The count is of bids unlocked in all envelopes of the session; bodies are not published.
        several = len(window.session["envelopes"]) > 1
        fits = end["unlocked"] <= unlocked if several else end["unlocked"] == unlocked
        report.check("window.unlocked", fits, ENTRIES, unlocked, end["unlocked"])
        if end["early"]:
            every = unlocked == len(counting)
            report.check("window.early", every, ENTRIES, len(counting), unlocked)
    elif end["early"]:
        report.on_word_of("window.early_bodies", window=window.name)
    if end["early"]:
        most = end["unlocked"] <= len(bids)
        report.check("window.early_count", most, ENTRIES, f"at most {len(bids)}", end["unlocked"])
