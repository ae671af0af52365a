"""Rooms, members, tracks and who watches what: the control plane of forwarding (转发控制).

The server tells this object what people ask for, and hands in what they may (`media.grants`). It
answers with SDP, and tells by `MediaEvent` what happens. The engine moves the packets.

    sfu = Sfu(SfuOptions(host="0.0.0.0", port=..., public_address="..."), tell)
    await sfu.open()
    sfu.admit("opening:x", "host", grants)
    answer = await sfu.publish("opening:x", "host", offer_sdp, {mid: Label.CAMERA})
    offer = await sfu.watch("opening:x", "viewer", {track: tile_height_px})
    sfu.answer("opening:x", "viewer", answer_sdp)

Invariants: nothing happens that the grants do not allow, and a grant that is taken away ends at
once what stood on it. Every refusal is a `MediaRefused`. All sizes are bounded by `SfuOptions`.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import replace
from itertools import count
from typing import Any

from media.aiortc_private import Certificate
from media.engine import (
    TICK_MS,
    Counters,
    Engine,
    LayerJoined,
    LevelHeard,
    LossHeard,
    PeerBroken,
    SourceEnded,
    SourceStarted,
    Tap,
    TrackTerms,
)
from media.errors import MediaRefused
from media.grants import NOTHING, Grants, Label
from media.ice import Binding, IceTable
from media.peer import Feed, Peer, Way
from media.publishers import Publishers
from media.python_engine import PythonEngine
from media.rooms import (
    Member,
    PeerConnected,
    PeerLost,
    Published,
    Room,
    SfuOptions,
    SpeakerChanged,
    Tell,
)
from media.sdp import LocalEnd, answer_publisher, offer_viewer, read
from media.udp_port import UdpPort, now_us
from media.viewers import Viewers

SPEAKER_TICKS = 5
CONSENT_TICKS = 50


class Sfu:
    """One per process. ``tell`` is called on the loop and must not block."""

    def __init__(
        self,
        options: SfuOptions,
        tell: Tell,
        make_engine: Callable[[Callable[[Any, Any], object]], Engine] = PythonEngine,
    ) -> None:
        self.options = options
        self._tell = tell
        self._port = UdpPort(options.host, options.port)
        self.engine: Engine = make_engine(self._port.send_to)
        self._certificate = Certificate()
        self._table = IceTable()
        self._rooms: dict[str, Room] = {}
        self._peers: dict[int, tuple[Peer, Room, Member]] = {}
        self._feeds: dict[int, tuple[Feed, Room, Member]] = {}
        self._tracks: dict[int, tuple[Room, Published]] = {}
        self._numbers = count(1)
        self._viewers = Viewers(self.engine, options, self._tracks, self._numbers)
        self._publishers = Publishers(
            self.engine, options, self._tracks, self._numbers, self._viewers, tell
        )
        self._ticking: asyncio.Task[None] | None = None
        self._closing: set[asyncio.Task[None]] = set()

    # ---- life

    async def open(self) -> None:
        self._port.open(self._table, self.engine, self._bound, self._dtls)
        self._ticking = asyncio.ensure_future(self._tick_forever())

    async def close(self) -> None:
        for feed, _, _ in list(self._feeds.values()):
            self._drop_feed(feed, "closed")
        for peer, _, _ in list(self._peers.values()):
            self._drop(peer)
        if self._closing:
            await asyncio.gather(*self._closing)
        if self._ticking is not None:
            self._ticking.cancel()
            await asyncio.gather(self._ticking, return_exceptions=True)
        self._port.close()

    @property
    def candidates(self) -> tuple[tuple[str, int], ...]:
        """Where clients find us."""
        port = self.options.public_port or self._port.port
        return tuple((address, port) for address in self.options.public_addresses)

    async def until_broken(self) -> None:
        """Raises what has stopped the clock of this unit, if anything ever does."""
        assert self._ticking is not None
        await asyncio.shield(self._ticking)

    def counters(self) -> Counters:
        return self.engine.counters()

    # ---- who is there

    def watching(self, room: str) -> int:
        """How many members are sent something of this room."""
        found = self._rooms.get(room)
        return found.watching if found is not None else 0

    def admit(self, room: str, member: str, grants: Grants) -> None:
        """Let somebody in, or change what he may; the room exists while it has members."""
        found = self._rooms.get(room)
        if found is None:
            if len(self._rooms) >= self.options.rooms_max:
                raise MediaRefused("media.full")
            found = self._rooms[room] = Room(room)
        known = found.members.get(member)
        if known is None:
            if len(found.members) >= self.options.members_max:
                raise MediaRefused("media.full")
            found.members[member] = Member(member, grants)
            return
        known.grants = grants
        self._enforce(found, known)

    def may_watch(self, room: str, member: str, track: int | None) -> bool:
        """Whether a member's grants let him have a track of this room, by whatever way.

        None: what is for the whole room.
        """
        found = self._rooms.get(room)
        return found is not None and found.may_watch(member, track)

    def dismiss(self, room: str, member: str) -> None:
        """Everything of his ends. Idempotent."""
        found = self._rooms.get(room)
        known = found.members.get(member) if found is not None else None
        if found is None or known is None:
            return
        known.grants = NOTHING
        self._enforce(found, known)
        self._end_publishing(known)
        for peer in list(known.peers.values()):
            self._drop(peer)
        del found.members[member]
        if not found.members:
            del self._rooms[room]

    def _enforce(self, room: Room, member: Member) -> None:
        """End what the grants of ``member`` do not allow any more."""
        for track in list(room.tracks.values()):
            if track.member == member.name and not member.grants.may_publish(track.label, track.to):
                self._publishers.close(room, track)
        for watched in list(member.watched.values()):
            track = room.tracks.get(watched.track)
            if track is None or not member.may_watch(track):
                self._viewers.drop(member, watched)

    def _member(self, room: str, member: str) -> tuple[Room, Member]:
        found = self._rooms.get(room)
        known = found.members.get(member) if found is not None else None
        if found is None or known is None:
            raise MediaRefused("media.unknown", "member")
        if not known.budget.take(now_us()):
            raise MediaRefused("media.too_often")
        return found, known

    # ---- publishing

    async def publish(
        self,
        room: str,
        member: str,
        offer: str,
        labels: Mapping[str, Label],
        to: frozenset[str] | None = None,
    ) -> str:
        """Answer a publisher's offer. ``labels`` says what each of its mids is; ``to`` (call-in)
        who alone may watch. A later offer of the same connection adds and ends tracks; one of a
        new connection replaces the old. One that restarts ICE is answered likewise.
        """
        found, known = self._member(room, member)
        description = read(offer)
        accepted = self._publishers.accepted(description, labels)
        self._publishers.check(known, accepted, to)
        if description.setup == "passive":
            raise MediaRefused("media.sdp", "setup")
        peer = known.peers.get(Way.PUBLISH)
        if peer is None or not peer.is_same(description):
            self._end_publishing(known)
            peer = self._new_peer(found, known, Way.PUBLISH)
        elif peer.is_restarted_by(description):
            peer.renew()
        self._publishers.change(found, known, peer, accepted, to)
        peer.meet(description)
        end = peer.local_end(self.candidates)
        return answer_publisher(description, {m: terms for m, (_, terms) in accepted.items()}, end)

    def restart(self, room: str, member: str, ufrag: str) -> LocalEnd:
        """ICE alone begins anew, without an offer (WHIP): ``ufrag`` is theirs now, ours returned.

        MediaRefused media.state where nothing is published by a connection.
        """
        _, known = self._member(room, member)
        peer = known.peers.get(Way.PUBLISH)
        if peer is None or peer.remote is None:
            raise MediaRefused("media.state")
        peer.renew()
        peer.meet(replace(peer.remote, ufrag=ufrag))
        return peer.local_end(self.candidates)

    def feed(self, room: str, member: str, wanted: Mapping[Label, TrackTerms]) -> Feed:
        """Tracks whose packets come from our own process (a camera that is fetched), replacing
        whatever the member published. Their mids and payload types must differ.
        """
        found, known = self._member(room, member)
        named = {terms.mid: (label, terms) for label, terms in wanted.items()}
        self._publishers.check(known, named, None)
        self._end_publishing(known)
        self._check_room_for_peer()
        feed = Feed(next(self._numbers), self.engine)
        feed.on_end = lambda: self._drop_feed(feed, "closed")
        known.feed = feed
        self._feeds[feed.number] = (feed, found, known)
        self._publishers.change(found, known, feed, named, None)
        self._tell(PeerConnected(room, member, Way.PUBLISH, feed.profile))
        return feed

    def tap(self, track: int, tap: Tap | None) -> None:
        """Every packet of the track also goes to ``tap`` (recording), from now on."""
        _, found = self._track(track)
        found.tap = tap
        self.engine.tap_track(track, tap)

    def ask_keyframe(self, track: int) -> None:
        """For a recording that has to start or go on."""
        self.engine.ask_keyframe(track)

    def _track(self, track: int) -> tuple[Room, Published]:
        found = self._tracks.get(track)
        if found is None:
            raise MediaRefused("media.unknown", "track")
        return found

    # ---- muting and holding

    def mute(self, room: str, by: str, track: int, muted: bool) -> None:
        """Nobody gets the track while it is muted. Anybody may mute his own, and only who muted
        with a grant for it, or another with that grant, may undo what such a one did.
        """
        found, known = self._member(room, by)
        self._publishers.mute(found, known, track, muted)

    def hold(self, room: str, by: str, member: str, held: bool) -> None:
        """Put all tracks of a member on hold, also those that he opens later, or take them back."""
        found, known = self._member(room, by)
        self._publishers.hold(found, known, member, held)

    def impose(self, room: str, held: frozenset[str], silenced: frozenset[tuple[str, str]]) -> None:
        """What the server has decided: who is on hold, and which labels of whom are silent, also
        of tracks to come. Takes the place of what was imposed, or held, before.
        """
        found = self._rooms.get(room)
        if found is not None:
            self._publishers.impose(found, held, silenced)

    # ---- watching

    async def watch(
        self, room: str, member: str, wanted: Mapping[int, int], *, restart: bool = False
    ) -> str | None:
        """What a member watches from now on: track to height of its tile in pixels (0: not shown).

        An offer where the streams have changed, to be answered; None where only tiles have.
        ``restart``: an offer in any case, by which ICE begins anew on the same connection.
        """
        found, known = self._member(room, member)
        self._viewers.check(found, known, wanted)
        peer = known.peers.get(Way.WATCH) or self._new_peer(found, known, Way.WATCH)
        if restart and peer.remote is not None:
            peer.renew()
            known.sections_changed = True
        offered = self._viewers.change(found, known, peer, wanted)
        if offered is None:
            return None
        return offer_viewer(offered, peer.local_end(self.candidates))

    def answer(self, room: str, member: str, answer: str) -> None:
        """The member's answer to the latest offer of `watch`."""
        _, known = self._member(room, member)
        peer = known.peers.get(Way.WATCH)
        if peer is None or not known.answer_due:
            raise MediaRefused("media.state")
        description = read(answer)
        if description.setup != "active" or not peer.is_same(description):
            raise MediaRefused("media.sdp", "setup")
        known.answer_due = False
        refused = {section.mid for section in description.sections if section.port == 0}
        for watched in [one for one in known.watched.values() if one.mid in refused]:
            self._viewers.drop(known, watched)
        peer.meet(description)
        if peer.is_connected:
            self._viewers.start_all(known)

    def unwatch_all(self, room: str, member: str) -> None:
        """Close the member's watching connection; the next `watch` opens another."""
        _, known = self._member(room, member)
        peer = known.peers.get(Way.WATCH)
        if peer is not None:
            self._drop(peer)

    # ---- peers

    def _new_peer(self, room: Room, member: Member, way: Way) -> Peer:
        self._check_room_for_peer()
        peer = Peer(
            next(self._numbers), way, self._certificate, self._port, self._table, self.engine
        )
        peer.on_connected = lambda: self._connected(peer, room, member)
        peer.on_lost = lambda why: self._drop(peer, why)
        member.peers[way] = peer
        self._peers[peer.number] = (peer, room, member)
        return peer

    def _check_room_for_peer(self) -> None:
        if len(self._peers) + len(self._feeds) >= self.options.peers_max:
            raise MediaRefused("media.full")

    def _connected(self, peer: Peer, room: Room, member: Member) -> None:
        if peer.way is Way.PUBLISH:
            for track in list(room.tracks.values()):
                if track.peer == peer.number:
                    self._publishers.start(room, track)
        else:
            self._viewers.start_all(member)
        self._tell(PeerConnected(room.name, member.name, peer.way, peer.profile))

    def _drop(self, peer: Peer, why: str = "closed") -> None:
        """A connection is over, with its tracks or its streams."""
        found = self._peers.pop(peer.number, None)
        if found is None:
            return
        _, room, member = found
        del member.peers[peer.way]
        if peer.way is Way.PUBLISH:
            self._publishers.close_all(room, peer.number)
        else:
            for watched in list(member.watched.values()):
                self._viewers.drop(member, watched)
            member.forget_sections()
        task = asyncio.ensure_future(peer.close())
        self._closing.add(task)
        task.add_done_callback(self._closing.discard)
        self._tell(PeerLost(room.name, member.name, peer.way, why))

    def _drop_feed(self, feed: Feed, why: str) -> None:
        found = self._feeds.pop(feed.number, None)
        if found is None:
            return
        _, room, member = found
        member.feed = None
        self._publishers.close_all(room, feed.number)
        feed.close()
        self._tell(PeerLost(room.name, member.name, Way.PUBLISH, why))

    def _end_publishing(self, member: Member) -> None:
        """He has a new source, or none any more."""
        peer = member.peers.get(Way.PUBLISH)
        if peer is not None:
            self._drop(peer)
        if member.feed is not None:
            self._drop_feed(member.feed, "closed")

    def _bound(self, binding: Binding, address: tuple[str, int]) -> None:
        found = self._peers.get(binding.peer)
        if found is not None:
            found[0].bound(binding, address)

    def _dtls(self, peer: int, datagram: bytes) -> None:
        found = self._peers.get(peer)
        if found is not None:
            found[0].received_dtls(datagram)

    # ---- time

    async def _tick_forever(self) -> None:
        for turn in count():
            await asyncio.sleep(TICK_MS / 1000)
            at_us = now_us()
            self.engine.tick(at_us)
            self._take_events(at_us // 1000)
            if turn % SPEAKER_TICKS == 0:
                self._speakers(at_us // 1000)
            if turn % CONSENT_TICKS == 0:
                for number in self._table.silent(at_us):
                    self._drop(self._peers[number][0], "silent")

    def _take_events(self, now_ms: int) -> None:
        for event in self.engine.take_events():
            if isinstance(event, LossHeard):
                self._viewers.loss(event, now_ms)
            elif isinstance(event, LevelHeard):
                track = self._tracks.get(event.track)
                # Who speaks to some only is not the room's speaker.
                if track is not None and track[1].to is None and not track[1].is_paused:
                    track[0].speaker.heard(event.track, event.level, now_ms)
            elif isinstance(event, LayerJoined):
                joined = self._viewers.joined(event)
                if joined is not None:
                    self._tell(joined)
            elif isinstance(event, PeerBroken):
                if event.peer in self._peers:
                    self._drop(self._peers[event.peer][0], "broken")
                elif event.peer in self._feeds:
                    self._drop_feed(self._feeds[event.peer][0], "broken")
            elif isinstance(event, SourceStarted | SourceEnded):
                self._publishers.flow(event)

    def _speakers(self, now_ms: int) -> None:
        for room in self._rooms.values():
            before = room.speaker.current
            after = room.speaker.decide(now_ms)
            if after != before:
                track = room.tracks.get(after) if after is not None else None
                member = track.member if track is not None else None
                self._tell(SpeakerChanged(room.name, member, after))
