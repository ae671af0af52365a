"""A recorded room without cameras: two publishers' RTP in the journal of a recording, as the
recorder writes it. Every picture carries its number in black and white squares.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from media.recording.recorder import Recorder
from media.recording.segments import TrackFormat
from media.recording.tapping import ABOUT
from tests.media.recording.traces import FPS, H264, OPUS, Sent, publish

MONO_NS = 7_000_000_000_000
FRAME_MS = 1000 // FPS
FORMATS: dict[str, tuple[str, TrackFormat]] = {"cam": ("camera", H264), "mic": ("microphone", OPUS)}


@dataclass(frozen=True, slots=True)
class Publisher:
    """``after_ms``: how long after the first one his first picture came."""

    member: str
    after_ms: int
    seconds: int
    lost_ms: int = 0  # of a crash, before his last second


def record(root: Path, recording: str, utc_ms: int, publishers: Sequence[Publisher]) -> None:
    """``utc_ms``: when the first publisher's first picture came."""
    recorder = Recorder(root, lambda event: None)
    for one in publishers:
        at = {kind: f"{one.member}.{label}-0" for kind, (label, _) in FORMATS.items()}
        for kind, (label, form) in FORMATS.items():
            recorder.add_track(recording, at[kind], form)
            said = {"mark": ABOUT, "member": one.member, "label": label, "hidden": False}
            when = MONO_NS + one.after_ms * 1_000_000
            recorder.mark(recording, at[kind], when, utc_ms + one.after_ms, {**said, "layer": 0})
        for sent in publish(one.seconds, gop=FPS):
            _take(recorder, recording, at[sent.track], sent, utc_ms, one)
    recorder.close()


def _take(
    recorder: Recorder, recording: str, track: str, sent: Sent, utc_ms: int, one: Publisher
) -> None:
    passed_ns = sent.at_ns + one.after_ms * 1_000_000
    mono_ns, at_ms = MONO_NS + passed_ns, utc_ms + passed_ns // 1_000_000
    end_ms = (one.seconds - 1) * 1000
    if one.lost_ms and end_ms - one.lost_ms <= sent.at_ns // 1_000_000 < end_ms:
        return
    if one.lost_ms and sent.track == "cam" and sent.at_ns // 1_000_000 == end_ms + 5:
        gap = {"mark": "resumed", "gap_ms": one.lost_ms}
        recorder.mark(recording, track, mono_ns, at_ms, gap)
    if sent.is_report:
        recorder.sender_report(recording, track, mono_ns, sent.raw, at_ms)
    else:
        recorder.packets(recording, track, [(mono_ns, sent.raw)], at_ms)
