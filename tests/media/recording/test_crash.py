"""``kill -9`` while recording, and power cuts: at most the last second is gone, and it is told."""

import asyncio
import random
import signal
import struct
import sys
from pathlib import Path

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from media.recording.recorder import Recorder
from media.recording.records import Kind
from media.recording.recovery import recover_recording, recover_track
from media.recording.segments import (
    SegmentClosed,
    TrackFormat,
    check_chain,
    segment_numbers,
    segment_path,
    track_records,
)

ROOT = Path(__file__).resolve().parents[3]
LINES_BEFORE = 20  # so that there is something to lose
LAST_SECOND_MS = 1000
OPUS = TrackFormat("opus", 48_000, 111)


async def record_and_kill(root: Path, after_s: float) -> dict[str, list[tuple[int, int]]]:
    """What the killed process was given: (number, UTC ms) by track."""
    child = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "tests.media.recording.writing_child", str(root),
        cwd=ROOT, stdout=asyncio.subprocess.PIPE,
    )  # fmt: skip
    assert child.stdout is not None
    lines = [await child.stdout.readline() for _ in range(LINES_BEFORE)]
    reading = asyncio.create_task(child.stdout.read())
    await asyncio.sleep(after_s)
    child.send_signal(signal.SIGKILL)
    assert await child.wait() == -signal.SIGKILL
    given_: dict[str, list[tuple[int, int]]] = {"mic": [], "cam": []}
    for line in (b"".join(lines) + await reading).decode().splitlines():
        track, number, utc_ms = line.split()
        given_[track].append((int(number), int(utc_ms)))
    return given_


def numbers(folder: Path) -> list[int]:
    packets = (record for record in track_records(folder) if record.kind is Kind.RTP)
    return [struct.unpack_from(">Q", record.body, 12)[0] for record in packets]


async def test_a_killed_recorder_loses_at_most_the_last_second_and_says_how_much(
    tmp_path: Path,
) -> None:
    moments = random.Random(20261122)
    roots = [tmp_path / str(n) for n in range(8)]
    for pair in zip(roots[::2], roots[1::2], strict=True):
        runs = [record_and_kill(root, moments.uniform(0.0, 1.6)) for root in pair]
        for root, told in zip(pair, await asyncio.gather(*runs), strict=True):
            for track, found in recover_recording(root / "room").items():
                check_loss(root / "room" / track, told[track], found.loss)
                assert found.next_segment == len(segment_numbers(root / "room" / track)) + 1


def check_loss(folder: Path, told: list[tuple[int, int]], loss: object) -> None:
    kept = numbers(folder)
    assert kept == list(range(1, len(kept) + 1)), "nothing is missing before the end"
    assert check_chain(folder) == "whole"
    lost = told[len(kept) :]
    assert loss is not None
    kept_until_ms = told[len(kept) - 1][1]
    assert abs(loss.kept_until_ms - kept_until_ms) <= 1  # type: ignore[attr-defined]
    really_lost_ms = (lost[-1][1] if lost else kept_until_ms) - kept_until_ms
    assert really_lost_ms <= LAST_SECOND_MS
    assert really_lost_ms <= loss.torn_ms + loss.unwritten_ms_max  # type: ignore[attr-defined]


def record(root: Path, packets: int) -> list[SegmentClosed]:
    sealed: list[SegmentClosed] = []
    recorder = Recorder(root, lambda e: sealed.append(e) if isinstance(e, SegmentClosed) else None)
    recorder.add_track("room", "mic", OPUS)
    for number in range(packets):
        packet = bytes(12) + number.to_bytes(8, "big")
        recorder.packets("room", "mic", [(number * 20_000_000, packet)], 10_000 + number * 20)
    recorder.close()
    return sealed


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(keep=st.floats(0, 1), tail=st.sampled_from(["", "zeros", "noise", "hole"]))
def test_after_a_power_cut_the_torn_tail_is_cut_off_and_measured(
    tmp_path_factory: object, keep: float, tail: str
) -> None:
    root: Path = tmp_path_factory.mktemp("cut")  # type: ignore[attr-defined]
    record(root, 30)
    path = segment_path(root / "room" / "mic", 1)
    whole = path.read_bytes()
    cut = int(len(whole) * keep)
    bent = {
        "": b"",
        "zeros": bytes(5000),
        "noise": bytes(random.Random(cut).randbytes(700)),
        "hole": bytes(min(40, len(whole) - cut)) + whole[cut + 40 :],
    }[tail]
    path.write_bytes(whole[:cut] + bent)
    found = recover_track(path.parent)
    kept = numbers(path.parent)
    assert kept == list(range(len(kept)))
    assert recover_track(path.parent).previous == found.previous, "safe to repeat"
    assert check_chain(path.parent) == "whole"
    if found.unreported is None:
        assert cut < 200, "only a file without its head is given up whole"
        return
    assert found.unreported.packets == len(kept)
    if found.loss is not None:
        assert found.loss.torn_bytes == cut + len(bent) - path.stat().st_size
        if tail == "hole" and cut + 200 < len(whole):
            # The last packet is still readable behind the hole: the loss is known to the packet.
            assert found.loss.kept_until_ms + found.loss.torn_ms == 10_000 + 29 * 20


def test_a_track_goes_on_after_a_crash_in_the_same_chain(tmp_path: Path) -> None:
    record(tmp_path, 5)
    folder = tmp_path / "room" / "mic"
    with segment_path(folder, 1).open("ab") as file:
        file.write(b"KRJ1 torn")
    found = recover_track(folder)
    assert found.loss is not None
    assert found.loss.torn_bytes == 9
    sealed: list[object] = []
    recorder = Recorder(tmp_path, sealed.append)
    recorder.add_track("room", "mic", OPUS)
    recorder.packets("room", "mic", [(1, bytes(12) + (9).to_bytes(8, "big"))], 20_000)
    recorder.close()
    assert check_chain(folder) == "whole"
    assert numbers(folder) == [0, 1, 2, 3, 4, 9]
    assert recover_track(folder).loss is None, "a track that was ended in order lost nothing"


def test_a_segment_whose_head_never_reached_the_disk_is_given_up(tmp_path: Path) -> None:
    record(tmp_path, 5)
    folder = tmp_path / "room" / "mic"
    before = recover_track(folder)
    segment_path(folder, 2).write_bytes(bytes(4096))
    found = recover_track(folder)
    assert (found.next_segment, found.previous) == (2, before.previous)
    assert found.loss is not None
    assert found.loss.torn_bytes == 4096
