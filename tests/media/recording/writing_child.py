"""A process that records sound and a picture until it is killed; tells what it was given.

Each line on standard output is ``track number utc_ms``, written before the recorder gets the
packet, so whoever kills this process knows what is missing.
"""

import os
import struct
import sys
import time
from pathlib import Path

from media.recording.recorder import Recorder
from media.recording.segments import TrackFormat

STEP_S = 0.01


def main(root: str) -> None:
    recorder = Recorder(Path(root), lambda event: None, segment_bytes=60_000)
    recorder.add_track("room", "mic", TrackFormat("opus", 48_000, 111))
    recorder.add_track("room", "cam", TrackFormat("h264", 90_000, 102))
    number = 0
    while True:
        number += 1
        mono_ns, utc_ms = time.monotonic_ns(), time.time_ns() // 1_000_000
        for track, size in (("mic", 120), ("cam", 1100)):
            packet = struct.pack(">BBHIIQ", 0x80, 111, number & 0xFFFF, number, 1, number)
            os.write(1, f"{track} {number} {utc_ms}\n".encode())
            recorder.packets("room", track, [(mono_ns, packet + bytes(size))], utc_ms)
        time.sleep(STEP_S)


if __name__ == "__main__":
    main(sys.argv[1])
