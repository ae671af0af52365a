"""Taking and using snapshots (快照): when a state is written down, and whether it is believed.

Invariant: nothing depends on it. Whatever is wrong with a snapshot, or fails while one is taken,
is logged, and the room replays its whole stream at the next start, as it would have without.
Snapshots are taken in a thread while the whole site is calm, and at the end of a clean life.
"""

import asyncio
import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from server.domain.opening import Stage
from server.rooms.kinds import Kind
from server.rooms.replay import Standing
from server.rooms.room import Room
from server.rooms.state_form import decode_state, encode_state, program
from server.storage.records import Head, Row
from server.storage.snapshots import Rows, Snapshots

ROWS_BETWEEN = 1000  # new rows that are worth a snapshot while the site lives
ROWS_AT_END = 100  # and when it ends: fewer are replayed in no time
LOOK_S = 10.0
# Of an opening: when everybody waits for a clock or for a share, nothing else takes the processor.
HURRIED = frozenset({Stage.DECRYPTION, Stage.RELEASE, Stage.REPLIES, Stage.OPENING})

log = logging.getLogger("kaibiao.snapshots")


@dataclass(frozen=True, slots=True)
class _Kept:
    """What a snapshot holds besides its row."""

    positions: dict[str, int]
    state: bytes


class SnapshotKeeper:
    """The snapshots of one site."""

    def __init__(self, directory: Path, journal: Rows) -> None:
        self._snapshots = Snapshots(directory, journal, program())
        self._saved: dict[str, int] = {}  # the row of each stream's snapshot
        self._seen: dict[str, int] = {}  # the newest row of each room at the last look

    def since(self, stream: str, kind: Kind) -> Standing | None:
        """Where to begin replaying ``stream``; None: at its first row."""
        found = self._snapshots.load(stream)
        if found is None:
            return None
        row, raw = found
        try:
            standing = _decoded(kind, row, raw)
        except Exception:  # only a cache: whatever it is, the rows say the same
            log.exception("not used: the snapshot of %s", stream)
            return None
        if standing is not None:
            self._saved[stream] = row.seq
        return standing

    def forget(self, stream: str) -> None:
        """The room of ``stream`` has failed: what it kept is not believed again."""
        self._saved.pop(stream, None)
        try:
            self._snapshots.forget(stream)
        except OSError:
            log.exception("not deleted: the snapshot of %s", stream)

    async def run(self, rooms: Callable[[], Sequence[Room]]) -> None:
        """Looks now and then for rooms that are worth a snapshot and at rest; until cancelled."""
        while True:
            await asyncio.sleep(LOOK_S)
            living = rooms()
            for room in self._quiet(living):
                if any(map(_hurried, living)):
                    break
                standing = room.standing()
                if standing is not None:
                    await asyncio.to_thread(self._save, room.stream, standing)

    def save_all(self, rooms: Sequence[Room]) -> None:
        """The end of a clean life: nobody waits for the loop any more."""
        for room in rooms:
            standing = room.standing()
            if standing is not None and self._new_rows(room) >= ROWS_AT_END:
                self._save(room.stream, standing)

    def _quiet(self, rooms: Sequence[Room]) -> list[Room]:
        """Rooms with many new rows, of which none came since the last look."""
        before, self._seen = self._seen, {room.stream: room.told_seq for room in rooms}
        return [
            room
            for room in rooms
            if before.get(room.stream) == room.told_seq and self._new_rows(room) >= ROWS_BETWEEN
        ]

    def _new_rows(self, room: Room) -> int:
        return room.told_seq - self._saved.get(room.stream, 0)

    def _save(self, stream: str, standing: Standing) -> None:
        try:
            raw = encode_state(_Kept(standing.positions, encode_state(standing.state)))
            if self._snapshots.save(stream, standing.head, raw):
                self._saved[stream] = standing.head.seq
        except Exception:
            log.exception("no snapshot of %s", stream)


def _hurried(room: Room) -> bool:
    return room.kind.name == "opening" and room.state.stage in HURRIED


def _decoded(kind: Kind, row: Row, raw: bytes) -> Standing | None:
    kept: _Kept = decode_state(_Kept, raw, allow_test=False)
    allow_test = _allows_test(kind.initial)
    state = decode_state(type(kind.initial), kept.state, allow_test=allow_test)
    if _allows_test(state) != allow_test:
        return None  # the site's configuration was another one
    return Standing(state, Head(row.seq, row.hash), row.ts_ms, kept.positions)


def _allows_test(state: Any) -> bool:
    return getattr(state, "allow_test", False)
