"""What forwarding must know of payloads, over bytes as encoders write them and over any bytes."""

import pytest
from aiortc.codecs.vpx import VpxPayloadDescriptor
from hypothesis import given
from hypothesis import strategies as st

from media.codecs import Codec, read_vp8, shift_vp8, starts_keyframe

STARTS = {
    "a single IDR slice": bytes([0x65, 1, 2]),
    "parameter sets alone": bytes([0x67, 1, 2]),
    "parameter sets together": bytes([0x78, 0, 2, 0x67, 1, 0, 1, 0x68]),
    "parameter sets behind a delimiter": bytes([0x78, 0, 2, 0x09, 1, 0, 1, 0x67]),
    "the first part of an IDR slice": bytes([0x7C, 0x85, 1]),
}
STARTS_NOT = {
    "nothing": b"",
    "a slice": bytes([0x41, 1]),
    "a later part of an IDR slice": bytes([0x7C, 0x05, 1]),
    "the first part of a slice": bytes([0x7C, 0x81, 1]),
    "a part without its head": bytes([0x7C]),
    "an aggregate without units": bytes([0x78, 0, 9]),
    "an aggregate that lies": bytes([0x78, 0xFF, 0xFF, 0x41]),
}


@pytest.mark.parametrize("payload", STARTS.values(), ids=STARTS.keys())
def test_a_keyframe_starts_with(payload: bytes) -> None:
    assert starts_keyframe(Codec.H264, payload)


@pytest.mark.parametrize("payload", STARTS_NOT.values(), ids=STARTS_NOT.keys())
def test_no_keyframe_starts_with(payload: bytes) -> None:
    assert not starts_keyframe(Codec.H264, payload)


@given(st.sampled_from(Codec), st.binary(max_size=60))
def test_any_payload_gets_an_answer(codec: Codec, payload: bytes) -> None:
    assert starts_keyframe(codec, payload) in (True, False)
    assert len(shift_vp8(payload, 5, 5)) == len(payload)


@given(
    picture=st.none() | st.integers(0, 0x7FFF),
    tl0=st.none() | st.integers(0, 255),
    moved=st.integers(0, 0x7FFF),
    rest=st.binary(min_size=1, max_size=20),
)
def test_vp8_counters_move_and_nothing_else(
    picture: int | None, tl0: int | None, moved: int, rest: bytes
) -> None:
    tid = None if tl0 is None else (0, 0)
    head = VpxPayloadDescriptor(1, 0, picture_id=picture, tl0picidx=tl0, tid=tid)
    payload = bytes(head) + rest
    assert starts_keyframe(Codec.VP8, payload) == (rest[0] & 1 == 0)
    after, body = VpxPayloadDescriptor.parse(shift_vp8(payload, moved, moved))
    assert body == rest
    assert after.picture_id == (None if picture is None else (picture + moved) & 0x7FFF)
    assert after.tl0picidx == (None if tl0 is None else (tl0 + moved) & 0xFF)


def test_a_short_picture_id_stays_short() -> None:
    assert shift_vp8(b"\x90\x80\x7f\x00", 2, 0) == b"\x90\x80\x01\x00"


def test_a_descriptor_that_is_cut_short_is_none() -> None:
    for cut in (b"", b"\x90", b"\x90\x80", b"\x90\x80\x80", b"\x90\x40", b"\x90\x20\x00"):
        assert read_vp8(cut) is None
