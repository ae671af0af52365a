"""A second forwarding engine, deliberately dumb: it proves that the seam can be filled otherwise.

It shares no code with ours but the packet formats: packets are parsed by aiortc, sealed by
pylibsrtp's public calls, and every packet that ever left is kept, whole, to be sent again. It
keeps a row per viewer and packet, forgets nothing and is slow. Its bounds are the tests' patience.
"""

from collections.abc import Callable, Sequence
from typing import Any

import pylibsrtp
from aiortc import rtp

from media import engine as seam
from media.codecs import CLOCK_HZ, Codec, starts_keyframe
from media.packets import build_rtp, is_rtcp, parse_rtp, seq_delta
from media.rtcp import (
    FullIntra,
    Goodbye,
    Nack,
    PictureLoss,
    ReceiverReport,
    ReportBlock,
    SenderReport,
    TransportFeedback,
    parse_rtcp,
)
from tests.media.dumb_records import Peer, Source, Stream, Track
from tests.media.engine_lab import session


class InProcess(pylibsrtp.Session):
    """Packets come in as they are."""

    def __init__(self) -> None:
        pass

    def unprotect(self, packet: bytes) -> bytes:
        return packet

    unprotect_rtcp = unprotect


class DumbEngine:
    def __init__(self, send_to: Callable[[Any, seam.Address], object]) -> None:
        self.send_to = send_to
        self.peers: dict[int, Peer] = {}
        self.tracks: dict[int, Track] = {}
        self.streams: dict[int, Stream] = {}
        self.events: list[seam.EngineEvent] = []
        self.count = seam.Counters()
        self.tapped: list[seam.TappedPacket] = []
        self.now_us = 0

    # ---- what there is

    def add_peer(self, peer: int, keys: seam.SrtpKeys | None) -> None:
        if keys is None:
            self.peers[peer] = Peer(InProcess(), InProcess())
            return
        sessions = session(keys.receive, inbound=True), session(keys.send, inbound=False)
        self.peers[peer] = Peer(*sessions)

    def place_peer(self, peer: int, address: seam.Address) -> None:
        if peer in self.peers:
            self.peers[peer].address = address

    def close_peer(self, peer: int) -> None:
        self.peers.pop(peer, None)
        for number in [n for n, track in self.tracks.items() if track.peer == peer]:
            self.close_track(number)
        for number in [n for n, stream in self.streams.items() if stream.peer == peer]:
            self.unsubscribe(number)

    def add_track(self, track: int, peer: int, terms: seam.TrackTerms) -> None:
        if peer in self.peers:
            self.tracks[track] = Track(peer, terms)

    def pause_track(self, track: int, paused: bool) -> None:
        if track in self.tracks:
            self.tracks[track].paused = paused
            self._choose(track)

    def tap_track(self, track: int, tap: seam.Tap | None) -> None:
        if track in self.tracks:
            self.tracks[track].tap = tap

    def ask_keyframe(self, track: int) -> None:
        for source in self.tracks[track].live.values() if track in self.tracks else ():
            source.wants_key = True

    def close_track(self, track: int) -> None:
        if self.tracks.pop(track, None) is not None:
            for number in [n for n, stream in self.streams.items() if stream.track == track]:
                self.unsubscribe(number)

    def subscribe(self, subscription: int, peer: int, track: int, terms: seam.StreamTerms) -> None:
        if peer in self.peers and track in self.tracks:
            made = Stream(peer, track, terms, 9, next=terms.first_seq, floor=terms.first_seq)
            self.streams[subscription] = made
            self._choose(track)

    def aim(self, subscription: int, layer: int) -> None:
        if subscription in self.streams:
            self.streams[subscription].aim = layer
            self._choose(self.streams[subscription].track)

    def pause(self, subscription: int, paused: bool) -> None:
        if subscription in self.streams:
            self.streams[subscription].paused = paused
            self._choose(self.streams[subscription].track)

    def unsubscribe(self, subscription: int) -> None:
        self.streams.pop(subscription, None)

    def _choose(self, number: int) -> None:
        track = self.tracks[number]
        for stream in self.streams.values():
            if stream.track != number:
                continue
            below = [layer for layer in track.live if layer <= stream.aim]
            layer = max(below) if below else min(track.live, default=None)
            stopped = stream.paused or track.paused or layer is None
            wants = None if stopped else track.live[layer or 0]
            if stopped:
                stream.on = None
            if wants is not stream.wants and wants is not stream.on and wants is not None:
                wants.wants_key = True
            stream.wants = wants

    # ---- packets in

    def receive(self, batch: Sequence[seam.Arrival]) -> None:
        for number, datagram, now_us in batch:
            self.now_us = now_us
            peer = self.peers.get(number)
            if peer is None or len(datagram) < 12:
                self.count.refused += 1
                continue
            self.count.received += 1
            ssrc = int.from_bytes(datagram[8:12], "big")
            if not is_rtcp(datagram) and ssrc not in peer.heard and len(peer.heard) >= 64:
                self.count.refused += 1
                continue
            try:
                if is_rtcp(datagram):
                    self._control(number, peer, peer.inbound.unprotect_rtcp(datagram))
                    continue
                plain = peer.inbound.unprotect(datagram)
            except (pylibsrtp.Error, ValueError):
                self.count.refused += 1
                continue
            peer.heard.add(ssrc)
            self._media(number, peer, plain)
        for number, track in self.tracks.items():
            mine = [one for one in self.tapped if one.track == number]
            if mine and track.tap is not None:
                track.tap(mine)
        self.tapped.clear()

    def _media(self, number: int, peer: Peer, plain: bytes) -> None:
        view = parse_rtp(plain)
        if view is None:
            self.count.refused += 1
            return
        values = view.extensions()
        for track in self.tracks.values():
            if track.peer == number and (seen := values.get(track.terms.extensions.transport)):
                peer.transport.setdefault(int.from_bytes(seen, "big"), self.now_us)
        source = peer.sources.get(view.ssrc) or self._meet(number, peer, plain, values)
        if view.ssrc in peer.repairs:
            source = peer.repairs[view.ssrc]
            terms = self.tracks[source.track].terms
            if view.pt != terms.rtx_pt or len(view.payload) <= 2:
                source = None
            else:
                seq = int.from_bytes(view.payload[:2], "big")
                kept = [(n, v) for n, v in values.items() if n == terms.extensions.audio_level]
                plain = build_rtp(
                    terms.pt, seq, view.timestamp, source.ssrc, view.payload[2:],
                    marker=view.marker, extensions=kept,
                )  # fmt: skip
        track = self.tracks.get(source.track) if source is not None else None
        if source is None or track is None or (view := parse_rtp(plain)) is None:
            self.count.unrouted += 1
            return
        if track.live.get(source.layer, source) is not source or view.pt != track.terms.pt:
            self.count.unrouted += 1
            return
        if source.layer not in track.live:
            track.live[source.layer] = source
            self.events.append(seam.SourceStarted(source.track, source.layer, source.ssrc))
            self._choose(source.track)
        source.last_us = self.now_us
        seq = source.extended(view.seq)
        if seq in source.packets or seq <= source.highest - 512:
            return
        source.highest = max(source.highest, seq)
        packet = rtp.RtpPacket.parse(plain)
        source.packets[seq] = packet
        level = view.extension(track.terms.extensions.audio_level)
        if level is not None and track.terms.codec is Codec.OPUS:
            heard = level[0] & 0x7F
            track.level = heard if track.level < 0 else min(heard, track.level)
        if track.paused:
            return
        if track.tap is not None:
            self.tapped.append(seam.TappedPacket(source.track, source.layer, plain, self.now_us))
        key = starts_keyframe(track.terms.codec, packet.payload)
        source.wants_key = source.wants_key and not key
        for subscription, stream in self.streams.items():
            if stream.wants is source and stream.on is not source and key:
                self._join(subscription, stream, source, seq, packet)
            if stream.on is source and seq + stream.seq_shift >= stream.floor:
                self._forward(stream, source, seq, packet, level)

    def _meet(
        self, number: int, peer: Peer, plain: bytes, values: dict[int, bytes]
    ) -> Source | None:
        packet = rtp.RtpPacket.parse(plain)
        for name, track in self.tracks.items():
            terms, ids = track.terms, track.terms.extensions
            repairs = packet.payload_type == terms.rtx_pt
            if track.peer != number or packet.payload_type not in (terms.pt, terms.rtx_pt):
                continue
            if packet.ssrc in terms.rtx_ssrcs:
                peer.repairs[packet.ssrc] = peer.sources[terms.rtx_ssrcs[packet.ssrc]]
                return None
            mid = values.get(ids.mid, b"").decode("ascii", "replace")
            if packet.ssrc not in terms.ssrcs and mid != terms.mid and (mid or ids.mid):
                continue
            layer = 0
            if terms.rids:
                rid = values.get(ids.repaired_rid if repairs else ids.rid, b"")
                if rid.decode("ascii", "replace") not in terms.rids:
                    continue
                layer = terms.rids.index(rid.decode())
            if repairs and layer in track.live:
                peer.repairs[packet.ssrc] = track.live[layer]
            elif not repairs and layer not in track.live:
                source = peer.sources[packet.ssrc] = Source(packet.ssrc, name, layer)
                return source
            return None
        return None

    # ---- packets out

    def _join(
        self, subscription: int, stream: Stream, source: Source, seq: int, packet: rtp.RtpPacket
    ) -> None:
        clock = CLOCK_HZ[self.tracks[source.track].terms.codec]
        ticks = (self.now_us - stream.last_us) * clock // 1_000_000
        old = stream.on
        if old is not None and old.times and source.times and stream.latest is not None:
            in_old = (stream.latest - stream.time_shift - old.times[1] + (1 << 31)) % (1 << 32)
            in_new = (packet.timestamp - source.times[1] + (1 << 31)) % (1 << 32)
            apart = (source.times[0] - old.times[0]) * clock >> 32
            ticks = apart + in_new - in_old
        if stream.latest is None:
            starts = stream.terms.first_timestamp
        else:
            starts = stream.latest + max(1, ticks)
        stream.on = source
        stream.seq_shift = stream.next - seq
        stream.time_shift = starts - packet.timestamp
        stream.floor = stream.next
        self.events.append(seam.LayerJoined(subscription, source.layer))

    def _forward(
        self,
        stream: Stream,
        source: Source,
        seq: int,
        packet: rtp.RtpPacket,
        level: bytes | None,
    ) -> None:
        peer = self.peers[stream.peer]
        if peer.address is None:
            return
        number = seq + stream.seq_shift
        timestamp = (packet.timestamp + stream.time_shift) & 0xFFFFFFFF
        codec = self.tracks[stream.track].terms.codec
        voice = level if codec is Codec.OPUS else None
        plain = build_rtp(
            seam.ROOM_PT[codec],
            number & 0xFFFF,
            timestamp,
            stream.terms.ssrc,
            packet.payload,
            marker=bool(packet.marker),
            extensions=[(seam.ROOM_AUDIO_LEVEL, voice)] if voice else [],
        )
        if number >= stream.next:
            stream.next = number + 1
            stream.latest = packet.timestamp + stream.time_shift
        stream.left[number] = (source.layer, plain)
        stream.last_us = self.now_us
        stream.sent += 1
        stream.octets += len(packet.payload)
        self.count.forwarded += 1
        self.count.forwarded_bytes += len(plain)
        self.send_to(peer.outbound.protect(plain), peer.address)

    def _control(self, number: int, peer: Peer, compound: bytes) -> None:
        mine = {s.terms.ssrc: (n, s) for n, s in self.streams.items() if s.peer == number}
        packets = parse_rtcp(compound)
        if packets is None:
            self.count.refused += 1
        for packet in packets or ():
            if isinstance(packet, Nack) and packet.media in mine:
                self._again(peer, mine[packet.media][1], packet.lost)
            elif isinstance(packet, PictureLoss | FullIntra):
                entries = packet.entries if isinstance(packet, FullIntra) else ((packet.media, 0),)
                for ssrc, _ in entries:
                    source = mine[ssrc][1].on or mine[ssrc][1].wants if ssrc in mine else None
                    if source is not None:
                        source.wants_key = True
            elif isinstance(packet, SenderReport) and packet.ssrc in peer.sources:
                source = peer.sources[packet.ssrc]
                source.times = (packet.ntp, packet.timestamp, self.now_us)
                if not self.tracks[source.track].paused:
                    times = (packet.ntp, packet.timestamp, packet.packets, packet.octets)
                    raw = bytes(SenderReport(packet.ssrc, *times))
                    made = seam.TappedPacket(source.track, source.layer, raw, self.now_us)
                    self.tapped.append(made)
                told = (source.track, source.layer, packet.ntp, packet.timestamp)
                self.events.append(seam.TimesHeard(*told))
            elif isinstance(packet, Goodbye):
                for ssrc in packet.ssrcs:
                    if ssrc in peer.sources:
                        self._end(peer.sources[ssrc])
            if isinstance(packet, ReceiverReport | SenderReport):
                for block in packet.reports:
                    if block.ssrc in mine:
                        told = seam.LossHeard(mine[block.ssrc][0], block.fraction_lost)
                        self.events.append(told)

    def _again(self, peer: Peer, stream: Stream, lost: Sequence[int]) -> None:
        for seq in lost:
            number = stream.next - 1 + seq_delta(seq, (stream.next - 1) & 0xFFFF)
            layer, plain = stream.left.get(number, (0, b""))
            if not plain or peer.address is None or stream.resent > stream.sent:
                continue
            if stream.on is not None and layer > stream.on.layer:
                continue
            stream.resent += 1
            self.count.resent += 1
            self.send_to(peer.outbound.protect(plain), peer.address)

    def _end(self, source: Source) -> None:
        track = self.tracks.get(source.track)
        if track is not None and track.live.get(source.layer) is source:
            del track.live[source.layer]
            self.events.append(seam.SourceEnded(source.track, source.layer))
            self._choose(source.track)

    # ---- time

    def tick(self, now_us: int) -> None:
        self.now_us = now_us
        for peer in self.peers.values():
            for source in peer.sources.values():
                beside = self.tracks[source.track].live if source.track in self.tracks else {}
                newest_us = max((one.last_us for one in beside.values()), default=0)
                if now_us - source.last_us > 2_000_000 or newest_us - source.last_us > 500_000:
                    self._end(source)
            if peer.address is not None:
                self._tell(peer)

    def _tell(self, peer: Peer) -> None:
        peer.ticks += 1
        told: list[Any] = []
        for source in peer.sources.values():
            if source.track not in self.tracks or self.tracks[source.track].paused:
                continue
            lost = set(range(min(source.packets), source.highest)) - source.packets.keys()
            fresh = sorted(lost - source.asked)
            source.asked |= lost
            if 0 < len(fresh) < 300:
                told.append(Nack(1, source.ssrc, tuple(seq & 0xFFFF for seq in fresh[:64])))
                self.count.nacks_asked += len(fresh)
            if source.wants_key and self.now_us - source.key_asked_us >= 500_000:
                source.key_asked_us = self.now_us
                told.append(PictureLoss(1, source.ssrc))
                self.count.keyframes_asked += 1
        if peer.ticks % 3 == 0 and peer.transport:
            told.append(self._feedback(peer))
        if peer.ticks % 50 == 0:
            told += self._reports(peer)
        for packet in told:
            assert peer.address is not None
            self.send_to(peer.outbound.protect_rtcp(bytes(packet)), peer.address)

    def _feedback(self, peer: Peer) -> TransportFeedback:
        first, last = min(peer.transport), min(max(peer.transport), min(peer.transport) + 400)
        reference = peer.transport[first] // 64_000
        arrivals = tuple(
            None if (at := peer.transport.get(seq)) is None else (at - reference * 64_000) // 250
            for seq in range(first, last + 1)
        )
        peer.transport.clear()
        return TransportFeedback(1, 0, first, reference, peer.ticks // 3 & 0xFF, arrivals)

    def _reports(self, peer: Peer) -> list[Any]:
        blocks: list[ReportBlock] = []
        for source in peer.sources.values():
            expected = source.highest - min(source.packets, default=0) + 1
            lost = expected - len(source.packets)
            blocks.append(ReportBlock(source.ssrc, 0, lost, source.highest, 0, 0, 0))
        told: list[Any] = [ReceiverReport(1, tuple(blocks[:31]))] if blocks else []
        for stream in self.streams.values():
            if self.peers.get(stream.peer) is peer and stream.on and stream.on.times:
                ntp, timestamp, at_us = stream.on.times
                since = self.now_us - at_us
                clock = CLOCK_HZ[self.tracks[stream.track].terms.codec]
                moved = timestamp + since * clock // 1_000_000 + stream.time_shift
                told.append(
                    SenderReport(
                        stream.terms.ssrc,
                        ntp + (since << 32) // 1_000_000,
                        moved & 0xFFFFFFFF,
                        stream.sent,
                        stream.octets,
                    )
                )
        return told

    def take_events(self) -> list[seam.EngineEvent]:
        for number, track in self.tracks.items():
            if track.level >= 0:
                self.events.append(seam.LevelHeard(number, track.level))
                track.level = -1
        taken, self.events = self.events, []
        return taken

    def counters(self) -> seam.Counters:
        return self.count

    def stream_counters(self, subscription: int) -> seam.StreamCounters | None:
        stream = self.streams.get(subscription)
        if stream is None:
            return None
        layer = stream.on.layer if stream.on is not None else -1
        return seam.StreamCounters(stream.sent, stream.octets, stream.resent, layer)
