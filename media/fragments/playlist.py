"""HLS playlists (播放列表; RFC 8216): text from what is there.

Pure. Invariant: no name in a playlist leads anywhere but to this room's own segments, and no
segment is longer than the target duration, however its keyframes came.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from media.fragments.errors import FragmentRefused

TARGET_S: Final = 2  # players keep three of these between themselves and now
SEGMENT_MS_MAX: Final = 2450  # rounds to the target (RFC 8216 §4.3.3.1)
VERSION: Final = 7
AAC_CODEC: Final = "mp4a.40.2"
SOUND_BANDWIDTH: Final = 96_000  # what players are told to reckon with, bits per second
PICTURE_BANDWIDTH: Final = 3_000_000
_NAME: Final = re.compile(
    r"(?P<stream>video|aac)-(?:(?P<number>\d{1,10})\.m4s|init-(?P<init>\d{1,10})\.mp4)",
    re.ASCII,
)


@dataclass(frozen=True, slots=True)
class Segment:
    """One whole segment of one stream. ``utc_ms`` of its beginning."""

    number: int
    init: int
    utc_ms: int
    duration_ms: int
    follows_break: bool


@dataclass(frozen=True, slots=True)
class Asked:
    """A file name taken apart: an init or a segment."""

    stream: str
    init: int | None = None
    number: int | None = None


def parse_name(name: str) -> Asked:
    """Raises FragmentRefused ``fragment.name``."""
    found = _NAME.fullmatch(name) if len(name) <= 40 else None
    if found is None:
        raise FragmentRefused("fragment.name")
    if found["init"] is not None:
        return Asked(found["stream"], init=int(found["init"]))
    return Asked(found["stream"], number=int(found["number"]))


def master_playlist(picture: str | None, size: tuple[int, int], has_sound: bool) -> str:
    """What there is to play. ``picture``: its codec, or None.

    Sound is AAC: players without MSE are those that know no Opus, and those that know both do not
    change between the two while they play.
    """
    lines = ["#EXTM3U", f"#EXT-X-VERSION:{VERSION}"]
    codecs = ",".join(name for name in (picture, AAC_CODEC if has_sound else None) if name)
    if picture is None:
        lines += [f'#EXT-X-STREAM-INF:BANDWIDTH={SOUND_BANDWIDTH},CODECS="{codecs}"', "aac.m3u8"]
        return "\n".join(lines) + "\n"
    stream = (
        f'#EXT-X-STREAM-INF:BANDWIDTH={PICTURE_BANDWIDTH},CODECS="{codecs}"'
        f",RESOLUTION={size[0]}x{size[1]}"
    )
    if has_sound:
        lines.append(
            '#EXT-X-MEDIA:TYPE=AUDIO,GROUP-ID="aac",NAME="aac",DEFAULT=YES,AUTOSELECT=YES,'
            'URI="aac.m3u8"'
        )
        stream += ',AUDIO="aac"'
    return "\n".join([*lines, stream, "video.m3u8"]) + "\n"


def media_playlist(stream: str, segments: Sequence[Segment], breaks: int, ended: bool) -> str:
    """One stream. ``breaks``: discontinuities before the first of ``segments``."""
    lines = [
        "#EXTM3U",
        f"#EXT-X-VERSION:{VERSION}",
        f"#EXT-X-TARGETDURATION:{TARGET_S}",
        f"#EXT-X-MEDIA-SEQUENCE:{segments[0].number if segments else 0}",
        f"#EXT-X-DISCONTINUITY-SEQUENCE:{breaks}",
    ]
    init: int | None = None
    for segment in segments:
        if segment.follows_break and segment is not segments[0]:
            lines.append("#EXT-X-DISCONTINUITY")
        if segment.init != init:
            init = segment.init
            lines.append(f'#EXT-X-MAP:URI="{stream}-init-{init}.mp4"')
        lines += [
            f"#EXT-X-PROGRAM-DATE-TIME:{_date(segment.utc_ms)}",
            f"#EXTINF:{segment.duration_ms // 1000}.{segment.duration_ms % 1000:03d},",
            f"{stream}-{segment.number}.m4s",
        ]
    if ended:
        lines.append("#EXT-X-ENDLIST")
    return "\n".join(lines) + "\n"


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
