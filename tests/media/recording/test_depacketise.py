"""Packets back to frames: reordered, lost, doubled, wrapped; and whatever else a stranger sends."""

import itertools

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from media.packets import build_rtp
from media.recording.depacketise.assembler import Assembler
from media.recording.depacketise.frames import Frame
from media.recording.depacketise.h264 import stap_a
from media.recording.depacketise.opus import SILENCE, SILENCE_DURATION, opus_duration
from media.recording.depacketise.sps import picture_size
from media.recording.depacketise.vp8 import vp8_keyframe, vp8_payload
from media.recording.segments import TrackFormat
from tests.media.recording.traces import (
    H264,
    OPUS,
    VP8,
    Sender,
    annexb_nals,
    h264_payloads,
    shuffled,
    sound,
    video,
    vp8_payloads,
)

FRAMES = 30
GOP = 10
MS = 1_000_000


def sent(form: TrackFormat, seq: int = 65_500, size: int = 300) -> list[list[bytes]]:
    """The packets of each frame; ``seq`` wraps soon, the timestamp too."""
    sender = Sender(form, 7, seq=seq, base=0xFFFF_F000)
    if form is OPUS:
        return [sender.frame([raw], n * 960) for n, raw in enumerate(sound(1)[:FRAMES])]
    codec = "libx264" if form is H264 else "libvpx"
    out = []
    for number, (raw, _) in enumerate(video(codec, FRAMES, gop=GOP)):
        payloads = (
            h264_payloads(annexb_nals(raw), size)
            if form is H264
            else vp8_payloads(raw, number, size)
        )
        out.append(sender.frame(payloads, number * 3600))
    return out


def assembled(
    form: TrackFormat, packets: list[bytes], step_ms: int = 1
) -> tuple[list[Frame], Assembler]:
    assembler = Assembler(form)
    frames = [
        frame for place, raw in enumerate(packets) for frame in assembler.packet(raw, place * MS)
    ]
    return frames + assembler.flush(), assembler


def joined(frames: list[list[bytes]]) -> list[bytes]:
    return list(itertools.chain.from_iterable(frames))


def nals_of(data: bytes) -> list[bytes]:
    out, offset = [], 0
    while offset < len(data):
        size = int.from_bytes(data[offset : offset + 4], "big")
        out.append(data[offset + 4 : offset + 4 + size])
        offset += 4 + size
    return out


@pytest.mark.parametrize("form", [H264, VP8, OPUS], ids=lambda form: form.codec)
def test_what_was_encoded_comes_out_as_it_was(form: TrackFormat) -> None:
    frames, assembler = assembled(form, joined(sent(form)))
    if form is OPUS:
        assert [frame.data for frame in frames] == list(sound(1)[:FRAMES])
    else:
        encoded = video("libx264" if form is H264 else "libvpx", FRAMES, gop=GOP)
        assert [frame.is_key for frame in frames] == [is_key for _, is_key in encoded]
        for frame, (raw, _) in zip(frames, encoded, strict=True):
            if form is H264:
                assert nals_of(frame.data) == annexb_nals(raw)
            else:
                assert frame.data == raw
        form_ = frames[0].format
        assert form_ is not None
        assert (form_.codec, form_.width, form_.height) == (form.codec, 320, 240)
    steps = {b.timestamp - a.timestamp for a, b in itertools.pairwise(frames)}
    assert steps == {960 if form is OPUS else 3600}, "timestamps go on over their wrap"
    assert assembler.counters.lost == assembler.counters.malformed == 0
    assert assembler.counters.frames == FRAMES


@settings(max_examples=60, deadline=None)
@given(
    st.sampled_from([H264, VP8, OPUS]),
    st.lists(st.integers(0, 20), max_size=12),
    st.sets(st.integers(0, 400), max_size=20),
    st.integers(0, 65_535),
)
def test_reordering_and_doubling_change_nothing(
    form: TrackFormat, moves: list[int], doubled: set[int], seq: int
) -> None:
    packets = joined(sent(form, seq))
    straight, _ = assembled(form, packets)
    first = packets[:1]  # what comes first decides where a sequence begins
    mixed = first + list(shuffled(packets[1:], moves))
    mixed = [raw for n, raw in enumerate(mixed) for _ in range(1 + (n in doubled))]
    bent, assembler = assembled(form, mixed)
    assert [(f.timestamp, f.data) for f in bent] == [(f.timestamp, f.data) for f in straight]
    assert assembler.counters.lost == 0


@settings(max_examples=80, deadline=None)
@given(st.sampled_from([H264, VP8, OPUS]), st.data())
def test_after_a_loss_only_whole_frames_from_a_keyframe_on_come_out(
    form: TrackFormat, data: st.DataObject
) -> None:
    frames = sent(form)
    packets = joined(frames)
    lost = data.draw(st.sets(st.integers(1, len(packets) - 2), max_size=8))
    kept = [raw for place, raw in enumerate(packets) if place not in lost]
    straight, _ = assembled(form, packets)
    found, assembler = assembled(form, kept)
    expected: list[bytes] = []
    place, needs_key = 0, False
    for frame, raw in zip(frames, straight, strict=True):
        is_whole = not lost & set(range(place, place + len(frame)))
        place += len(frame)
        if form is OPUS:
            expected += [raw.data] * is_whole
            continue
        needs_key = not is_whole or (needs_key and not raw.is_key)
        expected += [raw.data] * (not needs_key)
    assert [frame.data for frame in found] == expected
    assert assembler.counters.lost == len(lost)


def test_a_missing_packet_is_waited_for_half_a_second_and_no_longer() -> None:
    packets = joined(sent(OPUS))
    assembler = Assembler(OPUS)
    assert len(assembler.packet(packets[0], 0)) == 1
    assert assembler.packet(packets[2], 20 * MS) == []
    assert assembler.packet(packets[3], 519 * MS) == []
    assert len(assembler.packet(packets[4], 520 * MS)) == 3
    assert assembler.packet(packets[1], 521 * MS) == []
    assert (assembler.counters.lost, assembler.counters.late) == (1, 1)


def test_a_publisher_who_comes_back_with_a_new_source_is_followed() -> None:
    first = joined(sent(H264))[:40]
    again = Sender(H264, 99, seq=5, base=77)
    raw, is_key = video("libx264", FRAMES, gop=GOP)[0]
    assert is_key
    frames, assembler = assembled(H264, first + again.frame(h264_payloads(annexb_nals(raw)), 0))
    assert assembler.source == 1
    assert frames[-1].is_key
    assert frames[-1].timestamp == 77
    assert assembler.unwrapped(99, 77 + 90) == 77 + 90
    assert assembler.unwrapped(7, 0) is None


def test_a_jump_of_the_sequence_begins_anew_at_a_keyframe() -> None:
    packets = joined(sent(H264, seq=100))
    jumped = joined(sent(H264, seq=30_000))
    frames, assembler = assembled(H264, packets + jumped)
    assert len(frames) == 2 * FRAMES
    assert assembler.counters.gaps == 1
    assert frames[FRAMES].is_key


def test_a_sequence_that_begins_anew_a_little_lower_is_followed_before_long() -> None:
    packets = joined(sent(OPUS, seq=2000))
    again = Sender(OPUS, 7, seq=1000, base=5)
    later = [again.frame([raw], n * 960)[0] for n in range(6) for raw in sound(1)[:FRAMES]]
    frames, assembler = assembled(OPUS, packets + later)
    assert assembler.counters.late == 100
    assert len(frames) == FRAMES + len(later) - 100


def test_packets_of_another_payload_type_are_no_gap() -> None:
    one, two, three = joined(sent(OPUS))[:3]
    other = one[:1] + bytes([13]) + two[2:]  # comfort noise in the place of the second
    frames, assembler = assembled(OPUS, [one, other, three])
    assert len(frames) == 2
    assert (assembler.counters.lost, assembler.counters.foreign) == (0, 1)


# ---- strangers

payloads = st.lists(
    st.one_of(
        st.binary(max_size=40),
        st.tuples(
            st.sampled_from([1, 5, 7, 8, 24, 28, 29, 0x10, 0x90, 0x80, 0x65]),
            st.binary(max_size=30),
        ).map(lambda pair: bytes([pair[0]]) + pair[1]),
    ),
    max_size=30,
)


@settings(max_examples=200, deadline=None)
@given(
    st.sampled_from([H264, VP8, OPUS]),
    payloads,
    st.lists(st.tuples(st.integers(0, 0xFFFF), st.integers(0, 0xFFFFFFFF), st.integers(0, 3))),
)
def test_no_payload_is_a_fault(
    form: TrackFormat, sent_: list[bytes], heads: list[tuple[int, int, int]]
) -> None:
    assembler = Assembler(form)
    frames: list[Frame] = []
    for place, payload in enumerate(sent_):
        seq, timestamp, ssrc = heads[place] if place < len(heads) else (place, 0, 0)
        raw = build_rtp(form.payload_type, seq, timestamp, ssrc, payload, marker=place % 3 == 0)
        frames += assembler.packet(raw, place * MS)
    frames += assembler.flush()
    if form is not OPUS:
        # Nothing comes before a keyframe whose format is known.
        assert all(frame.is_key and frame.format for frame in frames[:1])


@given(st.lists(st.binary(max_size=60), max_size=20))
def test_no_bytes_are_a_fault(packets: list[bytes]) -> None:
    for form in (H264, VP8, OPUS):
        frames, _ = assembled(form, packets)
        assert frames == []


@given(st.binary(max_size=80))
def test_parsers_of_payloads_answer_or_refuse(raw: bytes) -> None:
    assert 0 <= opus_duration(raw) <= 5760
    found = vp8_payload(raw)
    assert found is None or raw.endswith(found[1])
    assert sum(map(len, stap_a(raw))) <= len(raw)
    form = vp8_keyframe(raw)
    assert form is None or (form.width > 0 and form.height > 0)
    size = picture_size(b"\x67" + raw)
    assert size is None or (0 < size[0] <= 8192 and 0 < size[1] <= 8192)


@pytest.mark.parametrize("size", [(320, 240), (1280, 720), (640, 362), (1920, 1080)])
def test_the_size_of_a_picture_is_that_of_its_encoder(size: tuple[int, int]) -> None:
    (raw, _), *_ = video("libx264", 1, size=size)
    (sps,) = (nal for nal in annexb_nals(raw) if nal[0] & 0x1F == 7)
    assert picture_size(sps) == size


def test_a_frame_without_end_is_given_up_before_it_fills_the_memory() -> None:
    assembler = Assembler(H264)
    endless = bytes([0x65, 0x00]) + bytes(1400)
    for number in range(4000):
        kind = 0x80 if number == 0 else 0
        payload = bytes([0x7C, 0x05 | kind]) + endless
        assembler.packet(build_rtp(102, number, 0, 1, payload), number)
    assert assembler.counters.frames == 0
    assert assembler.counters.frames_dropped == 1


def test_silence_is_twenty_milliseconds_of_opus() -> None:
    assert opus_duration(SILENCE) == SILENCE_DURATION
    assert opus_duration(sound(1)[0]) == 960
