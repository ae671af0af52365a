"""From packets to fragments: nothing transcoded, in step, going on whatever publishers do."""

import itertools
import json
from dataclasses import replace
from fractions import Fraction

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from media.fragments.errors import FragmentRefused
from media.fragments.live import ASK_NS
from media.fragments.room import RoomStream
from media.packets import build_rtp
from media.recording.depacketise.opus import SILENCE
from tests.media.fragments.streams import MONO_NS, UTC_MS, Player, feed, make_room
from tests.media.recording.traces import (
    FPS,
    H264,
    OPUS,
    VP8,
    Sender,
    Sent,
    annexb_nals,
    h264_payloads,
    number_in,
    publish,
    sound,
    video,
)


def watched(sent: list[Sent], room: RoomStream | None = None) -> Player:
    """What a viewer has who was there from the first packet."""
    room = room or make_room()
    viewer = room.join()
    player = Player()
    for _, group in itertools.groupby(sent, key=lambda one: one.at_ns // 100_000_000):
        feed(room, list(group))
        player.take(viewer.take())
    assert viewer.skipped == 0
    return player


def test_the_frames_of_the_publisher_stand_in_the_fragments_byte_by_byte() -> None:
    player = watched(publish(4))
    assert [json.loads(layout)["streams"] for layout in player.layouts][-1] == ["video", "audio"]
    assert player.mimes == {
        0: 'video/mp4; codecs="avc1.42c014"', 1: 'audio/mp4; codecs="opus"',
    }  # fmt: skip
    encoded = [annexb_nals(raw) for raw, _ in video("libx264", 4 * FPS)]
    for packet, nals in zip(player.packets(0), encoded, strict=False):
        assert bytes(packet) == b"".join(len(nal).to_bytes(4, "big") + nal for nal in nals)
    assert {bytes(packet) for packet in player.packets(1)} <= {*sound(4), SILENCE}
    numbers = [number_in(frame.to_ndarray(format="rgb24")) for frame in player.pictures()]
    assert numbers == list(range(len(numbers)))
    assert len(numbers) > 4 * FPS - 12, "what is not out yet is less than a part and a frame"


def test_fragments_are_short_and_follow_each_other_without_seams() -> None:
    player = watched(publish(4))
    for stream, scale in ((0, 90_000), (1, 48_000)):
        packets = player.packets(stream)
        assert packets[0].time_base == Fraction(1, scale)
        seams = {b.pts - a.pts - a.duration for a, b in itertools.pairwise(packets)}
        assert seams == {0}
    times = {stream: [t for s, _, _, t in player.starts if s == stream] for stream in (0, 1)}
    for found in times.values():
        assert all(0 < b - a <= 600_000 for a, b in itertools.pairwise(found))


@pytest.mark.parametrize("delay_ms", [0, 250])
def test_sound_that_came_late_is_in_step_once_reports_are_there(delay_ms: int) -> None:
    sent = publish(6, sound_delay_ns=delay_ms * 1_000_000)
    player = watched(sent)
    with_sound = {bytes(raw): Fraction(n, 50) for n, raw in enumerate(sound(6))}
    made = {}
    for n, (raw, _) in enumerate(video("libx264", 6 * FPS)):
        data = b"".join(len(nal).to_bytes(4, "big") + nal for nal in annexb_nals(raw))
        made[data] = Fraction(n, FPS)
    # Media time minus the time at which it was made, of late frames of either stream.
    ahead = [p.pts * p.time_base - made[bytes(p)] for p in player.packets(0)][-50:]
    sounds = [
        p.pts * p.time_base - with_sound[bytes(p)]
        for p in player.packets(1)[-50:]
        if len(bytes(p)) > 20  # the beep: every packet of it is another
    ]
    assert sounds
    assert max(abs(one - other) for one in ahead for other in sounds) <= Fraction(70, 1000)


def test_who_is_muted_leaves_silence_and_not_a_stall() -> None:
    sent = [one for one in publish(5) if one.track == "cam" or not 1.0 < one.at_ns / 1e9 < 3.0]
    player = watched(sent)
    packets = player.packets(1)
    assert {b.pts - a.pts - a.duration for a, b in itertools.pairwise(packets)} <= {
        *range(-480, 960)
    }
    assert sum(bytes(packet) == SILENCE for packet in packets) >= 70


def test_a_held_camera_leaves_sound_alone_and_comes_back() -> None:
    sent = publish(9)
    room = make_room()
    first = [one for one in sent if one.at_ns < 2 * 10**9]
    middle = [one for one in sent if 2 * 10**9 <= one.at_ns < 7 * 10**9 and one.track == "mic"]
    last = [one for one in sent if one.at_ns >= 7 * 10**9]
    viewer, player = room.join(), Player()
    kinds = []
    for part in (first, middle, last):
        for _, group in itertools.groupby(part, key=lambda one: one.at_ns // 100_000_000):
            feed(room, list(group))
            player.take(viewer.take())
        kinds.append(room.hub.kinds)
    assert kinds == [("video", "audio"), ("audio",), ("video", "audio")]
    assert len(player.layouts) >= 3
    assert player.pictures()


def test_a_screen_takes_the_place_of_a_camera_without_beginning_anew() -> None:
    room = make_room()
    feed(room, publish(2))
    generation = room.hub.generation
    screen = Sender(H264, 0x5C)
    room.show("video", "screen", H264)
    sent = [
        Sent(2 * 10**9 + n * 40_000_000, "screen", packet)
        for n, (raw, _) in enumerate(video("libx264", 50, size=(640, 360)))
        for packet in screen.frame(h264_payloads(annexb_nals(raw)), n * 3600)
    ]
    viewer = room.join()
    player = Player().take(viewer.take())
    feed(room, sent)
    player.take(viewer.take())
    assert room.hub.generation == generation
    sizes = {(frame.width, frame.height) for frame in player.pictures()}
    assert sizes == {(320, 240), (640, 360)}


def test_keyframes_are_asked_for_when_they_are_due_and_not_more_often() -> None:
    asked: list[str] = []
    room = RoomStream(asked.append, lambda call: call())
    room.show("video", "cam", H264)
    sent = [one for one in publish(10, gop=1000) if one.track == "cam"]
    feed(room, sent)
    assert set(asked) == {"cam"}
    assert 6 <= len(asked) <= 10 * 10**9 // ASK_NS + 3


def test_after_a_loss_a_keyframe_is_asked_for_at_once() -> None:
    asked: list[str] = []
    room = RoomStream(asked.append, lambda call: call())
    room.show("video", "cam", H264)
    sent = [one for one in publish(2) if one.track == "cam" and not one.is_report]
    kept = [one for place, one in enumerate(sent) if place != 8 and one.at_ns < 10**9]
    feed(room, kept, tick=False)
    asked.clear()
    room.tick(MONO_NS + 10**9)
    assert asked == ["cam"], "the next would be due a second later"
    room.tick(MONO_NS + 10**9 + ASK_NS)
    assert asked == ["cam"], "one is enough"


def test_what_players_do_not_know_is_refused() -> None:
    room = RoomStream(lambda track: None, lambda call: call())
    with pytest.raises(FragmentRefused, match=r"fragment\.codec"):
        room.show("video", "cam", VP8)
    with pytest.raises(FragmentRefused, match=r"fragment\.codec"):
        room.show("audio", "cam", H264)


def test_times_tell_when_a_picture_was_taken() -> None:
    player = watched(publish(4))
    for stream, _, utc_ms, time_us in player.starts[4:]:
        assert stream in (0, 1)
        assert abs(utc_ms - UTC_MS - (time_us // 1000 - 1000)) <= 60


@settings(max_examples=25, deadline=None)
@given(st.data())
def test_no_publisher_stops_the_stream_or_makes_it_grow(data: st.DataObject) -> None:
    room = make_room()
    viewer = room.join()
    sent = [replace(one) for one in publish(2)]
    player = Player()
    for place in range(0, len(sent), 7):
        one = sent[place]
        bend = data.draw(st.sampled_from(["", "skip", "twice", "noise", "time", "report", "ssrc"]))
        feed(room, [] if bend == "skip" else [one] * (2 if bend == "twice" else 1))
        if bend == "noise":
            noise = data.draw(st.binary(max_size=60))
            room.packets(one.track, [(MONO_NS + one.at_ns, noise)], UTC_MS)
            room.rtcp(one.track, noise)
        if bend in ("time", "ssrc"):
            form = H264 if one.track == "cam" else OPUS
            raw = build_rtp(
                form.payload_type, data.draw(st.integers(0, 0xFFFF)),
                data.draw(st.integers(0, 0xFFFFFFFF)), 0xCA if bend == "time" else 9,
                data.draw(st.binary(max_size=40)), marker=True,
            )  # fmt: skip
            room.packets(one.track, [(MONO_NS + one.at_ns, raw)], UTC_MS + one.at_ns // 1_000_000)
        if bend == "report":
            track = "mic" if one.track == "cam" else "cam"
            sender = Sender(OPUS, 0x31C if track == "mic" else 0xCA)
            wall = Fraction(data.draw(st.integers(0, 2_000_000_000)))
            room.rtcp(track, sender.report(wall, data.draw(st.integers(0, 1 << 32))))
        player.take(viewer.take())
    feed(room, [replace(one, at_ns=one.at_ns + 2 * 10**9) for one in publish(2)])
    player.take(viewer.take())
    for found in player.streams:
        packets = player.packets(found)
        times = [packet.pts for packet in packets]
        assert times == sorted(times)
