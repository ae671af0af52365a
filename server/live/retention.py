"""Removing recordings whose term is over (录像到期处置): an act first, then the effect.

Once a day the main process looks. What is due is journaled as removed, with the last hash of every
track; only then the media process takes it off the disk. What a crash left in between is found at
the next look. Invariant: nothing is removed that the journal does not say is removed, and nothing
that somebody ordered kept: a file named ``hold`` in the recording's folder.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Iterable
from pathlib import Path
from typing import Any, Final

from media.recording.disk import Kept, RoomLimits, expired
from media.recording.retention import recording_bytes
from server.domain.floor import Floor
from server.domain.refusals import Refused
from server.live.playback import Playback
from server.live.recording_acts import RecordingActs
from server.live.recordings import ended_ms, recording_of

log = logging.getLogger("kaibiao.live")

HOLD: Final = "hold"
DAY_S: Final = 86_400.0


class Retention:
    """``rooms()`` names every opening and meeting, ``floor(room)`` is what its journal says,
    ``remove(recording)`` asks the media process.
    """

    def __init__(
        self,
        recordings: Path,
        limits: RoomLimits,
        *,
        now_ms: Callable[[], int],
        rooms: Callable[[], Iterable[str]],
        floor: Callable[[str], Floor | None],
        remove: Callable[[str], Awaitable[Any]],
        acts: RecordingActs,
        playback: Playback,
    ) -> None:
        self._folder, self._limits, self._now_ms = recordings, limits, now_ms
        self._rooms, self._floor, self._remove = rooms, floor, remove
        self._acts, self._playback = acts, playback

    async def run(self) -> None:
        """For ever, a look a day, the first one now."""
        while True:
            await self.look()
            await asyncio.sleep(DAY_S)

    async def look(self) -> list[str]:
        """Removes what is due; returns the names of the recordings that are gone."""
        rooms = {recording_of(room): room for room in self._rooms()}
        kept = await asyncio.to_thread(self._kept, list(rooms))
        due = {one.recording: one for one in expired(kept, self._limits, self._now_ms())}
        gone: list[str] = []
        for recording, room in rooms.items():
            if recording in due:
                self._order(room, recording, due[recording])
                await self._acts.idle()
            if self._is_removed(room, recording):
                # Also where the media process took longer than it was waited for.
                await asyncio.to_thread(self._playback.forget, recording)
                if (self._folder / recording).is_dir() and await self._take_off(recording):
                    gone.append(recording)
        return gone

    async def _take_off(self, recording: str) -> bool:
        try:
            await self._remove(recording)
        except (Refused, OSError) as error:
            log.warning("live.removal_failed %s %s", recording, error)
            return False
        return True

    def _order(self, room: str, recording: str, found: Kept) -> None:
        floor = self._floor(room)
        known = floor.recordings.get(recording) if floor is not None else None
        if known is not None and known.state != "removed":
            heads = {name: track.sha256.hex() for name, track in known.tracks.items()}
            self._acts.report(room, recording, "removed", f"{found.bytes} bytes", heads=heads)

    def _is_removed(self, room: str, recording: str) -> bool:
        floor = self._floor(room)
        known = floor.recordings.get(recording) if floor is not None else None
        return known is not None and known.state == "removed"

    def _kept(self, recordings: list[str]) -> list[Kept]:
        """Those that their rooms have ended; in a thread."""
        found: list[Kept] = []
        for recording in recordings:
            folder = self._folder / recording
            ended = ended_ms(folder)
            if ended is not None:
                is_held = (folder / HOLD).exists()
                found.append(Kept(recording, recording_bytes(folder), ended, is_held))
        return found
