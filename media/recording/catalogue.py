"""What there is of a recording (录像目录): whose tracks, from when to when, and what is missing.

``read_track`` looks at both ends of a track only; ``scan_track`` reads all of it. Pure readers of
files that may be written at the same time. Invariant: what a mark says is checked before it is
believed; a track without one is its own publisher.
"""

from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Final

from media.recording.records import ABOUT, Kind, Record, body_json, records_in, resync
from media.recording.segments import (
    CODECS,
    SegmentHead,
    checked_name,
    segment_numbers,
    segment_path,
    track_records,
)

FIRST_RECORDS: Final = 200  # among them the mark and the first packet
TAIL_BYTES: Final = 1 << 16
TEXT_MAX: Final = 200
CALL: Final = "call"
INDEX: Final = "index.json"  # of a recording's playable files, see ``making``
SCREENS: Final = ("screen", "screen_sound")
# Of the layers of a picture the largest is kept, unless it was there much less than another.
LAYER_SHARE_PERCENT: Final = 80


@dataclass(frozen=True, slots=True)
class TrackInfo:
    """One track. Times are UTC ms of its first and last packet, 0 where there is none."""

    track: str
    member: str
    label: str
    hidden: bool
    to: tuple[str, ...] | None
    layer: int
    codec: str
    first_ms: int
    last_ms: int
    bytes: int

    @property
    def stem(self) -> str:
        """The name without its layer."""
        return self.track.rpartition("-")[0] or self.track


@dataclass(frozen=True, slots=True)
class Lost:
    """What is missing. ``what``: interrupted, dropped, pictures_stopped, torn."""

    track: str
    what: str
    from_ms: int
    to_ms: int
    packets: int = 0

    def value(self) -> dict[str, Any]:
        return asdict(self) | {"ms": self.to_ms - self.from_ms}


@dataclass(slots=True)
class Scan:
    """A whole track: in how many seconds packets came, and what its marks tell."""

    seconds: int = 0
    lost: list[Lost] = field(default_factory=list[Lost])


@dataclass(frozen=True, slots=True)
class Planned:
    """A file to be made. ``kind``: person, screen, call."""

    name: str
    member: str
    kind: str
    tracks: tuple[str, ...]


def read_catalogue(folder: Path) -> list[TrackInfo]:
    """Every track of a recording that has a packet, by name."""
    tracks = sorted(path for path in folder.iterdir() if path.is_dir()) if folder.is_dir() else []
    return [info for path in tracks if (info := read_track(path)) is not None]


def read_track(folder: Path) -> TrackInfo | None:
    """None while nothing whole is there yet. Raises OSError, RecordingRefused for foreign files."""
    numbers = segment_numbers(folder)
    if not numbers:
        return None
    head: SegmentHead | None = None
    about: dict[str, Any] = {}
    first_ms = 0
    with segment_path(folder, numbers[0]).open("rb") as file:
        for _, record in zip(range(FIRST_RECORDS), records_in(file), strict=False):
            if record.kind is Kind.HEAD:
                head = SegmentHead.decode(record.body)
            elif record.kind is Kind.MARK:
                said = body_json(record.body)
                about = said if said.get("mark") == ABOUT and not about else about
            elif record.kind is Kind.RTP:
                first_ms = record.utc_ms
                break
    if head is None or not first_ms:
        return None
    is_sound = CODECS[head.format.codec] == "audio"
    to = about.get("to")
    return TrackInfo(
        checked_name(folder.name),
        _text(about.get("member")) or folder.name,
        _text(about.get("label")) or ("microphone" if is_sound else "camera"),
        about.get("hidden") is True,
        tuple(map(str, to)) if isinstance(to, list) else None,
        about["layer"] if type(about.get("layer")) is int else 0,
        head.format.codec,
        first_ms,
        max(first_ms, _last_ms(folder, numbers)),
        sum(segment_path(folder, number).stat().st_size for number in numbers),
    )


def scan_track(folder: Path) -> Scan:
    """Reads all of it. Raises RecordingRefused ``segment.missing``, OSError."""
    found = Scan()
    second, stopped_ms, last_ms = -1, 0, 0
    for record in track_records(folder):
        last_ms = record.utc_ms
        if record.kind is Kind.RTP and record.utc_ms // 1000 != second:
            second = record.utc_ms // 1000
            found.seconds += 1
        elif record.kind is Kind.MARK:
            said = body_json(record.body)
            if said.get("mark") == "pictures_stopped":
                stopped_ms = record.utc_ms
            elif said.get("mark") == "pictures_resumed" and stopped_ms:
                lost = Lost(folder.name, "pictures_stopped", stopped_ms, record.utc_ms)
                found.lost.append(lost)
                stopped_ms = 0
            else:
                found.lost += _lost(folder.name, said, record)
    if stopped_ms:
        found.lost.append(Lost(folder.name, "pictures_stopped", stopped_ms, last_ms))
    return found


def _lost(track: str, said: dict[str, Any], record: Record) -> list[Lost]:
    if said.get("mark") == "resumed" and type(said.get("gap_ms")) is int:
        gap_ms = max(0, min(said["gap_ms"], record.utc_ms))
        return [Lost(track, "interrupted", record.utc_ms - gap_ms, record.utc_ms)]
    if said.get("mark") == "dropped" and type(said.get("packets")) is int:
        return [Lost(track, "dropped", record.utc_ms, record.utc_ms, said["packets"])]
    return []


def plan_files(tracks: Sequence[TrackInfo], seconds: dict[str, int], suffix: str) -> list[Planned]:
    """Which files show a recording: one of each publisher with picture and sound, one of each
    screen, one of each caller. ``seconds``: how long packets came, by track. Pure.
    """
    groups: dict[str, dict[str, list[TrackInfo]]] = {}
    for info in tracks:
        groups.setdefault(_file_of(info), {}).setdefault(info.stem, []).append(info)
    planned: list[Planned] = []
    for name, stems in sorted(groups.items()):
        chosen = [_best_layer(layers, seconds) for _, layers in sorted(stems.items())]
        kinds = {_kind_of(info) for info in chosen}
        planned.append(
            Planned(
                f"{name}{suffix}", chosen[0].member, min(kinds),
                tuple(info.track for info in chosen),
            )
        )  # fmt: skip
    return planned


def _best_layer(layers: Sequence[TrackInfo], seconds: dict[str, int]) -> TrackInfo:
    longest = max(seconds.get(info.track, 0) for info in layers)
    fit = [i for i in layers if seconds.get(i.track, 0) * 100 >= longest * LAYER_SHARE_PERCENT]
    return max(fit, key=lambda info: info.layer)


def _kind_of(info: TrackInfo) -> str:
    if info.hidden or info.to is not None:
        return CALL
    return "screen" if info.label in SCREENS else "person"


def _file_of(info: TrackInfo) -> str:
    """The file's name without its suffix. A second camera of a person has a file of its own."""
    member, _, rest = info.stem.rpartition(f".{info.label}")
    screen = ".screen" if info.label in SCREENS and member else ""
    return (member or info.stem) + screen + (rest if member else "")


def _last_ms(folder: Path, numbers: Sequence[int]) -> int:
    """Of the last record that can be found near the end."""
    for number in reversed(numbers[-2:]):
        with segment_path(folder, number).open("rb") as file:
            size = file.seek(0, 2)
            file.seek(max(0, size - TAIL_BYTES))
            last = max((record.utc_ms for record in resync(file.read(TAIL_BYTES))), default=0)
        if last:
            return last
    return 0


def _text(value: Any) -> str:
    return value[:TEXT_MAX] if isinstance(value, str) else ""
