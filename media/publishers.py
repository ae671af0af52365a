"""What members publish (发布): which tracks exist, since when the engine has them, who is muted.

Invariant: a track is in the engine from the moment its peer is connected until it, its peer, or the
grant is gone; while it is muted or held nobody gets it. Everything of it is told.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from media.engine import Engine, SourceEnded, SourceStarted, TrackTerms
from media.errors import MediaRefused
from media.grants import Label
from media.peer import Feed, Peer
from media.rooms import (
    Member,
    Published,
    Room,
    SfuOptions,
    Tell,
    TrackClosed,
    TrackFlowing,
    TrackOpened,
    TrackPaused,
)
from media.sdp import Description, terms_of
from media.viewers import Viewers

Terms = Mapping[str, tuple[Label, TrackTerms]]


class Publishers:
    """Part of `media.sfu`. ``tracks`` is the unit's own table, ``numbers`` its source of ids."""

    def __init__(
        self,
        engine: Engine,
        options: SfuOptions,
        tracks: dict[int, tuple[Room, Published]],
        numbers: Iterator[int],
        viewers: Viewers,
        tell: Tell,
    ) -> None:
        self._engine = engine
        self._options = options
        self._tracks = tracks
        self._numbers = numbers
        self._viewers = viewers
        self._tell = tell

    def accepted(self, description: Description, labels: Mapping[str, Label]) -> Terms:
        """By mid: what of an offer would be published, and how."""
        return {
            section.mid: (labels[section.mid], terms_of(section, self._options.codecs))
            for section in description.sections
            if section.is_media
            and section.mid in labels
            and section.direction in ("sendonly", "sendrecv")
            and section.kind == labels[section.mid].kind
        }

    def check(self, member: Member, wanted: Terms, to: frozenset[str] | None) -> None:
        """MediaRefused where something of it may not be published."""
        if not wanted:
            raise MediaRefused("media.sdp", "nothing to publish")
        if len(wanted) > self._options.tracks_max:
            raise MediaRefused("media.full")
        if not all(member.grants.may_publish(label, to) for label, _ in wanted.values()):
            raise MediaRefused("media.not_allowed")

    def change(
        self,
        room: Room,
        member: Member,
        peer: Peer | Feed,
        wanted: Terms,
        to: frozenset[str] | None,
    ) -> None:
        """Make ``wanted`` (checked) what the member publishes; what he has already, stays."""
        for track in [one for one in room.tracks.values() if one.member == member.name]:
            if track.terms.mid not in wanted or track.to != to:
                self.close(room, track)
        held = {one.terms.mid for one in room.tracks.values() if one.member == member.name}
        for mid, (label, terms) in wanted.items():
            if mid not in held:
                number = next(self._numbers)
                published = Published(number, member.name, label, to, terms, peer.number)
                self._open(room, peer, published)

    def _open(self, room: Room, peer: Peer | Feed, track: Published) -> None:
        self._judge(room, track)
        room.tracks[track.number] = track
        self._tracks[track.number] = (room, track)
        if peer.is_connected:
            self.start(room, track)
        hidden = room.members[track.member].grants.hidden
        self._tell(
            TrackOpened(
                room.name, track.member, track.number, track.label, track.to, hidden, track.terms
            )
        )
        if track.is_paused:
            self._tell(TrackPaused(room.name, track.member, track.number, True))

    def start(self, room: Room, track: Published) -> None:
        """Its peer is connected: the engine takes it, and whoever asked for it before."""
        self._engine.add_track(track.number, track.peer, track.terms)
        if track.tap is not None:
            self._engine.tap_track(track.number, track.tap)
        self._engine.pause_track(track.number, track.is_paused)
        track.started = True
        for member in room.members.values():
            for watched in member.watched.values():
                if watched.track == track.number:
                    self._viewers.start(member, watched)

    def close(self, room: Room, track: Published) -> None:
        del room.tracks[track.number], self._tracks[track.number]
        self._engine.close_track(track.number)
        room.speaker.forget(track.number)
        for member in room.members.values():
            watched = member.watched.get(track.number)
            if watched is not None:
                self._viewers.drop(member, watched)
        self._tell(TrackClosed(room.name, track.member, track.number))

    def close_all(self, room: Room, peer: int) -> None:
        """Of one connection or feed."""
        for track in [one for one in room.tracks.values() if one.peer == peer]:
            self.close(room, track)

    @staticmethod
    def _judge(room: Room, track: Published) -> None:
        track.held = track.member in room.held
        track.silenced = (track.member, track.label) in room.silenced

    def mute(self, room: Room, by: Member, track: int, muted: bool) -> None:
        """As `Sfu.mute` says."""
        published = room.tracks.get(track)
        if published is None:
            raise MediaRefused("media.unknown", "track")
        if by.grants.mute:
            published.muted = muted
        elif published.member == by.name:
            published.muted_by_self = muted
        else:
            raise MediaRefused("media.not_allowed")
        self.paused(room, published)

    def hold(self, room: Room, by: Member, member: str, held: bool) -> None:
        """As `Sfu.hold` says."""
        if not by.grants.mute:
            raise MediaRefused("media.not_allowed")
        if member not in room.members:
            raise MediaRefused("media.unknown", "member")
        room.held = room.held | {member} if held else room.held - {member}
        for track in room.tracks.values():
            if track.member == member:
                self.paused(room, track)

    def impose(
        self, room: Room, held: frozenset[str], silenced: frozenset[tuple[str, str]]
    ) -> None:
        """As `Sfu.impose` says."""
        room.held, room.silenced = held, silenced
        for track in room.tracks.values():
            is_silenced = (track.member, track.label) in silenced
            if track.held != (track.member in held) or track.silenced != is_silenced:
                self.paused(room, track)

    def paused(self, room: Room, track: Published) -> None:
        """Muted or held, or not any more."""
        self._judge(room, track)
        self._engine.pause_track(track.number, track.is_paused)
        self._tell(TrackPaused(room.name, track.member, track.number, track.is_paused))

    def flow(self, event: SourceStarted | SourceEnded) -> None:
        """What the engine tells of a layer."""
        found = self._tracks.get(event.track)
        if found is None:
            return
        room, track = found
        before = bool(track.flowing)
        if isinstance(event, SourceStarted):
            track.flowing.add(event.layer)
        else:
            track.flowing.discard(event.layer)
        if before != bool(track.flowing):
            told = TrackFlowing(room.name, track.member, track.number, bool(track.flowing))
            self._tell(told)
