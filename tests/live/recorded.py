"""A finished recording as rooms leave it: tracks with their marks, on the disk."""

import json
from collections.abc import Iterable
from pathlib import Path

from media.engine import TappedPacket
from media.recording.recorder import Recorder
from media.recording.session import RecordingSession
from media.recording.tapping import TrackTap
from server.live.recordings import ENDED
from tests.media.recording.traces import H264, OPUS, Sent

UTC_MS = 1_795_000_000_000
MONO_NS = 7_000_000_000_000
LABELS = {"cam": ("camera", H264), "mic": ("microphone", OPUS)}


def utc_of(mono_ns: int) -> int:
    return UTC_MS + (mono_ns - MONO_NS) // 1_000_000


def record(
    root: Path,
    trace: Iterable[Sent],
    *,
    recording: str = "opening-x",
    member: str = "host",
    call: bool = False,
    ended_ms: int | None = UTC_MS,
) -> Path:
    """The folder. ``ended_ms``: when its room ended it, None: it goes on."""
    recorder = Recorder(root, lambda event: None)
    session = RecordingSession(recorder, recording)
    taps = {}
    for track, (label, form) in LABELS.items():
        about = {"member": member, "label": label, "hidden": call, "to": ["s1"] if call else None}
        name = f"{member}.{'call.' if call else ''}{label}"
        taps[track] = TrackTap(name, form, utc_of, recording=session, about=about)
    for one in trace:
        at_us = (MONO_NS + one.at_ns) // 1000
        taps[one.track]([TappedPacket(1, 0, one.raw, at_us)])
    for tap in taps.values():
        tap.end()
    recorder.close()
    if ended_ms is not None:
        (root / recording / ENDED).write_text(json.dumps({"ended_ms": ended_ms}))
    return root / recording
