"""All playable files of a recording, in a process of its own (制作可播放文件).

The server starts it beside the recorder, which goes on: what is whole in the journal by then is in
the files. Prints how far it is, a JSON object a line. Invariant: files and ``index.json`` appear
whole; what is listed there is what lies beside it.

    python -m media.recording.making FOLDER OUT [matroska]
"""

import json
import os
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

from media.recording.catalogue import INDEX, Planned, Scan, plan_files, read_catalogue, scan_track
from media.recording.disk import REFUSE_PERCENT, DiskState, MeasureDisk, measure_disk
from media.recording.errors import RecordingRefused
from media.recording.playable import MP4_CODECS, SUFFIXES, make_playable
from media.recording.segments import check_chain

NICE: Final = 10  # forwarding and recording come first
MIMES: Final = {"mp4": "video/mp4", "matroska": "video/x-matroska"}


def make_all(
    folder: Path, out: Path, container: str = "mp4", *, measure: MeasureDisk = measure_disk
) -> dict[str, Any]:
    """Makes every file and the index, which is returned. What MP4 cannot hold becomes Matroska.

    Raises RecordingRefused ``recording.disk_low``, ``playable.empty``, and those of a damaged
    journal; OSError.
    """
    asked = container
    out.mkdir(parents=True, exist_ok=True)
    tracks = read_catalogue(folder)
    disk, size = measure(out), sum(info.bytes for info in tracks)
    # Files can be made at any time; what is being recorded can not.
    if DiskState(disk.free_bytes - size, disk.total_bytes).free_percent < REFUSE_PERCENT:
        raise RecordingRefused("recording.disk_low")
    scans = {info.track: scan_track(folder / info.track) for info in tracks}
    seconds = {name: scan.seconds for name, scan in scans.items()}
    if any(info.codec not in MP4_CODECS for info in tracks):
        container = "matroska"
    suffix = next(end for end, kind in SUFFIXES.items() if kind == container)
    planned = plan_files(tracks, seconds, suffix)
    if not planned:
        raise RecordingRefused("playable.empty")
    files: list[dict[str, Any]] = []
    for place, plan in enumerate(planned):
        _tell(done=place, all=len(planned))
        files += _made(folder, out, plan, container)
    index = {
        "made_ms": time.time_ns() // 1_000_000,
        "bytes": size,
        "asked": asked,
        "container": container,
        "files": files,
        "lost": _lost(folder, scans),
    }
    part = out / f"{INDEX}.part"
    part.write_text(json.dumps(index))
    part.replace(out / INDEX)
    _tell(done=len(planned), all=len(planned))
    return index


def _made(folder: Path, out: Path, plan: Planned, container: str) -> list[dict[str, Any]]:
    """The file as it stands in the index; none where its tracks hold nothing that can be shown."""
    try:
        made = make_playable(folder, out / plan.name, plan.tracks, container)
    except RecordingRefused as refused:
        if refused.code != "playable.empty":
            raise
        return []
    return [
        {
            "name": plan.name,
            "member": plan.member,
            "kind": plan.kind,
            "tracks": list(plan.tracks),
            "mime": MIMES[container],
            "bytes": made.bytes,
            "sha256": made.sha256,
            "duration_ms": made.duration_ms,
            "timeline": made.timeline.value(),
        }
    ]


def _lost(folder: Path, scans: dict[str, Scan]) -> list[dict[str, Any]]:
    lost = [one.value() for scan in scans.values() for one in scan.lost]
    for track in scans:
        if check_chain(folder / track) == "torn":
            lost.append({"track": track, "what": "torn", "from_ms": 0, "to_ms": 0, "ms": 0})
    return lost


def _tell(**said: Any) -> None:
    print(json.dumps(said), flush=True)


def main(arguments: Sequence[str]) -> int:
    """FOLDER OUT [CONTAINER]."""
    folder, out, *rest = arguments
    os.nice(NICE)
    try:
        make_all(Path(folder), Path(out), rest[0] if rest else "mp4")
    except RecordingRefused as refused:
        _tell(refused=refused.code)
        return 1
    return 0


if __name__ == "__main__":
    if not 3 <= len(sys.argv) <= 4:
        sys.exit(__doc__)
    sys.exit(main(sys.argv[1:]))
