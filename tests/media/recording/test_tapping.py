"""What the SFU taps ends in the journal and in the fragments, layer by layer."""

from pathlib import Path

from media.engine import TappedPacket
from media.fragments.room import RoomStream
from media.packets import is_rtcp
from media.recording.errors import RecordingRefused
from media.recording.playable import make_playable
from media.recording.recorder import Recorder
from media.recording.records import Kind
from media.recording.segments import track_records
from media.recording.session import RecordingSession
from media.recording.tapping import TrackTap
from tests.media.recording.traces import FPS, H264, OPUS, publish

UTC_MS = 1_795_000_000_000


def test_every_layer_is_recorded_and_the_shown_one_is_cut(tmp_path: Path) -> None:
    recorder = Recorder(tmp_path, lambda event: None)
    session = RecordingSession(recorder, "room")
    stream = RoomStream(lambda track: None, lambda call: call())
    stream.show("video", "cam-1", H264)
    taps = {
        name: TrackTap(
            name, form, lambda at_ns: UTC_MS + at_ns // 1_000_000, recording=session, stream=stream
        )
        for name, form in (("cam", H264), ("mic", OPUS))
    }
    for one in publish(3):
        layers = (0, 1) if one.track == "cam" else (0,)
        assert one.is_report == is_rtcp(one.raw)
        taps[one.track]([TappedPacket(7, n, one.raw, one.at_ns // 1000) for n in layers])
    taps["cam"].mark({"mark": "hold", "on": True})
    for tap in taps.values():
        tap.end()
        tap.end()
    recorder.close()
    assert stream.hub.kinds == ("video",)
    assert stream.hub.end > 5
    cam = list(track_records(tmp_path / "room" / "cam-1"))
    assert [r.kind for r in cam] == [r.kind for r in track_records(tmp_path / "room" / "cam-0")]
    assert cam[-2].kind is Kind.MARK
    assert cam[-1].kind is Kind.END
    assert sum(r.kind is Kind.SENDER_REPORT for r in cam) == 3
    made = make_playable(tmp_path / "room", tmp_path / "out.mkv", ["cam-1", "mic-0"])
    assert made.counters["cam-1"].frames == 3 * FPS


def test_a_recorded_picture_is_given_a_keyframe_at_once_and_now_and_then(tmp_path: Path) -> None:
    recorder = Recorder(tmp_path, lambda event: None)
    session = RecordingSession(recorder, "room")
    asked: list[str] = []
    for name, form, recording in (
        ("cam", H264, session), ("mic", OPUS, session), ("unrecorded", H264, None),
    ):  # fmt: skip
        tap = TrackTap(
            name, form, lambda at_ns: UTC_MS, recording=recording,
            want_keyframe=lambda name=name: asked.append(name),
        )  # fmt: skip
        for second in range(25):
            tap([TappedPacket(1, 0, bytes([0x80, 102]) + bytes(10), second * 1_000_000)])
    recorder.close()
    assert asked == ["cam"] * 3


def test_a_tap_of_a_full_recorder_tells_and_does_not_raise(tmp_path: Path) -> None:
    recorder = Recorder(tmp_path, lambda event: None)
    session = RecordingSession(recorder, "room")
    session.begin_track("mic-0", OPUS)
    refused: list[RecordingRefused] = []
    tap = TrackTap("mic", OPUS, lambda at_ns: UTC_MS, recording=session, on_refused=refused.append)
    tap([TappedPacket(1, 0, bytes([0x80, 111]) + bytes(10), 5)])
    tap([])
    recorder.close()
    assert [one.code for one in refused] == ["recording.track_twice"]
