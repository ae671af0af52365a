"""Fragments of single tracks (逐轨片段), for members of a meeting whom no UDP reaches.

A stream is one track in one size: begun by who first asks for it, ended a while after the last has
gone. Invariant: nothing is cut that nobody watches, a room's streams are bounded, and what is
silenced or has gone is in none of them. Who may watch which track is asked before (`worker.py`).
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final

from media.codecs import Codec
from media.fragments.errors import FragmentRefused
from media.fragments.room import RoomStream
from server.live.air_tap import AirTap
from server.live.live_track import LiveTrack

STREAMS_MAX: Final = 96  # of one room
# A viewer who comes back at once, or whose player asks file by file, finds it as it was.
LINGER_NS: Final = 5_000_000_000
RING_MS: Final = 6_000
_OF: Final = re.compile(r"([0-9]{1,9})\.(small|large|sound)", re.ASCII)


@dataclass(frozen=True, slots=True)
class Of:
    """What is asked for: a track, and which of its layers: ``small``, ``large``; or ``sound``."""

    track: int
    size: str


def parse_of(text: str) -> Of | None:
    """None for what names no track."""
    found = _OF.fullmatch(text) if len(text) <= 20 else None
    return Of(int(found[1]), found[2]) if found is not None else None


@dataclass(slots=True)
class _Running:
    stream: RoomStream
    air: AirTap
    track: LiveTrack
    used_ns: int
    is_shown: bool = True


class TrackStreams:
    """``tracks`` are the room's, by number. ``post`` runs a call on the loop from a thread."""

    def __init__(
        self,
        tracks: Mapping[int, LiveTrack],
        utc_of: Callable[[int], int],
        post: Callable[[Callable[[], None]], object],
    ) -> None:
        self._tracks, self._utc_of, self._post = tracks, utc_of, post
        self._running: dict[Of, _Running] = {}

    def __len__(self) -> int:
        return len(self._running)

    def open(self, of: Of, now_ns: int) -> RoomStream:
        """The stream, begun if nobody watched it. Raises FragmentRefused ``stream.unknown``,
        ``stream.absent`` (no player plays it, or sound was asked for and it is a picture),
        ``streams.full``.
        """
        track = self._tracks.get(of.track)
        if track is None:
            raise FragmentRefused("stream.unknown")
        if track.opened.terms.codec is Codec.VP8 or (of.size == "sound") != (
            track.form.kind == "audio"
        ):
            raise FragmentRefused("stream.absent")
        running = self._running.get(of)
        if running is None:
            if len(self._running) >= STREAMS_MAX:
                raise FragmentRefused("streams.full")
            running = self._running[of] = self._begin(of, track, now_ns)
        running.used_ns = now_ns
        return running.stream

    def _begin(self, of: Of, track: LiveTrack, now_ns: int) -> _Running:
        stream = RoomStream(lambda _: track.want_keyframe(), self._post, ring_ms_max=RING_MS)
        pick = min if of.size == "small" else max
        air = AirTap(
            track.name, track.form, stream, self._utc_of, track.want_keyframe, _nothing, pick
        )
        track.airs.append(air)
        running = _Running(stream, air, track, now_ns)
        _show(running)
        return running

    def look(self) -> None:
        """After something was silenced, or is not any more."""
        for running in self._running.values():
            _show(running)

    def tick(self, now_ns: int) -> None:
        """About four times a second."""
        for of, running in list(self._running.items()):
            if running.stream.hub.viewers:
                running.used_ns = now_ns
            elif now_ns - running.used_ns >= LINGER_NS:
                self._end(of)
                continue
            _show(running)
            running.stream.tick(now_ns)

    def closed(self, track: int) -> None:
        """It has gone: whoever watches is told."""
        for of in [of for of in self._running if of.track == track]:
            self._end(of)

    def close(self) -> None:
        for of in list(self._running):
            self._end(of)

    def _end(self, of: Of) -> None:
        running = self._running.pop(of)
        running.track.airs.remove(running.air)
        running.stream.close()


def _nothing(_: AirTap) -> None:
    """A stream of one track takes nobody else off the air."""


def _show(running: _Running) -> None:
    if not running.track.is_paused:
        running.is_shown = True
        running.air.want()
    elif running.is_shown:
        running.is_shown = False
        running.air.take_off()
        running.stream.show(running.track.form.kind, None)
