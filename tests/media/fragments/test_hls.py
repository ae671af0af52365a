"""HLS over the same fragments: playlists keep their promises, names lead nowhere else."""

import asyncio
import io
import re
import time
from dataclasses import replace
from datetime import UTC, datetime

import av
import pytest
from hypothesis import given
from hypothesis import strategies as st

from media.fragments.aac import AacEncoder
from media.fragments.boxes import init_segment
from media.fragments.errors import FragmentRefused
from media.fragments.playlist import TARGET_S, _date, parse_name, parse_position
from media.fragments.room import RoomStream
from tests.media.fragments.streams import feed, make_room
from tests.media.recording.test_playable import beeps
from tests.media.recording.traces import FPS, Sent, number_in, publish, sound


def playlist_of(room: RoomStream, name: str) -> str:
    return room.shelf.lane(name).playlist(ended=False)


def joined(room: RoomStream, playlist: str) -> bytes:
    """What a player would put together: the init and every whole segment."""
    (init,) = set(re.findall(r'MAP:URI="([^"]+)"', playlist))
    names = re.findall(r"^[a-z]+-\d+\.m4s$", playlist, re.MULTILINE)
    assert names
    return b"".join(room.shelf.file(name) for name in [init, *names])


def test_segments_of_a_playlist_play_from_a_keyframe_on() -> None:
    room = make_room()
    feed(room, publish(9))
    playlist = playlist_of(room, "video")
    with av.open(io.BytesIO(joined(room, playlist)), format="mp4") as container:
        numbers = [number_in(f.to_ndarray(format="rgb24")) for f in container.decode(video=0)]
    assert numbers == list(range(numbers[0], numbers[0] + len(numbers)))
    assert numbers[0] % FPS == 0
    assert len(numbers) >= 4 * FPS
    with av.open(io.BytesIO(joined(room, playlist_of(room, "audio"))), format="mp4") as container:
        assert container.streams[0].codec_context.name == "opus"
        assert sum(frame.samples for frame in container.decode(audio=0)) > 4 * 48_000


def test_a_playlist_keeps_what_the_standard_asks_of_it() -> None:
    room = make_room()
    for tail in (3, 9):
        feed(room, publish(tail))
        playlist = playlist_of(room, "video")
        durations = [float(d) for d in re.findall(r"#EXTINF:([\d.]+),", playlist)]
        assert all(round(duration) <= TARGET_S for duration in durations)
        parts = [float(d) for d in re.findall(r"PART:DURATION=([\d.]+)", playlist)]
        (target,) = re.findall(r"PART-TARGET=([\d.]+)", playlist)
        assert parts
        assert max(parts) <= float(target)
        assert playlist.startswith("#EXTM3U\n#EXT-X-VERSION:9\n")
        assert "#EXT-X-PROGRAM-DATE-TIME:2026-11-18T" in playlist
        assert re.search(r'PART:[^\n]*URI="video-\d+\.0\.m4s",INDEPENDENT=YES', playlist)


def test_segments_go_on_without_keyframes_and_never_over_the_target() -> None:
    room = make_room()
    feed(room, publish(12, gop=1000))
    durations = [float(d) for d in re.findall(r"#EXTINF:([\d.]+),", playlist_of(room, "video"))]
    assert len(durations) >= 2
    assert all(duration <= TARGET_S for duration in durations)


def come_back(one: Sent, round_: int) -> Sent:
    """The same again nine seconds later, by a source of another number."""
    raw = one.raw if one.is_report else one.raw[:8] + bytes([round_]) + one.raw[9:]
    return replace(one, at_ns=one.at_ns + round_ * 9 * 10**9, raw=raw)


def test_what_is_kept_is_bounded_and_numbers_only_rise() -> None:
    room = make_room()
    sent = publish(9)
    firsts: list[int] = []
    for round_ in range(8):
        feed(room, [come_back(one, round_) for one in sent])
        playlist = playlist_of(room, "video")
        firsts += map(int, re.findall(r"MEDIA-SEQUENCE:(\d+)", playlist))
        assert len(re.findall(r"#EXTINF", playlist)) <= 6
    assert firsts == sorted(firsts)
    assert firsts[-1] > 10
    lane = room.shelf.lane("video")
    with pytest.raises(FragmentRefused, match=r"fragment\.unknown"):
        room.shelf.file("video-0.m4s")
    assert lane.has(0, -1), "what is gone is not waited for"


def test_a_stream_that_begins_anew_is_told_by_a_discontinuity() -> None:
    room = make_room()
    feed(room, publish(3))
    room.show("video", None)
    feed(room, [one for one in publish(6) if one.track == "mic" and one.at_ns >= 3 * 10**9])
    assert "#EXT-X-DISCONTINUITY\n" in playlist_of(room, "audio")
    assert room.shelf.master().startswith("#EXTM3U")


def test_the_master_playlist_offers_opus_and_aac() -> None:
    room = make_room()
    with pytest.raises(FragmentRefused, match=r"stream\.absent"):
        room.shelf.master()
    feed(room, publish(2))
    text = room.shelf.master()
    assert 'CODECS="avc1.42c014,opus",RESOLUTION=320x240,AUDIO="opus"' in text
    assert 'CODECS="avc1.42c014,mp4a.40.2",RESOLUTION=320x240,AUDIO="aac"' in text
    assert set(re.findall(r'URI="([^"]+)"', text)) == {"audio.m3u8", "aac.m3u8"}


async def test_a_playlist_may_be_waited_for_until_it_has_the_part() -> None:
    room = make_room()
    feed(room, publish(3))
    lane = room.shelf.lane("video")
    number = int(re.findall(r"video-(\d+)\.\d+\.m4s", lane.playlist(ended=False))[-1])
    waiting = asyncio.create_task(room.playlist("video", (number, 9)))
    await asyncio.sleep(0)
    assert not waiting.done()
    later = [one for one in publish(6) if one.at_ns >= 3 * 10**9]
    feed(room, later)
    assert f"video-{number}.m4s" in await waiting
    with pytest.raises(FragmentRefused, match=r"playlist\.position"):
        await room.playlist("video", (number + 50, 0))
    room.close()
    assert (await room.playlist("video", None)).endswith("#EXT-X-ENDLIST\n")


async def test_aac_is_encoded_only_once_it_is_asked_for() -> None:
    room = make_room()
    feed(room, publish(2))
    assert room._aac is None
    with pytest.raises(FragmentRefused, match=r"stream\.absent"):
        await room.playlist("aac", None)
    try:
        feed(room, [one for one in publish(8) if one.at_ns >= 2 * 10**9])
        end = time.monotonic() + 20
        while not re.search(r"#EXTINF", _quietly(room)) and time.monotonic() < end:
            await room.hub.wait(0.1)
        data = joined(room, playlist_of(room, "aac"))
    finally:
        room.close()
    with av.open(io.BytesIO(data), format="mp4") as container:
        assert container.streams[0].codec_context.name == "aac"
        assert sum(frame.samples for frame in container.decode(audio=0)) > 48_000


def _quietly(room: RoomStream) -> str:
    try:
        return playlist_of(room, "aac")
    except FragmentRefused:
        return ""


def test_aac_sounds_like_what_it_was_made_of_and_when(tmp_path: object) -> None:
    encoder = AacEncoder()
    cuts = [
        cut
        for number, packet in enumerate(sound(4))
        if not 120 <= number < 130  # lost: silence
        for cut in encoder.push(48_000 + number * 960, packet)
    ]
    path = tmp_path / "aac.mp4"  # type: ignore[operator]
    path.write_bytes(init_segment(encoder.format) + b"".join(cut.data for cut in cuts))
    found = beeps(path)
    assert [round(at / 1000) for at in found] == [2, 3, 4]
    assert max(abs(at % 1000 - 1000 * (at % 1000 > 500)) for at in found) < 35
    assert encoder.push(9 * 48_000, b"\xff\x00 not opus") is not None


# ---- names and numbers from strangers


@given(st.text(max_size=50))
def test_no_name_leads_anywhere_but_to_a_segment(name: str) -> None:
    room = make_room()
    with pytest.raises(FragmentRefused) as refused:
        room.shelf.file(name)
    assert refused.value.code in {"fragment.name", "fragment.unknown"}


@pytest.mark.parametrize(
    "name",
    [
        "../video-1.m4s", "video-1.m4s/..", "video--1.m4s", "video-1.m4s\n", "video-٣.m4s",
        "video-99999999999.m4s", "other-1.m4s", "video-1.9999.m4s", "video-init-.mp4",
        "aac-init-1.mp4\0", "v" * 200,
    ],
)  # fmt: skip
def test_a_name_that_is_bent_is_refused(name: str) -> None:
    with pytest.raises(FragmentRefused, match=r"fragment\.name"):
        parse_name(name)


@pytest.mark.parametrize(
    ("msn", "part"),
    [
        ("-1", None), ("1", "-1"), ("1e3", None), ("", "1"), (None, "1"), ("9" * 11, None),
        ("1", "9" * 11), ("4294967296", None), ("1", "1001"), ("٣", None), ("1 ", None),
    ],
)  # fmt: skip
def test_a_position_that_is_bent_is_refused(msn: str | None, part: str | None) -> None:
    with pytest.raises(FragmentRefused, match=r"playlist\.position"):
        parse_position(msn, part)


def test_a_position_without_a_part_is_the_whole_segment() -> None:
    assert parse_position(None, None) is None
    assert parse_position("7", None) == (7, -1)
    assert parse_position("7", "2") == (7, 2)


@given(st.integers(0, 253_402_300_799_999))
def test_dates_are_those_of_the_calendar(utc_ms: int) -> None:
    found = datetime.fromisoformat(_date(utc_ms))
    assert found == datetime.fromtimestamp(utc_ms // 1000, UTC).replace(
        microsecond=utc_ms % 1000 * 1000
    )
