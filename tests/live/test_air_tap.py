"""A track on its way to the public: at a keyframe, the best layer, and off at once."""

from dataclasses import dataclass, field

from media.engine import TappedPacket
from media.fragments.room import RoomStream
from server.live.air_tap import AirTap
from tests.media.fragments.streams import MONO_NS
from tests.media.recording.traces import H264, OPUS, Sent, publish

UTC_MS = 1_795_000_000_000
S = 1_000_000_000


def utc_of(mono_ns: int) -> int:
    return UTC_MS + (mono_ns - MONO_NS) // 1_000_000


@dataclass
class Air:
    """A stream with one picture of two layers. ``asked``: how often a keyframe was."""

    stream: RoomStream = field(
        default_factory=lambda: RoomStream(lambda track: None, lambda call: call())
    )
    asked: int = 0
    went_on: int = 0

    def __post_init__(self) -> None:
        self.tap = AirTap("cam", H264, self.stream, utc_of, self._ask, self._on)

    def _ask(self) -> None:
        self.asked += 1

    def _on(self, tap: AirTap) -> None:
        self.went_on += 1

    def feed(self, trace: list[Sent], *layers: int) -> None:
        for one in trace:
            at_us = (MONO_NS + one.at_ns) // 1000
            for layer in layers:
                self.tap([TappedPacket(1, layer, one.raw, at_us)])


def camera(seconds: int = 4) -> list[Sent]:
    return [one for one in publish(seconds) if one.track == "cam"]


def between(trace: list[Sent], from_s: float, to_s: float) -> list[Sent]:
    return [one for one in trace if from_s * S <= one.at_ns < to_s * S]


def test_a_picture_that_is_wanted_in_between_comes_with_its_next_keyframe() -> None:
    air, trace = Air(), camera()
    air.feed(between(trace, 0, 1.5), 0)
    assert not air.tap.is_on_air, "nobody has asked for it"
    air.tap.want()
    assert air.asked == 1
    air.feed(between(trace, 1.5, 2), 0)
    assert not air.tap.is_on_air
    air.feed(between(trace, 2, 4), 0)
    assert air.tap.is_on_air
    assert air.went_on == 1
    assert air.stream.hub.kinds == ("video",)
    air.stream.close()


def test_the_largest_layer_is_shown_and_the_next_one_where_it_ends() -> None:
    air, trace = Air(), camera()
    air.tap.want()
    air.feed(between(trace, 0, 1), 0, 1)
    assert air.tap._layer == 1
    air.feed(between(trace, 1, 2.9), 0)
    assert air.tap._layer == 1, "it may only be late"
    air.feed(between(trace, 2.9, 4), 0)
    assert air.tap._layer == 0
    air.stream.close()


def test_who_is_taken_off_sends_nothing_more() -> None:
    air, trace = Air(), camera()
    air.tap.want()
    air.feed(between(trace, 0, 2), 0)
    end = air.stream.hub.end
    assert end > 0
    air.tap.take_off()
    air.feed(between(trace, 2, 4), 0)
    assert air.stream.hub.end == end
    air.stream.close()


def test_sound_comes_at_once() -> None:
    stream = RoomStream(lambda track: None, lambda call: call())
    went_on: list[AirTap] = []
    tap = AirTap("mic", OPUS, stream, utc_of, lambda: None, went_on.append)
    sound = [one for one in publish(2) if one.track == "mic"]
    tap.want()
    tap([TappedPacket(1, 0, sound[0].raw, (MONO_NS + sound[0].at_ns) // 1000)])
    assert went_on == [tap]
    stream.close()
