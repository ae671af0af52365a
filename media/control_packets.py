"""RTCP of the Python engine: what peers tell is taken in, what is due is told to them.

RTCP ends here on both sides: a viewer's report never reaches the publisher, nor the other way
round. Towards publishers: transport feedback, NACK, PLI, receiver reports. Towards viewers: sender
reports, whose times are the publisher's own, so that sound and picture stay together.

Invariant: what one datagram makes us send is bounded (`media.watching.RESENDS_BURST`), and goes to
the address of the peer that sent it.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Sequence
from typing import Any, Final

from media.aiortc_private import BUFFER_BYTES, PacketBuffer
from media.engine import (
    Address,
    Counters,
    EngineEvent,
    LevelHeard,
    LossHeard,
    SourceEnded,
    TimesHeard,
)
from media.packets import PACKET_BYTES_MAX
from media.publishing import Peer, Source, Track
from media.rtcp import (
    FullIntra,
    Goodbye,
    Nack,
    PictureLoss,
    ReceiverReport,
    ReportBlock,
    SenderReport,
    parse_rtcp,
    source_name,
)
from media.watching import Stream

FEEDBACK_US: Final = 50_000
REPORT_US: Final = 1_000_000
BLOCKS_MAX: Final = 31
OUR_SSRC: Final = 1  # of our own reports; the streams' SSRCs are drawn above it
NAME: Final = b"kaibiao"
COMPOUND_BYTES: Final = 1100
TRAILER_BYTES: Final = 64

Send = Callable[[Any, Address], bool]
Resend = Callable[[Peer, Stream, Sequence[int]], None]
TapOne = Callable[[Source, bytes, int], None]


class Control:
    """Used by `media.python_engine` only."""

    def __init__(
        self,
        counters: Counters,
        events: deque[EngineEvent],
        send: Send,
        resend: Resend,
        tap: TapOne,
    ) -> None:
        self._counters = counters
        self._events = events
        self._send = send
        self._resend = resend
        self._tap = tap
        self._buffer = PacketBuffer()

    # ---- from peers

    def heard(self, peer: Peer, compound: bytes, now_us: int) -> None:
        """One decrypted compound."""
        packets = parse_rtcp(compound)
        if packets is None:
            self._counters.refused += 1
            return
        for packet in packets:
            if isinstance(packet, Nack):
                stream = peer.streams.get(packet.media)
                if stream is not None:
                    self._resend(peer, stream, packet.lost)
            elif isinstance(packet, PictureLoss):
                self._keyframe(peer.streams.get(packet.media))
            elif isinstance(packet, FullIntra):
                for ssrc, _ in packet.entries:
                    self._keyframe(peer.streams.get(ssrc))
            elif isinstance(packet, SenderReport):
                self._times(peer, packet, now_us)
                self._losses(peer, packet.reports)
            elif isinstance(packet, ReceiverReport):
                self._losses(peer, packet.reports)
            elif isinstance(packet, Goodbye):
                self._ended(peer, packet.ssrcs)

    @staticmethod
    def _keyframe(stream: Stream | None) -> None:
        source = stream.attached or stream.target if stream is not None else None
        if source is not None and source.track.is_video:
            source.keyframes.need()

    def _times(self, peer: Peer, report: SenderReport, now_us: int) -> None:
        source = peer.sources.get(report.ssrc)
        if source is not None:
            alone = SenderReport(
                report.ssrc, report.ntp, report.timestamp, report.packets, report.octets
            )
            self._tap(source, bytes(alone), now_us)
            source.reception.heard(report.ntp, report.timestamp, now_us)
            track = source.track.number
            self._events.append(TimesHeard(track, source.layer, report.ntp, report.timestamp))

    def _losses(self, peer: Peer, blocks: Iterable[ReportBlock]) -> None:
        for block in blocks:
            stream = peer.streams.get(block.ssrc)
            if stream is not None:
                self._events.append(LossHeard(stream.number, block.fraction_lost))

    def _ended(self, peer: Peer, ssrcs: Iterable[int]) -> None:
        for ssrc in ssrcs:
            source = peer.sources.get(ssrc)
            if source is not None and source.track.layers[source.layer] is source:
                source.track.layers[source.layer] = None
                self._events.append(SourceEnded(source.track.number, source.layer))
                for stream in source.track.streams:
                    stream.choose()

    # ---- to peers

    def tick(self, peer: Peer, now_us: int) -> None:
        """Whatever is due for one peer."""
        packets: list[bytes] = []
        if peer.sources:
            packets += self._asked(peer, now_us)
        if peer.transport_id and now_us - peer.fed_us >= FEEDBACK_US:
            media = next(iter(peer.sources), 0)
            fed = peer.arrivals.feedback(OUR_SSRC, media)
            if fed:
                peer.fed_us = now_us
                packets += map(bytes, fed)
        if now_us - peer.reported_us >= REPORT_US:
            peer.reported_us = now_us
            packets += self._reports(peer, now_us)
        if packets:
            self._flush(peer, packets)

    def _asked(self, peer: Peer, now_us: int) -> Iterable[bytes]:
        """NACKs and PLIs to a publisher."""
        now_ms = now_us // 1000
        for source in peer.sources.values():
            if source.track.paused:
                continue
            lost = source.losses.due(now_ms)
            if lost:
                self._counters.nacks_asked += len(lost)
                seqs = tuple(seq & 0xFFFF for seq in lost)
                yield from (
                    bytes(Nack(OUR_SSRC, source.ssrc, seqs[at : at + 64]))
                    for at in range(0, len(seqs), 64)
                )
            if not source.track.is_video:
                continue
            if source.losses.gave_up:
                source.losses.gave_up = False
                source.keyframes.need()
            if source.keyframes.due(now_ms):
                self._counters.keyframes_asked += 1
                yield bytes(PictureLoss(OUR_SSRC, source.ssrc))

    def _reports(self, peer: Peer, now_us: int) -> Iterable[bytes]:
        blocks = [
            source.reception.block(source.ssrc, now_us)
            for source in peer.sources.values()
            if source.reception.received
        ]
        if blocks:
            yield bytes(ReceiverReport(OUR_SSRC, tuple(blocks[:BLOCKS_MAX])))
            yield source_name(OUR_SSRC, NAME)
        for stream in peer.streams.values():
            source = stream.attached
            if source is not None and source.reception.sender_times and stream.packets:
                yield bytes(self._sender_report(stream, source, now_us))
                yield source_name(stream.rewriter.ssrc, NAME)

    @staticmethod
    def _sender_report(stream: Stream, source: Source, now_us: int) -> SenderReport:
        """The publisher's latest times, moved to now and into the stream's timestamps."""
        assert source.reception.sender_times is not None
        ntp, timestamp = source.reception.sender_times
        since_us = now_us - source.reception.sender_times_us
        clock = source.reception.clock_hz
        moved = timestamp + since_us * clock // 1_000_000
        return SenderReport(
            stream.rewriter.ssrc,
            (ntp + (since_us << 32) // 1_000_000) & 0xFFFFFFFFFFFFFFFF,
            (moved + stream.rewriter.now.timestamp_offset) & 0xFFFFFFFF,
            stream.packets,
            stream.octets,
        )

    def _flush(self, peer: Peer, packets: list[bytes]) -> None:
        """In as few datagrams as fit; feedback without a report is allowed (RFC 5506)."""
        compound = b""
        for packet in [*packets, b""]:
            if compound and (not packet or len(compound) + len(packet) > COMPOUND_BYTES):
                self._send_rtcp(peer, compound)
                compound = b""
            compound += packet

    def _send_rtcp(self, peer: Peer, compound: bytes) -> None:
        assert peer.address is not None
        if len(compound) > PACKET_BYTES_MAX - TRAILER_BYTES:
            return  # one feedback on a flood: the publisher learns from the next
        self._buffer.view[: len(compound)] = compound
        size = peer.outbound.protect_rtcp(self._buffer, len(compound))
        if size:
            self._send(self._buffer.view[:size], peer.address)

    def tell_levels(self, tracks: Iterable[Track]) -> None:
        for track in tracks:
            if track.level >= 0:
                self._events.append(LevelHeard(track.number, track.level))
                track.level = -1


assert COMPOUND_BYTES + TRAILER_BYTES < BUFFER_BYTES
