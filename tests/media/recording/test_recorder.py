"""The recorder: what is handed in stands in the files, whatever the clocks and callers do."""

import hashlib
import threading
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from media.recording import recorder as module
from media.recording.errors import RecordingRefused
from media.recording.recorder import Recorder
from media.recording.records import FLAG_REPAIRED, Kind, body_json
from media.recording.segments import (
    SegmentClosed,
    TrackFormat,
    check_chain,
    segment_path,
    track_records,
)
from media.recording.writing import PacketsDropped

OPUS = TrackFormat("opus", 48_000, 111)
H264 = TrackFormat("h264", 90_000, 102)


def closing(events: list[object]) -> list[SegmentClosed]:
    return [event for event in events if isinstance(event, SegmentClosed)]


def test_everything_of_a_track_is_in_its_journal_in_order(tmp_path: Path) -> None:
    events: list[object] = []
    recorder = Recorder(tmp_path, events.append)
    recorder.add_track("room", "cam", H264)
    recorder.packets("room", "cam", [(1_000_000_000, b"a" * 12), (1_004_000_000, b"b" * 12)], 5_000)
    recorder.sender_report("room", "cam", 1_005_000_000, b"SR", 5_001)
    recorder.mark("room", "cam", 1_006_000_000, 5_002, {"mark": "hold"})
    recorder.packets("room", "cam", [(1_007_000_000, b"c" * 12)], 5_003, FLAG_REPAIRED)
    recorder.end_track("room", "cam", 1_008_000_000, 5_004)
    recorder.close()
    found = list(track_records(tmp_path / "room" / "cam"))
    assert [(r.kind, r.utc_ms, r.flags) for r in found] == [
        (Kind.HEAD, 5_003, 0), (Kind.RTP, 4_996, 0), (Kind.RTP, 5_000, 0),
        (Kind.SENDER_REPORT, 5_001, 0), (Kind.MARK, 5_002, 0), (Kind.RTP, 5_003, FLAG_REPAIRED),
        (Kind.END, 5_004, 0),
    ]  # fmt: skip
    assert body_json(found[4].body) == {"mark": "hold"}
    (sealed,) = closing(events)
    raw = segment_path(tmp_path / "room" / "cam", 1).read_bytes()
    assert sealed.sha256 == hashlib.sha256(raw).hexdigest()
    assert (sealed.packets, sealed.bytes, sealed.previous) == (3, len(raw), "")
    assert not any(thread.name == "recorder" for thread in threading.enumerate())


def test_full_segments_are_sealed_and_chained(tmp_path: Path) -> None:
    events: list[object] = []
    recorder = Recorder(tmp_path, events.append, segment_bytes=3_000)
    recorder.add_track("room", "mic", OPUS)
    done = threading.Event()
    for number in range(4):
        recorder.packets("room", "mic", [(number, bytes(1400))] * 3, 1_000 + number)
        while recorder._writing.taken < recorder._taken:  # the thread takes it within a flush
            done.wait(0.01)
    recorder.close()
    sealed = closing(events)
    assert [one.segment for one in sealed] == [1, 2, 3, 4]
    assert [one.previous for one in sealed] == ["", *[one.sha256 for one in sealed[:-1]]]
    assert sum(one.packets for one in sealed) == 12
    assert check_chain(tmp_path / "room" / "mic") == "whole"


@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(
    st.lists(
        st.tuples(
            st.integers(-(1 << 64), 1 << 64), st.integers(-(1 << 64), 1 << 64),
            st.integers(0, 1600), st.integers(-1000, 1000),
        ),
        max_size=8,
    )
)  # fmt: skip
def test_clock_jumps_and_sizes_never_end_the_thread(
    tmp_path_factory: pytest.TempPathFactory, batches: list[tuple[int, int, int, int]]
) -> None:
    root = tmp_path_factory.mktemp("jumps")
    recorder = Recorder(root, lambda event: None)
    recorder.add_track("room", "mic", OPUS)
    for mono_ns, utc_ms, size, flags in batches:
        recorder.packets("room", "mic", [(mono_ns, bytes(size)), (5, b"sane")], utc_ms, flags)
    recorder.packets("room", "mic", [(6, b"last")], 7)
    recorder.close()
    found = [r for r in track_records(root / "room" / "mic") if r.kind is Kind.RTP]
    fit = sum(0 <= mono < 1 << 63 and size <= 1500 for mono, _, size, _ in batches)
    assert len(found) == fit + len(batches) + 1
    assert found[-1].body == b"last"


def test_a_full_queue_drops_pictures_before_sound_and_tells(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "QUEUE_BYTES_MAX", 40_000)
    monkeypatch.setattr(module, "PICTURE_QUEUE_BYTES_MAX", 20_000)
    events: list[object] = []
    recorder = Recorder(tmp_path, events.append)
    for track, form in (("cam", H264), ("mic", OPUS)):
        recorder.add_track("room", track, form)
    for track in ("cam", "mic"):  # faster than any flush
        for number in range(100):
            recorder.packets("room", track, [(number, bytes(1000))], 1_000)
    assert recorder._taken - recorder._writing.taken <= 40_000
    recorder.close()
    dropped = {e.track: e for e in events if isinstance(e, PacketsDropped)}
    kept = {one.track: one.packets for one in closing(events)}
    assert dropped["cam"].reason == dropped["mic"].reason == "queue.full"
    assert {track: kept[track] + dropped[track].packets for track in kept} == {
        "cam": 100, "mic": 100,
    }  # fmt: skip
    assert kept["mic"] > 10
    marks = [body_json(r.body) for r in track_records(tmp_path / "room/cam") if r.kind == Kind.MARK]
    assert marks == [{"mark": "dropped", "packets": dropped["cam"].packets, "reason": "queue.full"}]


def test_what_may_not_be_is_refused_by_code(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    recorder = Recorder(tmp_path, lambda event: None)
    try:
        recorder.add_track("room", "mic", OPUS)
        for refused, code in (
            (lambda: recorder.add_track("room", "mic", OPUS), "recording.track_twice"),
            (lambda: recorder.add_track("../up", "mic", OPUS), "recording.name"),
            (lambda: recorder.packets("room", "nobody", [], 0), "recording.track_unknown"),
            (lambda: recorder.mark("room", "mic", 0, 0, {"x": "x" * 2000}), "mark.too_long"),
            (lambda: TrackFormat("flv", 90_000, 1), "track.codec"),
            (lambda: TrackFormat("vp8", 90_000, 128), "track.format"),
        ):
            with pytest.raises(RecordingRefused) as caught:
                refused()
            assert caught.value.code == code
        monkeypatch.setattr(module, "TRACKS_MAX", 1)
        with pytest.raises(RecordingRefused, match=r"recording\.tracks"):
            recorder.add_track("room", "cam", H264)
    finally:
        recorder.close()
