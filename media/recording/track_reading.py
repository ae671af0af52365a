"""One track's journal read for playing (读轨道): clocks first, then frames with their place.

Invariant: a track may be longer than memory; only clocks, delays and samples of time are kept.
"""

from collections.abc import Iterator
from itertools import islice
from pathlib import Path
from typing import Final

from media.packets import parse_rtp, timestamp_delta
from media.recording.clocks import PlacedSource, SourceClock, ntp_ns, steady
from media.recording.depacketise.assembler import Assembler
from media.recording.depacketise.frames import Counters, Frame
from media.recording.errors import RecordingRefused
from media.recording.records import Kind, Record
from media.recording.segments import (
    SegmentHead,
    TrackFormat,
    check_chain,
    read_segment,
    segment_path,
    track_records,
)
from media.rtcp import SenderReport, parse_rtcp

SAMPLE_NS: Final = 1_000_000_000  # between two samples of (recorder's time, UTC)
UTC_STEP_MS: Final = 20


class TrackReading:
    """``survey`` once, then ``frames`` as often as wanted. Raises RecordingRefused as the chain.

    The track may be written at the same time: what came after the survey is not looked at.
    """

    def __init__(self, folder: Path) -> None:
        self.name, self._folder = folder.name, folder
        if not segment_path(folder, 1).exists():
            raise RecordingRefused("playable.tracks", self.name)
        self.chain = check_chain(folder)
        segment = read_segment(segment_path(folder, 1))
        if segment is None:
            raise RecordingRefused("segment.damaged", "1")
        self.format: TrackFormat = segment.head.format
        self.sources: list[PlacedSource] = []
        self.moments: list[tuple[int, int]] = []
        self.counters = Counters()
        self._reference = (0, 0)
        self._moment: tuple[int, int] | None = None
        self._surveyed: int | None = None  # records

    @property
    def first(self) -> tuple[int, int] | None:
        """(monotonic ns, UTC ms) of the first packet; None if there is none."""
        for record in track_records(self._folder):
            if record.kind is Kind.RTP:
                return record.mono_ns, record.utc_ms
        return None

    def _records(self) -> Iterator[tuple[int, Record]]:
        """Records with their time on the recording's steady clock."""

        def kept() -> Iterator[Record]:
            for record in track_records(self._folder):
                if record.kind is Kind.HEAD:
                    self._take_head(record)
                elif record.kind in (Kind.RTP, Kind.SENDER_REPORT):
                    yield record

        pending: list[Record] = []

        def pairs() -> Iterator[tuple[int, int]]:
            for record in kept():
                pending.append(record)
                yield record.mono_ns, record.utc_ms

        placed = steady(pairs(), self._reference)
        for at_ns in placed if self._surveyed is None else islice(placed, self._surveyed):
            yield at_ns, pending.pop()

    def _take_head(self, record: Record) -> None:
        """A publisher who comes back may number its format anew; another codec is another track."""
        form = SegmentHead.decode(record.body).format
        if (form.codec, form.clock_rate) != (self.format.codec, self.format.clock_rate):
            raise RecordingRefused("playable.codec", form.codec)
        self.format = form

    def survey(self, reference: tuple[int, int]) -> None:
        """Learns clocks, delays and the run of UTC. ``reference``: see ``clocks.steady``."""
        self._reference = reference
        ssrc: int | None = None
        unwrapped = 0
        arrivals: list[list[tuple[int, int]]] = []  # (arrival, timestamp), thinned, by source
        records = 0
        for at_ns, record in self._records():
            records += 1
            self._note_moment(at_ns, record.utc_ms)
            if record.kind is Kind.SENDER_REPORT:
                for report in parse_rtcp(record.body) or ():
                    if isinstance(report, SenderReport) and report.ssrc == ssrc:
                        at = unwrapped + timestamp_delta(report.timestamp, unwrapped & 0xFFFFFFFF)
                        self.sources[-1].clock.report(at, ntp_ns(report.ntp))
                continue
            view = parse_rtp(record.body)
            if view is None or view.pt != self.format.payload_type:
                continue
            if view.ssrc != ssrc:
                ssrc, unwrapped = view.ssrc, view.timestamp
                self.sources.append(PlacedSource(SourceClock(self.format.clock_rate)))
                arrivals.append([])
            unwrapped += timestamp_delta(view.timestamp, unwrapped & 0xFFFFFFFF)
            _thin(arrivals[-1], at_ns, unwrapped, self.format.clock_rate)
        self._surveyed = records
        for source, seen in zip(self.sources, arrivals, strict=True):
            for at_ns, timestamp in seen:
                source.delays.add(at_ns, at_ns - source.clock.sender_ns(timestamp))

    def frames(self) -> Iterator[tuple[int, Frame]]:
        """(when it was made on the recording's clock in ns, frame), in decoding order."""
        assembler = Assembler(self.format)
        self.counters = assembler.counters
        for at_ns, record in self._records():
            assembler.format = self.format
            if record.kind is Kind.RTP:
                yield from self._placed(assembler.packet(record.body, at_ns))
        yield from self._placed(assembler.flush())

    def _placed(self, frames: list[Frame]) -> Iterator[tuple[int, Frame]]:
        for frame in frames:
            source = self.sources[frame.source]
            yield source.place(frame.timestamp, frame.arrival_ns), frame

    def _note_moment(self, at_ns: int, utc_ms: int) -> None:
        before, self._moment = self._moment, (at_ns, utc_ms)
        if self.moments and before is not None:
            last_ns, last_ms = self.moments[-1]
            ahead_ns = at_ns - last_ns
            is_set = abs(utc_ms - last_ms - ahead_ns // 1_000_000) > UTC_STEP_MS
            if not is_set and ahead_ns < SAMPLE_NS:
                return
            if is_set and before > self.moments[-1]:
                self.moments.append(before)  # up to here the clock went as it had gone
        self.moments.append((at_ns, utc_ms))


def _thin(seen: list[tuple[int, int]], at_ns: int, timestamp: int, rate: int) -> None:
    """Of each second keeps the packet that came soonest after it was made.

    That needs no report: within a second a source's own timestamps are clock enough.
    """
    delay = at_ns - timestamp * 1_000_000_000 // rate
    if seen:
        last_ns, last = seen[-1]
        if at_ns // SAMPLE_NS == last_ns // SAMPLE_NS:
            if delay < last_ns - last * 1_000_000_000 // rate:
                seen[-1] = at_ns, timestamp
            return
    seen.append((at_ns, timestamp))
