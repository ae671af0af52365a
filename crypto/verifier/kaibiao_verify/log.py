"""The disclosed entries of the site log (存证日志), each with its way to the final checkpoint.

Invariant: an entry is in a `Log` only if its batch path and its inclusion proof end in the root of
the final checkpoint; its place (second, slot) and its `server_ms` obey C13 and C14.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

from .bundle import Bundle
from .checkpoints import FINAL
from .entry_types import ENTRY_MAX, PUBLIC, read_entry
from .jcs import NotCanonical, read
from .manifest import Manifest
from .notes import Checkpoint
from .primitives.merkle import BATCH_DEPTH, batch_root, root_from_path, site_leaf
from .report import Report
from .schema import WrongShape, array, hexadecimal, integer, pattern, record

MEMBER = "log/entries.jsonl"
LINE_MAX = 32_768
TICK_SLACK_MS = 2000
PROOF = record(
    entry=pattern(f"([0-9a-f]{{2}}){{18,{ENTRY_MAX}}}"),
    slot=integer(0, 2**BATCH_DEPTH - 1),
    siblings=array(hexadecimal(32), BATCH_DEPTH, BATCH_DEPTH),
    tick_ms=integer(),
    index=integer(),
    size=integer(1),
    path=array(hexadecimal(32), 0, 64),
)


@dataclass(frozen=True)
class Entry:
    """One entry: type number, members, and where it stands in the log."""

    number: int
    members: dict[str, Any]
    index: int
    slot: int
    tick_ms: int
    leaf: bytes
    place: str  # for people: "line 12 (SUBMIT)"

    def __getitem__(self, name: str) -> Any:
        return self.members[name]

    @property
    def server_ms(self) -> int:
        """When it was decided and appended."""
        return self.members["server_ms"]

    @property
    def nonce(self) -> bytes:
        """The window that the entry belongs to."""
        return bytes.fromhex(self.members["nonce"])

    def hash(self, name: str = "sha256") -> bytes:
        """A 32-byte member."""
        return bytes.fromhex(self.members[name])

    def is_before(self, other: Entry) -> bool:
        """Not later than the other: slots inside one second are random, so `server_ms` decides."""
        return self.index <= other.index and self.server_ms <= other.server_ms


@dataclass(frozen=True)
class Log:
    """The proved entries in log order, and the checkpoints by member name."""

    entries: tuple[Entry, ...]
    checkpoints: dict[str, Checkpoint]

    def of(self, *numbers: int) -> list[Entry]:
        """The entries of these types, in log order."""
        return [entry for entry in self.entries if entry.number in numbers]


def read_proof(raw: bytes) -> dict[str, Any]:
    """A line of entries.jsonl, or the proof of a receipt: raises NotCanonical or WrongShape."""
    value: Any = read(raw, size_max=LINE_MAX)
    PROOF(value, "")
    return value


def proof_leaf(proof: dict[str, Any]) -> bytes:
    """The leaf hash of the second in which the entry stands."""
    siblings = [bytes.fromhex(one) for one in proof["siblings"]]
    batch = batch_root(bytes.fromhex(proof["entry"]), proof["slot"], siblings)
    assert batch is not None  # The shape fixed slot and depth.
    return site_leaf(proof["tick_ms"], batch)


def proof_root(proof: dict[str, Any], leaf: bytes) -> bytes | None:
    """The root of the tree of `size` leaves that the proof leads to."""
    path = [bytes.fromhex(one) for one in proof["path"]]
    return root_from_path(leaf, proof["index"], proof["size"], path)


def _lines(raw: bytes, report: Report) -> Iterator[tuple[int, bytes]]:
    lines = raw.split(b"\n")
    report.check("entries.lines", lines[-1] == b"", MEMBER, "a line feed at the end", lines[-1])
    yield from enumerate(lines[:-1], 1)


def _read_line(line: int, raw: bytes, final: Checkpoint | None, report: Report) -> Entry | None:
    try:
        proof = read_proof(raw)
        number, members = read_entry(bytes.fromhex(proof["entry"]))
    except NotCanonical as error:
        report.differs("entries.canonical", MEMBER, "a proof of a public entry", f"{line}: {error}")
        return None
    except WrongShape as error:
        expected = f"line {line}, {error.where}: {error.expected}"
        report.differs("entries.shape", MEMBER, expected, error.found)
        return None
    place = f"line {line} ({PUBLIC[number].name})"
    leaf = proof_leaf(proof)
    entry = Entry(number, members, proof["index"], proof["slot"], proof["tick_ms"], leaf, place)
    if final is None:
        return None
    if not report.check(
        "entries.size", proof["size"] == final.size, MEMBER, final.size, f"{place}: {proof['size']}"
    ):
        return None
    good = proof_root(proof, leaf) == final.root
    return entry if report.check("entries.proof", good, MEMBER, final.root, place) else None


def read_log(
    bundle: Bundle, manifest: Manifest, checkpoints: dict[str, Checkpoint], report: Report
) -> Log:
    """Prove every entry under log/final.txt and check the rules of C13 and C14 about time."""
    raw = bundle.get(MEMBER) or b""
    final = checkpoints.get(FINAL)
    entries: list[Entry] = []
    for line, text in _lines(raw, report):
        entry = _read_line(line, text, final, report)
        if entry is not None:
            entries.append(entry)
    tender_id = manifest.tender_id.hex()
    for entry in entries:
        named = entry.members.get("tender_id", tender_id)
        report.check("entries.tender", named == tender_id, MEMBER, tender_id, entry.place)
        earliest = entry.tick_ms - TICK_SLACK_MS
        report.check(
            "entries.server_ms",
            earliest <= entry.server_ms <= entry.tick_ms,
            MEMBER,
            f"{earliest} to {entry.tick_ms}",
            f"{entry.place}: {entry.server_ms}",
        )
    for a, b in pairwise(entries):
        ordered = (a.index, a.slot) < (b.index, b.slot)
        report.check("entries.order", ordered, MEMBER, "log order", f"{a.place}, {b.place}")
        rising = a.tick_ms == b.tick_ms if a.index == b.index else a.tick_ms < b.tick_ms
        report.check(
            "entries.tick", rising, MEMBER, "seconds that rise", f"{a.tick_ms}, {b.tick_ms}"
        )
    _note_seconds(entries, report)
    return Log(tuple(sorted(entries, key=lambda one: (one.index, one.slot))), checkpoints)


def _note_seconds(entries: list[Entry], report: Report) -> None:
    """C13: one leaf a second; seconds without a leaf are told to the reader."""
    if entries:
        seconds = (entries[-1].tick_ms - entries[0].tick_ms) // 1000
        leaves = entries[-1].index - entries[0].index
        if seconds != leaves:
            report.on_word_of("log.seconds", seconds=seconds, leaves=leaves)
