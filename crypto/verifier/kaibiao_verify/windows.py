"""Windows (解密时段): their order, changes and ends by sealing C1 and formats §3.

Invariant: every entry that names a window names a known one; a window opens only after the closing
was under a signed checkpoint, never gets shorter, and is never opened again after a release.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from itertools import pairwise
from typing import Any

from .checkpoints import CLOSING
from .entry_types import (
    OPENING_START,
    READ_OUT,
    RELEASE,
    REPLY_END,
    SELF_RELEASE,
    SET_FROZEN,
    TRUSTEE_FAULT,
    TRUSTEES_LOST,
    UNLOCK,
    WINDOW_CHANGE,
    WINDOW_END,
)
from .log import MEMBER, Entry, Log
from .manifest import Manifest
from .notes import Checkpoint
from .report import Report

OF_A_WINDOW = (
    WINDOW_CHANGE,
    UNLOCK,
    WINDOW_END,
    RELEASE,
    SELF_RELEASE,
    TRUSTEES_LOST,
    REPLY_END,
    TRUSTEE_FAULT,
    SET_FROZEN,
    READ_OUT,
)
APPEND_MS_MAX = 2000  # between a decision that counts from "now" and its entry
ONCE = (WINDOW_END, TRUSTEES_LOST, REPLY_END, SET_FROZEN, READ_OUT)


@dataclass
class Window:
    """One window of one envelope number: its OPENING_START and every entry that names its nonce."""

    start: Entry
    session: dict[str, Any]
    is_form: bool
    entries: list[Entry] = field(default_factory=list[Entry])
    end_ms: int = 0  # the last announced end
    paused: bool = False

    @property
    def envelope(self) -> int:
        """Its envelope number."""
        return self.start["envelope"]

    @property
    def w(self) -> int:
        """Its number: 1, and one more for each restart."""
        return self.start["w"]

    @property
    def name(self) -> str:
        """As in the names of members: envelope-w."""
        return f"{self.envelope}-{self.w}"

    @property
    def checkpoint_member(self) -> str:
        """The checkpoint that includes its WINDOW_END."""
        return f"log/window-end-{self.name}.txt"

    def of(self, *numbers: int) -> list[Entry]:
        """Its entries of these types, in log order."""
        return [entry for entry in self.entries if entry.number in numbers]

    def first(self, *numbers: int) -> Entry | None:
        """The first of its entries of these types."""
        return next(iter(self.of(*numbers)), None)

    @property
    def last_moment_ms(self) -> int:
        """Until when an unlock is in time: the announced end, or the moment of an early one."""
        end = self.first(WINDOW_END)
        return end.server_ms if end is not None and end["early"] else self.end_ms


def read_windows(manifest: Manifest, log: Log, report: Report) -> list[Window]:
    """All windows in log order, with the rules about order, time and restarts checked."""
    windows: dict[bytes, Window] = {}
    for entry in log.of(OPENING_START):
        session = manifest.session(entry["session"])
        opens = session is not None and entry["envelope"] in session["envelopes"]
        if not report.check("window.session", opens, MEMBER, "an envelope of it", entry.place):
            continue
        assert session is not None
        fresh = entry.nonce not in windows
        if report.check("window.nonce", fresh, MEMBER, "a nonce of its own", entry.place):
            is_form = manifest.is_form(entry["envelope"])
            windows[entry.nonce] = Window(entry, session, is_form, [], entry["end_ms"])
    for entry in log.of(*OF_A_WINDOW):
        window = windows.get(entry.nonce)
        if report.check("window.unknown", window is not None, MEMBER, "a known nonce", entry.place):
            assert window is not None
            window.entries.append(entry)
    found = list(windows.values())
    for window in found:
        window.entries.sort(key=lambda one: (one.index, one.server_ms))
        _check_start(window, log, report)
        _check_changes(window, report)
        _check_end(window, report)
        _check_once(window, report)
    _check_restarts(found, report)
    _check_together(found, report)
    _check_checkpoints(found, log, report)
    return found


def _check_start(window: Window, log: Log, report: Report) -> None:
    """C1.1: only after DEADLINE_CLOSED was under a signed checkpoint; as long as promised."""
    start = window.start
    closing = log.checkpoints.get(CLOSING)
    if closing is not None:
        after = start.index >= closing.size
        report.check("window.before_closing", after, MEMBER, f"from {closing.size}", start.index)
    length, promised = start["end_ms"] - start["start_ms"], window.session["window_ms"]
    report.check("window.length", length >= promised, MEMBER, f"{promised} ms", length)
    earliest = start.server_ms - APPEND_MS_MAX
    honest = start["start_ms"] >= earliest
    report.check("window.start", honest, MEMBER, f"from {earliest}", start["start_ms"])


def _check_changes(window: Window, report: Report) -> None:
    """C1.2: a change never shortens. Leaves the last end in the window."""
    remaining = 0
    end = window.first(WINDOW_END)
    for entry in window.of(WINDOW_CHANGE):
        kind, end_ms = entry["change"], entry["end_ms"]
        in_order = kind == "extend" or window.paused == (kind == "resume")
        report.check("window.change", in_order, MEMBER, "pause, then resume", entry.place)
        least = window.end_ms
        if kind == "pause":
            remaining = entry["remaining_ms"] or 0
            left = window.end_ms - entry.server_ms
            report.check("window.remaining", remaining >= left, MEMBER, left, remaining)
        elif kind == "resume":
            least = max(least, entry.server_ms - APPEND_MS_MAX + remaining)
        else:
            remaining += end_ms - window.end_ms
        report.check("window.shorter", end_ms >= least, MEMBER, f"at least {least}", end_ms)
        before = end is None or entry.is_before(end)
        report.check("window.change_late", before, MEMBER, "before WINDOW_END", entry.place)
        window.paused = kind == "pause" or (kind == "extend" and window.paused)
        window.end_ms = max(window.end_ms, end_ms)


def _check_end(window: Window, report: Report) -> None:
    """C1.3: not before the last announced end, unless early (formats §3; the unlocks are checked
    with the halves)."""
    end = window.first(WINDOW_END)
    if end is None:
        return
    after = window.start.is_before(end)
    report.check("window.end_order", after, MEMBER, "after OPENING_START", end.place)
    if end["early"]:
        allowed = window.session["early_end"]
        report.check("window.early_forbidden", allowed, MEMBER, "no early end", end.place)
        return
    report.check(
        "window.end_ms", end["end_ms"] == window.end_ms, MEMBER, window.end_ms, end["end_ms"]
    )
    report.check("window.paused", not window.paused, MEMBER, "no end in a pause", end.place)
    over = end.server_ms >= window.end_ms
    report.check("window.end_early", over, MEMBER, f"from {window.end_ms}", end.server_ms)


def _check_once(window: Window, report: Report) -> None:
    for number in ONCE:
        entries = window.of(number)
        for entry in entries[1:]:
            report.differs("window.twice", MEMBER, "one for a window", entry.place)


def _check_restarts(windows: list[Window], report: Report) -> None:
    """C1.4: w counts from 1; a restart follows a WINDOW_END and no release ever."""
    for number in sorted({one.envelope for one in windows}):
        of_number = [one for one in windows if one.envelope == number]
        counted = [one.w for one in of_number] == list(range(1, len(of_number) + 1))
        report.check("window.number", counted, MEMBER, "w = 1, 2, ...", f"envelope {number}")
        for earlier, later in pairwise(of_number):
            end = earlier.first(WINDOW_END)
            ended = end is not None and end.is_before(later.start)
            report.check("window.running", ended, MEMBER, "WINDOW_END first", later.start.place)
            final = earlier.first(RELEASE, TRUSTEES_LOST, REPLY_END, SET_FROZEN)
            report.check(
                "window.restart",
                final is None,
                MEMBER,
                "no window after a release",
                later.start.place,
            )


def _check_together(windows: list[Window], report: Report) -> None:
    """formats §3: all envelopes of a session open, change and end together."""
    for number in sorted({one.session["session"] for one in windows}):
        of_session = [one for one in windows if one.session["session"] == number]
        for w in sorted({one.w for one in of_session}):
            group = [one for one in of_session if one.w == w]
            opened = sorted(one.envelope for one in group)
            complete = opened == group[0].session["envelopes"]
            place = f"session {number}, window {w}"
            report.check("window.together", complete, MEMBER, group[0].session["envelopes"], place)
            moments = {
                (
                    one.start["start_ms"],
                    one.start["end_ms"],
                    one.end_ms,
                    one.first(WINDOW_END) is None,
                )
                for one in group
            }
            same = len(moments) == 1
            report.check("window.apart", same, MEMBER, "the same start and end", place)


def _check_checkpoints(windows: list[Window], log: Log, report: Report) -> None:
    """log/window-end-<envelope>-<w>.txt: one for each end, and it includes the WINDOW_END."""
    known = {one.checkpoint_member: one for one in windows}
    for name, checkpoint in log.checkpoints.items():
        if name.startswith("log/window-end-"):
            window = known.get(name)
            report.check("window.no_such", window is not None, name, "a window of the log", "none")
            end = window.first(WINDOW_END) if window is not None else None
            under = end is not None and end.index < checkpoint.size
            report.check("window.not_under", under, name, "WINDOW_END under it", checkpoint.size)
    for window in windows:
        if window.first(WINDOW_END) is not None:
            name = window.checkpoint_member
            there = name in log.checkpoints
            report.check("window.no_checkpoint", there, name, "a signed checkpoint", "none")


def end_checkpoint(window: Window, log: Log) -> Checkpoint | None:
    """The checkpoint to which the releases of a window are bound."""
    return log.checkpoints.get(window.checkpoint_member)
