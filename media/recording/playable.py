"""A playable file out of the RTP journal (可播放文件): Matroska or MP4, nothing transcoded.

The journal is read twice: once for the clocks, once for the frames. Tracks of one publisher are
brought together by its sender reports. Pictures begin at a keyframe; sound that was there for long
before them is kept. Invariant: every frame in the file is one that was published, byte by byte.

    python -m media.recording.playable FOLDER OUT.mkv cam mic
"""

import hashlib
import heapq
import io
import json
import os
import sys
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from fractions import Fraction
from pathlib import Path
from typing import Any, Final

import av

from media.fragments.boxes import StreamFormat, h264_format, init_segment, opus_format
from media.recording.clocks import share_delays
from media.recording.depacketise.frames import Counters, Frame, VideoFormat
from media.recording.errors import RecordingRefused
from media.recording.segments import CODECS, checked_name
from media.recording.timeline import Timeline, make_timeline
from media.recording.track_reading import TrackReading

CONTAINERS: Final = {
    "matroska": {"cluster_time_limit": "1000"},
    "mp4": {"movflags": "frag_keyframe+empty_moov+default_base_moof"},
}
SUFFIXES: Final = {".mkv": "matroska", ".mp4": "mp4"}
MP4_CODECS: Final = frozenset({"h264", "opus"})
TRACKS_MAX: Final = 32
# How much sound before the first picture is left out, so that the file begins with both.
LEAD_NS: Final = 5_000_000_000
MS: Final = Fraction(1, 1000)


@dataclass(frozen=True, slots=True)
class Playable:
    """What was made. ``timeline`` places the journal's events; ``counters`` tell losses by track.

    ``torn``: tracks whose last segment ends in bytes that do not check out.
    """

    container: str
    sha256: str
    bytes: int
    duration_ms: int
    timeline: Timeline
    counters: dict[str, Counters]
    torn: tuple[str, ...]

    def value(self) -> dict[str, Any]:
        """For JSON."""
        return asdict(self) | {"timeline": self.timeline.value()}


def make_playable(
    folder: Path, out: Path, tracks: Sequence[str], container: str = "matroska"
) -> Playable:
    """Makes ``out`` from tracks of the recording in ``folder``; there is no half file.

    Raises RecordingRefused ``playable.container``, ``playable.codec``, ``playable.tracks``,
    ``playable.empty``, and those of a damaged journal.
    """
    if container not in CONTAINERS:
        raise RecordingRefused("playable.container", container[:20])
    if not 1 <= len(tracks) <= TRACKS_MAX or len(set(tracks)) != len(tracks):
        raise RecordingRefused("playable.tracks")
    readings = [TrackReading(folder / checked_name(name)) for name in tracks]
    reference = min(
        (reading.first for reading in readings if reading.first), key=lambda m: m[1], default=None
    )
    if reference is None:
        raise RecordingRefused("playable.empty")
    for reading in readings:
        if container == "mp4" and reading.format.codec not in MP4_CODECS:
            raise RecordingRefused("playable.codec", reading.format.codec)
        reading.survey(reference)
    share_delays(source for reading in readings for source in reading.sources)
    start_ns = _start(readings)
    part = out.with_name(out.name + ".part")
    try:
        end_ns = _write(part, readings, start_ns, container)
        size, digest = _seal(part)
        part.replace(out)
    finally:
        part.unlink(missing_ok=True)
    moments = heapq.merge(*(reading.moments for reading in readings))
    return Playable(
        container, digest, size, (end_ns - start_ns) // 1_000_000,
        make_timeline(moments, start_ns, end_ns),
        {reading.name: reading.counters for reading in readings},
        tuple(reading.name for reading in readings if reading.chain == "torn"),
    )  # fmt: skip


def _start(readings: Sequence[TrackReading]) -> int:
    """When the file begins: at the first keyframe, unless sound was there long before."""
    firsts: dict[str, list[int]] = {"audio": [], "video": []}
    for reading in readings:
        frame = next(reading.frames(), None)
        if frame is not None:
            firsts[reading.format.kind].append(frame[0])
    if not any(firsts.values()):
        raise RecordingRefused("playable.empty")
    sound, picture = min(firsts["audio"], default=None), min(firsts["video"], default=None)
    if sound is None or (picture is not None and sound <= picture <= sound + LEAD_NS):
        assert picture is not None
        return picture
    return sound if picture is None else min(sound, picture)


def _write(path: Path, readings: Sequence[TrackReading], start_ns: int, container: str) -> int:
    """Muxes every frame from ``start_ns`` on; returns when the last one ends."""
    end_ns = start_ns
    with av.open(str(path), "w", format=container, options=CONTAINERS[container]) as output:
        lanes = [lane for reading in readings if (lane := _Lane.open(output, reading))]
        merged = heapq.merge(*(lane.frames() for lane in lanes), key=lambda one: one[0])
        for when_ns, lane, frame in merged:
            if when_ns < start_ns:
                continue
            output.mux_one(lane.packet(when_ns - start_ns, frame))
            end_ns = max(end_ns, when_ns)
    return end_ns


class _Lane:
    """A track on its way into the file."""

    def __init__(self, reading: TrackReading, stream: Any) -> None:
        self._reading, self._stream = reading, stream
        self._last_ms = -1

    @classmethod
    def open(cls, output: Any, reading: TrackReading) -> "_Lane | None":
        """None for a track without a single frame: a stream of nothing confuses players."""
        first = next(reading.frames(), None)
        if first is None:
            return None
        frame = first[1]
        if frame.format is not None and frame.format.codec == "vp8":
            size = {"width": frame.format.width, "height": frame.format.height}
            return cls(reading, output.add_mux_stream("vp8", **size))
        form = _stream_format(reading.format.codec, frame.format)
        # Our own init segment tells the muxer what no setter of its library can.
        with av.open(io.BytesIO(init_segment(form)), format="mp4") as template:
            stream = output.add_stream_from_template(template.streams[0], opaque=True)
        return cls(reading, stream)

    def frames(self) -> Iterator[tuple[int, "_Lane", Frame]]:
        return ((when_ns, self, frame) for when_ns, frame in self._reading.frames())

    def packet(self, at_ns: int, frame: Frame) -> av.Packet:
        """``at_ns`` from the beginning of the file. Times of a stream only rise."""
        self._last_ms = max(self._last_ms + 1, at_ns // 1_000_000)
        packet = av.Packet(frame.data)
        packet.stream = self._stream
        packet.time_base = MS
        packet.pts = packet.dts = self._last_ms
        packet.is_keyframe = frame.is_key
        return packet


def _stream_format(codec: str, form: VideoFormat | None) -> StreamFormat:
    assert codec in CODECS
    if codec == "opus":
        return opus_format()
    assert form is not None
    return h264_format(form)


def _seal(path: Path) -> tuple[int, str]:
    """Size and SHA-256 of a file that is durable then."""
    digest = hashlib.sha256()
    with path.open("rb") as file:
        os.fsync(file.fileno())
        while block := file.read(1 << 20):
            digest.update(block)
        return file.tell(), digest.hexdigest()


def main(arguments: Sequence[str]) -> int:
    """FOLDER OUT TRACK...: prints what was made as JSON."""
    folder, out, *tracks = arguments
    container = SUFFIXES.get(Path(out).suffix, "")
    try:
        made = make_playable(Path(folder), Path(out), tracks, container)
    except RecordingRefused as refused:
        print(refused, file=sys.stderr)
        return 1
    print(json.dumps(made.value()))
    return 0


if __name__ == "__main__":
    if len(sys.argv) < 4:
        sys.exit(__doc__)
    sys.exit(main(sys.argv[1:]))
