"""Segments (分段): the files of one track, named 000001.krj and on, each chained to the one before.

The head of a segment holds the SHA-256 of the segment before it, so a track is one chain of files
and its last hash vouches for all of them. Invariant: a segment is written by one process once; a
process that comes later closes what it finds and begins a new one.
"""

import hashlib
import os
import re
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Final, Literal

from media.recording.errors import RecordingRefused
from media.recording.records import Kind, Record, body_json, json_body, records_in, resync

FORMAT: Final = 1
SEGMENT_BYTES_MAX: Final = 64 << 20
# One batch may end behind the limit; a file longer than this was not written by us.
SEGMENT_READ_MAX: Final = SEGMENT_BYTES_MAX + (8 << 20)
SEGMENTS_MAX: Final = 100_000
TAIL_BYTES_MAX: Final = 16 << 20  # of a torn tail, looked at to say how much it held
NAME: Final = re.compile(r"[a-z0-9][a-z0-9._-]{0,63}")
SUFFIX: Final = ".krj"
CODECS: Final = {"opus": "audio", "h264": "video", "vp8": "video"}
NO_HASH: Final = ""
UNWRITTEN_MS_MAX: Final = 1000  # what the writing thread promises, see ``writing``
_FILE: Final = re.compile(r"[0-9]{6}\.krj")


def checked_name(name: str) -> str:
    """A name that may be part of a path. Raises RecordingRefused ``recording.name``."""
    if not NAME.fullmatch(name):
        raise RecordingRefused("recording.name", repr(name)[:80])
    return name


@dataclass(frozen=True, slots=True)
class TrackFormat:
    """What the packets of a track are: codec, RTP clock in Hz, RTP payload type."""

    codec: str
    clock_rate: int
    payload_type: int

    def __post_init__(self) -> None:
        if self.codec not in CODECS:
            raise RecordingRefused("track.codec", self.codec[:20])
        if not (8_000 <= self.clock_rate <= 192_000 and 0 <= self.payload_type <= 127):
            raise RecordingRefused("track.format")

    @property
    def kind(self) -> str:
        """``audio`` or ``video``."""
        return CODECS[self.codec]


@dataclass(frozen=True, slots=True)
class SegmentHead:
    """First record of every segment. ``previous``: SHA-256 of the segment before, or ""."""

    recording: str
    track: str
    segment: int
    previous: str
    format: TrackFormat

    def encode(self) -> bytes:
        members = asdict(self) | asdict(self.format) | {"format": FORMAT}
        return json_body(members)

    @classmethod
    def decode(cls, body: bytes) -> "SegmentHead":
        """Raises RecordingRefused ``segment.head`` and those of its parts."""
        said = body_json(body)
        try:
            if said["format"] != FORMAT:
                raise RecordingRefused("segment.format")
            number, previous = _integer(said["segment"]), said["previous"]
            if not (1 <= number <= SEGMENTS_MAX and re.fullmatch(r"([0-9a-f]{64})?", previous)):
                raise RecordingRefused("segment.head")
            form = TrackFormat(
                said["codec"], _integer(said["clock_rate"]), _integer(said["payload_type"])
            )
            names = checked_name(said["recording"]), checked_name(said["track"])
            return cls(*names, number, previous, form)
        except (KeyError, TypeError) as error:
            raise RecordingRefused("segment.head") from error


@dataclass(frozen=True, slots=True)
class SegmentClosed:
    """A segment that will not change any more, to be journaled (封存). Hash is SHA-256, hex."""

    recording: str
    track: str
    segment: int
    bytes: int
    packets: int
    first_utc_ms: int
    last_utc_ms: int
    sha256: str
    previous: str


@dataclass(frozen=True, slots=True)
class Loss:
    """What a crash took from the end of a track.

    ``kept_until_ms``: UTC of the last record that is whole. ``torn_bytes`` were cut off the file;
    ``torn_ms`` is how far what could still be read in them went on. What never reached the file is
    in neither, and is at most ``unwritten_ms_max``.
    """

    track: str
    kept_until_ms: int
    torn_bytes: int
    torn_ms: int
    unwritten_ms_max: int


@dataclass(frozen=True, slots=True)
class Segment:
    """A segment that was read: ``ended`` if its track was ended in order in it.

    ``kept_until_ms`` is the UTC time of its last whole record, ``last_readable_ms`` that of the
    last one that could be found in the torn tail.
    """

    head: SegmentHead
    good_bytes: int
    raw_bytes: int
    packets: int
    first_ms: int
    kept_until_ms: int
    last_readable_ms: int
    ended: bool
    sha256: str

    def closed(self) -> SegmentClosed:
        """As it stands on the disk once its torn tail is gone; ``sha256`` is of those bytes."""
        return SegmentClosed(
            self.head.recording, self.head.track, self.head.segment, self.good_bytes, self.packets,
            self.first_ms, self.kept_until_ms, self.sha256, self.head.previous,
        )  # fmt: skip


def segment_path(folder: Path, number: int) -> Path:
    return folder / f"{number:06d}{SUFFIX}"


def segment_numbers(folder: Path) -> list[int]:
    """Numbers of the segments in a track's folder, ascending. Other files are not ours."""
    names = os.listdir(folder) if folder.is_dir() else []
    return sorted(int(name[:6]) for name in names if _FILE.fullmatch(name))


def read_segment(path: Path) -> Segment | None:
    """What a segment holds, as far as it checks out; None if not even its head does.

    Raises RecordingRefused ``segment.too_long`` and those of the head.
    """
    size = path.stat().st_size
    if size > SEGMENT_READ_MAX:
        raise RecordingRefused("segment.too_long", path.name)
    digest = hashlib.sha256()
    head, last, good, packets, first_ms = None, None, 0, 0, 0
    with path.open("rb") as file:
        for last in records_in(file):
            if head is None:
                if last.kind is not Kind.HEAD:
                    return None
                head = SegmentHead.decode(last.body)
            elif not first_ms:
                first_ms = last.utc_ms
            packets += last.kind is Kind.RTP
            good += last.size
        if head is None or last is None:
            return None
        file.seek(good)
        tail = file.read(TAIL_BYTES_MAX)
        file.seek(0)
        left = good
        while left and (block := file.read(min(left, 1 << 20))):
            digest.update(block)
            left -= len(block)
    readable = max((record.utc_ms for record in resync(tail)), default=last.utc_ms)
    return Segment(
        head, good, size, packets, first_ms or last.utc_ms, last.utc_ms,
        max(readable, last.utc_ms), last.kind is Kind.END, digest.hexdigest(),
    )  # fmt: skip


def track_records(folder: Path) -> Iterator[Record]:
    """Every whole record of a track in the order in which it was written, heads included.

    Reads a record at a time, so a track may be longer than memory. Raises RecordingRefused
    ``segment.missing`` if a number is left out; ends where the last segment is torn.
    """
    for place, number in enumerate(segment_numbers(folder), 1):
        if place != number:
            raise RecordingRefused("segment.missing", str(place))
        with segment_path(folder, number).open("rb") as file:
            yield from records_in(file)


def check_chain(folder: Path) -> Literal["whole", "torn"]:
    """That a track's segments follow each other by number and by hash.

    Returns "torn" if the last one ends in bytes that do not check out. Raises RecordingRefused
    ``segment.missing``, ``segment.damaged``, ``segment.chain``.
    """
    previous = NO_HASH
    found: Segment | None = None
    numbers = segment_numbers(folder)
    for place, number in enumerate(numbers, 1):
        if place != number:
            raise RecordingRefused("segment.missing", str(place))
        found = read_segment(segment_path(folder, number))
        if found is None and 1 < place == len(numbers):
            return "torn"  # it has just been begun, or was when the power went
        if found is None or (found.good_bytes < found.raw_bytes and place < len(numbers)):
            raise RecordingRefused("segment.damaged", str(number))
        if found.head.segment != number or found.head.previous != previous:
            raise RecordingRefused("segment.chain", str(number))
        previous = found.sha256
    return "torn" if found is not None and found.good_bytes < found.raw_bytes else "whole"


def _integer(value: Any) -> int:
    if type(value) is not int:
        raise RecordingRefused("segment.head")
    return value
