"""The forwarding engine's interface (转发引擎): batches of packets in, datagrams out.

What stands behind it may be Python (`media.python_engine`) or compiled code. The control plane
(media/sfu.py) speaks integers and plain values to it, never objects; it calls from one thread, and
no call blocks. `tests/media/test_engines.py` is what any engine has to pass.

Words: a **peer** is one transport with its keys and address. A **track** is what a peer publishes:
one sound, or one picture in one or more **layers** (simulcast, the smallest first). A
**subscription** is one viewer's stream of one track, with an SSRC of its own for its whole life.

Invariants of any engine:

- a packet is forwarded byte for byte behind its header (VP8's picture ids excepted);
- a viewer's stream is contiguous, and no number of it ever stands for two packets;
- a layer is joined at a keyframe only; keyframes are asked for at most twice a second per layer;
- whatever arrives, memory is bounded by what was added, and nothing raises.

All ids are chosen by the caller, once each. Times are microseconds of a monotonic clock.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final, Protocol

from media.codecs import Codec

Address = tuple[str, int]
# Peer, datagram, and when the kernel got it (microseconds): a publisher's bandwidth estimate hangs
# on these times, and our own lag must not be in them.
Arrival = tuple[int, bytes, int]
Tap = Callable[[Sequence["TappedPacket"]], None]

# The room's payload types and extension ids: the same for every viewer, so that what is forwarded
# is laid out once. Publishers' own numbers are mapped to these where their packets come in.
ROOM_PT: Final[Mapping[Codec, int]] = {Codec.OPUS: 111, Codec.H264: 102, Codec.VP8: 96}
ROOM_AUDIO_LEVEL: Final = 1
ROOM_ORIENTATION: Final = 2

LAYERS_MAX: Final = 3
SOURCES_PER_PEER_MAX: Final = 32  # SSRCs, with those of retransmissions
TICK_MS: Final = 20
EVENTS_MAX: Final = 4096


@dataclass(frozen=True, slots=True)
class SrtpKeys:
    """What a handshake yields: the profile's name, and master key with salt for each way."""

    profile: str
    receive: bytes
    send: bytes

    def __repr__(self) -> str:
        return f"SrtpKeys({self.profile})"  # keys are never printed


@dataclass(frozen=True, slots=True)
class ExtensionIds:
    """The publisher's ids of the header extensions that we read; 0: not negotiated."""

    mid: int = 0
    rid: int = 0
    repaired_rid: int = 0
    audio_level: int = 0
    orientation: int = 0
    transport: int = 0


@dataclass(frozen=True, slots=True)
class TrackTerms:
    """How a publisher sends one track, as its SDP says.

    ``pt`` and ``rtx_pt`` are the publisher's payload types (``rtx_pt`` -1: none). ``rids`` names
    the layers, the smallest first; empty: one layer. ``ssrcs`` are those announced, with
    ``rtx_ssrcs`` mapping a retransmission's to its own; unannounced ones are found by mid and rid.
    """

    codec: Codec
    mid: str
    pt: int
    rtx_pt: int = -1
    rids: tuple[str, ...] = ()
    ssrcs: tuple[int, ...] = ()
    rtx_ssrcs: Mapping[int, int] = field(default_factory=dict[int, int])
    extensions: ExtensionIds = ExtensionIds()


@dataclass(frozen=True, slots=True)
class StreamTerms:
    """How a viewer gets it. Numbers are drawn by the caller; ``first_seq`` below 32768."""

    ssrc: int
    first_seq: int
    first_timestamp: int


@dataclass(frozen=True, slots=True)
class TappedPacket:
    """A publisher's packet as it came, decrypted: for recording. A retransmission is unwrapped.

    Between the packets stand the layer's sender reports, by which its timestamps become times:
    `media.packets.is_rtcp` of ``raw`` tells them.
    """

    track: int
    layer: int
    raw: bytes
    arrival_us: int


# ---- what an engine tells


@dataclass(frozen=True, slots=True)
class SourceStarted:
    """The first packet of a layer, or of a new SSRC behind it."""

    track: int
    layer: int
    ssrc: int


@dataclass(frozen=True, slots=True)
class SourceEnded:
    """The publisher said goodbye to a layer, or it has been silent for a while."""

    track: int
    layer: int


@dataclass(frozen=True, slots=True)
class LayerJoined:
    """The viewer's stream is now of this layer."""

    subscription: int
    layer: int


@dataclass(frozen=True, slots=True)
class LossHeard:
    """A viewer's receiver report: ``fraction_lost`` of 256 since its last one."""

    subscription: int
    fraction_lost: int


@dataclass(frozen=True, slots=True)
class LevelHeard:
    """The loudest level of a track since the last event of it: -dBov, 0 the loudest."""

    track: int
    level: int


@dataclass(frozen=True, slots=True)
class TimesHeard:
    """A publisher's sender report: RTP ``timestamp`` was at 64-bit NTP time ``ntp``."""

    track: int
    layer: int
    ntp: int
    timestamp: int


@dataclass(frozen=True, slots=True)
class PeerBroken:
    """We were wrong about something that this peer sent; it has been closed, the others go on."""

    peer: int


EngineEvent = (
    PeerBroken | SourceStarted | SourceEnded | LayerJoined | LossHeard | LevelHeard | TimesHeard
)


@dataclass(slots=True)
class Counters:
    """Of one engine, since its start."""

    received: int = 0
    forwarded: int = 0
    forwarded_bytes: int = 0
    resent: int = 0
    refused: int = 0  # failed its authentication, came twice, or makes no sense
    unrouted: int = 0  # of no track
    keyframes_asked: int = 0
    nacks_asked: int = 0
    send_failures: int = 0


@dataclass(frozen=True, slots=True)
class StreamCounters:
    """Of one subscription."""

    packets: int
    octets: int
    resent: int
    layer: int  # -1: none yet


class Engine(Protocol):
    """See the module. A call about an id that is not known (any more) does nothing."""

    def add_peer(self, peer: int, keys: SrtpKeys | None) -> None:
        """None: a source of our own process, whose packets come as they are. It has no address:
        nothing is sent to it, so no keyframe can be asked of it, and nothing again.
        """
        ...

    def place_peer(self, peer: int, address: Address) -> None:
        """Its datagrams go there from now on. Before that nothing is sent to it."""
        ...

    def close_peer(self, peer: int) -> None:
        """With its tracks and its subscriptions."""
        ...

    def add_track(self, track: int, peer: int, terms: TrackTerms) -> None: ...
    def pause_track(self, track: int, paused: bool) -> None:
        """While paused nobody gets it, the tap included."""
        ...

    def tap_track(self, track: int, tap: Tap | None) -> None:
        """Every packet of every layer also goes to ``tap``, in batches as they came. It is called
        between packets of others: it must be quick, and must not raise.
        """
        ...

    def ask_keyframe(self, track: int) -> None:
        """Of every layer, as soon as the throttle allows."""
        ...

    def close_track(self, track: int) -> None: ...

    def subscribe(self, subscription: int, peer: int, track: int, terms: StreamTerms) -> None: ...
    def aim(self, subscription: int, layer: int) -> None:
        """The highest layer to send; while it is not there, the nearest one below."""
        ...

    def pause(self, subscription: int, paused: bool) -> None: ...
    def unsubscribe(self, subscription: int) -> None: ...

    def receive(self, batch: Sequence[Arrival]) -> None:
        """SRTP and SRTCP datagrams in the order of arrival."""
        ...

    def tick(self, now_us: int) -> None:
        """Each `TICK_MS`: what is due to be asked, reported or given up."""
        ...

    def take_events(self) -> list[EngineEvent]:
        """Since the last call, the oldest first; at most `EVENTS_MAX`, then the oldest are lost."""
        ...

    def counters(self) -> Counters: ...
    def stream_counters(self, subscription: int) -> StreamCounters | None: ...
