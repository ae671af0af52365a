"""The publisher's side of the Python engine: which source a packet belongs to, in whose terms.

A *source* is one SSRC of one layer. Packets are turned into the room's terms once, here, whatever
the number of viewers: the room's payload type, the extensions that are passed on under the room's
ids, retransmissions unwrapped (RFC 4588).

Invariant: a peer has at most `SOURCES_PER_PEER_MAX` SSRCs, whatever it sends.
"""

from __future__ import annotations

import struct
from collections import deque
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from media.aiortc_private import PacketBuffer, SrtpSession
from media.arrivals import LossFinder, Reception, TransportArrivals
from media.codecs import CLOCK_HZ, Codec, starts_keyframe
from media.engine import (
    ROOM_AUDIO_LEVEL,
    ROOM_ORIENTATION,
    ROOM_PT,
    SOURCES_PER_PEER_MAX,
    Address,
    SrtpKeys,
    Tap,
    TappedPacket,
    TrackTerms,
)
from media.keyframes import KeyframeNeed
from media.packets import RtpView, build_rtp, extension_block, parse_rtp
from media.ring import Packet, PacketRing, Unwrapper

if TYPE_CHECKING:
    from media.watching import Stream

SILENT_US: Final = 2_000_000  # a layer that says nothing for so long has ended
# So much later may another layer of the track be: a browser drops the larger one without a word.
BEHIND_US: Final = 500_000
_U16 = struct.Struct("!H")


@dataclass(slots=True, eq=False)
class Source:
    """One SSRC of a layer. ``watchers`` get its packets; ``waiting`` want to, from a keyframe."""

    number: int
    track: Track
    layer: int
    ssrc: int
    reception: Reception
    unwrapper: Unwrapper = field(default_factory=Unwrapper)
    ring: PacketRing = field(default_factory=PacketRing)
    losses: LossFinder = field(default_factory=LossFinder)
    keyframes: KeyframeNeed = field(default_factory=KeyframeNeed)
    watchers: list[Stream] = field(default_factory=list["Stream"])
    waiting: list[Stream] = field(default_factory=list["Stream"])
    last_us: int = 0


@dataclass(slots=True, eq=False)
class Track:
    """``layers[i]`` is the live source of layer i, or None."""

    number: int
    peer: Peer
    terms: TrackTerms
    layers: list[Source | None]
    streams: list[Stream] = field(default_factory=list["Stream"])
    paused: bool = False
    tap: Tap | None = None
    tapped: list[TappedPacket] = field(default_factory=list[TappedPacket])
    level: int = -1

    @property
    def is_video(self) -> bool:
        return self.terms.codec is not Codec.OPUS

    def source_for(self, aim: int) -> Source | None:
        """The live layer nearest to ``aim``: at or below it, else the smallest above."""
        for source in reversed(self.layers[: aim + 1]):
            if source is not None:
                return source
        return next((source for source in self.layers[aim + 1 :] if source is not None), None)


class InProcess:
    """Instead of SRTP, where packets come from our own process: in as they are, and none out."""

    __slots__ = ()

    def unprotect(self, buffer: PacketBuffer, size: int) -> int:  # noqa: ARG002 - as SRTP's
        return size

    unprotect_rtcp = unprotect

    def protect(self, buffer: PacketBuffer, size: int) -> int:  # noqa: ARG002 - as SRTP's
        return 0

    protect_rtcp = protect


@dataclass(slots=True, eq=False)
class Peer:
    """One transport. ``sources`` and ``repairs`` are by SSRC; a repair names its source's SSRC."""

    number: int
    inbound: SrtpSession | InProcess
    outbound: SrtpSession | InProcess
    address: Address | None = None
    tracks: list[Track] = field(default_factory=list[Track])
    streams: dict[int, Stream] = field(default_factory=dict[int, "Stream"])  # by SSRC
    sources: dict[int, Source] = field(default_factory=dict[int, Source])
    repairs: dict[int, int] = field(default_factory=dict[int, int])
    arrivals: TransportArrivals = field(default_factory=TransportArrivals)
    transport_id: int = 0
    fed_us: int = 0  # when the last transport feedback went out
    reported_us: int = 0
    # SSRCs that have been authenticated: the SRTP library keeps a state for each.
    heard: set[int] = field(default_factory=set[int])
    # Senders of RTCP likewise; a browser uses the SSRCs of its media, and one more.
    heard_rtcp: set[int] = field(default_factory=set[int])

    @classmethod
    def of(cls, number: int, keys: SrtpKeys | None) -> Peer:
        if keys is None:
            return cls(number, InProcess(), InProcess())
        inbound = SrtpSession(keys.profile, keys.receive, inbound=True)
        return cls(number, inbound, SrtpSession(keys.profile, keys.send, inbound=False))


class Sources:
    """Gives sources their numbers, and finds the one of a packet."""

    def __init__(self) -> None:
        self._next = 0
        self.started: deque[Source] = deque()

    def find(self, peer: Peer, view: RtpView) -> tuple[Source, RtpView] | None:
        """The source of a packet, and the packet as it was first sent; None: of no track."""
        source = peer.sources.get(view.ssrc)
        if source is not None:
            if source.track.layers[source.layer] is not source and not self._revive(source):
                return None
            return (source, view) if view.pt == source.track.terms.pt else None
        repaired = peer.repairs.get(view.ssrc)
        if repaired is None:
            return self._meet(peer, view)
        return self._unwrapped(peer, view, repaired)

    def _unwrapped(self, peer: Peer, view: RtpView, repaired: int) -> tuple[Source, RtpView] | None:
        """RFC 4588 §4: the original number is the first two bytes; nothing behind it: padding."""
        source = peer.sources.get(repaired)
        if source is None or view.pt != source.track.terms.rtx_pt:
            return None
        if view.payload_end - view.payload_offset <= 2:
            return None
        (seq,) = _U16.unpack_from(view.buf, view.payload_offset)
        original = parse_rtp(
            build_rtp(
                source.track.terms.pt,
                seq,
                view.timestamp,
                source.ssrc,
                view.buf[view.payload_offset + 2 : view.payload_end],
                marker=view.marker,
                extensions=[
                    (number, value)
                    for number, value in view.each_extension()
                    if number <= 14
                    and 1 <= len(value) <= 16
                    and number
                    in (
                        source.track.terms.extensions.audio_level,
                        source.track.terms.extensions.orientation,
                    )
                ],
            )
        )
        return (source, original) if original is not None else None

    def _meet(self, peer: Peer, view: RtpView) -> tuple[Source, RtpView] | None:
        """An SSRC that is new: announced, or told by its mid and rid."""
        if len(peer.sources) + len(peer.repairs) >= SOURCES_PER_PEER_MAX:
            return None
        for track in peer.tracks:
            terms = track.terms
            if view.pt not in (terms.pt, terms.rtx_pt):
                continue
            repairs = view.pt == terms.rtx_pt
            if repairs and view.ssrc in terms.rtx_ssrcs:
                peer.repairs[view.ssrc] = terms.rtx_ssrcs[view.ssrc]
                return self._unwrapped(peer, view, peer.repairs[view.ssrc])
            layer = _layer(peer, track, view, repairs=repairs)
            if layer is None:
                continue
            source = track.layers[layer]
            if not repairs:
                # A layer that speaks is not taken away from its SSRC.
                return (self._start(track, layer, view.ssrc), view) if source is None else None
            if source is None:
                return None  # the repaired packet's SSRC is not known yet
            peer.repairs[view.ssrc] = source.ssrc
            return self._unwrapped(peer, view, source.ssrc)
        return None

    def _revive(self, source: Source) -> bool:
        """A layer that was silent speaks again, under the SSRC that it had."""
        if source.track.layers[source.layer] is not None:
            return False
        source.track.layers[source.layer] = source
        self.started.append(source)
        return True

    def _start(self, track: Track, layer: int, ssrc: int) -> Source:
        """A new source behind a layer; what was behind it before is forgotten."""
        peer = track.peer
        for old in [old for old in peer.sources.values() if old.track is track]:
            if old.layer == layer:
                forget(peer, old)
        self._next += 1
        clock = CLOCK_HZ[track.terms.codec]
        source = Source(self._next, track, layer, ssrc, Reception(clock))
        track.layers[layer] = source
        track.peer.sources[ssrc] = source
        self.started.append(source)
        return source


def has_ended(last_us: int, newest_us: int, now_us: int) -> bool:
    """Whether a layer last heard at ``last_us`` has ended; ``newest_us`` is its track's."""
    return now_us - last_us > SILENT_US or newest_us - last_us > BEHIND_US


def forget(peer: Peer, source: Source) -> None:
    """A source and its repairs are gone for good."""
    del peer.sources[source.ssrc]
    for ssrc in [ssrc for ssrc, repaired in peer.repairs.items() if repaired == source.ssrc]:
        del peer.repairs[ssrc]
    if isinstance(peer.inbound, InProcess):
        # No library keeps a state for it: a camera may come back as often as it likes.
        peer.heard.discard(source.ssrc)
        peer.heard_rtcp.discard(source.ssrc)


def _layer(peer: Peer, track: Track, view: RtpView, *, repairs: bool) -> int | None:
    """Which layer of ``track`` a packet of a new SSRC belongs to; None: none of them."""
    terms, ids = track.terms, track.terms.extensions
    if view.ssrc in terms.ssrcs and len(terms.rids) <= 1:
        return 0
    values = view.extensions()
    mid = values.get(ids.mid) if ids.mid else None
    if mid is not None and mid != terms.mid.encode():
        return None
    if terms.rids:
        rid = values.get(ids.repaired_rid if repairs else ids.rid, b"").decode("ascii", "replace")
        return terms.rids.index(rid) if rid in terms.rids else None
    if mid is not None:
        return 0
    # Neither announced nor named: right where only one track can be meant (RFC 8843 §9.2).
    alike = [one for one in peer.tracks if view.pt in (one.terms.pt, one.terms.rtx_pt)]
    return 0 if len(alike) == 1 else None


def in_room_terms(source: Source, view: RtpView, seq: int, now_us: int) -> Packet:
    """The packet as the ring keeps it and viewers get it. Notes the audio level on the way."""
    track = source.track
    ids = track.terms.extensions
    values: list[tuple[int, bytes]] = []
    if ids.audio_level or ids.orientation:
        for number, value in view.each_extension():
            if number == ids.audio_level and len(value) == 1:
                values.append((ROOM_AUDIO_LEVEL, value))
                level = value[0] & 0x7F
                track.level = level if track.level < 0 else min(track.level, level)
            elif number == ids.orientation and len(value) == 1:
                values.append((ROOM_ORIENTATION, value))
    block = extension_block(values) if values else b""
    payload = view.payload
    codec = track.terms.codec
    return Packet(
        seq,
        view.timestamp,
        0x90 if block else 0x80,
        ROOM_PT[codec] | (0x80 if view.marker else 0),
        block + payload if block else payload,
        len(block),
        starts_keyframe(codec, payload),
        now_us,
    )
