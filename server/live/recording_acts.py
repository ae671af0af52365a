"""From what the media process tells of recordings to the journal (录像入账).

One task hands the notices to their rooms, in order. A seal whose predecessor is missing is asked
for again first, so the journal names every segment. Invariant: nothing waits on this but itself,
and a notice that came twice changes nothing: the rooms' own rules see to that.
"""

import asyncio
import logging
from collections import deque
from collections.abc import Awaitable, Callable
from contextlib import suppress
from typing import Any, Final, Protocol

import msgspec

from server.domain.commands import Command
from server.domain.floor import Floor
from server.domain.floor_commands import BeginRecording, ReportRecording, SealSegment
from server.domain.refusals import Refused

log = logging.getLogger("kaibiao.live")

QUEUE_MAX: Final = 10_000
TRIES: Final = 20
AGAIN_S: Final = 0.5
ASKED_MAX: Final = 10_000


class Answer(Protocol):
    """What a room answers."""

    @property
    def ok(self) -> bool: ...
    @property
    def code(self) -> str: ...
    @property
    def retryable(self) -> bool: ...


class State(msgspec.Struct, frozen=True):
    """How a recording is, as it was told last. ``forecast_ms``: until pictures stop."""

    state: str
    forecast_ms: int | None
    free_percent: int


OFF: Final = State("off", None, 0)


class RecordingActs:
    """``ask`` gives a room a command of the system, ``floor`` finds what its journal says so far,
    ``order`` sends the room's media a message, ``on_state(room)`` is called when one has changed.
    """

    def __init__(
        self,
        ask: Callable[[str, Command], Awaitable[Answer]],
        floor: Callable[[str], Floor | None],
        order: Callable[[dict[str, Any]], None],
        on_state: Callable[[str], None] = lambda room: None,
    ) -> None:
        self._ask, self._floor, self._order, self._on_state = ask, floor, order, on_state
        self._waiting: deque[dict[str, Any]] = deque()
        self._came, self._is_idle = asyncio.Event(), asyncio.Event()
        self._is_idle.set()
        self._asked: dict[tuple[str, str, int], None] = {}
        self._states: dict[str, State] = {}
        self._task = asyncio.get_running_loop().create_task(self._run())

    def state(self, room: str) -> State:
        return self._states.get(room, OFF)

    def heard(self, message: dict[str, Any]) -> None:
        """A notice of the media process, see ``recording_notices``."""
        if message["kind"] == "recording_state":
            room = message["room"]
            before = self.state(room)
            found = State(message["state"], message["forecast_ms"], message["free_percent"])
            self._states[room] = found
            if found.state != before.state:
                self._on_state(room)
            return
        if len(self._waiting) >= QUEUE_MAX:
            log.error("live.recording_queue_full")
            return
        self._waiting.append(message)
        self._is_idle.clear()
        self._came.set()

    def report(self, room: str, recording: str, what: str, detail: str = "", **more: Any) -> None:
        """An act of the main process itself: ``made``, ``removed``."""
        head = {"kind": "recording_report", "room": room, "recording": recording}
        self.heard(head | {"what": what, "detail": detail, "lost_ms": 0} | more)

    def away(self) -> None:
        """The media process is gone: nothing is recorded until it is back."""
        rooms, self._states = list(self._states), {}
        for room in rooms:
            self._on_state(room)

    async def idle(self) -> None:
        """When everything that was heard is journaled."""
        await self._is_idle.wait()

    async def close(self) -> None:
        """Waits for what was heard, a bounded time."""
        with suppress(TimeoutError):
            async with asyncio.timeout(TRIES * AGAIN_S):
                await self._is_idle.wait()
        self._task.cancel()
        await asyncio.gather(self._task, return_exceptions=True)

    # ---- inside

    async def _run(self) -> None:
        while True:
            await self._came.wait()
            while self._waiting:
                await self._act(self._waiting.popleft())
            self._came.clear()
            self._is_idle.set()

    async def _act(self, message: dict[str, Any]) -> None:
        room = message["room"]
        command = self._command(message)
        if command is None:
            return
        for _ in range(TRIES):
            try:
                answer = await self._ask(room, command)
            except Refused as refused:
                log.warning("live.recording_act room=%s code=%s", room, refused.code)
                return
            if answer.ok:
                return
            if not answer.retryable:
                log.warning("live.recording_act room=%s code=%s", room, answer.code)
                return
            await asyncio.sleep(AGAIN_S)
        log.error("live.recording_act room=%s gave up", room)

    def _command(self, message: dict[str, Any]) -> Command | None:
        kind, recording = message["kind"], message["recording"]
        if kind == "recording_began":
            return BeginRecording(recording=recording)
        if kind == "recording_sealed":
            return None if self._lacks_one_before(message) else SealSegment(
                recording=recording, track=message["track"], segment=message["segment"],
                sha256=bytes.fromhex(message["sha256"]), bytes=message["bytes"],
                first_ms=message["first_ms"], last_ms=message["last_ms"],
            )  # fmt: skip
        heads = {track: bytes.fromhex(head) for track, head in message.get("heads", {}).items()}
        return ReportRecording(
            recording=recording, what=message["what"], lost_ms=message["lost_ms"],
            detail=message["detail"], heads=heads,
        )  # fmt: skip

    def _lacks_one_before(self, message: dict[str, Any]) -> bool:
        """Whether segments before it were never journaled. Then all of them are told anew, once;
        what comes a second time is taken as it is: the heads vouch for what is missing.
        """
        floor = self._floor(message["room"])
        known = floor.recordings.get(message["recording"]) if floor is not None else None
        track, segment = message["track"], message["segment"]
        last = known.tracks.get(track) if known is not None else None
        first = (last.segment if last is not None else 0) + 1
        key = message["recording"], track, segment
        if first >= segment or key in self._asked:
            return False
        while len(self._asked) >= ASKED_MAX:
            self._asked.pop(next(iter(self._asked)))
        self._asked[key] = None
        self._order(
            {"order": "tell_seals", "room": message["room"], "track": track, "first": first,
             "last": segment}
        )  # fmt: skip
        return True
