"""A recording over restarts, its beginning refused, its end explained."""

from pathlib import Path

import pytest

from media.recording import writing
from media.recording.disk import DiskState, Kept, RoomLimits
from media.recording.errors import RecordingRefused
from media.recording.recorder import Recorder
from media.recording.records import Kind, body_json
from media.recording.retention import recording_bytes, remove_recording
from media.recording.segments import (
    SegmentClosed,
    TrackFormat,
    check_chain,
    segment_path,
    track_records,
)
from media.recording.session import RecordingSession
from media.recording.writing import TrackResumed

OPUS = TrackFormat("opus", 48_000, 111)
H264 = TrackFormat("h264", 90_000, 102)


def roomy(folder: Path) -> DiskState:
    return DiskState(50, 100)


def record(root: Path, utc_ms: int, events: list[object]) -> RecordingSession:
    recorder = Recorder(root, events.append, measure=roomy)
    session = RecordingSession(recorder, "room")
    session.begin_track("mic", OPUS)
    session.packets("mic", [(6, bytes(20))], utc_ms)
    session.packets("unknown", [(6, bytes(20))], utc_ms)
    session.mark("mic", 7, utc_ms, {"mark": "mute", "on": True})
    session.end(8, utc_ms)
    session.end(8, utc_ms)
    recorder.close()
    return session


def test_a_recording_goes_on_after_a_crash_and_says_how_long_nothing_was_recorded(
    tmp_path: Path,
) -> None:
    events: list[object] = []
    assert record(tmp_path, 1_000, events).losses == ()
    folder = tmp_path / "room" / "mic"
    path = segment_path(folder, 1)
    raw = path.read_bytes()
    path.write_bytes(raw[:-20])  # the end of the track is torn: it was killed

    recorder = Recorder(tmp_path, events.append)
    session = RecordingSession(recorder, "room")
    recorder.close()
    (loss,) = session.losses
    assert (loss.kept_until_ms, loss.torn_bytes) == (1_000, 12)
    (sealed,) = session.unreported
    assert (sealed.segment, sealed.packets) == (1, 1)

    record(tmp_path, 4_500, events)
    marks = [body_json(r.body) for r in track_records(folder) if r.kind is Kind.MARK]
    assert {"mark": "resumed", "gap_ms": 3_500} in marks
    (resumed,) = (event for event in events if isinstance(event, TrackResumed))
    assert (resumed.gap_ms, resumed.track) == (3_500, "mic")
    assert check_chain(folder) == "whole"
    told = [event for event in events if isinstance(event, SegmentClosed)]
    assert [event.segment for event in told] == [1, 2]
    assert told[1].previous == sealed.sha256


def test_a_track_that_ended_goes_on_under_its_name_in_the_same_chain(tmp_path: Path) -> None:
    events: list[object] = []
    recorder = Recorder(tmp_path, events.append, measure=roomy)
    session = RecordingSession(recorder, "room")
    for payload_type in (111, 109, 111):  # who comes back may number its format anew
        session.begin_track("mic", TrackFormat("opus", 48_000, payload_type))
        session.packets("mic", [(6, bytes(20))], 1_000)
        session.end_track("mic", 7, 1_000)
    recorder.close()
    assert check_chain(tmp_path / "room" / "mic") == "whole"
    assert [event.segment for event in events if isinstance(event, SegmentClosed)] == [1, 2, 3]
    assert not any(isinstance(event, TrackResumed) for event in events)


def test_only_the_beginning_of_a_recording_is_refused(tmp_path: Path) -> None:
    record(tmp_path, 1_000, [])
    full = Recorder(tmp_path, lambda event: None, measure=lambda folder: DiskState(9, 100))
    try:
        with pytest.raises(RecordingRefused, match=r"recording\.disk_low"):
            RecordingSession(full, "another")
        assert RecordingSession(full, "room").losses == ()
    finally:
        full.close()
    recorder = Recorder(tmp_path, lambda event: None, measure=roomy)
    try:
        kept = [Kept("room", 90, 1_000), Kept("older", 10, 500)]
        with pytest.raises(RecordingRefused, match=r"recording\.room_full"):
            RecordingSession(recorder, "new", limits=RoomLimits(100, 0), kept=kept)
        RecordingSession(recorder, "new", limits=RoomLimits(101, 0), kept=kept)
        with pytest.raises(RecordingRefused, match=r"recording\.name"):
            RecordingSession(recorder, "../room")
    finally:
        recorder.close()


def test_what_is_removed_is_accounted_for_by_its_last_hash(tmp_path: Path) -> None:
    events: list[object] = []
    record(tmp_path, 1_000, events)
    (sealed,) = (event for event in events if isinstance(event, SegmentClosed))
    size = recording_bytes(tmp_path / "room")
    removed = remove_recording(tmp_path, "room")
    assert (removed.bytes, removed.heads) == (size, {"mic": sealed.sha256})
    assert not (tmp_path / "room").exists()
    with pytest.raises(RecordingRefused, match=r"recording\.unknown"):
        remove_recording(tmp_path, "room")


def test_files_that_are_not_the_recorders_stay(tmp_path: Path) -> None:
    record(tmp_path, 1_000, [])
    note = tmp_path / "room" / "mic" / "note.txt"
    note.write_text("kept")
    outside = tmp_path / "outside"
    outside.mkdir()
    (outside / "000001.krj").write_bytes(b"x")
    (tmp_path / "room" / "link").symlink_to(outside)
    remove_recording(tmp_path, "room")
    assert note.exists()
    assert (outside / "000001.krj").exists()
    with pytest.raises(RecordingRefused, match=r"recording\.name"):
        remove_recording(tmp_path, "..")


def test_a_quiet_tracks_segment_is_sealed_in_time(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(writing, "SEGMENT_S_MAX", 0.0)
    monkeypatch.setattr(writing, "SYNC_S", 0.0)
    events: list[object] = []
    recorder = Recorder(tmp_path, events.append, measure=roomy)
    recorder.add_track("room", "cam", H264)
    for number in range(3):
        recorder.packets("room", "cam", [(number, bytes(20))], 1_000)
        while recorder._writing.taken < recorder._taken or len(events) <= number:
            recorder._closing.wait(0.01)
    recorder.close()
    assert [event.segment for event in events if isinstance(event, SegmentClosed)] == [1, 2, 3]
