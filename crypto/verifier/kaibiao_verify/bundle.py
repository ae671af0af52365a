"""The opening bundle as a zip file (开标包), read with limits before anything in it is believed.

Invariant: a member is in `members` only if its name is one of formats §8, it appears once, and it
is no larger than its kind allows; nothing is ever written to disk. Content is judged elsewhere.
"""

from __future__ import annotations

import re
import stat
import zipfile
import zlib
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

from .report import Report, UnreadableBundle

ARCHIVE_MAX = 1 << 30
MEMBERS_MAX = 100_000
CONTENT_MAX = 1 << 30  # all members together, unpacked
MANIFEST_MAX = 262_144
KIB, MIB = 1 << 10, 1 << 20
HEX32 = "[0-9a-f]{64}"
WINDOW = "[1-9][0-9]{0,9}-[1-9][0-9]{0,4}"  # envelope number, window number


class Kind(NamedTuple):
    """A kind of member: how its name looks, and how many bytes it may have unpacked."""

    name: re.Pattern[str]
    size_max: int


KINDS = tuple(
    Kind(re.compile(name, re.ASCII), size_max)
    for name, size_max in (
        (r"index\.json", 32 * MIB),
        (r"index\.sig", KIB),
        (r"manifest\.json", MANIFEST_MAX),
        (r"manifest\.sig\.json", 64 * KIB),
        (rf"log/(closing|final|window-end-{WINDOW})\.txt", 16 * KIB),
        (r"log/consistency\.json", MIB),
        (r"log/entries\.jsonl", 256 * MIB),
        (r"closed\.json", 8 * MIB),
        (rf"submit/{HEX32}\.bin", 180 + 36 * 16),
        (rf"headers/{HEX32}\.kbh", 404 + 144 * 9 + 64),
        (rf"forms/{HEX32}\.kbc", 65_536 + 16),
        (rf"unlock/{HEX32}\.bin", 176 + 64 * 256),
        (rf"release/{HEX32}\.bin", 188 + 65 * MEMBERS_MAX),
        (rf"(card|self)/{HEX32}\.bin", 136),
        (rf"acks/{HEX32}\.bin", 154),
        (rf"frozen(-{WINDOW})?\.json", 32 * MIB),
        (rf"readout(-{WINDOW})?\.json", 128 * MIB),
        (r"journal\.jsonl", 512 * MIB),
    )
)
REQUIRED = (
    "index.json",
    "index.sig",
    "manifest.json",
    "manifest.sig.json",
    "log/closing.txt",
    "log/final.txt",
    "log/consistency.json",
    "log/entries.jsonl",
    "closed.json",
    "journal.jsonl",
)
# What the zip module raises for a member whose packed bytes were altered.
DAMAGE = (zipfile.BadZipFile, zlib.error, EOFError, OSError, ValueError, NotImplementedError)


@dataclass(frozen=True)
class Bundle:
    """All members by name, in the archive's order."""

    members: dict[str, bytes]

    def get(self, name: str) -> bytes | None:
        """The bytes of a member, or None if the bundle does not have it."""
        return self.members.get(name)

    def folder(self, prefix: str) -> dict[str, bytes]:
        """The members whose names begin with `prefix`, by full name."""
        return {name: raw for name, raw in self.members.items() if name.startswith(prefix)}


def size_limit(name: str) -> int | None:
    """How large a member of this name may be; None if a bundle has no such member."""
    for kind in KINDS:
        if kind.name.fullmatch(name):
            return kind.size_max
    return None


def _read(archive: zipfile.ZipFile, item: zipfile.ZipInfo, report: Report) -> bytes | None:
    """One member's bytes if its name, packing and size are lawful."""
    name, limit = item.filename, size_limit(item.filename)
    if limit is None:
        report.differs("bundle.name", shown_name(name), "a member of formats §8", shown_name(name))
        return None
    if not report.check("bundle.size", item.file_size <= limit, name, limit, item.file_size):
        return None
    plain = item.compress_type in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)
    if not report.check(
        "bundle.packing", plain and not item.flag_bits & 1, name, "stored or deflated", "other"
    ):
        return None
    try:
        with archive.open(item) as stream:
            raw = stream.read(limit + 1)
    except DAMAGE as error:
        report.differs("bundle.damaged", name, "intact packed bytes", type(error).__name__)
        return None
    if not report.check("bundle.size", len(raw) == item.file_size, name, item.file_size, len(raw)):
        return None
    return raw


def shown_name(name: str) -> str:
    """A member's name as it may be printed: a hostile name could hold anything."""
    plain = (c if c.isascii() and c.isprintable() else f"\\u{ord(c):04x}" for c in name[:120])
    return "".join(plain)


def open_bundle(path: Path, report: Report) -> Bundle:
    """Read every lawful member of a bundle into memory.

    Raises UnreadableBundle when the file cannot be opened, is no zip file, or is larger than any
    bundle; a member that breaks a rule is reported as a mismatch and left out.
    """
    members: dict[str, bytes] = {}
    total = 0
    try:
        # A pipe would let us wait for ever, and a device has no end.
        if not stat.S_ISREG(path.stat().st_mode):
            raise UnreadableBundle("bundle.not_a_zip", "no file")
        if path.stat().st_size > ARCHIVE_MAX:
            raise UnreadableBundle("bundle.too_large", str(ARCHIVE_MAX))
        with zipfile.ZipFile(path) as archive:
            items = archive.infolist()
            if len(items) > MEMBERS_MAX:
                raise UnreadableBundle("bundle.too_many_members", str(MEMBERS_MAX))
            names = [item.filename for item in items]
            report.check("bundle.order", names == sorted(names), "(zip)", "sorted names", "others")
            for item in items:
                name = item.filename
                if name in members:
                    report.differs("bundle.twice", shown_name(name), "one member", "two")
                    continue
                total += item.file_size
                if total > CONTENT_MAX:
                    raise UnreadableBundle("bundle.too_large", str(CONTENT_MAX))
                raw = _read(archive, item, report)
                if raw is not None:
                    members[name] = raw
    except DAMAGE as error:
        raise UnreadableBundle("bundle.not_a_zip", type(error).__name__) from error
    for name in REQUIRED:
        report.check("bundle.missing", name in members, name, "a member", "nothing")
    return Bundle(members)
