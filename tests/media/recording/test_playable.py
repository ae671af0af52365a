"""Playable files: whole, in step, beginning at a keyframe, the publisher's frames byte by byte."""

import hashlib
import itertools
import json
import shutil
from dataclasses import replace
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest

from media.recording.errors import RecordingRefused
from media.recording.playable import main, make_playable
from media.recording.segments import TrackFormat, segment_path
from media.recording.timeline import Timeline
from media.recording.track_reading import TrackReading
from tests.media.recording.journals import UTC_MS, write_journal
from tests.media.recording.traces import (
    FPS,
    H264,
    OPUS,
    VP8,
    Sender,
    Sent,
    annexb_nals,
    h264_payloads,
    is_flash,
    number_in,
    publish,
    sound,
    video,
)

SYNC_MS = 45  # a picture lasts 40 ms: nearer than this nothing can be told


def pictures(path: Path) -> list[tuple[float, np.ndarray]]:
    """(position in ms, picture)."""
    with av.open(str(path)) as container:
        return [
            (float(frame.time) * 1000, frame.to_ndarray(format="rgb24"))
            for frame in container.decode(video=0)
        ]


def beeps(path: Path) -> list[float]:
    """Positions in ms at which sound sets in after silence."""
    found: list[float] = []
    quiet = 0
    with av.open(str(path)) as container:
        for frame in container.decode(audio=0):
            wave = np.abs(frame.to_ndarray()[0])
            for place in range(0, len(wave), 48):
                if wave[place : place + 48].max() > 0.1:
                    if quiet > 100:
                        found.append(float(frame.time) * 1000 + place / 48)
                    quiet = 0
                else:
                    quiet += 1
    return found


def flashes(path: Path) -> list[float]:
    lit = [(at, is_flash(image)) for at, image in pictures(path)]
    return [at for (_, before), (at, now) in itertools.pairwise(lit) if now and not before]


def in_step(path: Path) -> list[float]:
    """By how many ms each beep comes after its flash."""
    lit = flashes(path)
    return [min((beep - at for at in lit), key=abs) for beep in beeps(path)]


@pytest.mark.parametrize("container", ["matroska", "mp4"])
def test_a_recording_plays_whole_and_untouched(tmp_path: Path, container: str) -> None:
    folder = write_journal(tmp_path, publish(4))
    out = tmp_path / "out"
    made = make_playable(folder, out, ["cam", "mic"], container)
    assert [number_in(image) for _, image in pictures(out)] == list(range(4 * FPS))
    with av.open(str(out)) as opened:
        kinds = {stream.type: stream.codec_context.name for stream in opened.streams}
        assert kinds == {"video": "h264", "audio": "opus"}
        packets = list(opened.demux())
    stored = [bytes(packet) for packet in packets if packet.size]
    published = {bytes(raw) for raw in sound(4)}
    assert published <= set(stored), "sound stands in it byte by byte"
    assert made.counters["cam"].frames == 4 * FPS
    assert made.counters["cam"].lost == made.counters["mic"].lost == 0
    assert (made.bytes, made.sha256) == (
        out.stat().st_size, hashlib.sha256(out.read_bytes()).hexdigest(),
    )  # fmt: skip
    assert not list(tmp_path.glob("*.part"))
    assert made.torn == ()


@pytest.mark.parametrize("delay_ms", [0, 400])
def test_lips_and_sound_are_in_step_however_late_the_sound_came(
    tmp_path: Path, delay_ms: int
) -> None:
    folder = write_journal(tmp_path, publish(4, sound_delay_ns=delay_ms * 1_000_000))
    out = tmp_path / "out.mkv"
    make_playable(folder, out, ["cam", "mic"])
    found = in_step(out)
    assert len(found) >= 3
    assert max(map(abs, found)) <= SYNC_MS


def test_without_reports_sound_that_came_late_is_late_in_the_file(tmp_path: Path) -> None:
    """The test above can tell: only the reports bring the two together."""
    late = publish(4, sound_delay_ns=400_000_000, reports=False)
    out = tmp_path / "out.mkv"
    make_playable(write_journal(tmp_path, late), out, ["cam", "mic"])
    assert min(map(abs, in_step(out))) > 300


def test_clocks_of_publishers_that_differ_by_years_do_not_mix(tmp_path: Path) -> None:
    cam = [one for one in publish(3, wall_s=Fraction(1_000_000_000)) if one.track == "cam"]
    mic = [one for one in publish(3) if one.track == "mic"]
    folder = write_journal(tmp_path, sorted(cam + mic, key=lambda one: one.at_ns))
    out = tmp_path / "out.mkv"
    made = make_playable(folder, out, ["cam", "mic"])
    assert made.duration_ms < 3100
    assert max(map(abs, in_step(out))) <= SYNC_MS


def test_a_file_begins_at_a_keyframe_and_keeps_long_sound_before_it(tmp_path: Path) -> None:
    sent = publish(4)
    first_key = next(one for one in sent if one.track == "cam").at_ns
    late = [one for one in sent if one.track == "mic" or one.at_ns > first_key + 300_000_000]
    out = tmp_path / "out.mkv"
    made = make_playable(write_journal(tmp_path, late), out, ["cam", "mic"])
    numbers = [number_in(image) for _, image in pictures(out)]
    assert numbers == list(range(FPS, 4 * FPS)), "from the next keyframe on"
    assert pictures(out)[0][0] == 0
    assert 2900 < made.duration_ms < 3100
    moved = [
        replace(one, at_ns=one.at_ns + (7_000_000_000 if one.track == "cam" else 0))
        for one in publish(4, reports=False)
    ]
    folder = write_journal(tmp_path / "long", sorted(moved, key=lambda one: one.at_ns))
    made = make_playable(folder, out, ["cam", "mic"])
    assert 10_900 < made.duration_ms < 11_100, "seven seconds of sound alone are evidence too"
    assert 6_900 < pictures(out)[0][0] < 7_100


def test_a_gap_drops_pictures_until_the_next_keyframe_and_says_so(tmp_path: Path) -> None:
    sent = publish(4)
    gone = [one for one in sent if one.track == "cam" and 1.2 < one.at_ns / 1e9 < 1.3]
    folder = write_journal(tmp_path, [one for one in sent if one not in gone])
    out = tmp_path / "out.mkv"
    made = make_playable(folder, out, ["cam", "mic"])
    numbers = [number_in(image) for _, image in pictures(out)]
    assert numbers == [*range(30), *range(50, 100)]
    assert made.counters["cam"].gaps == 1
    assert made.counters["cam"].lost == sum(not one.is_report for one in gone)
    at = {number_in(image): at for at, image in pictures(out)}
    assert abs(at[50] - at[29] - 21 * 40) <= 2, "the time of what is missing is kept"


def test_a_picture_may_change_its_size_and_its_source(tmp_path: Path) -> None:
    first = [one for one in publish(2) if one.track == "cam"]
    again = Sender(H264, 0xBEEF, seq=9, base=1234)
    second = [
        Sent(2 * 10**9 + number * 40_000_000, "cam", packet)
        for number, (raw, _) in enumerate(video("libx264", 50, size=(640, 360)))
        for packet in again.frame(h264_payloads(annexb_nals(raw)), number * 3600)
    ]
    folder = write_journal(tmp_path, first + second, formats={"cam": H264})
    for container in ("matroska", "mp4"):
        out = tmp_path / container
        make_playable(folder, out, ["cam"], container)
        with av.open(str(out)) as opened:
            seen = [(frame.width, frame.height) for frame in opened.decode(video=0)]
        assert seen == [(320, 240)] * 50 + [(640, 360)] * 50


def test_who_comes_back_with_another_payload_type_is_heard_on_in_one_file(tmp_path: Path) -> None:
    mic = [one for one in publish(2, reports=False) if one.track == "mic"]
    write_journal(tmp_path, mic, formats={"mic": OPUS})
    again = [
        replace(one, at_ns=one.at_ns + 3 * 10**9, raw=one.raw[:1] + b"m" + one.raw[2:8] + b"new!")
        for one in mic
    ]
    again = [replace(a, raw=a.raw + old.raw[12:]) for a, old in zip(again, mic, strict=True)]
    other = TrackFormat("opus", 48_000, ord("m"))
    folder = write_journal(tmp_path, again, formats={"mic": other})
    made = make_playable(folder, tmp_path / "out.mkv", ["mic"])
    assert made.counters["mic"].frames == 2 * len(sound(2))
    assert 4_900 < made.duration_ms < 5_100
    write_journal(tmp_path, [], formats={"mic": other})
    cam = [replace(one, track="mic") for one in publish(1) if one.track == "cam"]
    folder = write_journal(tmp_path, cam, formats={"mic": H264})
    with pytest.raises(RecordingRefused, match=r"playable\.codec"):
        make_playable(folder, tmp_path / "out.mkv", ["mic"])


def test_vp8_goes_into_matroska_and_is_refused_for_mp4(tmp_path: Path) -> None:
    sent = publish(2, codec="libvpx")
    folder = write_journal(tmp_path, sent, formats={"cam": VP8, "mic": OPUS})
    out = tmp_path / "out"
    make_playable(folder, out, ["cam", "mic"])
    assert [number_in(image) for _, image in pictures(out)] == list(range(50))
    with pytest.raises(RecordingRefused, match=r"playable\.codec"):
        make_playable(folder, out, ["cam", "mic"], "mp4")


def test_an_event_of_the_journal_meets_the_picture_of_its_moment(tmp_path: Path) -> None:
    """The server's clock is set forward by 10 s, later back by 4, and the machine starts anew."""

    def utc(at_ns: int) -> int:
        ms = at_ns // 1_000_000
        return UTC_MS + ms + (10_000 if ms >= 1000 else 0) - (4_000 if ms >= 3000 else 0)

    def mono(at_ns: int) -> int:
        return 9_000_000_000_000 + at_ns if at_ns < 2 * 10**9 else 5_000_000_000 + at_ns

    folder = write_journal(tmp_path, publish(4, reports=False), utc=utc, mono=mono)
    out = tmp_path / "out.mkv"
    made = make_playable(folder, out, ["cam", "mic"])
    shown = {number_in(image): at for at, image in pictures(out)}
    for number in (10, 40, 60, 90):
        at_ns = number * 40_000_000 + 5_000_000
        position = made.timeline.position_ms(utc(at_ns))
        assert position is not None
        assert abs(position - shown[number]) <= 45, number
        told = made.timeline.utc_ms(position)
        assert told is not None
        assert abs(told - utc(at_ns)) <= 45
    assert made.timeline.position_ms(UTC_MS - 60_000) is None
    assert made.timeline.position_ms(UTC_MS + 60_000) is None
    jumped = made.timeline.position_ms(UTC_MS + 5_000)
    assert jumped is not None
    assert abs(jumped - 1000) <= 45, "a moment that never was lies where the clock was set"
    assert Timeline.parse(json.loads(json.dumps(made.timeline.value()))) == made.timeline


def test_a_torn_journal_plays_up_to_its_tear(tmp_path: Path) -> None:
    folder = write_journal(tmp_path, publish(2), segment_bytes=1 << 20)
    path = segment_path(folder / "cam", 1)
    raw = path.read_bytes()
    path.write_bytes(raw[: len(raw) * 3 // 4])
    out = tmp_path / "out.mkv"
    made = make_playable(folder, out, ["cam", "mic"])
    assert made.torn == ("cam",)
    numbers = [number_in(image) for _, image in pictures(out)]
    assert numbers == list(range(len(numbers)))
    assert 25 < len(numbers) < 50


def test_what_cannot_be_made_is_refused_and_leaves_no_file(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = write_journal(tmp_path, publish(1))
    out = tmp_path / "out.mkv"
    for tracks, container, code in (
        (["cam"], "avi", "playable.container"),
        ([], "matroska", "playable.tracks"),
        (["cam", "cam"], "matroska", "playable.tracks"),
        (["nobody"], "matroska", "playable.tracks"),
        (["../room"], "matroska", "recording.name"),
    ):
        with pytest.raises(RecordingRefused) as caught:
            make_playable(folder, out, tracks, container)
        assert caught.value.code == code
    path = segment_path(folder / "mic", 1)
    bent = bytearray(path.read_bytes())
    bent[40] ^= 1
    path.write_bytes(bent)
    assert main([str(folder), str(out), "mic"]) == 1
    assert "segment.damaged" in capsys.readouterr().err
    assert not out.exists()
    assert main([str(folder), str(out), "cam"]) == 0
    assert json.loads(capsys.readouterr().out)["duration_ms"] > 900


def test_a_track_may_be_written_while_it_is_made_playable(tmp_path: Path) -> None:
    """What comes after the first look, also from another source, is left for the next time."""
    trace = publish(4)
    at = len(trace) // 2
    folder = write_journal(tmp_path / "first", trace[:at])
    later = write_journal(tmp_path / "second", trace)
    reading = TrackReading(folder / "cam")
    assert reading.first is not None
    reading.survey(reading.first)
    before = [frame.data for _, frame in reading.frames()]
    for path in (later / "cam").glob("*.krj"):
        shutil.copy(path, folder / "cam" / path.name)
    # The segment that has only just been begun.
    number = len(list((later / "cam").glob("*.krj"))) + 1
    segment_path(folder / "cam", number).write_bytes(b"")
    assert [frame.data for _, frame in reading.frames()] == before
    assert TrackReading(folder / "cam").chain == "torn"
    made = make_playable(folder, tmp_path / "out.mkv", ["cam"])
    assert made.counters["cam"].frames == 4 * FPS
