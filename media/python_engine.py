"""The forwarding engine in Python: SRTP off, header rewritten, SRTP on, sent; per viewer.

See `media.engine` for what it promises, `media.publishing` and `media.watching` for its two sides,
`media.control_packets` for RTCP. The inner loop is `_forward`: the only place that runs once per
packet and viewer, and it allocates nothing but what it must.

Invariant: ids that are not known do nothing, and nothing that a peer sends raises.
"""

from __future__ import annotations

import logging
from collections import deque
from collections.abc import Callable, Sequence
from typing import Any

from media.aiortc_private import BUFFER_BYTES, PacketBuffer
from media.codecs import Codec
from media.control_packets import Control
from media.engine import (
    EVENTS_MAX,
    LAYERS_MAX,
    Address,
    Arrival,
    Counters,
    EngineEvent,
    LayerJoined,
    PeerBroken,
    SourceEnded,
    SourceStarted,
    SrtpKeys,
    StreamCounters,
    StreamTerms,
    Tap,
    TappedPacket,
    TrackTerms,
)
from media.forwarding import Rewriter
from media.packets import PACKET_BYTES_MAX, parse_rtp
from media.publishing import Peer, Source, Sources, Track, has_ended, in_room_terms
from media.ring import Packet
from media.watching import RESENDS_LEFT_MAX, Stream

log = logging.getLogger(__name__)
SendTo = Callable[[Any, Address], object]
SSRCS_HEARD_MAX = 64  # of one peer, in the SRTP library's memory


class PythonEngine:
    """``send_to(buffer, address)`` sends one datagram, as a socket's ``sendto`` does. It may raise
    OSError: the datagram is lost then, as on the wire.
    """

    def __init__(self, send_to: SendTo) -> None:
        self._send_to = send_to
        self._peers: dict[int, Peer] = {}
        self._tracks: dict[int, Track] = {}
        self._streams: dict[int, Stream] = {}
        self._sources = Sources()
        self._events: deque[EngineEvent] = deque(maxlen=EVENTS_MAX)
        self._counters = Counters()
        self._in, self._out = PacketBuffer(), PacketBuffer()
        self._tapped: dict[int, Track] = {}
        self._control = Control(self._counters, self._events, self._send, self._resend, self._tap)

    # ---- peers

    def add_peer(self, peer: int, keys: SrtpKeys | None) -> None:
        assert peer not in self._peers
        self._peers[peer] = Peer.of(peer, keys)

    def place_peer(self, peer: int, address: Address) -> None:
        if (found := self._peers.get(peer)) is not None:
            found.address = address

    def close_peer(self, peer: int) -> None:
        found = self._peers.pop(peer, None)
        if found is None:
            return
        for track in list(found.tracks):
            self.close_track(track.number)
        for stream in list(found.streams.values()):
            self.unsubscribe(stream.number)

    # ---- tracks

    def add_track(self, track: int, peer: int, terms: TrackTerms) -> None:
        assert track not in self._tracks
        owner = self._peers.get(peer)
        if owner is None:
            return
        layers = max(1, len(terms.rids))
        assert layers <= LAYERS_MAX
        made = Track(track, owner, terms, [None] * layers)
        owner.tracks.append(made)
        owner.transport_id = terms.extensions.transport or owner.transport_id
        self._tracks[track] = made

    def pause_track(self, track: int, paused: bool) -> None:
        found = self._tracks.get(track)
        if found is None or found.paused == paused:
            return
        found.paused = paused
        for stream in found.streams:
            stream.choose()

    def tap_track(self, track: int, tap: Tap | None) -> None:
        if (found := self._tracks.get(track)) is not None:
            found.tap = tap

    def ask_keyframe(self, track: int) -> None:
        found = self._tracks.get(track)
        if found is not None and found.is_video:
            for source in found.layers:
                if source is not None:
                    source.keyframes.need()

    def close_track(self, track: int) -> None:
        found = self._tracks.pop(track, None)
        if found is None:
            return
        for stream in list(found.streams):
            self.unsubscribe(stream.number)
        peer = found.peer
        peer.tracks.remove(found)
        gone = {ssrc for ssrc, source in peer.sources.items() if source.track is found}
        peer.sources = {s: source for s, source in peer.sources.items() if s not in gone}
        peer.repairs = {s: repaired for s, repaired in peer.repairs.items() if repaired not in gone}

    # ---- subscriptions

    def subscribe(self, subscription: int, peer: int, track: int, terms: StreamTerms) -> None:
        assert subscription not in self._streams
        watcher, watched = self._peers.get(peer), self._tracks.get(track)
        if watcher is None or watched is None:
            return
        assert terms.ssrc not in watcher.streams
        vp8 = watched.terms.codec is Codec.VP8
        rewriter = Rewriter(terms.ssrc, terms.first_seq, terms.first_timestamp, vp8=vp8)
        stream = Stream(subscription, peer, watched, rewriter, len(watched.layers) - 1)
        watched.streams.append(stream)
        watcher.streams[terms.ssrc] = stream
        self._streams[subscription] = stream
        stream.choose()

    def aim(self, subscription: int, layer: int) -> None:
        stream = self._streams.get(subscription)
        if stream is not None:
            stream.aim = min(max(layer, 0), len(stream.track.layers) - 1)
            stream.choose()

    def pause(self, subscription: int, paused: bool) -> None:
        stream = self._streams.get(subscription)
        if stream is not None and stream.paused != paused:
            stream.paused = paused
            stream.choose()

    def unsubscribe(self, subscription: int) -> None:
        stream = self._streams.pop(subscription, None)
        if stream is None:
            return
        stream.paused = True
        stream.choose()
        stream.track.streams.remove(stream)
        watcher = self._peers.get(stream.peer)
        if watcher is not None:
            watcher.streams.pop(stream.rewriter.ssrc, None)

    # ---- packets

    def receive(self, batch: Sequence[Arrival]) -> None:
        counters = self._counters
        for number, datagram, now_us in batch:
            peer = self._peers.get(number)
            if peer is None or not 12 <= len(datagram) <= BUFFER_BYTES:
                counters.refused += 1
                continue
            counters.received += 1
            try:
                if 192 <= datagram[1] <= 223:  # RFC 5761 §4
                    self._receive_rtcp(peer, datagram, now_us)
                else:
                    self._receive_rtp(peer, datagram, now_us)
            except Exception:
                self._broken(peer)
        if self._tapped:
            self._hand_to_taps()

    def _opened(
        self,
        heard: set[int],
        ssrc: int,
        unprotect: Callable[[PacketBuffer, int], int],
        datagram: bytes,
    ) -> bytes | None:
        """What comes out of SRTP; None: it is refused. Keeps the library's memory bounded."""
        is_new = ssrc not in heard
        if is_new and len(heard) >= SSRCS_HEARD_MAX:
            self._counters.refused += 1
            return None
        buffer, size = self._in, len(datagram)
        buffer.view[:size] = datagram
        size = unprotect(buffer, size)
        if not size:
            self._counters.refused += 1
            return None
        if is_new:
            heard.add(ssrc)
        return bytes(buffer.view[:size])

    def _receive_rtcp(self, peer: Peer, datagram: bytes, now_us: int) -> None:
        ssrc = int.from_bytes(datagram[4:8], "big")
        opened = self._opened(peer.heard_rtcp, ssrc, peer.inbound.unprotect_rtcp, datagram)
        if opened is not None:
            self._control.heard(peer, opened, now_us)

    def _receive_rtp(self, peer: Peer, datagram: bytes, now_us: int) -> None:
        ssrc = int.from_bytes(datagram[8:12], "big")
        opened = self._opened(peer.heard, ssrc, peer.inbound.unprotect, datagram)
        if opened is None:
            return
        view = parse_rtp(opened)
        if view is None:
            self._counters.refused += 1
            return
        if peer.transport_id:
            number = view.extension(peer.transport_id)
            if number is not None and len(number) == 2:
                peer.arrivals.note(int.from_bytes(number, "big"), now_us)
        found = self._sources.find(peer, view)
        if self._sources.started:
            self._source_started(self._sources.started.popleft())
        if found is None:
            self._counters.unrouted += 1
            return
        source, view = found
        seq = source.unwrapper.unwrap(view.seq)
        source.last_us = now_us
        packet = in_room_terms(source, view, seq, now_us)
        if not source.ring.keep(packet):
            return  # it came twice, or far too late
        source.losses.note(seq, now_us // 1000)
        source.reception.note(seq, view.timestamp, now_us)
        track = source.track
        if track.paused:
            return
        if track.tap is not None:
            self._tap(source, view.buf, now_us)
        if packet.keyframe:
            source.keyframes.met()
            if source.waiting:
                self._join(source, packet)
        if source.watchers:
            self._forward(source, packet)

    def _hand_to_taps(self) -> None:
        waiting, self._tapped = self._tapped, {}
        for track in waiting.values():
            tapped, track.tapped = track.tapped, []
            if track.tap is not None:
                track.tap(tapped)

    def _tap(self, source: Source, raw: bytes, now_us: int) -> None:
        track = source.track
        if track.tap is not None and not track.paused:
            track.tapped.append(TappedPacket(track.number, source.layer, raw, now_us))
            self._tapped[track.number] = track

    def _source_started(self, source: Source) -> None:
        self._events.append(SourceStarted(source.track.number, source.layer, source.ssrc))
        for stream in source.track.streams:
            stream.choose()

    def _join(self, source: Source, packet: Packet) -> None:
        waiting, source.waiting = source.waiting, []
        for stream in waiting:
            stream.join(source, packet)
            self._events.append(LayerJoined(stream.number, source.layer))

    def _forward(self, source: Source, packet: Packet) -> None:
        """The packet to everybody who is on this source."""
        out, send_to, peers = self._out, self._send_to, self._peers
        view = out.view
        sent = octets = 0
        payload = len(packet.tail) - packet.payload_at
        for stream in source.watchers:
            peer = peers[stream.peer]
            address = peer.address
            rewriter = stream.rewriter
            if address is None or not rewriter.admit(packet):
                continue
            size = peer.outbound.protect(out, rewriter.write(packet, rewriter.now, view))
            if not size:
                self._counters.send_failures += 1
                continue
            stream.last_us = packet.arrival_us
            stream.packets += 1
            stream.octets += payload
            if stream.resends_left < RESENDS_LEFT_MAX:
                stream.resends_left += 1
            try:
                send_to(view[:size], address)
            except OSError:
                self._counters.send_failures += 1
                continue
            sent += 1
            octets += size
        self._counters.forwarded += sent
        self._counters.forwarded_bytes += octets

    def _resend(self, peer: Peer, stream: Stream, seqs: Sequence[int]) -> None:
        """What a viewer asks for again, out of the ring."""
        address = peer.address
        if address is None or stream.track.paused or stream.paused:
            return
        for asked in seqs:
            found = stream.rewriter.origin(asked)
            if found is None:
                continue
            segment, seq = found
            source = self._source_of(stream.track, segment.source)
            packet = source.ring.find(seq) if source is not None else None
            if source is None or packet is None:
                continue
            if stream.attached is not None and source.layer > stream.attached.layer:
                # A larger layer was left, for want of bandwidth or of need, at a keyframe.
                continue
            if not stream.may_resend():
                return
            size = stream.rewriter.write(packet, segment, self._out.view)
            size = peer.outbound.protect(self._out, size)
            if size and self._send(self._out.view[:size], address):
                stream.resent += 1
                self._counters.resent += 1

    @staticmethod
    def _source_of(track: Track, number: int) -> Source | None:
        for source in track.peer.sources.values():
            if source.number == number:
                return source
        return None

    def _send(self, data: Any, address: Address) -> bool:
        try:
            self._send_to(data, address)
        except OSError:
            self._counters.send_failures += 1
            return False
        return True

    # ---- the rest

    def tick(self, now_us: int) -> None:
        for track in self._tracks.values():
            newest_us = max((s.last_us for s in track.layers if s is not None), default=0)
            for layer, source in enumerate(track.layers):
                if source is not None and has_ended(source.last_us, newest_us, now_us):
                    track.layers[layer] = None
                    self._events.append(SourceEnded(track.number, layer))
                    for stream in track.streams:
                        stream.choose()
        for peer in list(self._peers.values()):
            if peer.address is not None:
                try:
                    self._control.tick(peer, now_us)
                except Exception:
                    self._broken(peer)

    def _broken(self, peer: Peer) -> None:
        """One participant's packets must not end the hall's pictures: a mistake of ours costs him
        his connection, and is told.
        """
        log.exception("peer %d is closed: we were wrong about its packets", peer.number)
        self._events.append(PeerBroken(peer.number))
        self.close_peer(peer.number)

    def take_events(self) -> list[EngineEvent]:
        self._control.tell_levels(self._tracks.values())
        taken = list(self._events)
        self._events.clear()
        return taken

    def counters(self) -> Counters:
        return self._counters

    def stream_counters(self, subscription: int) -> StreamCounters | None:
        stream = self._streams.get(subscription)
        if stream is None:
            return None
        layer = stream.attached.layer if stream.attached is not None else -1
        return StreamCounters(stream.packets, stream.octets, stream.resent, layer)


assert PACKET_BYTES_MAX < BUFFER_BYTES
