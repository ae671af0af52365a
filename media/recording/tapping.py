"""From the SFU's taps to recordings and fragments (分接): one object per track of a publisher.

A tap brings every layer of a track with its sender reports in between. Each layer is a track of the
recording, named ``<name>-<layer>``; it begins with its first packet, and a mark that says whose it
is. Invariant: a tap never raises into the forwarding engine; a recording that cannot go on is told
by the recorder's events.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Final

from media.engine import TappedPacket
from media.fragments.room import RoomStream
from media.packets import is_rtcp
from media.recording.errors import RecordingRefused
from media.recording.records import ABOUT
from media.recording.segments import TrackFormat, checked_name
from media.recording.session import RecordingSession

KEYFRAME_NS: Final = 10_000_000_000


class TrackTap:
    """Give it to ``Sfu.tap``. ``recording`` and ``stream`` are optional, each by itself.

    ``utc_ms``: UTC of a moment of the monotonic clock, ns; batches may be handed in late.
    ``about``: what the mark at the beginning of each layer says, see ``catalogue``.
    ``want_keyframe`` is called for a recorded picture at its first packet and every ten seconds:
    a recording begins there, goes on there after a loss, and can be sought to.
    """

    def __init__(
        self,
        name: str,
        form: TrackFormat,
        utc_ms: Callable[[int], int],
        *,
        recording: RecordingSession | None = None,
        stream: RoomStream | None = None,
        about: Mapping[str, object] | None = None,
        on_refused: Callable[[RecordingRefused], None] | None = None,
        want_keyframe: Callable[[], None] | None = None,
    ) -> None:
        self.name, self.format = checked_name(name), form
        self._utc_ms = utc_ms
        self._recording, self._stream = recording, stream
        self._about = about
        self._on_refused, self._want_keyframe = on_refused, want_keyframe
        self._asked_ns: int | None = None
        self._names: dict[int, str] = {}
        self._last_ns = 0

    def __call__(self, tapped: Sequence[TappedPacket]) -> None:
        """A batch as it came."""
        run: list[tuple[int, bytes]] = []
        layer = -1
        for packet in tapped:
            if packet.layer != layer or is_rtcp(packet.raw):
                self._pass(layer, run)
                run, layer = [], packet.layer
            self._last_ns = packet.arrival_us * 1000
            if is_rtcp(packet.raw):
                self._report(self._named(layer), packet.raw)
            else:
                run.append((self._last_ns, packet.raw))
        self._pass(layer, run)
        self._ask_keyframe()

    def mark(self, members: dict[str, object]) -> None:
        """Mute, hold and the like, in every layer's journal."""
        if self._recording is not None:
            for name in self._names.values():
                self._recording.mark(name, self._last_ns, self._utc_ms(self._last_ns), members)

    def end(self) -> None:
        """The publisher's track has ended. Idempotent."""
        if self._recording is not None:
            for name in self._names.values():
                self._recording.end_track(name, self._last_ns, self._utc_ms(self._last_ns))
        self._names.clear()

    def _pass(self, layer: int, run: list[tuple[int, bytes]]) -> None:
        if not run:
            return
        name = self._named(layer, first_ns=run[0][0])
        utc_ms = self._utc_ms(run[-1][0])
        if self._recording is not None:
            self._recording.packets(name, run, utc_ms)
        if self._stream is not None:
            self._stream.packets(name, run, utc_ms)

    def _ask_keyframe(self) -> None:
        is_recorded = self._recording is not None and self.format.kind == "video" and self._names
        if self._want_keyframe is None or not is_recorded:
            return
        if self._asked_ns is None or self._last_ns - self._asked_ns >= KEYFRAME_NS:
            self._asked_ns = self._last_ns
            self._want_keyframe()

    def _report(self, name: str, raw: bytes) -> None:
        if self._recording is not None:
            utc_ms = self._utc_ms(self._last_ns)
            self._recording.sender_report(name, self._last_ns, raw, utc_ms)
        if self._stream is not None:
            self._stream.rtcp(name, raw)

    def _named(self, layer: int, *, first_ns: int | None = None) -> str:
        """The layer's name; at its first packet its journal begins."""
        known = self._names.get(layer)
        if known is not None:
            return known
        name = f"{self.name}-{layer}"
        if first_ns is None:
            return name
        self._names[layer] = name
        if self._recording is not None:
            try:
                self._recording.begin_track(name, self.format)
                if self._about is not None:
                    mark = {"mark": ABOUT, "layer": layer, **self._about}
                    self._recording.mark(name, first_ns, self._utc_ms(first_ns), mark)
            except RecordingRefused as refused:
                if self._on_refused is not None:
                    self._on_refused(refused)
        return name
