"""HLS over the same fragments: playlists keep their promises, names lead nowhere else."""

import asyncio
import io
import re
from dataclasses import replace
from datetime import UTC, datetime

import av
import pytest
from hypothesis import given
from hypothesis import strategies as st

from media.fragments.aac import AacEncoder
from media.fragments.boxes import init_segment
from media.fragments.errors import FragmentRefused
from media.fragments.playlist import TARGET_S, _date, parse_name
from media.fragments.room import RoomStream
from media.fragments.shelf import LISTED_MAX
from tests.media.fragments.streams import feed, make_room
from tests.media.recording.test_playable import beeps
from tests.media.recording.traces import FPS, H264, Sent, number_in, publish, sound


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


def test_a_playlist_keeps_what_the_standard_asks_of_it() -> None:
    room = make_room()
    for tail in (3, 9):
        feed(room, publish(tail))
        playlist = playlist_of(room, "video")
        durations = [float(d) for d in re.findall(r"#EXTINF:([\d.]+),", playlist)]
        assert all(round(duration) <= TARGET_S for duration in durations)
        assert durations
        assert playlist.startswith("#EXTM3U\n#EXT-X-VERSION:7\n#EXT-X-TARGETDURATION:2\n")
        assert "#EXT-X-PROGRAM-DATE-TIME:2026-11-18T" in playlist


def test_segments_go_on_without_keyframes_and_never_over_the_target() -> None:
    room = make_room()
    feed(room, publish(12, gop=1000))
    durations = [float(d) for d in re.findall(r"#EXTINF:([\d.]+),", playlist_of(room, "video"))]
    assert len(durations) >= 2
    assert all(round(duration) <= TARGET_S for duration in durations)


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
        assert len(re.findall(r"#EXTINF", playlist)) <= LISTED_MAX
    assert firsts == sorted(firsts)
    assert firsts[-1] > 10
    with pytest.raises(FragmentRefused, match=r"fragment\.unknown"):
        room.shelf.file("video-0.m4s")


def test_a_picture_that_comes_back_is_told_by_a_discontinuity() -> None:
    room = make_room()
    feed(room, publish(3))
    room.show("video", None)
    assert "RESOLUTION" not in room.master(), "sound alone"
    sound_alone = [one for one in publish(6) if one.track == "mic" and one.at_ns >= 3 * 10**9]
    feed(room, sound_alone)
    room.show("video", "cam", H264)
    feed(room, [come_back(one, 1) for one in publish(5)])
    assert "#EXT-X-DISCONTINUITY\n" in playlist_of(room, "video")
    room.close()


def test_the_master_playlist_offers_what_is_there() -> None:
    room = make_room()
    with pytest.raises(FragmentRefused, match=r"stream\.absent"):
        room.master()
    feed(room, [one for one in publish(2) if one.track == "cam"])
    assert "AUDIO" not in room.master()
    assert room._aac is None
    feed(room, publish(2))
    text = room.master()
    room.close()
    assert 'CODECS="avc1.42c014,mp4a.40.2",RESOLUTION=320x240,AUDIO="aac"\nvideo.m3u8' in text
    assert re.findall(r'URI="([^"]+)"', text) == ["aac.m3u8"]


async def test_who_comes_before_the_first_picture_is_offered_it_all_the_same() -> None:
    """A player keeps to what the first master playlist offered, for as long as it plays."""
    room = make_room()
    feed(room, [one for one in publish(1) if one.track == "mic"])
    room.awaits_picture = True
    waiting = asyncio.create_task(room.begun_master())
    await asyncio.sleep(0)
    assert "RESOLUTION" not in room.master()
    assert not waiting.done()
    feed(room, [one for one in publish(2) if one.track == "cam"])
    assert "RESOLUTION" in await waiting
    room.close()
    ended = make_room()
    feed(ended, [one for one in publish(1) if one.track == "mic"])
    ended.awaits_picture = True
    waiting = asyncio.create_task(ended.begun_master())
    await asyncio.sleep(0)
    ended.close()
    assert "RESOLUTION" not in await waiting, "nothing will come any more"


async def test_a_playlist_that_is_only_beginning_is_waited_for() -> None:
    room = make_room()
    feed(room, publish(1))
    waiting = asyncio.create_task(room.playlist("video"))
    await asyncio.sleep(0)
    assert not waiting.done()
    feed(room, [one for one in publish(9) if one.at_ns >= 10**9])
    assert "video-0.m4s" in await waiting
    room.close()
    assert (await room.playlist("video")).endswith("#EXT-X-ENDLIST\n")


async def test_aac_is_encoded_only_once_it_is_asked_for() -> None:
    room = make_room(asyncio.get_running_loop().call_soon_threadsafe)
    feed(room, publish(2))
    assert room._aac is None
    try:
        feed(room, [one for one in publish(12) if one.at_ns >= 2 * 10**9])
        data = joined(room, await room.playlist("aac"))  # out of what was heard before
    finally:
        room.close()
    with av.open(io.BytesIO(data), format="mp4") as container:
        assert container.streams[0].codec_context.name == "aac"
        assert sum(frame.samples for frame in container.decode(audio=0)) > 48_000


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
        "video-99999999999.m4s", "other-1.m4s", "video-1.9.m4s", "video-init-.mp4",
        "aac-init-1.mp4\0", "v" * 200,
    ],
)  # fmt: skip
def test_a_name_that_is_bent_is_refused(name: str) -> None:
    with pytest.raises(FragmentRefused, match=r"fragment\.name"):
        parse_name(name)


@given(st.integers(0, 253_402_300_799_999))
def test_dates_are_those_of_the_calendar(utc_ms: int) -> None:
    found = datetime.fromisoformat(_date(utc_ms))
    assert found == datetime.fromtimestamp(utc_ms // 1000, UTC).replace(
        microsecond=utc_ms % 1000 * 1000
    )
