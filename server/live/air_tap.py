"""A track's way into a room's fragments (播出分接): on at a keyframe, the best layer first.

Invariant: what was taken off the air sends nothing more, from that moment.
"""

from collections.abc import Callable, Iterable, Sequence
from typing import Final

from media.codecs import Codec, starts_keyframe
from media.engine import TappedPacket
from media.fragments.room import RoomStream
from media.packets import is_rtcp, parse_rtp
from media.recording.segments import TrackFormat
from media.recording.tapping import TrackTap

LAYER_LOST_NS: Final = 2_000_000_000
ASK_NS: Final = 500_000_000


class AirTap:
    """``went_on`` is called when it has come on the air; whoever was there before is taken off.

    ``pick`` chooses among the layers that come: the best by default.
    """

    def __init__(
        self,
        name: str,
        form: TrackFormat,
        stream: RoomStream,
        utc_of: Callable[[int], int],
        want_keyframe: Callable[[], None],
        went_on: Callable[["AirTap"], None],
        pick: Callable[[Iterable[int]], int] = max,
    ) -> None:
        self.name, self.form = name, form
        self._stream, self._want_keyframe, self._went_on = stream, want_keyframe, went_on
        self._pick = pick
        self._tap = TrackTap(name, form, utc_of, stream=stream)
        self._newest_ns: dict[int, int] = {}
        self._layer: int | None = None  # on the air
        self._is_wanted = False
        self._asked_ns = 0

    @property
    def kind(self) -> str:
        return self.form.kind

    @property
    def is_on_air(self) -> bool:
        return self._layer is not None

    def want(self) -> None:
        """It is to be shown as soon as it can be."""
        if not self._is_wanted:
            self._is_wanted = True
            if self.kind == "video":
                self._want_keyframe()

    def not_want(self) -> None:
        """It is to be replaced; until then it stays."""
        self._is_wanted = False

    def take_off(self) -> None:
        self._is_wanted, self._layer = False, None

    def __call__(self, tapped: Sequence[TappedPacket]) -> None:
        """A batch as it came."""
        for packet in tapped:
            self._newest_ns[packet.layer] = packet.arrival_us * 1000
        if self._is_wanted:
            self._step(tapped)
        if self._layer is not None:
            self._tap(tapped)

    def _step(self, tapped: Sequence[TappedPacket]) -> None:
        now_ns = tapped[-1].arrival_us * 1000
        best = self._pick(
            layer for layer, at_ns in self._newest_ns.items() if now_ns - at_ns <= LAYER_LOST_NS
        )
        if best == self._layer:
            return
        if self.kind == "audio" or any(_is_key(one) for one in tapped if one.layer == best):
            self._layer = best
            self._stream.show(self.kind, f"{self.name}-{best}", self.form)
            self._went_on(self)
        elif now_ns - self._asked_ns >= ASK_NS:
            self._asked_ns = now_ns
            self._want_keyframe()


def _is_key(packet: TappedPacket) -> bool:
    view = None if is_rtcp(packet.raw) else parse_rtp(packet.raw)
    return view is not None and starts_keyframe(Codec.H264, view.payload)
