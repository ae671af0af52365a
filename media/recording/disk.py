"""How full the disk is and what follows (磁盘余量): pure judgement, forecast, retention.

Under 10 % free no new recording is let in; under 5 % pictures stop while sound and the server's
journal go on. Both come back only a little above their limit, so that nothing flutters. Invariant:
integers only, and a full disk is judged like every other number.
"""

import os
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from enum import IntEnum
from pathlib import Path
from typing import Final

REFUSE_PERCENT: Final = 10
SOUND_ONLY_PERCENT: Final = 5
BACK_PERCENT: Final = 1  # above its limit a level ends only this much later
FORECAST_MS_MAX: Final = 365 * 86_400_000


class DiskLevel(IntEnum):
    """Ordered: a higher level allows less."""

    ENOUGH = 0
    NO_NEW = 1  # new recordings are refused
    SOUND_ONLY = 2  # pictures stop


@dataclass(frozen=True, slots=True)
class DiskState:
    """Bytes of the file system that recordings stand on, as an unprivileged writer may use them."""

    free_bytes: int
    total_bytes: int

    @property
    def free_percent(self) -> int:
        return self.free_bytes * 100 // self.total_bytes if self.total_bytes > 0 else 0


MeasureDisk = Callable[[Path], DiskState]


def measure_disk(folder: Path) -> DiskState:
    """What the file system of ``folder`` says now."""
    found = os.statvfs(folder)
    return DiskState(found.f_bavail * found.f_frsize, found.f_blocks * found.f_frsize)


def judge(disk: DiskState, before: DiskLevel) -> DiskLevel:
    """The level that follows ``before``: falls at a limit, comes back above limit + 1 %."""
    percent = disk.free_percent
    level = DiskLevel.ENOUGH
    for limit, worse in (
        (REFUSE_PERCENT, DiskLevel.NO_NEW),
        (SOUND_ONLY_PERCENT, DiskLevel.SOUND_ONLY),
    ):
        if percent < limit + (BACK_PERCENT if before >= worse else 0):
            level = worse
    return level


def forecast_ms(disk: DiskState, bytes_per_s: int, percent: int = SOUND_ONLY_PERCENT) -> int | None:
    """How long recording can go on as now until ``percent`` is free; None: for a year or more."""
    left = disk.free_bytes - disk.total_bytes * percent // 100
    if left <= 0:
        return 0
    if bytes_per_s <= 0:
        return None
    answer = left * 1000 // bytes_per_s
    return answer if answer < FORECAST_MS_MAX else None


@dataclass(frozen=True, slots=True)
class RoomLimits:
    """What one room may keep. ``bytes_max`` over all its recordings; ``keep_ms`` after the end
    of each; 0 keeps it for ever.
    """

    bytes_max: int
    keep_ms: int


@dataclass(frozen=True, slots=True)
class Kept:
    """One finished recording as retention sees it. ``held``: somebody ordered it kept."""

    recording: str
    bytes: int
    ended_ms: int
    held: bool = False


def room_is_full(kept: Iterable[Kept], recording_bytes: int, limits: RoomLimits) -> bool:
    """Whether a room has used its quota; ``recording_bytes`` is what runs at this moment."""
    return sum(one.bytes for one in kept) + recording_bytes >= limits.bytes_max


def expired(kept: Iterable[Kept], limits: RoomLimits, now_ms: int) -> tuple[Kept, ...]:
    """What may be removed now, oldest first. Space is never a reason: a record has its term.

    The term of an opening's record is the law's (《招标投标法实施条例》, archives at least 15
    years), so removing is the caller's journaled act and this only says what is due.
    """
    if limits.keep_ms <= 0:
        return ()
    due = [one for one in kept if not one.held and one.ended_ms + limits.keep_ms <= now_ms]
    return tuple(sorted(due, key=lambda one: (one.ended_ms, one.recording)))
