"""All files of a recording, by the process that makes them."""

import hashlib
import json
import subprocess
import sys
from pathlib import Path

import pytest

from media.recording.catalogue import INDEX
from media.recording.disk import DiskState
from media.recording.errors import RecordingRefused
from media.recording.making import make_all
from tests.media.recording.journals import write_journal
from tests.media.recording.traces import OPUS, VP8, publish

ROOT = Path(__file__).resolve().parents[3]


def test_the_process_tells_how_far_it_is_and_lists_what_lies_there(tmp_path: Path) -> None:
    folder, out = write_journal(tmp_path, publish(2)), tmp_path / "out"
    done = subprocess.run(
        [sys.executable, "-m", "media.recording.making", str(folder), str(out)],
        cwd=ROOT, capture_output=True, text=True, check=True,
    )  # fmt: skip
    said = [json.loads(line) for line in done.stdout.splitlines()]
    assert said[0] == {"done": 0, "all": 2}
    assert said[-1] == {"done": 2, "all": 2}
    index = json.loads((out / INDEX).read_text())
    assert {one["name"] for one in index["files"]} == {"cam.mp4", "mic.mp4"}
    for one in index["files"]:
        raw = (out / one["name"]).read_bytes()
        assert (one["bytes"], one["sha256"]) == (len(raw), hashlib.sha256(raw).hexdigest())
    assert sorted(path.name for path in out.iterdir()) == ["cam.mp4", INDEX, "mic.mp4"]


def test_what_mp4_cannot_hold_becomes_matroska(tmp_path: Path) -> None:
    formats = {"cam": VP8, "mic": OPUS}
    folder = write_journal(tmp_path, publish(2, codec="libvpx"), formats=formats)
    index = make_all(folder, tmp_path / "out")
    assert index["container"] == "matroska"
    assert {one["mime"] for one in index["files"]} == {"video/x-matroska"}


def test_files_are_not_made_where_they_would_take_the_room_of_what_is_recorded(
    tmp_path: Path,
) -> None:
    folder = write_journal(tmp_path, publish(2))
    size = sum(path.stat().st_size for path in folder.rglob("*.krj"))
    for free, is_refused in ((11 * size // 10, True), (3 * size, False)):
        disk = DiskState(free, 10 * size)
        if is_refused:
            with pytest.raises(RecordingRefused, match=r"recording\.disk_low"):
                make_all(folder, tmp_path / "out", measure=lambda path, disk=disk: disk)
        else:
            assert make_all(folder, tmp_path / "out", measure=lambda path, disk=disk: disk)["files"]


def test_a_recording_without_a_packet_is_refused_by_its_code(tmp_path: Path) -> None:
    (tmp_path / "room").mkdir()
    done = subprocess.run(
        [sys.executable, "-m", "media.recording.making", str(tmp_path / "room"), str(tmp_path)],
        cwd=ROOT, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 1
    assert json.loads(done.stdout) == {"refused": "playable.empty"}
