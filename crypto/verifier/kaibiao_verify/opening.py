"""Opening the forms (开启): the state of every counting bid, by bytes alone (sealing C3, C5).

Invariant: a state depends on headers, halves, shares and stored bytes, never on what the host says
it is. Only two things must be believed and are listed so: that bytes were damaged when they are
not shown, and nothing else.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from .bids import Bid
from .bundle import Bundle
from .closing import Closing
from .form import open_form
from .manifest import Manifest
from .primitives.hashes import sha256
from .releases import Replies
from .report import Report
from .sealing import (
    content_key,
    deal_check,
    find_host_half,
    is_intact,
    open_payload,
    shares_of,
)
from .unlocks import Halves

Fault = tuple[int, bytes, str]  # position, bid_id, "share" or "unreadable"
UNREADABLE = (1, 2)  # statuses that call a box bad


@dataclass
class Opened:
    """What opening one window's forms gave: states, forms with their hashes, trustees' faults."""

    states: dict[bytes, str] = field(default_factory=dict[bytes, str])
    forms: dict[bytes, dict[str, Any]] = field(default_factory=dict[bytes, dict[str, Any]])
    hashes: dict[bytes, bytes] = field(default_factory=dict[bytes, bytes])
    faults: set[Fault] = field(default_factory=set[Fault])


def open_forms(
    bundle: Bundle,
    manifest: Manifest,
    closing: Closing,
    envelope: int,
    halves: Halves,
    replies: Replies,
    claimed: dict[bytes, str],
    report: Report,
) -> Opened:
    """C3 for every counting form of an envelope number; `claimed` is the host's frozen.json."""
    opened = Opened()
    first: tuple[int, ...] | None = None
    for bid in closing.of_envelope(envelope):
        bid_id = bid.bid_id
        if bid_id not in halves:
            opened.states[bid_id] = "locked"
            continue
        s_H, first = _host_half(bid, replies, first)
        if s_H is None:
            opened.states[bid_id] = "unrecoverable"
            continue
        dealt = deal_check(bid.header, s_H)
        if dealt:
            opened.faults |= _faults(bid, s_H, replies)
        if not dealt or content_key(bid.header, halves[bid_id], s_H) is None:
            opened.states[bid_id] = "malformed"
            _check_spare(bid, bundle, report)
            continue
        state, form = _open_bytes(
            bid, halves[bid_id], s_H, bundle, manifest, claimed.get(bid_id), report
        )
        opened.states[bid_id] = state
        if form is not None:
            opened.forms[bid_id], raw = form
            opened.hashes[bid_id] = sha256(raw)
    return opened


def _host_half(
    bid: Bid, replies: Replies, first: tuple[int, ...] | None
) -> tuple[bytes | None, tuple[int, ...] | None]:
    """s_H from t valid shares before REPLY_END, else from the bidder's own release."""
    answers = replies.shares(bid.bid_id, late=False)
    shares = {i: share for i, (status, share) in answers.items() if status == 0}
    found = find_host_half(bid.header, shares, first)
    if found is not None:
        return found
    return replies.own.get(bid.bid_id), first


def _faults(bid: Bid, s_H: bytes, replies: Replies) -> set[Fault]:
    """C5: with a good dealing, whoever sent another share or called its box bad is named."""
    dealt = shares_of(bid.header, s_H)
    found: set[Fault] = set()
    for i, (status, share) in replies.shares(bid.bid_id, late=True).items():
        if status == 0 and share != dealt[i - 1]:
            found.add((i, bid.bid_id, "share"))
        elif status in UNREADABLE:
            found.add((i, bid.bid_id, "unreadable"))
    return found


def _check_spare(bid: Bid, bundle: Bundle, report: Report) -> None:
    """Bytes of a form whose dealing already failed change nothing, but must be the bidder's."""
    name = f"forms/{bid.bid_id.hex()}.kbc"
    payload = bundle.get(name)
    if payload is not None:
        intact = is_intact(bid.header, payload)
        report.check("form.ct_root", intact, name, bid.header.ct_root, "another root")


def _open_bytes(
    bid: Bid,
    s_B: bytes,
    s_H: bytes,
    bundle: Bundle,
    manifest: Manifest,
    claimed: str | None,
    report: Report,
) -> tuple[str, tuple[dict[str, Any], bytes] | None]:
    """From stored bytes to a form: damaged, malformed or opened."""
    name = f"forms/{bid.bid_id.hex()}.kbc"
    payload = bundle.get(name)
    if payload is None:
        if report.check("form.absent", claimed == "damaged", name, "a member", "nothing"):
            report.on_word_of("form.damaged", bid_id=bid.bid_id)
        return "damaged", None
    if not report.check(
        "form.ct_root", is_intact(bid.header, payload), name, bid.header.ct_root, "another root"
    ):
        return "damaged", None
    plaintext = open_payload(bid.header, s_B, s_H, payload)
    form = open_form(plaintext, manifest, bid) if plaintext is not None else None
    return ("malformed", None) if form is None else ("opened", form)


def check_forms_listed(bundle: Bundle, opened: list[Opened], report: Report) -> None:
    """forms/ holds opened and malformed forms, nothing else (formats §8)."""
    wanted = {
        f"forms/{bid_id.hex()}.kbc"
        for one in opened
        for bid_id, state in one.states.items()
        if state in ("opened", "malformed", "damaged")
    }
    for name in bundle.folder("forms/"):
        report.check("form.extra", name in wanted, name, "of an unlocked bid", "of another")
