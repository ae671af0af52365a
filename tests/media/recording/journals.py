"""Journals of a trace, written by the recorder itself."""

from collections.abc import Callable, Iterable
from pathlib import Path

from media.recording.recorder import Recorder
from media.recording.segments import TrackFormat
from tests.media.recording.traces import H264, OPUS, Sent

UTC_MS = 1_795_000_000_000
MONO_NS = 7_000_000_000_000
FORMATS = {"cam": H264, "mic": OPUS}


def write_journal(
    root: Path,
    sent: Iterable[Sent],
    *,
    formats: dict[str, TrackFormat] = FORMATS,
    mono: Callable[[int], int] = lambda at_ns: MONO_NS + at_ns,
    utc: Callable[[int], int] = lambda at_ns: UTC_MS + at_ns // 1_000_000,
    segment_bytes: int = 50_000,
) -> Path:
    """The folder of recording "room". ``mono`` and ``utc``: the clocks of the server."""
    recorder = Recorder(root, lambda event: None, segment_bytes=segment_bytes)
    for track, form in formats.items():
        recorder.add_track("room", track, form)
    for one in sent:
        if one.is_report:
            recorder.sender_report("room", one.track, mono(one.at_ns), one.raw, utc(one.at_ns))
        else:
            recorder.packets("room", one.track, [(mono(one.at_ns), one.raw)], utc(one.at_ns))
    recorder.close()
    return root / "room"
