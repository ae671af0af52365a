"""Segments for HLS (切片架): pictures as WebSocket viewers get them, sound as AAC.

A segment of pictures begins at a keyframe, or where the target duration leaves no choice.
Invariant: what is kept is bounded by count, and a segment that has been named in a playlist stays
for some time after it left it.
"""

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Final

from media.fragments.boxes import StreamFormat, init_segment
from media.fragments.cutter import Cut
from media.fragments.errors import FragmentRefused
from media.fragments.playlist import (
    SEGMENT_MS_MAX,
    TARGET_S,
    Asked,
    Segment,
    master_playlist,
    media_playlist,
    parse_name,
)

LISTED_MAX: Final = 8  # whole segments in a playlist
KEPT_MAX: Final = 16  # on the shelf
SEGMENT_MS_MIN: Final = 1000
SOUND_MS: Final = 1800  # and then to the end of its fragment
SEGMENT_BYTES_MAX: Final = 8 << 20
INITS_MAX: Final = 16


@dataclass(slots=True)
class _Filling:
    """A segment with its bytes."""

    number: int
    init: int
    utc_ms: int
    follows_break: bool
    duration_ms: int = 0
    size: int = 0
    fragments: list[bytes] = field(default_factory=list)
    is_whole: bool = False

    def described(self) -> Segment:
        return Segment(self.number, self.init, self.utc_ms, self.duration_ms, self.follows_break)


class Lane:
    """The segments of one stream: "video" or "aac"."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.format: StreamFormat | None = None
        self.breaks = 0
        self._segments: deque[_Filling] = deque()
        self._inits: dict[int, bytes] = {}
        self._init = self._number = 0
        self._follows_break = False

    def set_format(self, form: StreamFormat) -> None:
        """Segments from now on begin with another init."""
        if form == self.format:
            return
        self.cut()
        self.format = form
        self._init += 1
        self._inits[self._init] = init_segment(form)
        self._inits.pop(self._init - INITS_MAX, None)

    def break_here(self) -> None:
        """What follows is not continuous with what was."""
        self.cut()
        self._follows_break = self._number > 0

    def cut(self) -> None:
        """Ends the segment that is being filled."""
        if self._segments and not self._segments[-1].is_whole:
            self._segments[-1].is_whole = True

    def add(self, cut: Cut, utc_ms: int) -> None:
        """A fragment at the end."""
        assert self.format is not None
        duration_ms = cut.duration * 1000 // self.format.timescale
        filling = self._segments[-1] if self._segments else None
        if (
            filling is None
            or filling.is_whole
            or filling.duration_ms + duration_ms > SEGMENT_MS_MAX
            or filling.size + len(cut.data) > SEGMENT_BYTES_MAX
        ):
            self.cut()
            filling = self._begin(utc_ms)
        filling.duration_ms += duration_ms
        filling.size += len(cut.data)
        filling.fragments.append(cut.data)

    def _begin(self, utc_ms: int) -> _Filling:
        filling = _Filling(self._number, self._init, utc_ms, self._follows_break)
        self._number += 1
        self._follows_break = False
        self._segments.append(filling)
        if len(self._segments) > KEPT_MAX:
            self.breaks += self._segments.popleft().follows_break
        return filling

    @property
    def filled_ms(self) -> int:
        """How long the segment is that is being filled; 0 if none is."""
        if not self._segments or self._segments[-1].is_whole:
            return 0
        return self._segments[-1].duration_ms

    @property
    def is_long_enough(self) -> bool:
        """Whether players can start: they keep three target durations between them and now."""
        whole = sum(one.duration_ms for one in self._segments if one.is_whole)
        return whole >= 3 * TARGET_S * 1000

    def playlist(self, ended: bool) -> str:
        """Raises FragmentRefused ``stream.absent``."""
        listed = [one.described() for one in self._segments if one.is_whole][-LISTED_MAX:]
        if not listed:
            raise FragmentRefused("stream.absent")
        # A break before the first that is listed is not shown, so it counts as one that has gone.
        gone = sum(one.follows_break for one in self._segments if one.number <= listed[0].number)
        return media_playlist(self.name, listed, self.breaks + gone, ended)

    def file(self, asked: Asked) -> bytes:
        """Raises FragmentRefused ``fragment.unknown``."""
        if asked.init is not None and asked.init in self._inits:
            return self._inits[asked.init]
        for segment in self._segments:
            if segment.number == asked.number and segment.is_whole:
                return b"".join(segment.fragments)
        raise FragmentRefused("fragment.unknown")


class Shelf:
    """All streams of a room. ``want_aac`` is called once somebody asks for sound."""

    def __init__(self, want_aac: Callable[[], None]) -> None:
        self.lanes = {name: Lane(name) for name in ("video", "aac")}
        self._want_aac, self._has_aac = want_aac, False

    def add(self, name: str, form: StreamFormat, cut: Cut, utc_ms: int) -> None:
        """A fragment of a stream."""
        lane = self.lanes[name]
        lane.set_format(form)
        if name == "video":
            is_end = cut.is_key and lane.filled_ms >= SEGMENT_MS_MIN
        else:
            is_end = lane.filled_ms >= SOUND_MS
        if is_end:
            lane.cut()
        lane.add(cut, utc_ms)

    def break_here(self) -> None:
        """The pictures begin anew; the other sound goes on."""
        self.lanes["video"].break_here()

    def master(self, kinds: tuple[str, ...]) -> str:
        """``kinds``: "video", "audio" as they are there now. Raises FragmentRefused
        ``stream.absent``.
        """
        picture = self.lanes["video"].format if "video" in kinds else None
        has_sound = "audio" in kinds
        if picture is None and not has_sound:
            raise FragmentRefused("stream.absent")
        if has_sound:
            self.lane("aac")
        size = (picture.width, picture.height) if picture else (0, 0)
        return master_playlist(picture.codec if picture else None, size, has_sound)

    def lane(self, name: str) -> Lane:
        """Raises FragmentRefused ``fragment.name``."""
        found = self.lanes.get(name)
        if found is None:
            raise FragmentRefused("fragment.name")
        if name == "aac" and not self._has_aac:
            self._has_aac = True
            self._want_aac()
        return found

    def file(self, name: str) -> bytes:
        """An init or a segment by its name. Raises FragmentRefused."""
        asked = parse_name(name)
        return self.lanes[asked.stream].file(asked)
