"""What a recording holds, told from its files alone."""

from dataclasses import replace
from pathlib import Path

import pytest

from media.recording.catalogue import TrackInfo, plan_files, read_catalogue, read_track, scan_track
from media.recording.recorder import Recorder
from media.recording.segments import segment_path
from media.recording.session import RecordingSession
from tests.media.recording.journals import UTC_MS, write_journal
from tests.media.recording.traces import OPUS, publish

CAMERA = TrackInfo("host.camera-0", "host", "camera", False, None, 0, "h264", 1, 2, 3)


def test_both_ends_of_a_track_are_found_though_it_is_still_written(tmp_path: Path) -> None:
    folder = write_journal(tmp_path, publish(3))
    with segment_path(folder / "cam", 1).open("ab") as file:
        file.write(b"KRJ1 and half a record")
    cam = {info.track: info for info in read_catalogue(folder)}["cam"]
    assert (cam.member, cam.label, cam.codec) == ("cam", "camera", "h264")
    assert cam.first_ms == UTC_MS + 5
    assert abs(cam.last_ms - (UTC_MS + 2965)) <= 1
    assert cam.bytes == sum(path.stat().st_size for path in (folder / "cam").glob("*.krj"))


@pytest.mark.parametrize(
    "about", [{"member": 7, "label": ["x"], "to": "all", "layer": "0"}, {"member": "", "hidden": 1}]
)
def test_a_mark_that_makes_no_sense_is_not_believed(
    tmp_path: Path, about: dict[str, object]
) -> None:
    recorder = Recorder(tmp_path, lambda event: None)
    session = RecordingSession(recorder, "room")
    session.begin_track("mic-0", OPUS)
    session.mark("mic-0", 1, UTC_MS, {"mark": "about", **about})
    session.packets("mic-0", [(2, bytes([0x80, 111]) + bytes(20))], UTC_MS)
    recorder.close()
    info = read_track(tmp_path / "room" / "mic-0")
    assert info is not None
    assert (info.member, info.label, info.hidden, info.to, info.layer) == (
        "mic-0", "microphone", False, None, 0,
    )  # fmt: skip


def test_what_is_missing_is_told_with_its_time(tmp_path: Path) -> None:
    recorder = Recorder(tmp_path, lambda event: None)
    session = RecordingSession(recorder, "room")
    session.begin_track("mic-0", OPUS)
    for at, mark in (
        (10_000, {"mark": "resumed", "gap_ms": 3000}), (20_000, {"mark": "pictures_stopped"}),
        (25_000, {"mark": "pictures_resumed"}), (30_000, {"mark": "dropped", "packets": 9}),
        (40_000, {"mark": "pictures_stopped"}), (41_000, {"mark": "paused", "on": True}),
    ):  # fmt: skip
        session.mark("mic-0", at, at, mark)
    recorder.close()
    found = scan_track(tmp_path / "room" / "mic-0").lost
    assert [(one.what, one.from_ms, one.to_ms, one.packets) for one in found] == [
        ("interrupted", 7_000, 10_000, 0), ("pictures_stopped", 20_000, 25_000, 0),
        ("dropped", 30_000, 30_000, 9), ("pictures_stopped", 40_000, 41_000, 0),
    ]  # fmt: skip


def test_the_largest_layer_is_shown_unless_it_was_hardly_there() -> None:
    layers = [replace(CAMERA, track=f"host.camera-{n}", layer=n) for n in range(3)]
    sound = replace(CAMERA, track="host.microphone-0", label="microphone", codec="opus")
    seconds = {"host.camera-0": 100, "host.camera-1": 90, "host.camera-2": 20}
    (file,) = plan_files([*layers, sound], seconds, ".mp4")
    assert (file.name, file.kind) == ("host.mp4", "person")
    assert file.tracks == ("host.camera-1", "host.microphone-0")


def test_screens_calls_and_second_cameras_have_files_of_their_own() -> None:
    tracks = [
        CAMERA,
        replace(CAMERA, track="host.camera.2-0"),
        replace(CAMERA, track="host.screen-0", label="screen"),
        replace(CAMERA, track="host.screen_sound-0", label="screen_sound", codec="opus"),
        replace(CAMERA, track="sup.call.microphone-0", member="sup", label="microphone", to=("a",)),
        replace(CAMERA, track="camera.door.camera-0", member="camera:door"),
    ]
    found = {one.name: (one.kind, one.tracks) for one in plan_files(tracks, {}, ".mp4")}
    assert found == {
        "host.mp4": ("person", ("host.camera-0",)),
        "host.2.mp4": ("person", ("host.camera.2-0",)),
        "host.screen.mp4": ("screen", ("host.screen-0", "host.screen_sound-0")),
        "sup.call.mp4": ("call", ("sup.call.microphone-0",)),
        "camera.door.mp4": ("person", ("camera.door.camera-0",)),
    }
