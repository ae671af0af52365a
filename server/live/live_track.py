"""One published track on its way to the recorder and to the public (现场轨道).

Invariant: it never raises into the forwarding engine, and what it holds back is bounded.
"""

import re
from collections.abc import Callable, Collection, Sequence
from typing import Any, Final

from crypto.hashes import blake2b_256
from media.codecs import CLOCK_HZ, Codec
from media.engine import TappedPacket
from media.recording.errors import RecordingRefused
from media.recording.segments import TrackFormat
from media.recording.session import RecordingSession
from media.recording.tapping import TrackTap
from media.rooms import TrackOpened
from server.live.air_tap import AirTap

WAITING_MAX: Final = 10_000  # packets, while a crash is read: a minute of a camera
SILENT_NS: Final = 2_000_000_000
TO_MAX: Final = 8  # listeners of a call that its mark names
NAME_MAX: Final = 36
MakeAir = Callable[[str, TrackFormat, Callable[[], None]], AirTap | None]
_PLAIN: Final = re.compile(r"[a-z0-9][a-z0-9_.-]*")


class LiveTrack:
    """Give it to ``Sfu.tap``. Until ``record`` or ``leave_out`` is called its packets wait."""

    def __init__(
        self,
        opened: TrackOpened,
        taken: Collection[str],
        want_keyframe: Callable[[], None],
        utc_of: Callable[[int], int],
        air: MakeAir,
    ) -> None:
        """``taken``: names of the room's other tracks. ``air`` makes its way to the public."""
        terms = opened.terms
        self.opened = opened
        self.name = track_name(opened, taken)
        self.form = TrackFormat(terms.codec.value, CLOCK_HZ[terms.codec], terms.pt)
        self.is_paused = False
        self.want_keyframe, self._utc_of = want_keyframe, utc_of
        self._tap: TrackTap | None = None
        self._waiting: list[TappedPacket] | None = []
        self._newest_ns = -SILENT_NS - 1
        # What is meant for some is not for the public, nor what its players cannot play.
        self._is_public = not opened.hidden and opened.to is None and terms.codec is not Codec.VP8
        self.air: AirTap | None = None
        self.go_on_air(air)
        self.airs: list[AirTap] = []  # to those who watch this track alone

    def go_on_air(self, air: MakeAir) -> None:
        """From now on it may be chosen for the program, if everybody in the room may have it."""
        if self._is_public:
            self.air = air(self.name, self.form, self.want_keyframe)

    def plays(self, now_ns: int) -> bool:
        """Whether packets come, and nobody silenced it."""
        return not self.is_paused and now_ns - self._newest_ns <= SILENT_NS

    def __call__(self, tapped: Sequence[TappedPacket]) -> None:
        """A batch as it came."""
        if not tapped:
            return
        self._newest_ns = tapped[-1].arrival_us * 1000
        if self._tap is not None:
            self._tap(tapped)
        elif self._waiting is not None and len(self._waiting) < WAITING_MAX:
            self._waiting += tapped
        if self.air is not None:
            self.air(tapped)
        for air in self.airs:
            air(tapped)

    def record(
        self, session: RecordingSession, on_refused: Callable[[RecordingRefused], None]
    ) -> None:
        """From now on, and with what has waited."""
        self._tap = TrackTap(
            self.name, self.form, self._utc_of, recording=session, about=self._about(),
            on_refused=on_refused, want_keyframe=self.want_keyframe,
        )  # fmt: skip
        waiting, self._waiting = self._waiting, None
        if waiting:
            self._tap(waiting)

    def leave_out(self) -> None:
        """There is no recording: nothing waits for it."""
        self._waiting = None

    def pause(self, is_paused: bool) -> None:
        """Muted or held: marked in the journal, where the silence would look like a loss."""
        self.is_paused = is_paused
        if self._tap is not None:
            self._tap.mark({"mark": "paused", "on": is_paused})

    def end(self) -> None:
        if self._tap is not None:
            self._tap.end()

    def _about(self) -> dict[str, Any]:
        to = self.opened.to
        return {
            "member": self.opened.member,
            "label": self.opened.label.value,
            "hidden": self.opened.hidden,
            "to": sorted(to)[:TO_MAX] if to is not None else None,
        }


def track_name(opened: TrackOpened, taken: Collection[str]) -> str:
    """The track's folder: the same for the same person and label whenever they come back.

    Ids that are no file names become digests; the mark in the journal has them as they are. A
    second camera of one person, or a call beside his own microphone, gets a number.
    """
    member = opened.member.replace(":", ".")
    if not _PLAIN.fullmatch(member) or len(member) > NAME_MAX:
        member = "x" + blake2b_256(opened.member.encode()).hex()[:24]
    call = "call." if opened.to is not None or opened.hidden else ""
    codec = ".vp8" if opened.terms.codec is Codec.VP8 else ""
    first = f"{member}.{call}{opened.label.value}{codec}"
    numbered = (f"{first}.{n}" for n in range(2, len(taken) + 3))
    return next(name for name in (first, *numbered) if name not in taken)
