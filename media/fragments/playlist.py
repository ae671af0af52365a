"""HLS playlists (播放列表; RFC 8216 and its second edition): text from what is there.

Pure. Invariant: no name in a playlist leads anywhere but to this room's own segments, and no
segment is longer than the target duration, however its keyframes came.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from media.fragments.cutter import PART_MS
from media.fragments.errors import FragmentRefused

TARGET_S: Final = 4
PART_TARGET_MS: Final = PART_MS * 2  # a part ends with a whole frame, so a little after PART_MS
VERSION: Final = 9
NUMBER_MAX: Final = (1 << 31) - 1
_NAME: Final = re.compile(
    r"(?P<stream>video|audio|aac)-(?P<number>\d{1,10})(?:\.(?P<part>\d{1,3}))?\.m4s"
    r"|(?P<init_stream>video|audio|aac)-init-(?P<init>\d{1,10})\.mp4",
    re.ASCII,
)


@dataclass(frozen=True, slots=True)
class Part:
    """One fragment as a part of a segment."""

    duration_ms: int
    is_key: bool


@dataclass(frozen=True, slots=True)
class Segment:
    """One segment of one stream. ``is_whole``: no part will follow. ``utc_ms`` of its beginning."""

    number: int
    init: int
    utc_ms: int
    parts: tuple[Part, ...]
    is_whole: bool
    follows_break: bool

    @property
    def duration_ms(self) -> int:
        return sum(part.duration_ms for part in self.parts)


@dataclass(frozen=True, slots=True)
class Asked:
    """A file name taken apart: an init, a segment, or a part of one."""

    stream: str
    init: int | None = None
    number: int | None = None
    part: int | None = None


def parse_name(name: str) -> Asked:
    """Raises FragmentRefused ``fragment.name``."""
    found = _NAME.fullmatch(name) if len(name) <= 40 else None
    if found is None:
        raise FragmentRefused("fragment.name")
    if found["init"] is not None:
        return Asked(found["init_stream"], init=int(found["init"]))
    part = None if found["part"] is None else int(found["part"])
    return Asked(found["stream"], number=int(found["number"]), part=part)


def parse_position(msn: str | None, part: str | None) -> tuple[int, int] | None:
    """``_HLS_msn`` and ``_HLS_part``; None if neither is given.

    Raises FragmentRefused ``playlist.position``.
    """
    if msn is None and part is None:
        return None
    for text in (msn or "", part or "0"):
        if not (1 <= len(text) <= 10 and text.isascii() and text.isdigit()):
            raise FragmentRefused("playlist.position")
    number, place = int(msn or ""), int(part or "-1")
    if number > NUMBER_MAX or place > 1000:
        raise FragmentRefused("playlist.position")
    return number, place


def master_playlist(picture: str | None, size: tuple[int, int] | None) -> str:
    """The ways to watch; players take the first whose codecs they know. ``picture``: its codec.

    Sound is Opus as it was published, or AAC that was encoded for those who cannot play Opus.
    """
    lines = ["#EXTM3U", f"#EXT-X-VERSION:{VERSION}"]
    sounds = (("opus", "audio", "opus"), ("aac", "aac", "mp4a.40.2"))
    if picture is None:
        for _, stream, codec in sounds:
            lines += [f'#EXT-X-STREAM-INF:BANDWIDTH=96000,CODECS="{codec}"', f"{stream}.m3u8"]
        return "\n".join(lines) + "\n"
    for group, stream, _ in sounds:
        lines.append(
            f'#EXT-X-MEDIA:TYPE=AUDIO,GROUP-ID="{group}",NAME="room",DEFAULT=YES,AUTOSELECT=YES,'
            f'URI="{stream}.m3u8"'
        )
    resolution = f",RESOLUTION={size[0]}x{size[1]}" if size else ""
    for group, _, codec in sounds:
        lines += [
            f'#EXT-X-STREAM-INF:BANDWIDTH=3000000,CODECS="{picture},{codec}"{resolution}'
            f',AUDIO="{group}"',
            "video.m3u8",
        ]
    return "\n".join(lines) + "\n"


def media_playlist(stream: str, segments: Sequence[Segment], breaks: int, ended: bool) -> str:
    """One stream. ``breaks``: discontinuities before the first of ``segments``."""
    lines = [
        "#EXTM3U",
        f"#EXT-X-VERSION:{VERSION}",
        f"#EXT-X-TARGETDURATION:{TARGET_S}",
        f"#EXT-X-SERVER-CONTROL:CAN-BLOCK-RELOAD=YES,PART-HOLD-BACK={_seconds(PART_TARGET_MS * 3)}",
        f"#EXT-X-PART-INF:PART-TARGET={_seconds(PART_TARGET_MS)}",
        f"#EXT-X-MEDIA-SEQUENCE:{segments[0].number if segments else 0}",
        f"#EXT-X-DISCONTINUITY-SEQUENCE:{breaks}",
    ]
    init: int | None = None
    newest = segments[-1].number if segments else 0
    for segment in segments:
        if segment.follows_break and segment is not segments[0]:
            lines.append("#EXT-X-DISCONTINUITY")
        if segment.init != init:
            init = segment.init
            lines.append(f'#EXT-X-MAP:URI="{stream}-init-{init}.mp4"')
        lines.append(f"#EXT-X-PROGRAM-DATE-TIME:{_date(segment.utc_ms)}")
        if newest - segment.number <= 2:  # older parts are of no use to anybody
            for place, part in enumerate(segment.parts):
                key = ",INDEPENDENT=YES" if part.is_key else ""
                lines.append(
                    f"#EXT-X-PART:DURATION={_seconds(part.duration_ms)},"
                    f'URI="{stream}-{segment.number}.{place}.m4s"{key}'
                )
        if segment.is_whole:
            lines += [
                f"#EXTINF:{_seconds(segment.duration_ms)},",
                f"{stream}-{segment.number}.m4s",
            ]
    if ended:
        lines.append("#EXT-X-ENDLIST")
    return "\n".join(lines) + "\n"


def _seconds(ms: int) -> str:
    return f"{ms // 1000}.{ms % 1000:03d}"


def _date(utc_ms: int) -> str:
    """ISO 8601 in UTC, by integers: the calendar of the proleptic Gregorian year."""
    days, ms = divmod(max(utc_ms, 0), 86_400_000)
    era, day = divmod(days + 719_468, 146_097)
    year = (day - day // 1460 + day // 36_524 - day // 146_096) // 365
    day -= 365 * year + year // 4 - year // 100
    month = (5 * day + 2) // 153
    day_of_month = day - (153 * month + 2) // 5 + 1
    month_of_year = month + 3 if month < 10 else month - 9
    year += era * 400 + (month_of_year <= 2)
    clock, ms = divmod(ms, 1000)
    return (
        f"{year:04d}-{month_of_year:02d}-{day_of_month:02d}"
        f"T{clock // 3600:02d}:{clock // 60 % 60:02d}:{clock % 60:02d}.{ms:03d}Z"
    )
