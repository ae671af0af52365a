"""Segments for HLS (切片架), put together from the same fragments that go to WebSocket viewers.

A segment begins at a keyframe of the picture, sound and pictures together, or where the target
duration leaves no choice. Invariant: what is kept is bounded by count, and a segment that has been
named in a playlist stays for some time after it left it.
"""

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Final

from media.fragments.boxes import StreamFormat, init_segment
from media.fragments.cutter import Cut
from media.fragments.errors import FragmentRefused
from media.fragments.playlist import (
    TARGET_S,
    Asked,
    Part,
    Segment,
    master_playlist,
    media_playlist,
    parse_name,
)

LISTED_MAX: Final = 6  # whole segments in a playlist
KEPT_MAX: Final = 12  # on the shelf
SEGMENT_MS_MIN: Final = 1500
SEGMENT_MS_MAX: Final = TARGET_S * 1000  # reached only if no keyframe comes
SEGMENT_BYTES_MAX: Final = 8 << 20
INITS_MAX: Final = 16


@dataclass(slots=True)
class _Filling:
    """A segment with its bytes."""

    number: int
    init: int
    utc_ms: int
    follows_break: bool
    parts: list[Part] = field(default_factory=list)
    bytes: list[bytes] = field(default_factory=list)
    is_whole: bool = False

    @property
    def duration_ms(self) -> int:
        return sum(part.duration_ms for part in self.parts)

    @property
    def size(self) -> int:
        return sum(map(len, self.bytes))

    def described(self) -> Segment:
        return Segment(
            self.number, self.init, self.utc_ms, tuple(self.parts), self.is_whole,
            self.follows_break,
        )  # fmt: skip


class Lane:
    """The segments of one stream: "video", "audio" or "aac"."""

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
        filling.parts.append(Part(duration_ms, cut.is_key))
        filling.bytes.append(cut.data)

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

    def has(self, number: int, part: int) -> bool:
        """Whether a part is there; part -1: the whole segment."""
        for segment in self._segments:
            if segment.number == number:
                return segment.is_whole or 0 <= part < len(segment.parts)
        return bool(self._segments) and number < self._segments[0].number

    def is_ahead(self, number: int) -> bool:
        """Whether nobody may wait for that segment yet (RFC 8216bis §6.2.5.2)."""
        return number > self._number + 1

    def playlist(self, ended: bool) -> str:
        """Raises FragmentRefused ``stream.absent``."""
        if not self._segments:
            raise FragmentRefused("stream.absent")
        whole = [one for one in self._segments if one.is_whole]
        first = whole[-LISTED_MAX].number if len(whole) > LISTED_MAX else self._segments[0].number
        listed = [one.described() for one in self._segments if one.number >= first]
        left_out = [one for one in self._segments if one.number <= first]
        return media_playlist(
            self.name, listed, self.breaks + sum(one.follows_break for one in left_out), ended
        )

    def file(self, asked: Asked) -> bytes:
        """Raises FragmentRefused ``fragment.unknown``."""
        if asked.init is not None and asked.init in self._inits:
            return self._inits[asked.init]
        for segment in self._segments:
            if segment.number == asked.number:
                if asked.part is None and segment.is_whole:
                    return b"".join(segment.bytes)
                if asked.part is not None and asked.part < len(segment.bytes):
                    return segment.bytes[asked.part]
        raise FragmentRefused("fragment.unknown")


class Shelf:
    """All streams of a room. ``want_aac`` is called once somebody asks for that sound."""

    def __init__(self, want_aac: Callable[[], None]) -> None:
        self.lanes = {name: Lane(name) for name in ("video", "audio", "aac")}
        self.is_ended = False
        self._want_aac, self._has_aac = want_aac, False

    def add(self, name: str, form: StreamFormat, cut: Cut, utc_ms: int) -> None:
        """A fragment of a stream; the picture says where segments of all streams end."""
        lane = self.lanes[name]
        lane.set_format(form)
        if name == "video" and cut.is_key and lane.filled_ms >= SEGMENT_MS_MIN:
            for one in self.lanes.values():
                one.cut()
        elif name != "video" and lane.filled_ms >= 2 * SEGMENT_MS_MIN:
            lane.cut()  # sound alone
        lane.add(cut, utc_ms)

    def break_here(self) -> None:
        """The streams begin anew."""
        for lane in self.lanes.values():
            lane.break_here()

    def master(self) -> str:
        """Raises FragmentRefused ``stream.absent``."""
        picture, sound = self.lanes["video"].format, self.lanes["audio"].format
        if picture is None and sound is None:
            raise FragmentRefused("stream.absent")
        if picture is None:
            return master_playlist(None, None)
        return master_playlist(picture.codec, (picture.width, picture.height))

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
        """An init, a segment or a part by its name. Raises FragmentRefused."""
        asked = parse_name(name)
        return self.lane(asked.stream).file(asked)
