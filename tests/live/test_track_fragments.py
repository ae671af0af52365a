"""Streams of single tracks: the layer that was asked for, only while watched, and not too many."""

from collections.abc import Iterable

import pytest

from media.codecs import Codec
from media.engine import TappedPacket, TrackTerms
from media.fragments.errors import FragmentRefused
from media.grants import Label
from media.rooms import TrackOpened
from server.live.live_track import LiveTrack
from server.live.track_streams import LINGER_NS, STREAMS_MAX, Of, TrackStreams, parse_of
from tests.live.test_air_tap import between, camera, utc_of
from tests.media.fragments.streams import MONO_NS
from tests.media.recording.traces import Sent

S = 1_000_000_000
CAMERA, MICROPHONE = 12, 13


def a_track(number: int, label: Label, codec: Codec) -> LiveTrack:
    terms = TrackTerms(codec, str(number), 102 if label is Label.CAMERA else 111)
    opened = TrackOpened("evaluation:m1", "expert-1", number, label, None, False, terms)
    return LiveTrack(opened, (), lambda: None, utc_of, lambda *_: None)


class Room:
    """One camera and one microphone, and what is watched of them."""

    def __init__(self, codec: Codec = Codec.H264) -> None:
        self.camera = a_track(CAMERA, Label.CAMERA, codec)
        microphone = a_track(MICROPHONE, Label.MICROPHONE, Codec.OPUS)
        self.tracks = {CAMERA: self.camera, MICROPHONE: microphone}
        self.streams = TrackStreams(self.tracks, utc_of, lambda call: call())

    def feed(self, trace: Iterable[Sent], *layers: int) -> None:
        for one in trace:
            at_us = (MONO_NS + one.at_ns) // 1000
            for layer in layers:
                self.camera([TappedPacket(1, layer, one.raw, at_us)])


def test_the_small_one_is_the_lowest_layer_and_the_large_one_the_best() -> None:
    room, trace = Room(), camera(2)
    streams = [room.streams.open(Of(CAMERA, size), MONO_NS) for size in ("small", "large")]
    room.feed(between(trace, 0, 2), 0, 1)
    assert [air._layer for air in room.camera.airs] == [0, 1]
    assert all(stream.hub.kinds == ("video",) for stream in streams)
    assert room.streams.open(Of(CAMERA, "small"), MONO_NS) is streams[0], "cut once for all"
    room.streams.close()


def test_nothing_is_cut_once_the_last_viewer_has_gone() -> None:
    room = Room()
    stream = room.streams.open(Of(CAMERA, "large"), MONO_NS)
    viewer = stream.join()
    room.streams.tick(MONO_NS + 60 * S)
    assert room.camera.airs, "somebody watches"
    viewer.close()
    room.streams.tick(MONO_NS + 60 * S + LINGER_NS - 1)
    assert not stream.hub.is_closed, "he may come back at once"
    room.streams.tick(MONO_NS + 60 * S + LINGER_NS)
    assert (len(room.streams), room.camera.airs, stream.hub.is_closed) == (0, [], True)


def test_who_watches_a_track_that_goes_is_told() -> None:
    room = Room()
    streams = [room.streams.open(Of(CAMERA, size), MONO_NS) for size in ("small", "large")]
    other = room.streams.open(Of(MICROPHONE, "sound"), MONO_NS)
    room.streams.closed(CAMERA)
    assert [one.hub.is_closed for one in (*streams, other)] == [True, True, False]
    room.streams.close()


def test_what_cannot_be_watched_is_refused_by_code() -> None:
    room = Room()
    for of, code in (
        (Of(99, "large"), "stream.unknown"),
        (Of(CAMERA, "sound"), "stream.absent"),
        (Of(MICROPHONE, "small"), "stream.absent"),
    ):
        with pytest.raises(FragmentRefused) as refused:
            room.streams.open(of, MONO_NS)
        assert refused.value.code == code
    with pytest.raises(FragmentRefused, match=r"stream\.absent"):
        Room(Codec.VP8).streams.open(Of(CAMERA, "large"), MONO_NS)


def test_a_room_has_not_more_streams_than_it_may() -> None:
    room = Room()
    for number in range(100, 100 + STREAMS_MAX):
        room.tracks[number] = a_track(number, Label.CAMERA, Codec.H264)
        room.streams.open(Of(number, "large"), MONO_NS)
    with pytest.raises(FragmentRefused, match=r"streams\.full"):
        room.streams.open(Of(CAMERA, "large"), MONO_NS)
    room.streams.open(Of(100, "large"), MONO_NS)
    room.streams.close()


@pytest.mark.parametrize(
    "text", ["", "12", "12.", "12.huge", "x.small", "-1.small", "12.small.", "1234567890.small",
             "１２.small", "12.SMALL", "12.small" * 9],
)  # fmt: skip
def test_only_a_number_and_a_size_name_a_stream(text: str) -> None:
    assert parse_of(text) is None
    assert parse_of("12.small") == Of(12, "small")
