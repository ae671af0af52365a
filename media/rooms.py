"""What the control plane keeps of rooms, members, tracks and streams; and what it tells of them.

Invariant: plain records; whatever is done to them is done in `media.sfu`.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Final

from media.codecs import Codec
from media.engine import Tap, TrackTerms
from media.grants import Grants, Label
from media.layers import LayerChoice, layer_for_tile
from media.peer import Feed, Peer, Way
from media.speaker import ActiveSpeaker

REQUESTS_BURST: Final = 40
REQUESTS_PER_S: Final = 10


@dataclass(frozen=True, slots=True)
class SfuOptions:
    """``public_addresses`` are what clients are told; ``public_port`` 0: the bound one.

    ``heights[n]`` are the pictures' heights of a track of n layers, the smallest first.
    """

    host: str = "127.0.0.1"
    port: int = 0
    public_addresses: tuple[str, ...] = ("127.0.0.1",)
    public_port: int = 0
    codecs: tuple[Codec, ...] = (Codec.H264, Codec.OPUS)
    heights: tuple[tuple[int, ...], ...] = ((), (720,), (180, 720), (180, 360, 720))
    rooms_max: int = 200
    members_max: int = 500
    peers_max: int = 2000
    tracks_max: int = 8  # of one member
    streams_max: int = 48  # of one viewer


# ---- what is told


@dataclass(frozen=True, slots=True)
class PeerConnected:
    room: str
    member: str
    way: Way
    profile: str  # of SRTP


@dataclass(frozen=True, slots=True)
class PeerLost:
    """``why``: closed, handshake, silent, or broken (a mistake of ours)."""

    room: str
    member: str
    way: Way
    why: str


@dataclass(frozen=True, slots=True)
class TrackOpened:
    """``to``: who alone may watch it, None: the room. ``hidden``: tell only those of its member.

    ``terms``: how it is sent. Who taps the track while it is told misses no packet of it.
    """

    room: str
    member: str
    track: int
    label: Label
    to: frozenset[str] | None
    hidden: bool
    terms: TrackTerms


@dataclass(frozen=True, slots=True)
class TrackClosed:
    room: str
    member: str
    track: int


@dataclass(frozen=True, slots=True)
class TrackFlowing:
    """Packets come, or have stopped to come."""

    room: str
    member: str
    track: int
    flowing: bool


@dataclass(frozen=True, slots=True)
class TrackPaused:
    """Muted or held, or not any more."""

    room: str
    member: str
    track: int
    paused: bool


@dataclass(frozen=True, slots=True)
class SpeakerChanged:
    room: str
    member: str | None
    track: int | None


@dataclass(frozen=True, slots=True)
class LayerChanged:
    """A viewer now gets this layer of a track."""

    room: str
    member: str
    track: int
    layer: int


MediaEvent = (
    PeerConnected
    | PeerLost
    | TrackOpened
    | TrackClosed
    | TrackFlowing
    | TrackPaused
    | SpeakerChanged
    | LayerChanged
)
Tell = Callable[[MediaEvent], None]


# ---- what is kept


@dataclass(slots=True)
class Budget:
    """Requests of one member: a burst, then a rate."""

    left: int = REQUESTS_BURST
    _at_us: int = 0

    def take(self, now_us: int) -> bool:
        earned = (now_us - self._at_us) * REQUESTS_PER_S // 1_000_000
        if earned:
            self.left = min(REQUESTS_BURST, self.left + earned)
            self._at_us = now_us
        if self.left == 0:
            return False
        self.left -= 1
        return True


@dataclass(slots=True, eq=False)
class Published:
    """A track. ``started``: the engine has it. ``flowing``: the layers that have packets."""

    number: int
    member: str
    label: Label
    to: frozenset[str] | None
    terms: TrackTerms
    peer: int
    started: bool = False
    muted: bool = False
    muted_by_self: bool = False
    held: bool = False
    silenced: bool = False  # by the server, see `Sfu.impose`
    tap: Tap | None = None
    flowing: set[int] = field(default_factory=set[int])

    @property
    def is_paused(self) -> bool:
        return self.muted or self.muted_by_self or self.held or self.silenced


@dataclass(slots=True, eq=False)
class Watched:
    """A stream to one viewer: of a track, in a section of its SDP."""

    number: int
    track: int
    peer: int
    mid: str
    ssrc: int
    layers: int
    tile_px: int = 0
    started: bool = False
    choice: LayerChoice = field(init=False)

    def __post_init__(self) -> None:
        self.choice = LayerChoice(self.layers)

    def show(self, tile_px: int, heights: tuple[tuple[int, ...], ...]) -> None:
        self.tile_px = tile_px
        self.choice.wanted = layer_for_tile(heights[self.layers], tile_px)


@dataclass(slots=True, eq=False)
class Member:
    """``sections`` are those of its watching SDP in order; None: free to be used again."""

    name: str
    grants: Grants
    peers: dict[Way, Peer] = field(default_factory=dict[Way, Peer])
    feed: Feed | None = None
    watched: dict[int, Watched] = field(default_factory=dict[int, Watched])
    sections: dict[str, tuple[Codec, Watched | None]] = field(
        default_factory=dict[str, "tuple[Codec, Watched | None]"]
    )
    sections_changed: bool = False
    answer_due: bool = False
    ssrcs_used: set[int] = field(default_factory=set[int])
    budget: Budget = field(default_factory=Budget)

    def may_watch(self, track: Published) -> bool:
        return self.grants.may_watch(self.name, track.member, track.to)

    def free_section(self, codec: Codec) -> str:
        for mid, (used_for, watched) in self.sections.items():
            if watched is None and used_for is codec:
                return mid
        return str(len(self.sections))

    def forget_sections(self) -> None:
        """A new connection begins with new SDP."""
        self.sections.clear()
        self.ssrcs_used.clear()
        self.sections_changed = self.answer_due = False


@dataclass(slots=True, eq=False)
class Room:
    name: str
    members: dict[str, Member] = field(default_factory=dict[str, Member])
    tracks: dict[int, Published] = field(default_factory=dict[int, Published])
    held: frozenset[str] = frozenset()
    silenced: frozenset[tuple[str, str]] = frozenset()  # member, label
    speaker: ActiveSpeaker = field(default_factory=ActiveSpeaker)

    @property
    def watching(self) -> int:
        """How many members are sent something."""
        members = self.members.values()
        return sum(any(one.tile_px for one in member.watched.values()) for member in members)

    def may_watch(self, member: str, track: int | None) -> bool:
        """Of a member and a track, or (None) of what is for the whole room."""
        known = self.members.get(member)
        if known is None:
            return False
        if track is None:
            return known.grants.watch
        published = self.tracks.get(track)
        return published is not None and known.may_watch(published)
