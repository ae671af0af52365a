"""What members watch (观看): which streams exist, in which sections of their SDP, in which layer.

Invariant: a stream exists only for a track that the member's grants let it watch; its SSRC is new
in its connection; it is in the engine from the moment both ends are connected and the viewer has
answered, until either of them, the track, or the grant is gone.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Final

from crypto.keys import random_bytes
from media.engine import Engine, LayerJoined, LossHeard, StreamTerms
from media.errors import MediaRefused
from media.forwarding import FIRST_SEQ_MAX
from media.peer import Peer, Way
from media.rooms import LayerChanged, Member, Published, Room, SfuOptions, Watched
from media.sdp import OfferedStream

SSRC_MIN: Final = 0x100  # below it are those of our reports
SSRCS_MAX: Final = 512  # of one connection, over its life: the SRTP library keeps each


class Viewers:
    """Part of `media.sfu`. ``tracks`` is the unit's own table, ``numbers`` its source of ids."""

    def __init__(
        self,
        engine: Engine,
        options: SfuOptions,
        tracks: Mapping[int, tuple[Room, Published]],
        numbers: Iterator[int],
    ) -> None:
        self._engine = engine
        self._options = options
        self._tracks = tracks
        self._numbers = numbers
        self._watched: dict[int, tuple[Room, Member, Watched]] = {}

    def check(self, room: Room, member: Member, wanted: Mapping[int, int]) -> None:
        """MediaRefused where something of it cannot be watched."""
        if len(wanted) > self._options.streams_max:
            raise MediaRefused("media.full")
        if len(member.ssrcs_used) + len(wanted.keys() - member.watched.keys()) > SSRCS_MAX:
            raise MediaRefused("media.full", "open another connection")
        for track in wanted:
            published = room.tracks.get(track)
            if published is None:
                raise MediaRefused("media.unknown", "track")
            if not member.may_watch(published):
                raise MediaRefused("media.not_allowed")

    def change(
        self, room: Room, member: Member, peer: Peer, wanted: Mapping[int, int]
    ) -> list[OfferedStream] | None:
        """Make ``wanted`` (checked) what the member watches; the sections to offer, if any
        changed.
        """
        for watched in [one for track, one in member.watched.items() if track not in wanted]:
            self.drop(member, watched)
        for track in [track for track in wanted if track not in member.watched]:
            self._add(room, member, peer, room.tracks[track])
            member.sections_changed = True
        for track, tile_px in wanted.items():
            self._size(member.watched[track], tile_px)
        if not member.sections_changed:
            return None
        member.sections_changed = False
        member.answer_due = True
        return self._offered(room, member)

    def _add(self, room: Room, member: Member, peer: Peer, track: Published) -> None:
        """A stream in a section of its own, in one that has become free if there is one."""
        codec = track.terms.codec
        mid = member.free_section(codec)
        ssrc = 0
        while ssrc < SSRC_MIN or ssrc in member.ssrcs_used:
            ssrc = int.from_bytes(random_bytes(4), "big")
        member.ssrcs_used.add(ssrc)
        layers = max(1, len(track.terms.rids))
        watched = Watched(next(self._numbers), track.number, peer.number, mid, ssrc, layers)
        member.sections[mid] = (codec, watched)
        member.watched[track.number] = watched
        self._watched[watched.number] = (room, member, watched)

    def start_all(self, member: Member) -> None:
        for watched in member.watched.values():
            self.start(member, watched)

    def start(self, member: Member, watched: Watched) -> None:
        """As soon as both ends are connected and the viewer has answered."""
        peer = member.peers.get(Way.WATCH)
        track = self._tracks.get(watched.track)
        if watched.started or track is None or not track[1].started or member.answer_due:
            return
        if peer is None or not peer.is_connected:
            return
        watched.started = True
        first_seq = int.from_bytes(random_bytes(2), "big") & FIRST_SEQ_MAX
        timestamp = int.from_bytes(random_bytes(4), "big")
        terms = StreamTerms(watched.ssrc, first_seq, timestamp)
        self._engine.subscribe(watched.number, peer.number, watched.track, terms)
        self._engine.aim(watched.number, watched.choice.layer)
        self._engine.pause(watched.number, watched.tile_px == 0)

    def _size(self, watched: Watched, tile_px: int) -> None:
        watched.show(tile_px, self._options.heights)
        if watched.started:
            self._engine.aim(watched.number, watched.choice.layer)
            self._engine.pause(watched.number, tile_px == 0)

    def drop(self, member: Member, watched: Watched) -> None:
        """The stream ends; its section stays, free."""
        del member.watched[watched.track], self._watched[watched.number]
        codec, _ = member.sections[watched.mid]
        member.sections[watched.mid] = (codec, None)
        member.sections_changed = True
        self._engine.unsubscribe(watched.number)

    @staticmethod
    def _offered(room: Room, member: Member) -> list[OfferedStream]:
        offered: list[OfferedStream] = []
        names = list(room.members)
        for mid, (codec, watched) in member.sections.items():
            if watched is None:
                offered.append(OfferedStream(mid, codec, 0, "-", "-"))
                continue
            track = room.tracks[watched.track]
            group = f"m{names.index(track.member)}"
            offered.append(OfferedStream(mid, codec, watched.ssrc, group, f"t{track.number}"))
        return offered

    # ---- what the engine tells

    def loss(self, event: LossHeard, now_ms: int) -> None:
        found = self._watched.get(event.subscription)
        if found is not None and found[2].layers > 1:
            choice = found[2].choice
            choice.heard(event.fraction_lost, now_ms)
            self._engine.aim(event.subscription, choice.layer)

    def joined(self, event: LayerJoined) -> LayerChanged | None:
        found = self._watched.get(event.subscription)
        if found is None:
            return None
        room, member, watched = found
        return LayerChanged(room.name, member.name, watched.track, event.layer)
