"""Recordings for those who may see them (录像回放): what there is, files to play, made on demand.

Files are made from the journal by a process of its own, one at a time, as often as anybody wants;
also of a recording that goes on: then they hold what was recorded by then. Invariant: nothing of
another room, and no file that the index does not name, is ever handed out.
"""

import asyncio
import hmac
import json
import logging
import re
import shutil
import sys
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final
from urllib.parse import quote

from crypto.hashes import labelled
from crypto.keys import random_bytes
from media.recording.catalogue import INDEX, TrackInfo, read_catalogue
from media.recording.errors import RecordingRefused
from server.domain.model import Actor
from server.domain.refusals import Refused
from server.live.grants import is_over
from server.live.recording_access import may_read
from server.live.recording_acts import State
from server.live.recordings import ended_ms, recording_of

log = logging.getLogger("kaibiao.live")

TOKEN_MS: Final = 6 * 3_600_000  # a player asks for a file again and again, for as long as it plays
TOKEN: Final = re.compile(r"([0-9]{13,15})\.([0-9a-f]{32})")
FILE: Final = re.compile(r"[a-z0-9][a-z0-9._-]{0,99}")
LOOK_MS: Final = 1000  # how long what was seen of a running recording is good for
INDEX_BYTES_MAX: Final = 16 << 20
WHAT: Final = {"all": "mp4", "matroska": "matroska"}


@dataclass(slots=True)
class _Making:
    """``done`` of ``all`` files; ``code``: why it ended without them."""

    task: "asyncio.Task[None] | None" = None
    done: int = 0
    all: int = 0
    code: str = ""


@dataclass(slots=True)
class _Seen:
    at_ms: int
    tracks: list[TrackInfo] = field(default_factory=list[TrackInfo])


class Playback:
    """``recordings`` and ``files`` are folders. ``state_of(room)``: the room's own state, None if
    there is no such room; ``live(room)``: how its recording is; ``person(member)``: who that is,
    for people; ``report(room, recording, what, detail)`` journals.
    """

    def __init__(
        self,
        recordings: Path,
        files: Path,
        *,
        now_ms: Callable[[], int],
        state_of: Callable[[str], Any],
        live: Callable[[str], State],
        person: Callable[[str], dict[str, Any] | None],
        report: Callable[[str, str, str, str], None],
    ) -> None:
        self._recordings, self._files = recordings, files
        self._now_ms, self._state_of, self._live = now_ms, state_of, live
        self._person, self._report = person, report
        self._makings: dict[str, _Making] = {}
        self._seen: dict[str, _Seen] = {}
        self._one_at_a_time = asyncio.Semaphore(1)
        self._key = random_bytes(32)

    # ---- what people ask

    async def describe(self, room: str, actor: Actor) -> dict[str, Any]:
        """recording.json. Raises Refused ``media.absent``, ``media.not_allowed``."""
        self._check(room, actor)
        recording = recording_of(room)
        live, making = self._live(room), self._makings.get(recording)
        seen, index, ended = await asyncio.to_thread(self._look, recording)
        tracks = [self._track(one) for one in seen]
        is_making = making is not None and making.task is not None
        running = live.state
        if running in ("on", "no_pictures"):
            # Nobody tells that a recording is no more; its end stands on the disk.
            is_closing = is_over(self._state_of(room), self._now_ms())
            running = "off" if ended is not None else "closing" if is_closing else "on"
        return {
            "state": _state(running, is_making, bool(index.get("files")), bool(tracks)),
            "recording": recording,
            "live": live.state,
            "forecast_ms": live.forecast_ms,
            "free_percent": live.free_percent,
            "began_ms": min((one.first_ms for one in seen), default=None),
            "ended_ms": ended,
            "bytes": sum(one.bytes for one in seen),
            "tracks": tracks,
            "files": [self._file(room, one) for one in index.get("files", [])],
            "made_ms": index.get("made_ms"),
            "is_whole": index.get("bytes") == sum(one.bytes for one in seen),
            "making": {"done": making.done, "all": making.all} if making and is_making else None,
            "refused": making.code if making is not None and making.code else None,
            "lost": [self._lost(one, seen) for one in index.get("lost", [])],
        }

    def make(self, room: str, actor: Actor, what: str) -> None:
        """Begins to make files; does nothing while some are being made. Raises Refused
        ``recording.make``, ``recording.nothing``, and those of ``describe``.
        """
        self._check(room, actor)
        if what not in WHAT:
            raise Refused("recording.make", one_of=sorted(WHAT))
        recording = recording_of(room)
        if not (self._recordings / recording).is_dir():
            raise Refused("recording.nothing")
        making = self._makings.get(recording)
        if making is None or making.task is None:
            found = self._makings[recording] = _Making()
            work = self._make(room, recording, WHAT[what], found)
            found.task = asyncio.get_running_loop().create_task(work)

    def path(self, room: str, actor: Actor, file: str, token: str) -> tuple[Path, str, str]:
        """Where a file lies, its MIME type and its SHA-256. A valid ``token`` stands for the actor,
        because players cannot say who they are. Raises Refused ``recording.file``.
        """
        if not self._is_token(room, file, token):
            self._check(room, actor)
        folder = self._files / recording_of(room)
        for one in _read_index(folder).get("files", []):
            if one["name"] == file and FILE.fullmatch(file):
                path = folder / file
                if path.is_file():
                    return path, one["mime"], one["sha256"]
        raise Refused("recording.file")

    def forget(self, recording: str) -> None:
        """The playable files of a recording that is removed."""
        self._makings.pop(recording, None)
        self._seen.pop(recording, None)
        shutil.rmtree(self._files / recording, ignore_errors=True)

    async def close(self) -> None:
        """Whatever is being made is given up."""
        tasks = [one.task for one in self._makings.values() if one.task is not None]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    # ---- who

    def _check(self, room: str, actor: Actor) -> None:
        state = self._state_of(room)
        if state is None:
            raise Refused("media.absent")
        if not may_read(actor, state):
            raise Refused("media.not_allowed")

    def _token(self, room: str, file: str) -> str:
        until_ms = self._now_ms() + TOKEN_MS
        return f"{until_ms}.{self._mac(room, file, until_ms)}"

    def _mac(self, room: str, file: str, until_ms: int) -> str:
        said = f"{room}\0{file}\0{until_ms}".encode()
        return labelled("recording file", said, key=self._key, size=16).hex()

    def _is_token(self, room: str, file: str, token: str) -> bool:
        found = TOKEN.fullmatch(token)
        if found is None or int(found[1]) < self._now_ms():
            return False
        return hmac.compare_digest(found[2], self._mac(room, file, int(found[1])))

    # ---- what there is

    def _look(self, recording: str) -> tuple[list[TrackInfo], dict[str, Any], int | None]:
        """In a thread. What was seen a moment ago is good enough for a page that asks again."""
        now_ms, seen = self._now_ms(), self._seen.get(recording)
        if seen is None or now_ms - seen.at_ms > LOOK_MS:
            try:
                tracks = read_catalogue(self._recordings / recording)
            except (RecordingRefused, OSError) as error:
                log.warning("live.recording_unreadable %s %s", recording, error)
                tracks = []
            seen = self._seen[recording] = _Seen(now_ms, tracks)
        ended = ended_ms(self._recordings / recording)
        return seen.tracks, _read_index(self._files / recording), ended

    def _track(self, info: TrackInfo) -> dict[str, Any]:
        return {
            "track": info.track, "member": info.member, "label": info.label,
            "hidden": info.hidden, "to": info.to, "layer": info.layer, "codec": info.codec,
            "first_ms": info.first_ms, "last_ms": info.last_ms, "bytes": info.bytes,
            **(self._person(info.member) or {}),
        }  # fmt: skip

    def _file(self, room: str, one: dict[str, Any]) -> dict[str, Any]:
        url = f"/media/{quote(room)}/recording/{one['name']}?token={self._token(room, one['name'])}"
        return one | {"url": url, "person": self._person(one["member"])}

    def _lost(self, one: dict[str, Any], seen: list[TrackInfo]) -> dict[str, Any]:
        member = next((info.member for info in seen if info.track == one["track"]), "")
        return one | {"member": member}

    # ---- making

    async def _make(self, room: str, recording: str, container: str, making: _Making) -> None:
        try:
            async with self._one_at_a_time:
                if await asyncio.to_thread(self._is_made, recording, container):
                    return
                await self._run(recording, container, making)
            if not making.code:
                index = await asyncio.to_thread(_read_index, self._files / recording)
                for one in index.get("files", []):
                    told = f"{one['name']} {one['sha256']} {one['bytes']}"
                    self._report(room, recording, "made", told)
        finally:
            making.task = None

    def _is_made(self, recording: str, container: str) -> bool:
        """Whether the files that are there hold all that was recorded; in a thread."""
        self._seen.pop(recording, None)
        tracks, index, _ = self._look(recording)
        folder = self._files / recording
        return (
            index.get("asked") == container
            and index["bytes"] == sum(one.bytes for one in tracks)
            and all((folder / one["name"]).is_file() for one in index["files"])
        )

    async def _run(self, recording: str, container: str, making: _Making) -> None:
        process = await asyncio.create_subprocess_exec(
            sys.executable, "-m", "media.recording.making",
            str(self._recordings / recording), str(self._files / recording), container,
            stdin=asyncio.subprocess.DEVNULL, stdout=asyncio.subprocess.PIPE,
        )  # fmt: skip
        try:
            assert process.stdout is not None
            async for line in process.stdout:
                said = json.loads(line)
                making.code = said.get("refused", "")
                making.done, making.all = said.get("done", 0), said.get("all", 0)
            if await process.wait() != 0 and not making.code:
                making.code = "recording.making_failed"
        finally:
            if process.returncode is None:
                process.kill()
                await process.wait()


def _state(live: str, is_making: bool, has_files: bool, has_tracks: bool) -> str:
    """``closing``: the room is over, and the last that was recorded is being written."""
    if is_making:
        return "making"
    if live == "on":
        return "recording"
    if live == "closing":
        return "closing"
    if has_files:
        return "ready"
    if has_tracks:
        return "ended"
    return "refused" if live == "refused" else "none"


def _read_index(folder: Path) -> dict[str, Any]:
    """Ours, so its form is trusted; empty where nothing was made."""
    try:
        path = folder / INDEX
        assert path.stat().st_size <= INDEX_BYTES_MAX
        return json.loads(path.read_text())
    except FileNotFoundError:
        return {}
