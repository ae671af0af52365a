"""Releases (招标人解密): the trustees' shares, and the bidders' own host halves (C8, C11).

Invariant: a RELEASE counts without a mismatch only if its trustee signed exactly the set of bids
that the rules name, for this window, over the checkpoint that includes the window's end. Shares of
one that broke a rule are still tried, so that the report says what else is wrong.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from .authority import check_act
from .bundle import Bundle
from .closing import Closing
from .entry_types import RELEASE, REPAIR, REPLY_END, SELF_RELEASE, TRUSTEES_LOST
from .log import MEMBER as ENTRIES
from .log import Entry, Log
from .manifest import Manifest
from .messages import BadLayout, Release, read_card, read_release
from .report import Report
from .sealing import deal_check
from .unlocks import Halves
from .windows import Window, end_checkpoint

MODE_UNLOCKED = 0


@dataclass
class Replies:
    """What came back for one window: releases by position, late ones too, and self-releases."""

    releases: dict[int, Release] = field(default_factory=dict[int, Release])
    in_time: set[int] = field(default_factory=set[int])
    own: dict[bytes, bytes] = field(default_factory=dict[bytes, bytes])  # bid_id to s_H

    def shares(self, bid_id: bytes, *, late: bool) -> dict[int, tuple[int, bytes]]:
        """(status, share) by position for one bid; with `late` those after REPLY_END too."""
        found: dict[int, tuple[int, bytes]] = {}
        for i, release in self.releases.items():
            if (late or i in self.in_time) and bid_id in release.shares:
                found[i] = release.shares[bid_id]
        return found


def expected_set(
    manifest: Manifest, closing: Closing, window: Window, halves: Halves
) -> list[bytes]:
    """Exactly the bid_ids of a RELEASE: all counting ones, or those unlocked (C11)."""
    envelope = manifest.envelope(window.envelope)
    assert envelope is not None
    counting = [bid.bid_id for bid in closing.of_envelope(window.envelope)]
    if envelope["mode"] == MODE_UNLOCKED:
        return [bid_id for bid_id in counting if bid_id in halves]
    return counting


def read_replies(
    bundle: Bundle,
    manifest: Manifest,
    closing: Closing,
    window: Window,
    halves: Halves,
    log: Log,
    report: Report,
) -> Replies:
    """All releases and self-releases of one form's window."""
    replies = Replies()
    expected = expected_set(manifest, closing, window, halves)
    reply_end = window.first(REPLY_END)
    for entry in window.of(RELEASE):
        name = f"release/{entry['sha256']}.bin"
        message = _read_release(entry, name, bundle, report)
        if message is None:
            continue
        known = _check_place(entry, message, name, manifest, window, log, report)
        listed = list(message.shares)
        exact = listed == expected
        report.check("release.set", exact, name, _ids(expected), _ids(listed))
        once = entry["i"] not in replies.releases
        if report.check("release.twice", once, name, "one of each trustee", entry.place) and known:
            replies.releases[entry["i"]] = message
            if reply_end is None or entry.is_before(reply_end):
                replies.in_time.add(entry["i"])
    for entry in window.of(TRUSTEES_LOST):
        check_act(entry, manifest, report)
    _read_own(bundle, manifest, closing, window, replies, report)
    return replies


def _ids(bid_ids: list[bytes]) -> str:
    return f"{len(bid_ids)}: " + " ".join(bid_id.hex()[:8] for bid_id in bid_ids)


def _read_release(entry: Entry, name: str, bundle: Bundle, report: Report) -> Release | None:
    raw = bundle.get(name)
    if not report.check("release.absent", raw is not None, name, "a member", "nothing"):
        return None
    assert raw is not None
    try:
        message = read_release(raw)
    except BadLayout as error:
        report.differs("release.layout", name, "a RELEASE of C11", error)
        return None
    report.check("release.name", message.sha256 == entry.hash(), name, entry.hash(), message.sha256)
    report.check("release.size", entry["size"] == len(raw), name, entry["size"], len(raw))
    return message


def _check_place(
    entry: Entry,
    message: Release,
    name: str,
    manifest: Manifest,
    window: Window,
    log: Log,
    report: Report,
) -> bool:
    """Whose it is, for which window, and over which checkpoint; whether there is such a trustee."""
    envelope = manifest.envelope(window.envelope)
    assert envelope is not None
    said = (message.tender_id, message.nonce, message.envelope)
    same = said == (manifest.tender_id, window.start.nonce, window.envelope)
    report.check("release.window", same, name, "tender, nonce and envelope of its window", said[1])
    place = (message.i, message.mode)
    logged = place == (entry["i"], entry["mode"])
    report.check("release.entry", logged, name, (entry["i"], entry["mode"]), place)
    lawful = message.mode == envelope["mode"]
    report.check("release.mode", lawful, name, envelope["mode"], message.mode)
    trustees = manifest.trustees(envelope)
    known = message.i <= len(trustees)
    if report.check("release.trustee", known, name, f"1 to {len(trustees)}", message.i):
        trustee = trustees[message.i - 1]
        good = message.is_signed_by(bytes.fromhex(trustee["spk"]))
        report.check("release.signature", good, name, f"signature of {trustee['name']}", "not one")
        alive = entry["received_ms"] <= trustee["expiry_ms"]
        report.check("release.expiry", alive, name, trustee["expiry_ms"], entry["received_ms"])
    ordered = entry["received_ms"] <= entry.server_ms
    report.check("release.received", ordered, name, entry.server_ms, entry["received_ms"])
    checkpoint = end_checkpoint(window, log)
    if checkpoint is not None:
        bound = (message.root, message.size) == (checkpoint.root, checkpoint.size)
        report.check("release.checkpoint", bound, name, checkpoint.root, message.root)
        after = entry.index >= checkpoint.size
        report.check("release.early", after, name, "after the window's end", entry.place)
    return known and logged


def _read_own(
    bundle: Bundle,
    manifest: Manifest,
    closing: Closing,
    window: Window,
    replies: Replies,
    report: Report,
) -> None:
    """Self-releases (自行公布): between the first RELEASE or TRUSTEES_LOST and REPLY_END (C8)."""
    first, reply_end = window.first(RELEASE, TRUSTEES_LOST), window.first(REPLY_END)
    for entry in window.of(SELF_RELEASE):
        name = f"self/{entry['sha256']}.bin"
        raw = bundle.get(name)
        if not report.check("self.absent", raw is not None, name, "a member", "nothing"):
            continue
        assert raw is not None
        try:
            message = read_card(raw, b"KBIDSLF1")
        except BadLayout as error:
            report.differs("self.layout", name, "a self-release of C8", error)
            continue
        report.check(
            "self.name", message.sha256 == entry.hash(), name, entry.hash(), message.sha256
        )
        said = (message.tender_id, message.nonce, message.bid_id)
        same = said == (manifest.tender_id, window.start.nonce, entry.hash("bid_id"))
        report.check("self.window", same, name, "tender, nonce and bid of its entry", said[2])
        bid = closing.bids.get(message.bid_id)
        dealt = bid is not None and deal_check(bid.header, message.half)
        report.check("self.half", dealt, name, "a half that passes DEAL CHECK", "not one")
        begun = first is not None and first.is_before(entry)
        open_ = begun and (reply_end is None or entry.is_before(reply_end))
        report.check(
            "self.time", open_, name, "after the first release, before REPLY_END", entry.place
        )
        if dealt and open_:
            replies.own[message.bid_id] = message.half


def check_files(bundle: Bundle, windows: list[Window], faulty: set[str], report: Report) -> None:
    """Every release/ and self/ member is logged, or is the evidence of a logged fault."""
    used = set(faulty)
    for window in windows:
        used |= {f"release/{entry['sha256']}.bin" for entry in window.of(RELEASE)}
        used |= {f"self/{entry['sha256']}.bin" for entry in window.of(SELF_RELEASE)}
        for entry in window.of(RELEASE, SELF_RELEASE):
            is_form = window.is_form
            report.check("release.body", is_form, ENTRIES, "forms only", entry.place)
    for name in [*bundle.folder("release/"), *bundle.folder("self/")]:
        report.check("release.extra", name in used, name, "a logged message", "none")


def check_repairs(closing: Closing, log: Log, windows: list[Window], report: Report) -> None:
    """REPAIR (修复存储) stored the very same ciphertext, its root being the header's, before the
    replies to its window ended (C3).
    """
    for entry in log.of(REPAIR):
        bid = closing.bids.get(entry.hash("bid_id"))
        same = bid is not None and bid.header.ct_root == entry.hash("ct_root")
        report.check("repair.root", same, ENTRIES, "the header's ct_root", entry.place)
        over = [w.first(REPLY_END) for w in windows if bid and w.envelope == bid.header.envelope]
        timely = all(end is None or entry.is_before(end) for end in over)
        report.check("repair.order", timely, ENTRIES, "before REPLY_END", entry.place)
