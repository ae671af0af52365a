"""A disk that fills: judged by number, and tried on a real small file system.

The small disk is a tmpfs of 8 MiB in a mount namespace of its own: as root, or as anybody where the
kernel lets people have user namespaces. Where neither is allowed that test is skipped with its
reason; its substitute (see ``full_disk_child``) is always run.
"""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from media.recording.disk import (
    DiskLevel,
    DiskState,
    Kept,
    RoomLimits,
    expired,
    forecast_ms,
    judge,
    room_is_full,
)

ROOT = Path(__file__).resolve().parents[3]
sizes = st.integers(0, 1 << 60)


@pytest.mark.parametrize(
    ("percent", "before", "after"),
    [
        (100, DiskLevel.ENOUGH, DiskLevel.ENOUGH),
        (10, DiskLevel.ENOUGH, DiskLevel.ENOUGH),
        (9, DiskLevel.ENOUGH, DiskLevel.NO_NEW),
        (10, DiskLevel.NO_NEW, DiskLevel.NO_NEW),
        (11, DiskLevel.NO_NEW, DiskLevel.ENOUGH),
        (5, DiskLevel.ENOUGH, DiskLevel.NO_NEW),
        (4, DiskLevel.ENOUGH, DiskLevel.SOUND_ONLY),
        (5, DiskLevel.SOUND_ONLY, DiskLevel.SOUND_ONLY),
        (6, DiskLevel.SOUND_ONLY, DiskLevel.NO_NEW),
        (50, DiskLevel.SOUND_ONLY, DiskLevel.ENOUGH),
        (0, DiskLevel.SOUND_ONLY, DiskLevel.SOUND_ONLY),
    ],
)
def test_levels_fall_at_their_limit_and_come_back_above_it(
    percent: int, before: DiskLevel, after: DiskLevel
) -> None:
    assert judge(DiskState(percent * 10, 1000), before) is after


@given(sizes, sizes, st.sampled_from(DiskLevel))
def test_less_space_never_allows_more(free: int, total: int, before: DiskLevel) -> None:
    levels = [judge(DiskState(part, total), before) for part in (free, free // 2, 0)]
    assert levels == sorted(levels)
    assert judge(DiskState(free, 0), before) is DiskLevel.SOUND_ONLY, "a disk of no size is full"


@given(sizes, sizes, st.integers(-5, 1 << 40))
def test_a_forecast_ends_where_pictures_stop(free: int, total: int, rate: int) -> None:
    answer = forecast_ms(DiskState(free, total), rate)
    if answer is not None:
        used = answer * max(rate, 0) // 1000
        assert free - used >= min(free, total * 5 // 100)
    else:
        assert rate <= 0 or (free - total * 5 // 100) * 1000 // rate >= 365 * 86_400_000


def test_retention_names_what_is_due_oldest_first_and_leaves_what_is_held() -> None:
    kept = [Kept("c", 5, 300), Kept("a", 5, 100), Kept("b", 5, 200, held=True), Kept("d", 5, 900)]
    limits = RoomLimits(bytes_max=20, keep_ms=500)
    assert [one.recording for one in expired(kept, limits, 800)] == ["a", "c"]
    assert expired(kept, RoomLimits(20, 0), 1 << 50) == (), "0 keeps for ever"
    assert room_is_full(kept, 0, limits)
    assert not room_is_full(kept[:3], 4, limits)


def in_a_namespace_of_its_own() -> list[str]:
    """The command that gives a child its own mounts."""
    as_somebody = ["--user", "--map-root-user"] if os.geteuid() else []
    command = ["unshare", *as_somebody, "--mount"]
    if subprocess.run([*command, "true"], capture_output=True).returncode:
        pytest.skip("nobody may mount here: only the substitute was tried")
    return command


@pytest.mark.parametrize("mode", ["tmpfs", "counted"])
def test_a_small_disk_stops_new_recordings_then_pictures_and_never_sound(
    tmp_path: Path, mode: str
) -> None:
    namespace = in_a_namespace_of_its_own() if mode == "tmpfs" else []
    child = [sys.executable, "-m", "tests.media.recording.full_disk_child", str(tmp_path), mode]
    done = subprocess.run(
        [*namespace, *child], cwd=ROOT, capture_output=True, text=True, timeout=100
    )
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout)
    assert found["levels"] == ["ENOUGH", "ENOUGH", "NO_NEW", "SOUND_ONLY", "ENOUGH"]
    assert found["refused"] == ["", "recording.disk_low", "recording.disk_low"]
    assert found["told"] == ["NO_NEW", "SOUND_ONLY", "ENOUGH"]
    mic, cam = found["tracks"]["mic"], found["tracks"]["cam"]
    for track in (mic, cam):
        assert track["chain"] == "whole"
        assert track["ascending"]
        assert track["last"] == track["given"] - 1, "it went on when there was room again"
        assert track["kept"] == track["sealed"]
        assert track["kept"] + sum(track["dropped"].values()) == track["given"]
    assert cam["dropped"]["disk.low"] >= 60
    assert set(mic["dropped"]) == {"disk.error"}, "sound was lost only while no byte was free"
    assert bool(list(tmp_path.iterdir())) == (mode == "counted"), "tmpfs is a disk of its own"
