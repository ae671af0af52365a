"""The ring of fragments and those who watch it (片段环): no viewer has a queue.

A viewer is a place in the ring. Who falls behind is set forward to the newest keyframe; who is at
the end waits. Invariant: memory is the ring alone, whatever viewers do, and the same bytes go to
all of them.

Messages, integers big-endian::

    0  layout    u8 0, JSON {"generation": n, "streams": ["video", "audio"]}: begin anew
    1  init      u8 1, u8 stream, u16 length, MIME type, init segment
    2  fragment  u8 2, u8 stream, u8 1 if it begins with a keyframe, u8 0, u32 serial,
                 u64 UTC ms of its first frame, u64 media time of it in us, moof and mdat
"""

import asyncio
import json
import struct
from collections import deque
from dataclasses import dataclass
from typing import Final

from media.fragments.boxes import StreamFormat, init_segment
from media.fragments.cutter import Cut
from media.fragments.errors import FragmentRefused

RING_BYTES_MAX: Final = 16 << 20
RING_MS_MAX: Final = 30_000
LAG_MS_MAX: Final = 3_000
LAG_BYTES_MAX: Final = 4 << 20
VIEWERS_MAX: Final = 5_000
TAKE_BYTES_MAX: Final = 1 << 20  # handed out at once, so that a write stays a slice
_FRAGMENT: Final = struct.Struct(">BBBBIQQ")


@dataclass(frozen=True, slots=True)
class Init:
    """An init segment and what a player must be told of it. ``number`` rises with each."""

    number: int
    format: StreamFormat
    data: bytes
    message: bytes


@dataclass(frozen=True, slots=True)
class Fragment:
    """One fragment in the ring. ``is_start``: a viewer may begin here. ``time_ms``: media time."""

    serial: int
    generation: int
    stream: int
    init: Init
    cut: Cut
    time_ms: int
    utc_ms: int
    is_start: bool
    message: bytes


class Hub:
    """The fragments of one room's live stream. Used on the loop only."""

    def __init__(self, *, viewers_max: int = VIEWERS_MAX, ring_ms_max: int = RING_MS_MAX) -> None:
        self.generation = 0
        self.kinds: tuple[str, ...] = ()
        self.viewers = 0
        self._viewers_max, self._ring_ms_max = viewers_max, ring_ms_max
        self._layout = _layout_message(0, ())
        self._inits: dict[int, Init] = {}
        self._init_count = 0
        self._ring: deque[Fragment] = deque()
        self._bytes = 0
        self._serial = 0
        self._newest_start: Fragment | None = None
        self._waiting: set[asyncio.Future[None]] = set()
        self.is_closed = False

    # ---- what the stream does

    def set_layout(self, kinds: tuple[str, ...]) -> None:
        """Begins anew with these streams ("video", "audio"); viewers are told."""
        self.generation += 1
        self.kinds = kinds
        self._layout = _layout_message(self.generation, kinds)
        self._inits.clear()
        self._newest_start = None
        self.wake()

    def set_format(self, stream: int, form: StreamFormat) -> Init:
        """What the fragments of a stream look like from now on."""
        assert form.kind == self.kinds[stream]
        known = self._inits.get(stream)
        if known is not None and known.format == form:
            return known
        self._init_count += 1
        mime = form.mime.encode()
        data = init_segment(form)
        message = struct.pack(">BBH", 1, stream, len(mime)) + mime + data
        init = self._inits[stream] = Init(self._init_count, form, data, message)
        return init

    def publish(self, stream: int, cut: Cut, utc_ms: int) -> Fragment:
        """Puts a fragment at the end of the ring and wakes those who wait."""
        init = self._inits[stream]
        has_pictures = "video" in self.kinds
        is_start = cut.is_key and (init.format.kind == "video" or not has_pictures)
        time_us = cut.time * 1_000_000 // init.format.timescale
        head = _FRAGMENT.pack(
            2, stream, cut.is_key, 0, self._serial & 0xFFFFFFFF, max(utc_ms, 0), time_us
        )
        found = Fragment(
            self._serial, self.generation, stream, init, cut, time_us // 1000, utc_ms, is_start,
            head + cut.data,
        )  # fmt: skip
        self._serial += 1
        self._ring.append(found)
        self._bytes += len(found.message)
        oldest_ms = found.time_ms - self._ring_ms_max
        while self._bytes > RING_BYTES_MAX or self._ring[0].time_ms < oldest_ms:
            self._bytes -= len(self._ring.popleft().message)
            if not self._ring:
                break
        if is_start:
            self._newest_start = found
        self.wake()
        return found

    def close(self) -> None:
        """Ends the stream for everybody who watches."""
        self.is_closed = True
        self.wake()

    # ---- what viewers do

    def join(self) -> "Viewer":
        """Raises FragmentRefused ``viewers.full``, ``stream.closed``."""
        if self.is_closed:
            raise FragmentRefused("stream.closed")
        if self.viewers >= self._viewers_max:
            raise FragmentRefused("viewers.full")
        self.viewers += 1
        return Viewer(self)

    def start(self) -> int | None:
        """Serial of the newest place at which a viewer may begin, if it is still in the ring."""
        found = self._newest_start
        if found is None or not self._ring or found.serial < self._ring[0].serial:
            return None
        return found.serial

    def at(self, serial: int) -> Fragment | None:
        """The fragment of that serial; None if it is not in the ring."""
        if not self._ring:
            return None
        place = serial - self._ring[0].serial
        return self._ring[place] if 0 <= place < len(self._ring) else None

    @property
    def end(self) -> int:
        """Serial of the next fragment."""
        return self._serial

    def lag(self, serial: int) -> tuple[int, int]:
        """(ms, bytes) from a fragment in the ring to the end."""
        found = self.at(serial)
        if found is None:
            return 0, 0
        newest = self._ring[-1]
        count = newest.serial - serial + 1
        mean = self._bytes // len(self._ring)
        return newest.time_ms - found.time_ms, count * mean

    @property
    def layout_message(self) -> bytes:
        return self._layout

    async def wait(self, timeout_s: float | None = None) -> bool:
        """Until something is published, laid out anew or closed; False after ``timeout_s``."""
        future = asyncio.get_running_loop().create_future()
        self._waiting.add(future)
        try:
            await asyncio.wait_for(future, timeout_s)
        except TimeoutError:
            return False
        finally:
            self._waiting.discard(future)
        return True

    def wake(self) -> None:
        """Lets everybody who waits look again."""
        waiting, self._waiting = self._waiting, set()
        for future in waiting:
            if not future.done():
                future.set_result(None)


class Viewer:
    """One who watches. ``skipped``: how often it was set forward; ``close`` when it is gone."""

    def __init__(self, hub: Hub) -> None:
        self._hub = hub
        self._generation = -1
        self._next: int | None = None
        self._told: dict[int, int] = {}  # stream: number of the init it has
        self._is_open = True
        self.skipped = 0

    def close(self) -> None:
        if self._is_open:
            self._is_open = False
            self._hub.viewers -= 1

    async def messages(self) -> list[bytes]:
        """The next messages, at least one; none at all when the stream has ended."""
        while not (found := self.take()):
            if self._hub.is_closed:
                return []
            await self._hub.wait()
        return found

    def take(self) -> list[bytes]:
        """What this viewer should be sent now; nothing if it has all."""
        hub, out = self._hub, []
        if self._generation != hub.generation:
            self._generation, self._next = hub.generation, None
            self._told.clear()
            out.append(hub.layout_message)
        if self._next is None or self._is_behind(self._next):
            start = hub.start()
            if self._next is None:
                self._next = start
            elif start is not None and start > self._next:
                self._next = start
                self.skipped += 1
            if self._next is None:
                return out
        size = 0
        while size < TAKE_BYTES_MAX and (found := hub.at(self._next)) is not None:
            self._next += 1
            if found.generation != self._generation:
                continue
            if self._told.get(found.stream) != found.init.number:
                self._told[found.stream] = found.init.number
                out.append(found.init.message)
            out.append(found.message)
            size += len(found.message)
        return out

    def _is_behind(self, serial: int) -> bool:
        if serial < self._hub.end and self._hub.at(serial) is None:
            self._next = None  # fell out of the ring
            self.skipped += 1
            return True
        lag_ms, lag_bytes = self._hub.lag(serial)
        return lag_ms > LAG_MS_MAX or lag_bytes > LAG_BYTES_MAX


def _layout_message(generation: int, kinds: tuple[str, ...]) -> bytes:
    return b"\0" + json.dumps({"generation": generation, "streams": kinds}).encode()
