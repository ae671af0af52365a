"""What comes out (帧): whole frames in decoding order, and counts of what did not."""

from dataclasses import dataclass, field
from typing import Final, Protocol

from media.packets import RtpView

FRAME_BYTES_MAX: Final = 4 << 20


@dataclass(frozen=True, slots=True)
class VideoFormat:
    """What a decoder must know before the first frame. ``parameters``: SPS and PPS of H.264."""

    codec: str
    width: int
    height: int
    parameters: tuple[bytes, ...] = ()


@dataclass(frozen=True, slots=True)
class Frame:
    """One frame. ``timestamp``: RTP units, unwrapped, so it only grows with time.

    ``arrival_ns``: time of its last packet as given. ``data``: H.264 as NAL units each after four
    bytes of length, VP8 and Opus as they are. ``format`` is there with every video keyframe.
    ``source``: see ``Assembler``.
    """

    timestamp: int
    arrival_ns: int
    data: bytes
    is_key: bool
    format: VideoFormat | None = None
    source: int = 0


@dataclass(slots=True)
class Counters:
    """What happened to a track. All but ``frames`` and ``frames_dropped`` count packets."""

    packets: int = 0
    malformed: int = 0
    foreign: int = 0  # another payload type
    duplicates: int = 0
    late: int = 0  # came after its place was given up
    lost: int = 0
    frames: int = 0
    frames_dropped: int = 0
    gaps: int = 0


@dataclass(frozen=True, slots=True)
class Unit:
    """One packet in its place. ``timestamp`` is unwrapped."""

    view: RtpView
    timestamp: int
    arrival_ns: int


class Depacketiser(Protocol):
    """Takes packets of one source in order. ``gap`` says that packets before the next are gone."""

    def push(self, unit: Unit, counters: Counters) -> list[Frame]: ...

    def gap(self, counters: Counters) -> None: ...


@dataclass(slots=True)
class Gathering:
    """The packets of one frame until it is whole; shared by the video codecs."""

    timestamp: int = 0
    parts: list[bytes] = field(default_factory=list)
    size: int = 0

    def add(self, part: bytes) -> bool:
        """False if the frame grows out of all proportion."""
        self.size += len(part)
        self.parts.append(part)
        return self.size <= FRAME_BYTES_MAX
