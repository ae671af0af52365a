"""Records onto a small file system until it is full; prints what happened as one JSON object.

Started by ``test_disk`` with a folder and a mode. ``tmpfs``: inside a mount namespace of its own it
mounts a file system of 8 MiB there, which is the real thing. ``counted`` where nobody may mount:
what the folder holds is counted against 8 MiB, and the last byte is refused by a limit on the size
of files (EFBIG where a disk says ENOSPC).
"""

import json
import resource
import subprocess
import sys
import time
from contextlib import suppress
from pathlib import Path

from media.recording.disk import DiskLevel, DiskState, MeasureDisk, measure_disk
from media.recording.errors import RecordingRefused
from media.recording.recorder import Recorder
from media.recording.segments import SegmentClosed, TrackFormat, check_chain, track_records
from media.recording.writing import DiskChanged, PacketsDropped

DISK_BYTES = 8 << 20
WAIT_S = 20.0
BALLAST_LEFT = (20, 8, 4)  # percent free: enough, no new recordings, sound only


def counted(folder: Path) -> DiskState:
    """The disk as far as the substitute has one."""
    used = sum(path.stat().st_size for path in folder.parent.rglob("*") if path.is_file())
    return DiskState(max(0, DISK_BYTES - used), DISK_BYTES)


def fill_to(root: Path, percent: int, measure: MeasureDisk) -> None:
    """Takes space away as other programs on the same disk do."""
    found = measure(root / "recordings")
    take = found.free_bytes - found.total_bytes * percent // 100
    with (root / f"ballast-{percent}").open("wb") as file:
        file.write(bytes(max(take, 0)))


def feed(recorder: Recorder, number: int) -> None:
    for track in ("mic", "cam"):
        packet = bytes(12) + number.to_bytes(8, "big") + bytes(180)
        recorder.packets("room", track, [(time.monotonic_ns(), packet)], time.time_ns() // 1000000)


def until(recorder: Recorder, level: DiskLevel, number: int) -> int:
    """Feeds until the recorder has noticed ``level``; returns the next packet's number."""
    end = time.monotonic() + WAIT_S
    while recorder.level is not level and time.monotonic() < end:
        feed(recorder, number)
        number += 1
        time.sleep(0.02)
    return number


def fill_up(
    recorder: Recorder, root: Path, events: list[object], number: int, *, is_counted: bool
) -> int:
    """Takes every byte, until the disk itself refuses; then gives the space back."""
    ballast = root / "ballast-0"
    end = time.monotonic() + WAIT_S
    is_refused = False
    while not is_refused and time.monotonic() < end:
        if is_counted:
            resource.setrlimit(resource.RLIMIT_FSIZE, (1, resource.RLIM_INFINITY))
        else:
            with ballast.open("ab", buffering=0) as file, suppress(OSError):
                while True:
                    file.write(bytes(4096))
        feed(recorder, number)
        number += 1
        time.sleep(0.02)
        is_refused = any(isinstance(e, PacketsDropped) and e.reason == "disk.error" for e in events)
    resource.setrlimit(resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
    for path in root.glob("ballast-*"):
        path.unlink()
    return number


def main(folder: str, mode: str) -> None:
    is_counted = mode == "counted"
    measure = counted if is_counted else measure_disk
    if not is_counted:
        options = f"size={DISK_BYTES}"
        subprocess.run(["mount", "-t", "tmpfs", "-o", options, "tmpfs", folder], check=True)
    root = Path(folder)
    events: list[object] = []
    recorder = Recorder(root / "recordings", events.append, measure=measure, segment_bytes=200_000)
    recorder.add_track("room", "mic", TrackFormat("opus", 48_000, 111))
    recorder.add_track("room", "cam", TrackFormat("h264", 90_000, 102))
    levels, refused, number = [recorder.level.name], [], 0
    for percent, level in zip(BALLAST_LEFT, DiskLevel, strict=True):
        fill_to(root, percent, measure)
        number = until(recorder, level, number)
        levels.append(recorder.level.name)
        try:
            recorder.check_new()
            refused.append("")
        except RecordingRefused as caught:
            refused.append(caught.code)
    for _ in range(60):
        feed(recorder, number)
        number += 1
        time.sleep(0.02)
    number = fill_up(recorder, root, events, number, is_counted=is_counted)
    number = until(recorder, DiskLevel.ENOUGH, number)
    levels.append(recorder.level.name)
    for _ in range(10):
        feed(recorder, number)
        number += 1
    recorder.close()
    tracks = {}
    for track in ("mic", "cam"):
        folder = root / "recordings" / "room" / track
        kept = [int.from_bytes(r.body[12:20], "big") for r in track_records(folder) if r.kind == 2]
        dropped: dict[str, int] = {}
        for event in events:
            if isinstance(event, PacketsDropped) and event.track == track:
                dropped[event.reason] = dropped.get(event.reason, 0) + event.packets
        sealed = sum(e.packets for e in events if isinstance(e, SegmentClosed) and e.track == track)
        tracks[track] = {
            "chain": check_chain(folder), "given": number, "kept": len(kept), "sealed": sealed,
            "ascending": kept == sorted(set(kept)), "last": kept[-1], "dropped": dropped,
        }  # fmt: skip
    told = [event.level.name for event in events if isinstance(event, DiskChanged)]
    print(json.dumps({"levels": levels, "refused": refused, "told": told, "tracks": tracks}))


if __name__ == "__main__":
    main(*sys.argv[1:])
